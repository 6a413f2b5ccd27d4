"""A seed set with several radii: what each makes, what another radius computes, and what it leaves alone."""

import pytest

from workflow.project import new_project

N_RUNS, N_GROUPS = 3, 3
RADII = [12, 16.5]
DESCRIPTION = {"describe_study": 1, "write_report": 1}
CHAIN_OF_A_RADIUS = {
    "extract": N_RUNS,
    "clean": N_RUNS,
    "connect": N_RUNS,
    "stack": 1,
    "aggregate": N_GROUPS,
    "draw_matrix": N_GROUPS,
    "summarize_quality": 1,
}


def with_radius(radius):
    def edit(config):
        config["seed_sets"] = {"dmn": {"seeds": "dmn", "radius": radius, "smoothing_fwhm": 8, "overlap": "allow"}}

    return edit


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    project = new_project(tmp_path_factory.mktemp("radii") / "project")

    def edit(config):
        config["estimators"] = {"full": {"kind": "correlation"}}
        config["figures"].update(kinds=["matrix"], runs="none")

    project.configure(edit)
    project.configure(with_radius(RADII))
    project.run()
    return project


@pytest.fixture
def finished(finished_once, tmp_path):
    return finished_once.copy(tmp_path / "project")


def times(project):
    """When each result was changed."""
    return {name: (project.root / "results" / name).stat().st_mtime_ns for name in project.results()}


def test_nothing_edited_runs_nothing(finished):
    assert finished.pending() == {}
    finished.configure(with_radius(["16.50", 12.0]))
    assert finished.pending() == {}


def test_each_radius_gives_to_the_byte_what_a_seed_set_with_this_radius_gives(finished_once, tmp_path):
    together = finished_once.results()
    alone = finished_once.copy(tmp_path / "project")
    alone.configure(lambda config: config.update(output_dir="alone"))
    alone.configure(lambda config: config["seed_sets"].update(dmn={**config["seed_sets"]["dmn"], "radius": 16.5}))
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
    assert finished.pending() == CHAIN_OF_A_RADIUS | DESCRIPTION
    finished.run()
    standing = {name for name in results if "atlas-dmnr" in name}
    assert len(standing) > 20
    assert {name: finished.results()[name] for name in standing} == {name: results[name] for name in standing}
    assert {name: times(finished)[name] for name in standing} == {name: changed[name] for name in standing}
    assert finished.pending() == {}


def test_a_radius_in_the_place_of_another_computes_its_own_chain_only(finished):
    finished.configure(with_radius([12, 10]))
    assert finished.pending() == CHAIN_OF_A_RADIUS | DESCRIPTION
    assert not [said for said in finished.pending_messages() if "dmnr12" in said and "report" not in said]


def test_a_radius_taken_away_computes_nothing_and_its_results_are_left_over(finished):
    finished.configure(with_radius([12]))
    assert set(finished.pending()) <= {"summarize_quality", *DESCRIPTION}
    assert "remove_orphans" in finished.run()


def test_smoothing_belongs_to_all_radii(finished):
    finished.configure(lambda config: config["seed_sets"]["dmn"].update(smoothing_fwhm=6))
    pending = finished.pending()
    assert pending["clean"] == pending["connect"] == len(RADII) * N_RUNS
