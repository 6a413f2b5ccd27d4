"""Which seed sets of a run share a pass: what a label stands for, and who is told of it."""

from itertools import chain, combinations
from types import SimpleNamespace

import pytest

from sphereconn.ledger import Ledger
from sphereconn.plan import jobs, together
from sphereconn.plan.orphans import orphans

RUN, OTHER = "sub-01_ses-a", "sub-01_ses-b"
SETS = {label: {"seeds": "dmn", "radius": 8} for label in ("a", "b", "c")}


@pytest.fixture
def chosen(study, tmp_path):
    return study(seed_sets=SETS, output_dir=str(tmp_path / "results"))


def test_a_label_stands_for_its_seed_sets_in_order_and_no_two_labels_for_the_same(study):
    chosen = study(seed_sets=dict(reversed(SETS.items())))
    subsets = {together._label(chosen, sets): list(sets) for sets in subsets_of(SETS)}
    assert len(subsets) == 8
    for label, sets in subsets.items():
        assert together.seed_sets(chosen, label) == sorted(sets)


def subsets_of(labels):
    return chain.from_iterable(combinations(sorted(labels), n) for n in range(len(labels) + 1))


def test_seed_sets_that_were_never_extracted_share_a_pass(chosen):
    label = together.planned(chosen, Ledger(chosen.output_dir), "code")(RUN)
    assert together.seed_sets(chosen, label) == ["a", "b", "c"]
    files = together.images(chosen, RUN, label)
    assert files["bold"] == chosen.run[RUN].bold and len(files["seeds"]) == 3
    assert together.settings(chosen, RUN, label)["b"] == jobs.sphere_settings(chosen, RUN, "b")


def test_a_single_seed_set_needs_no_pass(study, tmp_path):
    alone = study(seed_sets={"a": SETS["a"]}, output_dir=str(tmp_path / "results"))
    planned = together.planned(alone, Ledger(alone.output_dir), "code")
    assert planned(RUN) is None
    assert together.extracted_from(alone, planned, RUN, "a") == jobs.image(alone, RUN, "a")


def test_a_process_that_is_told_its_jobs_has_their_passes_and_no_other(chosen):
    told = together.told(
        lambda: [
            SimpleNamespace(wildcards_dict={"stem": RUN, "together": "5"}),
            SimpleNamespace(wildcards_dict={"stem": OTHER, "seed_set": "a"}),
            SimpleNamespace(wildcards_dict={}),
        ]
    )
    temporary = chosen.place(f"records/{RUN}_together-5.npz")
    assert [together.extracted_from(chosen, told, RUN, seed_set).get("temporary") for seed_set in "abc"] == [
        temporary,
        None,
        temporary,
    ]
    assert "temporary" not in together.extracted_from(chosen, told, OTHER, "a")


def test_only_results_of_passes_are_removed_as_left_and_no_link(chosen, tmp_path):
    records = tmp_path / "results" / "records"
    records.mkdir(parents=True)
    for name in (f"{RUN}_together-5.npz", "ledger.jsonl", "other.npz"):
        (records / name).write_text("")
    (tmp_path / "mine").write_text("")
    (records / f"{OTHER}_together-3.npz").symlink_to(tmp_path / "mine")
    together.remove_left(chosen)
    assert {path.name for path in records.iterdir()} == {"ledger.jsonl", "other.npz", f"{OTHER}_together-3.npz"}
    assert (tmp_path / "mine").exists() and orphans(chosen) == []
