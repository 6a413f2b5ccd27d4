"""A finished study is read back by label, from its folder of results alone, and no more of it than is asked for."""

import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from sphereconn import InputError, read_study
from sphereconn.files import read_matrix, read_signals
from workflow.project import HALF_A_DIGIT, ROOT

RUN = "sub-02_task-rest"


@pytest.fixture(scope="module")
def folder(finished_once, tmp_path_factory):
    """The folder of results alone, elsewhere: no configuration, no runs table, no image."""
    return shutil.copytree(finished_once.root / "results", tmp_path_factory.mktemp("elsewhere") / "results")


@pytest.fixture(scope="module")
def study(folder):
    return read_study(folder)


def values_of(frame):
    """Names on both sides off, numbers left."""
    return frame.to_numpy()


def test_what_there_is_is_told(study):
    assert (study.seed_sets, study.denoising, study.estimators) == (("dmn", "mine"), ("bandpass",), ("full", "partial"))
    assert study.groups == ("group-all", "site-even", "site-odd")
    assert (study.contrasts, study.maps) == ((), ())
    told = repr(study)
    assert "3 of 3 subjects" in told and "dmn and mine" in told and "site-odd" in told and "contrasts" not in told


def test_runs_have_their_entities_and_the_columns_to_group_by(study):
    assert study.runs.index.tolist() == [f"sub-{n:02d}_task-rest" for n in (1, 2, 3)]
    assert study.runs["subject"].tolist() == ["01", "02", "03"]  # labels, not numbers
    assert study.runs["site"].tolist() == ["odd", "even", "odd"]
    assert study.quality["frames"].tolist() == [80] * 6
    assert study.estimation["shrinkage"].notna().sum() == 6  # of the partial correlations


def test_the_settings_are_those_of_the_study(study, finished_once):
    assert study.settings["seed_sets"]["dmn"]["radius"] == finished_once.config["seed_sets"]["dmn"]["radius"]


def test_a_connectome_is_that_of_its_file(study, folder):
    start = folder / "sub-02" / "func" / f"{RUN}_atlas-mine_meas-partial_desc-bandpass"
    names, expected = read_matrix(f"{start}_relmat.tsv")
    found = study.connectome(RUN, "mine", estimator="partial")
    assert found.index.tolist() == found.columns.tolist() == names
    np.testing.assert_allclose(values_of(found), expected, rtol=HALF_A_DIGIT)
    np.testing.assert_array_equal(values_of(found)[np.triu_indices(3, 1)], np.load(f"{start}_edges.npy"))
    assert study.connectome("sub-02", "mine", "bandpass", "partial").equals(found)  # as one run begins so
    assert study.described("sub-02", "mine", estimator="partial")["RelationshipMeasure"].startswith("partial")


def test_signals_before_and_after_cleaning_are_those_of_their_files(study, folder):
    start = folder / "sub-02" / "func" / f"{RUN}_atlas-mine"
    for cleaned, ending in ((True, "_desc-bandpass_timeseries.tsv"), (False, "_timeseries.tsv")):
        names, expected = read_signals(f"{start}{ending}")
        found = study.signals(RUN, "mine", cleaned=cleaned)
        assert found.columns.tolist() == names and found.index.tolist() == list(range(80))
        np.testing.assert_array_equal(values_of(found), expected)


def test_nodes_of_a_seed_set_and_of_a_run(study):
    nodes = study.nodes("mine")
    assert nodes.index.tolist() == ["front", "left", "right"]
    assert nodes["radius"].tolist() == [12, 12, 10] and nodes["network"].tolist() == ["A", "B", "B"]
    of_run = study.nodes("mine", run=RUN)
    assert (of_run["coverage"] == 1).all() and of_run["problem"].isna().all()
    assert of_run[nodes.columns.to_list()].equals(nodes)


def test_the_connectomes_of_all_runs_are_those_of_single_runs(study):
    connectomes = study.connectomes("mine", "bandpass", "partial")
    assert len(connectomes) == 3 and connectomes.runs.index.equals(study.runs.index)
    matrices = connectomes.matrices()
    for place, run in enumerate(connectomes.runs.index):
        expected = study.connectome(run, "mine", "bandpass", "partial")
        pd.testing.assert_frame_equal(connectomes[run], expected)
        np.testing.assert_array_equal(matrices[place], expected)
        values = {(a, b): expected.loc[a, b] for a, b in connectomes.edge_names}
        assert connectomes.frame().loc[run].to_dict() == values


def test_the_mean_of_a_group_is_that_of_its_runs(study):
    connectomes = study.connectomes("dmn", estimator="full")
    odd = connectomes.where(site="odd")
    assert odd.runs["subject"].tolist() == ["01", "03"] and len(odd) == 2
    upper = np.triu_indices(4, 1)
    expected = np.tanh(np.arctanh(odd.edges).mean(axis=0))
    np.testing.assert_allclose(values_of(connectomes.group("site-odd"))[upper], expected, rtol=HALF_A_DIGIT)
    pd.testing.assert_frame_equal(odd["sub-03"], connectomes["sub-03"])
    assert (connectomes.group("site-odd", "n").to_numpy()[upper] == 2).all()
    assert connectomes.nodes["runs_used"].tolist() == [3] * 4
    assert connectomes.group_nodes("site-even")["runs_used"].tolist() == [1] * 4


