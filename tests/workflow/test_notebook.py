"""The example notebook runs on a finished study, and what it shows is small and says nothing of where it was made."""

import ast
import re

import matplotlib.pyplot as plt
import nbformat
import pytest

from workflow.project import ROOT

NOTEBOOK = ROOT / "docs" / "reading_results.ipynb"
NOTEBOOKS = sorted((ROOT / "docs").rglob("*.ipynb"))


def run(cells):
    """Run cells as a notebook does, and give what the last expression of each is worth."""
    names, shown = {}, []
    for cell in cells:
        tree = ast.parse(cell.source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), names)
        shown.append(None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names))
    return names, shown


def code_of(notebook):
    return [cell for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def ran(finished_once, tmp_path_factory):
    """What the notebook computes in a folder beside the results of the small study."""
    place = tmp_path_factory.mktemp("notebook")
    (place / "docs").mkdir()
    (place / "results").symlink_to(finished_once.root / "results")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place / "docs")
        patch.setattr(plt, "show", lambda: None)
        names, shown = run(code_of(NOTEBOOK))
    plt.close("all")
    return names, shown


def test_the_notebook_runs_on_another_study(ran):
    names, shown = ran
    assert names["study"].groups == ("group-all", "site-even", "site-odd")
    assert len(names["connectomes"]) == 3 and names["signals"].shape == (80, 4)
    assert repr(shown[0]).startswith("Study in ../results")
    assert names["model"].duality_gap_ <= 1e-4


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_valid_and_was_run_from_top_to_bottom(notebook):
    content = nbformat.read(notebook, 4)
    nbformat.validate(content)
    code = code_of(notebook)
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_small_and_names_no_folder_of_the_machine_it_was_run_on(notebook):
    for cell in code_of(notebook):
        assert all(len(str(output)) < 100_000 for output in cell.outputs)
    text = re.sub(r'"image/png": ".*"', "", notebook.read_text())
    assert not re.search(r"/(home|root|tmp|work|Users)/", text)
