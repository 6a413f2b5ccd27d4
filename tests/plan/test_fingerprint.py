"""The fingerprint of a stage changes when the code it uses does, and only then."""

from pathlib import Path

import pytest

from sphereconn.plan import fingerprint as module
from sphereconn.plan.fingerprint import fingerprint
from sphereconn.plan.known_code import KnownCode


@pytest.fixture
def code(tmp_path):
    library = tmp_path / "pack"
    (library / "inner").mkdir(parents=True)
    files = {
        "script": tmp_path / "script.py",
        "init": library / "__init__.py",
        "inner_init": library / "inner" / "__init__.py",
        "used": library / "inner" / "used.py",
        "deep": library / "deep.py",
        "unused": library / "unused.py",
    }
    files["init"].write_text('"""Package."""\n__version__ = "1"\n')
    files["inner_init"].write_text("")
    files["used"].write_text(
        "from pack.deep import number\n\ndef twice():\n    '''Docstring.'''\n    return 2 * number\n"
    )
    files["deep"].write_text("number = 3\n")
    files["unused"].write_text("number = 4\n")
    files["script"].write_text("from pack.inner import used\n\nprint(used.twice())\n")
    files["fingerprint"] = lambda: fingerprint(files["script"], library)
    return files


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("deep", "number = 5\n"),
        ("used", "from pack.deep import number\n\ndef twice():\n    return 2.0 * number\n"),
        ("script", "from pack.inner import used\n\nprint(used.twice() + 1)\n"),
        ("inner_init", "import sys\n"),
    ],
)
def test_a_change_in_code_that_is_used_changes_it(code, file, text):
    before = code["fingerprint"]()
    code[file].write_text(text)
    assert code["fingerprint"]() != before


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("unused", "number = 5\n"),
        ("deep", "# a comment\n\nnumber = 3\n"),
        ("used", "from pack.deep import number\ndef twice():\n    '''Another text.'''\n    return 2 * number  # why\n"),
        ("init", '"""Other words."""\n__version__ = "2"\n'),
    ],
)
def test_a_comment_a_docstring_or_unused_code_does_not(code, file, text):
    before = code["fingerprint"]()
    code[file].write_text(text)
    assert code["fingerprint"]() == before


def test_it_does_not_depend_on_the_order_of_imports_or_the_place_of_the_folder(code, tmp_path):
    before = code["fingerprint"]()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (tmp_path / "pack").rename(moved / "pack")
    code["script"].rename(moved / "script.py")
    assert fingerprint(moved / "script.py", moved / "pack") == before


def test_it_is_the_same_in_every_version_of_python(code):
    """An upgrade of Python makes nothing run again: the number is that of Python 3.11, 3.12 and 3.13."""
    code["used"].write_text(
        "from pack.deep import number\n\n\ndef twice(a = None, *b, **c) -> str:\n    return f'{number:{a}}' f'{a!r}'\n"
    )
    assert code["fingerprint"]() == "fd0e30a45cae8276"


def test_an_asset_counts_byte_by_byte(code, tmp_path):
    asset = tmp_path / "template.html"
    asset.write_text("<p>")
    before = fingerprint(code["script"], tmp_path / "pack", [asset])
    assert before != code["fingerprint"]()
    asset.write_text("<p> ")
    assert fingerprint(code["script"], tmp_path / "pack", [asset]) != before


@pytest.fixture
def known(tmp_path):
    return tmp_path / "kept" / "code.json"


def of_known(code, known, keep=True):
    """The fingerprint as a new start finds it, and how many modules it had to parse."""
    parsed = []
    start = KnownCode(known)
    with pytest.MonkeyPatch.context() as patch:
        compute = module.code_and_imports
        patch.setattr(module, "code_and_imports", lambda *of: parsed.append(of) or compute(*of))
        found = fingerprint(code["script"], code["init"].parent, (), start.of)
    if keep:
        start.keep()
    return found, len(parsed)


def test_what_is_known_of_modules_is_what_would_be_computed_and_is_computed_once(code, known):
    number = code["fingerprint"]()
    assert of_known(code, known) == (number, 5)
    assert of_known(code, known) == (number, 0)
    code["deep"].write_text("number = 5\n")
    assert of_known(code, known) == (code["fingerprint"](), 1)
    assert code["fingerprint"]() != number


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"a": 1}', '{"a": ["b"]}'])
def test_what_is_known_may_be_lost(code, known, content):
    of_known(code, known)
    known.write_text(content)
    assert of_known(code, known, keep=False) == (code["fingerprint"](), 5)


def test_what_cannot_be_kept_is_computed(code, tmp_path):
    (tmp_path / "taken").write_text("a file")
    for _ in range(2):
        assert of_known(code, tmp_path / "taken" / "code.json") == (code["fingerprint"](), 5)


def test_another_way_to_take_fingerprints_believes_nothing_of_before(code, known, monkeypatch):
    of_known(code, known)
    other = known.parent / "fingerprint.py"
    other.write_text(Path(module.__file__).read_text() + "# another way")
    monkeypatch.setattr(module, "__file__", str(other))
    assert of_known(code, known)[1] == 5