def test_the_edges_of_runs_stay_on_the_disk_until_they_are_asked_for(study):
    assert isinstance(study.connectomes("dmn", estimator="full").edges, np.memmap)


def test_the_folder_is_opened_without_reading_a_single_run(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "results")
    for of_run in (path for path in copy.glob("sub-*") if path.is_dir()):  # beside them stand the pages of subjects
        shutil.rmtree(of_run)
    study = read_study(copy)
    assert "3 of 3 subjects" in repr(study)
    assert study.connectomes("dmn", estimator="full").group().shape == (4, 4)
    with pytest.raises(InputError, match="there is no seed set 'dmn'"):
        study.connectome(RUN, "dmn", estimator="full")


def test_a_study_that_has_not_run_to_its_end_is_read_as_far_as_it_has(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "results")
    shutil.rmtree(copy / "group")
    study = read_study(copy)
    assert study.seed_sets == () and len(study.runs) == 0 and repr(study) == f"Study in {copy}\n  runs         0"
    for asked in (lambda: study.quality, lambda: study.connectomes("dmn")):
        with pytest.raises(InputError, match="run the study to its end"):
            asked()


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda study: study.connectomes("dnm"), "no seed set 'dnm' (did you mean 'dmn'?); there are dmn and mine."),
        (lambda study: study.connectomes("DMN"), "did you mean 'dmn'?"),
        (lambda study: study.connectomes(), "there are dmn and mine; choose one with seed_set=…"),
        (
            lambda study: study.connectomes("dmn", estimator="sparse"),
            "of seed set dmn there is no estimator 'sparse'; there are full and partial.",
        ),
        (lambda study: study.signals("sub-22", "dmn"), "no run 'sub-22'; there are sub-01_task-rest, sub-02_task-rest"),
        (lambda study: study.connectomes("dmn", estimator="full").group("odd"), "(did you mean 'site-odd'?)"),
        (lambda study: study.connectomes("dmn", estimator="full").where(sitee="odd"), "(did you mean 'site'?)"),
        (lambda study: study.connectomes("dmn", estimator="full").where(site="old"), "no run has 'old' in the column"),
        (lambda study: study.contrast("age"), "there is no contrast"),
        (lambda study: study.comparison(), "there is no comparison"),
        (lambda study: study.reliability(), "there is no reliability"),
        (lambda study: study.seed_map("front"), "there is no seed map"),
        (
            lambda study: study.connectome("sub-01", "dmn", estimator="full", statistic="precision"),
            "there are no matrices other than connectomes",
        ),
    ],
)
def test_what_is_not_there_is_said_with_what_there_is(study, ask, said):
    with pytest.raises(InputError) as problem:
        ask(study)
    assert said in str(problem.value) and str(problem.value).startswith(str(study.folder))


def test_a_folder_without_results_says_so_and_where_they_may_be(folder, tmp_path):
    with pytest.raises(InputError, match=r"study\.json is missing.*did you mean .*results\?"):
        read_study(folder.parent)
    with pytest.raises(InputError, match="give the output_dir of a study that has run"):
        read_study(tmp_path)
    with pytest.raises(InputError, match="there is no such folder"):
        read_study(tmp_path / "nothing")


def test_runs_that_begin_alike_are_told_apart_by_the_full_name(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "results")
    for table in (copy / "group").glob("*_stack.tsv"):
        table.write_text(table.read_text().replace("sub-03_task-rest\t03", "sub-02_task-rest_run-2\t02"))
    quality = copy / "group" / "quality.tsv"
    quality.write_text(quality.read_text().replace("sub-03_task-rest", "sub-02_task-rest_run-2"))
    study = read_study(copy)
    assert study.signals(RUN, "mine").shape == (80, 3)
    with pytest.raises(InputError, match="2 runs begin with 'sub-02_'"):
        study.signals("sub-02", "mine")


def test_a_job_that_imports_the_library_loads_none_of_this():
    code = (
        "import sys, sphereconn; sys.exit(any(name.startswith(('sphereconn.read', 'pandas')) for name in sys.modules))"
    )
    library = {"PYTHONPATH": str(ROOT / "workflow" / "lib")}
    assert subprocess.run([sys.executable, "-c", code], env=library, check=False).returncode == 0


def test_the_library_says_what_it_offers():
    import sphereconn

    assert {"read_study", "InputError", "__version__"} <= set(dir(sphereconn))
    with pytest.raises(AttributeError, match="no attribute 'read_studies'"):
        sphereconn.read_studies  # noqa: B018
