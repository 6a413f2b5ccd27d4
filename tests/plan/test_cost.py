"""What a study costs is said before it starts: within a factor of two, to the precision of an estimate, and quickly."""

from types import SimpleNamespace

import pytest

from sphereconn.plan import cost as of_steps
from sphereconn.plan.cost import (
    HANDLING,
    Cost,
    Sizes,
    announced,
    cost_of,
    duration,
    lacking_space,
    seconds_of,
    size,
    told,
    weights_of,
)

SEED_SETS = {"dmn": 4, "power264": 264}


def sizes(n_runs=10, image=(150_000, 200), **changes):
    images = {f"sub-{number}": image for number in range(n_runs)}
    return Sizes(**{"nodes": SEED_SETS, "fits": {"sparse": 4}, "images": images, "n_runs": n_runs} | changes)


def steps(n_runs, *kinds, seed_set="power264", estimator="sparse"):
    """Give a step of each kind for each run, or for the group where the kind is of one."""
    labels = {"seed_set": seed_set, "denoising": "bandpass", "estimator": estimator}
    of_groups = {"stack", "aggregate", "write_report", "draw_matrix"}
    return [
        (kind, kind, {**labels, "stem": f"sub-{number}"})
        for kind in kinds
        for number in range(1 if kind in of_groups else n_runs)
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.1, "10 seconds"),
        (37, "40 seconds"),
        (58, "1 minute"),
        (118, "2 minutes"),
        (725, "12 minutes"),
        (2_220, "40 minutes"),
        (3_590, "1 hour"),
        (50_000, "14 hours"),
        (400_000, "5 days"),
    ],
)
def test_a_duration_is_as_precise_as_an_estimate(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [(2e4, "1 MB"), (3.4e8, "300 MB"), (9.4e8, "900 MB"), (9.6e8, "1 GB"), (1.84e10, "18 GB"), (2.5e12, "2,000 GB")],
)
def test_a_size_is_as_precise_as_an_estimate(n_bytes, words):
    assert size(n_bytes) == words


def test_it_is_said_in_one_sentence():
    cost = Cost(seconds=2_900, longest=20, steps=1000, bytes=3.1e8)
    assert told(cost, 4) == "This takes about 12 minutes on 4 cores and 300 MB on disk."
    assert told(cost, 1) == "This takes about 50 minutes on 1 core and 300 MB on disk."
    assert told(cost, None) == "This takes about 50 minutes of CPU time and 300 MB on disk."


def test_no_number_of_cores_is_faster_than_the_longest_step_or_than_steps_can_be_started():
    assert Cost(1000, 400, 10, 0).elapsed(64) == pytest.approx(400, rel=0.01)
    assert Cost(1000, 1, 50_000, 0).elapsed(64) == pytest.approx(500, rel=0.01)


def test_a_disk_that_is_too_small_is_named_with_what_is_lacking():
    cost = Cost(1, 1, 1, 3e9)
    assert lacking_space(cost, 0, 4e9, "out") is None
    assert lacking_space(cost, 0, 1e9, "out") == "The disk of 'out' has about 1 GB left, and about 3 GB are needed."
    assert lacking_space(cost, 2.5e9, 1e9, "out") is None  # results are replaced


def test_extraction_grows_with_the_image_and_cleaning_with_its_frames():
    coarse, fine = (sizes(image=(voxels, 200)) for voxels in (150_000, 1_200_000))
    ratio = {
        kind: cost_of(steps(10, kind), fine).seconds / cost_of(steps(10, kind), coarse).seconds
        for kind in ("extract", "clean")
    }
    assert 3 < ratio["extract"] < 8
    assert ratio["clean"] == 1
    longer = sizes(image=(150_000, 400))
    assert cost_of(steps(10, "clean"), longer).bytes == pytest.approx(
        2 * cost_of(steps(10, "clean"), coarse).bytes, 0.02
    )


def test_several_seed_sets_of_a_run_are_read_in_one_pass():
    alone = cost_of(steps(1, "extract"), sizes(image=(1_200_000, 500)))
    both = cost_of([*steps(1, "extract"), *steps(1, "extract", seed_set="dmn")], sizes(image=(1_200_000, 500)))
    assert alone.seconds < both.seconds < 1.5 * alone.seconds


def test_steps_cost_together_what_each_costs():
    planned = [*steps(3, "extract", "connect", "map_seeds"), *steps(3, "extract", seed_set="dmn"), *steps(3, "stack")]
    known = sizes(3)
    each = seconds_of(planned, known)
    assert sum(each) == pytest.approx(cost_of(planned, known).seconds)
    power264, dmn = each[0], each[9]
    assert power264 > dmn, "it has more signals"
    assert seconds_of(planned[:1], known)[0] > power264, "which is read for dmn, too"


def test_steps_weigh_what_they_cost_and_what_snakemake_spends_on_them(tmp_path):
    study = SimpleNamespace(output_dir=str(tmp_path), spheres=SEED_SETS, estimators={}, images={}, combinations=())
    removal, drawing = weights_of(study, [("remove_orphans", "remove_orphans", {}), ("draw_sheet", "draw_sheet", {})])
    assert removal == HANDLING
    assert drawing == HANDLING + of_steps.SECONDS["draw_sheet"].constant


