"""Differences of two groups or two denoisings: each combination that has both is drawn, and the rest is refused."""

import pytest

from sphereconn.errors import InputError
from sphereconn.plan import jobs
from sphereconn.plan.differences import differences
from sphereconn.plan.products import targets


def test_levels_are_compared_in_every_combination_and_denoisings_in_every_estimator(study):
    chosen = study(figures={"differences": [{"site": ["essen", "bochum"]}, {"denoising": ["motion", "none"]}]})
    found = [(item.whose, *item.labels[1:]) for item in differences(chosen)]
    assert found == [
        *(
            ("site-essen_minus-bochum", denoising, estimator)
            for denoising in ("motion", "none")
            for estimator in ("full", "sparse")
        ),
        *(("denoising-motion_minus-none", "motion", estimator) for estimator in ("full", "sparse")),
    ]
    drawn = [path for path in targets(chosen, "figures") if "_minus-" in path]
    assert len(drawn) == 2 * len(found)
    files = jobs.subtracted(chosen, "denoising-motion_minus-none", "dmn", "motion", "full")
    assert [path.rpartition("/")[2] for path in files["matrices"]] == [
        "group-all_atlas-dmn_meas-full_desc-motion_stat-mean_relmat.tsv",
        "group-all_atlas-dmn_meas-full_desc-none_stat-mean_relmat.tsv",
    ]


def test_all_groups_and_denoisings_of_a_seed_set_and_an_estimator_share_a_scale(study):
    chosen = study()
    files = jobs.scaled_connectomes(chosen, "dmn", "full")
    assert len(files["matrices"]) == len(files["nodes"]) == 2 * 3  # denoisings, groups
    assert jobs.drawn_connectome(chosen, "group", "site-essen", "dmn", "none", "full")["scale"].endswith(
        "groups_atlas-dmn_meas-full_scale.json"
    )
    assert "scale" not in jobs.drawn_connectome(chosen, "sub-01/ses-a", "sub-01_ses-a", "dmn", "none", "full")


def test_the_geometric_mean_of_a_tangent_space_shares_no_scale_with_displacements_from_it(study):
    chosen = study(estimators={"space": {"kind": "tangent"}})
    assert "scale" not in jobs.drawn_connectome(chosen, "group", "group-all", "dmn", "none", "space")
    assert not [path for path in jobs.scaled_connectomes(chosen, "dmn", "space")["matrices"] if "group-all" in path]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"age": ["20", "30"]}, r"'age' is no column that groups are made by; allowed are denoising, site\."),
        ({"site": ["essen", "kiel"]}, r"figures\.differences\.site: there is no 'kiel'; there are bochum, essen\."),
        ({"denoising": ["motion", "nothing"]}, r"there is no 'nothing'; there are motion, none\."),
        ({"site": ["essen"]}, r"a list of two levels"),
    ],
)
def test_what_cannot_be_subtracted_is_named(study, entry, words):
    with pytest.raises(InputError, match=words):
        study(figures={"differences": [entry]})
