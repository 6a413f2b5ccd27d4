"""A seed set with several radii: what each makes, what another radius computes and leaves alone, how they compare."""

import numpy as np
import pytest

from sphereconn.files import read_json, read_matrix, read_records
from workflow.project import new_project, once_for_all_workers

N_RUNS = 6
RADII = [12, 16.5]
START = "group/comparison-radii_atlas-dmn_meas-full_desc-bandpass"
DESCRIPTION = {"describe_study": 1, "write_report": 1}
OF_ALL_RADII = {"summarize_quality": 1, "compare_radii_dmn_bandpass_full": 1, "draw_radii_dmn_bandpass_full": 1}
CHAIN_OF_A_RADIUS = {"extract": N_RUNS, "clean": N_RUNS, "connect": N_RUNS, "stack": 1, "aggregate": 1}


def of_a_radius(label):
    """The jobs of a radius that have its name."""
    labels = f"{label}_bandpass_full"
    return {f"halve_halves_{labels}": 1, f"reliability_halves_{labels}": 1, f"lengths_halves_{labels}": 1} | {
        f"test_size_{labels}": 1
    }


def with_radius(radius):
    def edit(config):
        config["seed_sets"] = {"dmn": {"seeds": "dmn", "radius": radius, "smoothing_fwhm": 8, "overlap": "allow"}}

    return edit


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    def make(root):
        project = new_project(root, n_subjects=N_RUNS)
        table = project.root / "data" / "runs.tsv"
        header, *rows = table.read_text().splitlines()
        rows = [f"{row}\t{size}" for row, size in zip(rows, (3, 1, 4, 1, 5, 9), strict=True)]
        table.write_text("\n".join([f"{header}\tsize", *rows]) + "\n")

        def edit(config):
            config["groups"] = []
            config["estimators"] = {"full": {"kind": "correlation"}}
            config["contrasts"] = {"size": {"model": "size", "test": "size", "permutations": 0, "seed_sets": ["dmn"]}}
            config["reliability"] = {"over": "halves", "permutations": 0, "seed_sets": ["dmn"]}
            config["comparison"] = {"motion": "size"}
            config["figures"].update(kinds=["comparison"], runs="none")

        project.configure(edit)
        project.configure(with_radius(RADII))
        project.run()

    return once_for_all_workers(tmp_path_factory, "radii", make)


@pytest.fixture
def finished(finished_once, tmp_path):
    return finished_once.copy(tmp_path / "project")


def times(project):
    """When each result was changed."""
    return {name: (project.root / "results" / name).stat().st_mtime_ns for name in project.results()}


def test_the_order_of_radii_and_how_they_are_written_mean_nothing(finished):
    finished.configure(with_radius(["16.50", 12.0]))
    assert finished.pending() == {}


def test_each_radius_gives_to_the_byte_what_a_seed_set_with_this_radius_gives(finished_once, tmp_path):
    together = finished_once.results()
    alone = finished_once.copy(tmp_path / "project")
    alone.configure(with_radius(16.5))
    alone.configure(lambda config: config.update(output_dir="alone", comparison=None))
    alone.run("groups")
    compared = 0
    for path in sorted((alone.root / "alone").rglob("*.tsv")):
        name = path.relative_to(alone.root / "alone").as_posix()
        if "_atlas-dmn_" in name:
            assert path.read_bytes() == together[name.replace("_atlas-dmn_", "_atlas-dmnr16p5_")], name
            compared += 1
    assert compared > 4 * N_RUNS


def test_another_radius_computes_its_own_chain_and_touches_nothing_of_the_others(finished):
    results, changed = finished.results(), times(finished)
    finished.configure(with_radius([*RADII, 14]))
    assert finished.pending() == CHAIN_OF_A_RADIUS | of_a_radius("dmnr14") | OF_ALL_RADII | DESCRIPTION
    finished.run()
    standing = {name for name in results if "atlas-dmnr" in name}
    assert len(standing) > 40
    after = finished.results()
    assert {name: after[name] for name in standing} == {name: results[name] for name in standing}
    assert {name: times(finished)[name] for name in standing} == {name: changed[name] for name in standing}
    assert finished.pending() == {}


def test_a_radius_in_the_place_of_another_computes_its_own_chain_only(finished):
    finished.configure(with_radius([12, 10]))
    assert finished.pending() == CHAIN_OF_A_RADIUS | of_a_radius("dmnr10") | OF_ALL_RADII | DESCRIPTION


def test_a_single_radius_is_left_without_comparison_and_the_others_results_are_left_over(finished):
    finished.configure(with_radius([12]))
    finished.configure(lambda config: config.pop("comparison"))
    assert finished.pending() == {"summarize_quality": 1} | DESCRIPTION
    output = finished.run()
    assert "remove_orphans" in output


def test_the_comparison_is_of_what_the_results_of_each_radius_say(finished_once):
    results = finished_once.root / "results"
    rows = read_records(results / f"{START}_radii.tsv")
    found = {(row["measure"], row["seed_set"]): row for row in rows}
    labels = ["dmnr12", "dmnr16p5"]
    assert {row["seed_set"]: float(row["radius"]) for row in rows} == dict(zip(labels, RADII, strict=True))
    for label in labels:
        group = f"group/group-all_atlas-{label}_meas-full_desc-bandpass"
        nodes = read_records(results / f"{group}_nodes.tsv")
        snr = np.median([float(node["mean_temporal_snr"]) for node in nodes])
        assert float(found["temporal_snr", label]["value"]) == pytest.approx(snr, rel=1e-12)
        icc = read_json(results / f"group/reliability-halves_atlas-{label}_meas-full_desc-bandpass_reliability.json")
        assert float(found["icc_whole", label]["value"]) == pytest.approx(icc["WholeICC"][0])
        contrast = f"group/contrast-size_atlas-{label}_meas-full_desc-bandpass"
        statistic = read_matrix(results / f"{contrast}_stat-statistic_relmat.tsv")[1][np.triu_indices(4, 1)]
        assert float(found["contrast_statistic", label]["value"]) == pytest.approx(np.median(np.abs(statistic)))
        assert found["contrast_statistic", label]["contrast"] == "size"
        stack = np.arctanh(np.load(results / f"{group}_stack.npy"))
        r = [np.corrcoef(edge, [3, 1, 4, 1, 5, 9])[0, 1] for edge in stack.T]
        assert float(found["qcfc_median_absolute", label]["value"]) == pytest.approx(np.median(np.abs(r)), abs=1e-10)
    assert float(found["temporal_snr", labels[1]]["value"]) > float(found["temporal_snr", labels[0]]["value"])
    connectomes, statistics = read_records(results / f"{START}_similarity.tsv")
    assert -1 < float(connectomes["correlation_of_runs"]) < 1 and statistics["contrast"] == "size"
    page = (results / "report.html").read_text()
    assert "radii compared" in page and "no evidence that the larger radius is better" in page
    assert (results / "group/figures/comparison-radii_atlas-dmn_meas-full_desc-bandpass_radii.png").is_file()


def test_other_covariates_of_motion_compare_again_and_estimate_nothing(finished):
    finished.configure(lambda config: config.pop("comparison"))
    assert finished.pending() == {key: 1 for key in OF_ALL_RADII if key != "summarize_quality"} | DESCRIPTION


def test_a_column_of_motion_that_is_not_there_is_told_before_any_job(finished):
    finished.configure(lambda config: config.update(comparison={"motion": "sizes"}))
    assert "there is no column 'sizes'" in finished.fail("--dry-run")