def test_an_image_that_is_not_there_yet_is_taken_for_a_typical_one():
    known, unknown = sizes(), sizes(images={"sub-0": (10, 10)})
    assert cost_of(steps(10, "clean"), unknown) == cost_of(steps(10, "clean"), known)


def test_a_cross_validated_fit_costs_what_its_folds_cost():
    crossed, plain = sizes(), sizes(fits={})
    of_crossed, of_plain = (cost_of(steps(1000, "connect_sparse"), each) for each in (crossed, plain))
    assert 3 < of_crossed.seconds / of_plain.seconds < 4
    assert of_crossed.bytes == of_plain.bytes


def test_a_rule_for_one_seed_set_is_known_by_its_name():
    named = ("test_contrast", "test_age_power264_bandpass_correlation", {})
    labelled = ("test_contrast", "test_contrast", {"seed_set": "power264"})
    assert cost_of([named], sizes()) == cost_of([labelled], sizes())


def test_many_steps_are_counted_and_their_time_and_disk_looked_up_once_for_each_kind(monkeypatch):
    asked = []
    quantities = Sizes.quantities
    monkeypatch.setattr(Sizes, "quantities", lambda self, labels: asked.append(labels) or quantities(self, labels))
    cost = cost_of(steps(5000, "clean", "connect", "extract"), sizes(5000))
    assert cost.steps == 15_000 and len(asked) == 2 * 3


def test_nothing_is_said_of_nothing(tmp_path):
    study = SimpleNamespace(output_dir=str(tmp_path), spheres={}, estimators={}, images={}, combinations=())
    assert announced(study, [], 2, []) == []
    assert announced(study, [("remove_orphans", "remove_orphans", {})], 2, []) == []


def test_old_results_are_looked_at_only_when_space_is_short(tmp_path, monkeypatch):
    study = SimpleNamespace(
        output_dir=str(tmp_path / "new" / "out"), spheres=SEED_SETS, estimators={}, images={}, combinations=()
    )
    old = tmp_path / "old"
    old.write_bytes(bytes(1000))
    free = SimpleNamespace(free=1e12)
    monkeypatch.setattr(of_steps, "disk_usage", lambda folder: free)
    looked = iter([str(old)])
    assert len(announced(study, steps(10, "connect"), 2, looked)) == 1
    assert list(looked) == [str(old)]
    free.free = 1e6
    said = announced(study, steps(10, "connect"), 2, [str(old)])
    assert said[1].startswith(f"The disk of '{study.output_dir}' has about 1 MB left")


def test_a_disk_or_a_result_that_the_system_does_not_tell_of_leaves_the_estimate(tmp_path, monkeypatch):
    study = SimpleNamespace(
        output_dir=str(tmp_path / "out"), spheres=SEED_SETS, estimators={}, images={}, combinations=()
    )

    def stale(folder):
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(of_steps, "disk_usage", lambda folder: SimpleNamespace(free=1.0))
    assert len(announced(study, steps(10, "connect"), 2, [str(tmp_path / "gone")])) == 2
    monkeypatch.setattr(of_steps, "disk_usage", stale)
    assert len(announced(study, steps(10, "connect"), 2, [])) == 1


# CPU seconds and MB that benchmarks/bench_steps.py has measured, on a busy machine, compilation included.
MEASURED = {
    "six runs, Power-264, sparse by cross-validation": (35.3, 34.3),
    "two runs of 2 mm, four and 264 spheres, a map": (81.7, 31.7),
    "four figures of nine connectomes alone": (25.4, 8.1),
}


def regimes():
    drawn = ["draw_glass_brain", "draw_matrix", "draw_networks", "draw_strength"]
    report = [(kind, kind, {}) for kind in ("write_report", "summarize_quality", "write_subject_pages")]
    chain = ("extract", "clean", "draw_sheet")
    of_group = [*steps(1, *drawn, "draw_page", "measure_scale", "stack", "aggregate", "draw_glass_brain"), *report]
    fine = sizes(2, (97 * 115 * 97, 200))
    coarse = sizes(6, (50 * 59 * 50, 200))
    plain = {"estimator": "correlation"}
    of_dmn = steps(2, *chain[:2], seed_set="dmn", **plain)
    yield coarse, [*steps(6, *chain, "connect_sparse"), *of_group]
    of_maps = [*steps(2, "map_seeds", seed_set="dmn"), *steps(1, "map_group", "draw_map", "draw_map_page")]
    dmn = steps(1, *drawn[:2], "draw_page", "measure_scale", "stack", "aggregate", "draw_strength", seed_set="dmn")
    yield fine, [*steps(2, *chain, "connect", **plain), *of_dmn, *of_maps, *of_group, *dmn]
    yield coarse, 9 * steps(1, *drawn)


@pytest.mark.parametrize(("regime", "name"), [*zip(regimes(), MEASURED, strict=True)], ids=MEASURED)
def test_an_estimate_holds_within_a_factor_of_two(regime, name):
    known, planned = regime
    cost = cost_of(planned, known)
    for estimated, measured in zip((cost.seconds, cost.bytes / 1e6), MEASURED[name], strict=True):
        assert 0.5 < estimated / measured < 2
