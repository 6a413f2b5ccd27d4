"""What each job is made from and told: paths and settings, from the labels of the job."""

import pytest

from sphereconn.plan import jobs

RUN, BOTH = "sub-01_ses-a", "sub-01_run-all"


@pytest.fixture
def joined(study):
    return study(combine={"over": ["session"], "how": "concatenate"})


def test_an_image_comes_with_its_mask_and_its_sidecar_where_there_are_any(study, tmp_path):
    chosen = study()
    assert set(jobs.image(chosen, RUN, "dmn")) == {"bold", "seeds", "mask"}
    (tmp_path / "1b.json").write_text("{}")
    files = jobs.image(chosen, "sub-01_ses-b", "dmn")
    assert files["sidecar"] == str(tmp_path / "1b.json") and "mask" not in files


def test_an_extraction_is_told_the_radius_and_not_the_path_of_the_seeds(study):
    settings = jobs.sphere_settings(study(), RUN, "dmn")
    assert settings["radius"] == 8 and "seeds" not in settings


def test_a_run_is_cleaned_with_its_own_confounds(study, tmp_path):
    assert jobs.confounds(study(), RUN, "motion")["confounds"] == str(tmp_path / "1a.tsv")


def test_combined_runs_are_made_from_all_runs_of_the_subject(joined):
    signals = jobs.combined_signals(joined, BOTH, "dmn", "none")
    assert signals["signals"] == [
        joined.place(f"sub-01/ses-{session}/func/sub-01_ses-{session}_atlas-dmn_desc-none_timeseries.tsv")
        for session in "ab"
    ]
    assert signals["sidecars"] == [path.replace(".tsv", ".json") for path in signals["signals"]]
    nodes = jobs.combined_nodes(joined, BOTH, "dmn", "none")
    assert nodes["sidecars"] == signals["sidecars"]
    assert [path.endswith("atlas-dmn_nodes.tsv") for path in nodes["nodes"]] == [True, True]


def test_an_average_is_made_from_the_connectomes_of_the_runs(study):
    averaged = study(combine={"over": ["session"], "how": "average"})
    files = jobs.combined_connectomes(averaged, BOTH, "dmn", "none", "full")
    assert [path.rpartition("/")[2] for path in files["edges"]] == [
        f"sub-01_ses-{session}_atlas-dmn_meas-full_desc-none_edges.npy" for session in "ab"
    ]


def test_a_joint_fit_is_made_to_runs_or_to_combined_ones(study):
    joint = {"joint": {"kind": "group sparse inverse covariance"}}
    of_job = ("dmn", "none", "joint")
    alone, combined = (
        study(estimators=joint),
        study(estimators=joint, combine={"over": ["session"], "how": "concatenate"}),
    )
    assert jobs.jointly_fitted_stems(combined, *of_job) == [BOTH, "sub-02_run-all", "sub-03_run-all"]
    for chosen, n in ((alone, 5), (combined, 3)):
        files = jobs.jointly_fitted(chosen, *of_job)
        assert len(files["signals"]) == len(files["sidecars"]) == len(jobs.jointly_fitted_stems(chosen, *of_job)) == n


def test_groups_are_made_of_members_with_their_rows_and_nodes(study, joined):
    of_job = ("dmn", "none", "full")
    for chosen, n in ((study(), 5), (joined, 3)):
        assert len(jobs.group_connectomes(chosen, *of_job)["edges"]) == n
        assert len(jobs.group_nodes(chosen, *of_job)) == len(jobs.group_rows(chosen, *of_job)) == n
    assert [row["site"] for row in jobs.group_rows(joined, *of_job)] == ["essen", "bochum", "essen"]


def test_a_group_keeps_the_words_of_the_runs_table(study):
    assert jobs.group_settings(study(), "site-essen", "dmn", "none", "full") == {
        "column": "site",
        "level": "essen",
        "words": "site: essen",
    }


def test_what_is_drawn_of_a_run_of_a_group_of_a_tangent_space_and_of_a_contrast(study):
    chosen = study(estimators={"full": {"kind": "correlation"}, "space": {"kind": "tangent"}})

    def matrix(folder, whose, estimator="full"):
        return jobs.drawn_connectome(chosen, folder, whose, "dmn", "none", estimator)["matrix"].rpartition("/")[2]

    assert matrix("sub-01/ses-a", RUN) == f"{RUN}_atlas-dmn_meas-full_desc-none_relmat.tsv"
    assert matrix("group", "site-essen").endswith("stat-mean_relmat.tsv")
    assert matrix("group", "group-all").endswith("stat-mean_relmat.tsv")
    assert matrix("group", "group-all", "space").endswith("stat-geometricmean_relmat.tsv")
    assert matrix("group", "contrast-age").endswith("stat-statistic_relmat.tsv")
    of_contrast = jobs.drawn_connectome(chosen, "group", "contrast-age", "dmn", "none", "full")
    assert of_contrast["nodes"].endswith("group-all_atlas-dmn_meas-full_desc-none_nodes.tsv")


