"""A study from beginning to end: its results, and the ways to start it."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml

from sphereconn.connect.connectivity import connectome
from sphereconn.connect.edges import edge_vector
from sphereconn.files import read_json, read_matrix, read_signals
from sphereconn.plan.products import results
from workflow.project import HALF_A_DIGIT

RUN = "sub-01/func/sub-01_task-rest_atlas-dmn"


def text_of(project, name):
    return project.results()[name].decode()


def test_the_results_are_those_that_the_study_names(finished_once):
    expected = results(finished_once.study())
    assert set(finished_once.results()) == expected


def test_every_table_has_a_sidecar_that_says_what_was_done(finished_once):
    cleaned = json.loads(text_of(finished_once, f"{RUN}_desc-bandpass_timeseries.json"))
    assert cleaned["RepetitionTime"] == 2.0
    assert cleaned["SamplingFrequency"] == 0.5
    assert cleaned["ConfoundRegressors"] == ["csf", "trans_x", "trans_y", "trans_z"]
    # 80 frames, of which 0.09 of 0.25 Hz are passed, less four regressors
    assert np.isclose(cleaned["DegreesOfFreedom"], 80 * 0.09 / 0.25 - 4)
    relmat = json.loads(text_of(finished_once, f"{RUN}_meas-partial_desc-bandpass_relmat.json"))
    required = {"Directed", "RelationshipMeasure", "ValidDiagonal", "Weighted"}
    assert required <= set(relmat)
    assert "Ledoit-Wolf" in relmat["RelationshipMeasure"]
    assert 0 <= relmat["Shrinkage"] <= 1
    assert relmat["NodeFiles"] == [f"bids::{RUN}_nodes.tsv"]
    assert f"bids::{RUN}_desc-bandpass_timeseries.tsv" in relmat["Sources"]


def test_no_result_tells_the_time_or_the_place_where_it_was_made(finished_once):
    for name, content in finished_once.results().items():
        assert str(finished_once.root).encode() not in content, name


def test_a_matrix_can_be_read_by_the_names_of_its_nodes(finished_once):
    rows = list(
        csv.DictReader(text_of(finished_once, f"{RUN}_meas-full_desc-bandpass_relmat.tsv").splitlines(), delimiter="\t")
    )
    first, second = "posterior cingulate cortex", "medial prefrontal cortex"
    table = {row["node"]: row for row in rows}
    assert table[first][second] == table[second][first]


def test_a_matrix_is_the_connectome_of_the_signals_beside_it(finished_once):
    results = finished_once.root / "results"
    _, signals = read_signals(results / f"{RUN}_desc-bandpass_timeseries.tsv")
    _, matrix = read_matrix(results / f"{RUN}_meas-partial_desc-bandpass_relmat.tsv")
    edges = np.load(results / f"{RUN}_meas-partial_desc-bandpass_edges.npy")
    samples = read_json(results / f"{RUN}_desc-bandpass_timeseries.json")["EffectiveDegreesOfFreedom"]
    expected = connectome(signals, "partial correlation", "ledoit_wolf", samples=samples)
    np.testing.assert_allclose(matrix, expected.matrix, rtol=HALF_A_DIGIT)
    np.testing.assert_array_equal(edges, edge_vector(expected.matrix, diagonal=False))
    sidecar = read_json(results / f"{RUN}_meas-partial_desc-bandpass_relmat.json")
    assert (sidecar["Shrinkage"], sidecar["Samples"]) == (expected.shrinkage, samples)
    assert sidecar["RelationshipMeasure"].endswith("Ledoit-Wolf shrunk covariance (samples: effective)")


def test_a_group_is_the_mean_of_fishers_z_of_its_runs(finished_once):
    func = "results/sub-{0}/func/sub-{0}_task-rest_atlas-dmn_meas-full_desc-bandpass_edges.npy"
    edges = np.array([np.load(finished_once.root / func.format(number)) for number in ("01", "03")])
    group = "results/group/site-odd_atlas-dmn_meas-full_desc-bandpass_stat-{}_relmat.tsv"
    mean, std, n = (read_matrix(finished_once.root / group.format(stat))[1] for stat in ("mean", "std", "n"))
    np.testing.assert_allclose(edge_vector(mean, False), np.tanh(np.arctanh(edges).mean(axis=0)), rtol=HALF_A_DIGIT)
    np.testing.assert_allclose(edge_vector(std, False), np.arctanh(edges).std(axis=0, ddof=1), rtol=HALF_A_DIGIT)
    assert (n == 2).all()


def test_the_stack_holds_every_run_and_is_read_without_this_library(finished_once):
    group = finished_once.root / "results" / "group"
    stack = np.load(group / "group-all_atlas-dmn_meas-full_desc-bandpass_stack.npy", mmap_mode="r")
    rows = (group / "group-all_atlas-dmn_meas-full_desc-bandpass_stack.tsv").read_text().splitlines()
    assert stack.shape == (3, 6)
    assert [row.split("\t")[0] for row in rows[1:]] == [f"sub-0{number}_task-rest" for number in (1, 2, 3)]
    func = finished_once.root / "results/sub-02/func"
    edges = np.load(func / "sub-02_task-rest_atlas-dmn_meas-full_desc-bandpass_edges.npy")
    np.testing.assert_array_equal(stack[1], edges)
    _, matrix = read_matrix(func / "sub-02_task-rest_atlas-dmn_meas-full_desc-bandpass_relmat.tsv")
    np.testing.assert_allclose(matrix[np.triu_indices(4, k=1)], edges, rtol=HALF_A_DIGIT)


def test_a_study_of_ones_own_has_nothing_of_the_default_study(finished_once):
    settings = json.loads(text_of(finished_once, "study.json"))
    assert set(settings["seed_sets"]) == {"dmn", "mine"}
    assert set(settings["denoising"]) == {"bandpass"}


def test_a_single_value_can_be_set_on_the_command_line(finished):
    assert finished.pending("--config", "seed_sets={dmn: {seeds: dmn, radius: '14'}}")["extract"] == 3


def test_the_workflow_starts_from_its_stub_and_in_another_folder(finished, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    config = finished.config
    config["runs"] = str(finished.root / "data" / "runs.tsv")
    config["seed_sets"].pop("mine")
    (elsewhere / "study.yaml").write_text(yaml.safe_dump(config))
    snakemake = str(Path(sys.executable).with_name("snakemake"))
    for snakefile in ("Snakefile", "workflow/Snakefile"):
        command = [snakemake, "-n", "--snakefile", str(finished.root / snakefile), "--configfile", "study.yaml"]
        done = subprocess.run(command, cwd=elsewhere, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"^extract +3$", done.stdout + done.stderr, re.MULTILINE)


def test_an_interrupted_study_goes_on(finished):
    func = finished.root / "results/sub-01/func"
    for path in func.glob("*_desc-bandpass_*"):
        path.unlink()
    assert finished.pending()["clean"] == 2
    before = finished.results()
    finished.run("connectomes")
    after = finished.results()
    assert set(before) < set(after)
    assert {name: after[name] for name in before} == before


def test_runs_finish_one_after_the_other(finished):
    """What is said of the runs moves, and what ails a setting is seen in the first runs."""
    said = finished.run("--forceall", "connectomes")
    order = re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)", said, re.MULTILINE)
    assert order.index("connect") < len(order) - 1 - order[::-1].index("extract")


def test_a_dry_run_and_the_start_say_what_the_steps_cost(finished):
    nothing = finished.snakemake("--dry-run", "--cores", "2").stdout
    assert "This takes about" not in nothing
    finished.configure(lambda config: config["seed_sets"]["dmn"].update(radius=9))
    said = r"This takes about \d+ \w+ on 2 cores and \d+ MB on disk\."
    assert len(re.findall(said, finished.snakemake("--dry-run", "--cores", "2").stdout)) == 1
    assert re.search(r"This takes about \d+ \w+ of CPU time", finished.snakemake("-n", "-c", "2", "-j", "9").stdout)
    assert len(re.findall(said, finished.run())) == 1