def test_signals_are_drawn_beside_the_motion_of_a_single_run(joined, tmp_path):
    alone = jobs.drawn_signals(joined, "sub-01/ses-a", RUN, "dmn", "none")
    assert alone["confounds"] == str(tmp_path / "1a.tsv")
    both = jobs.drawn_signals(joined, "sub-01", BOTH, "dmn", "none")
    assert set(both) == {"nodes"} and both["nodes"].endswith("desc-none_nodes.tsv")


def test_a_path_is_that_of_a_run_or_of_the_joint_fit(study):
    run = jobs.drawn_path(study(), "sub-01/ses-a", RUN, "dmn", "none", "sparse")
    assert run["sidecar"].endswith("meas-sparse_desc-none_relmat.json")
    assert jobs.drawn_path(study(), "group", "group-all", "dmn", "none", "x")["sidecar"].endswith("jointfit.json")


def test_a_page_has_every_estimator_and_that_of_the_groups_every_group_and_contrast(study):
    older = {"model": "age", "test": "age", "permutations": 0, "estimators": ["full"], "denoising": ["none"]}
    chosen = study(contrasts={"older": older}, connectomes=[{"runs": {"session": "a"}}])
    assert jobs.page_labels(chosen, "sub-01/ses-a", RUN, "dmn", "none") == [["full", RUN], ["sparse", RUN]]
    of_groups = jobs.page_labels(chosen, "group", "groups", "dmn", "none")
    assert of_groups[:3] == [["full", "group-all"], ["full", "site-bochum"], ["full", "site-essen"]]
    assert of_groups[-1] == ["full", "contrast-older"] and len(of_groups) == 7
    files = jobs.page_connectomes(chosen, "group", "groups", "dmn", "none")
    assert len(files["matrices"]) == len(files["sidecars"]) == 7


def test_a_figure_goes_to_the_cluster_with_what_it_waits_for(study):
    chosen = study(estimators={"full": {"kind": "correlation"}, "space": {"kind": "tangent"}})
    assert jobs.connectome_batch(chosen, "sub-01/ses-a", "full") == "runs"
    assert jobs.connectome_batch(chosen, "sub-01/ses-a", "space") == "groups"
    assert jobs.connectome_batch(chosen, "group", "full") == "groups"
    assert jobs.page_batch(chosen, "sub-01/ses-a", RUN, "dmn", "none") == "groups"
    assert jobs.page_batch(study(), "sub-01/ses-a", RUN, "dmn", "none") == "runs"
    assert jobs.page_batch(chosen, "group", "groups", "dmn", "none") == "report"


def test_the_list_of_views_is_no_style_and_a_page_has_no_resolution(study):
    assert "views" not in jobs.figure_style(study(), "glass_brain", "dmn")
    assert set(jobs.figure_style(study(), "path", "dmn")) == {"dpi"}
    assert "dpi" not in jobs.figure_style(study(), "page", "dmn")


def test_folds_are_fitted_at_once_where_cores_would_be_idle(study):
    chosen = study(estimators={"sparse": {"kind": "sparse inverse covariance", "cv": 4}})
    # Ten fits: five runs, cleaned twice.
    assert [jobs.cores_of_fit(chosen, "sparse", cores) for cores in (1, 2, 19, 20, 39, 64)] == [1, 1, 1, 2, 3, 4]
    assert jobs.cores_of_fit(chosen, "sparse", None) == 1  # on a cluster each fit has a machine's core for itself
    given = study(estimators={"sparse": {"kind": "sparse inverse covariance", "alpha": 0.1}})
    assert jobs.cores_of_fit(given, "sparse", 64) == 1


def test_a_joint_fit_has_a_core_for_each_fold(study):
    joint = {"kind": "group sparse inverse covariance"}
    assert jobs.folds(study(estimators={"joint": {**joint, "cv": 3}}), "joint") == 3
    assert jobs.folds(study(estimators={"joint": {**joint, "alpha": 0.2}}), "joint") == 1
