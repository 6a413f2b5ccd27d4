"""Seed maps in a study: what there is in the end, that it is right, and what an edit runs again."""

import nibabel
import numpy as np
import pytest

from sphereconn import InputError, read_study
from sphereconn.clean.cleaning import clean_signals
from sphereconn.files import read_json, read_records, read_signals
from workflow.project import new_project

N_RUNS, N_GROUPS, N_SEEDS = 3, 3, 4
START = "sub-01/func/sub-01_task-rest_atlas-dmn"
PCC = "posteriorcingulatecortex"
OF_GROUP = f"group/group-all_atlas-dmn_meas-whole_desc-bandpass_seed-{PCC}"
DESCRIPTION = {"describe_study": 1, "write_report": 1}


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    """A finished study with maps of four seeds, and of one seed with the others taken out."""
    project = new_project(tmp_path_factory.mktemp("maps") / "project", n_subjects=N_RUNS)

    def edit(config):
        config["seed_sets"].pop("mine")
        config["estimators"].pop("partial")
        config["figures"].update(kinds=["map"], runs="none")
        config["maps"] = {
            "whole": {},
            "own": {"kind": "semipartial correlation", "seeds": ["posterior cingulate cortex"]},
        }

    project.configure(edit)
    project.run()
    return project


@pytest.fixture
def finished(finished_once, tmp_path):
    return finished_once.copy(tmp_path / "project")


def read(project, path):
    return nibabel.load(project.root / "results" / path).get_fdata()


def test_a_map_is_the_correlation_of_the_cleaned_seed_with_voxels_cleaned_alike(finished_once):
    r = read(finished_once, f"{START}_meas-whole_desc-bandpass_seed-{PCC}_stat-r_statmap.nii.gz")
    z = read(finished_once, f"{START}_meas-whole_desc-bandpass_seed-{PCC}_stat-z_statmap.nii.gz")
    np.testing.assert_allclose(np.tanh(z), r, atol=1e-6)

    data = nibabel.load(finished_once.root / "data" / "sub-01_bold.nii.gz").get_fdata()
    places = tuple(np.random.default_rng(0).integers(0, data.shape[:3], (20, 3)).T)
    names, seeds = read_signals(finished_once.root / "results" / f"{START}_desc-bandpass_timeseries.tsv")
    table = np.genfromtxt(finished_once.root / "data" / "sub-01_confounds.tsv", names=True)
    confounds = np.column_stack([table[name] for name in table.dtype.names])
    voxels = clean_signals(
        data[places].T, 2.0, confounds=confounds, confound_names=table.dtype.names, high_pass=0.01, low_pass=0.1
    ).signals
    seed = seeds[:, names.index("posterior cingulate cortex")]
    expected = [np.corrcoef(seed, voxel)[0, 1] for voxel in voxels.T]
    np.testing.assert_allclose(r[places], expected, atol=1e-6)


def test_the_mean_over_a_group_is_that_of_its_runs(finished_once):
    suffix = f"atlas-dmn_meas-whole_desc-bandpass_seed-{PCC}_stat-z_statmap.nii.gz"
    maps = [read(finished_once, f"sub-0{n}/func/sub-0{n}_task-rest_{suffix}") for n in (1, 2, 3)]
    np.testing.assert_allclose(
        read(finished_once, f"{OF_GROUP}_stat-mean_statmap.nii.gz"), np.mean(maps, axis=0), atol=1e-6
    )
    np.testing.assert_allclose(
        read(finished_once, f"{OF_GROUP}_stat-std_statmap.nii.gz"), np.std(maps, axis=0, ddof=1), atol=1e-6
    )
    sidecar = read_json(finished_once.root / "results" / f"{OF_GROUP}_stat-mean_statmap.json")
    assert sidecar["Seed"] == "posterior cingulate cortex" and sidecar["NumberOfSubjects"] == 3
    peaks = read_records(finished_once.root / "results" / f"{OF_GROUP}_peaks.tsv")
    assert peaks[0]["nearest_node"] == "posterior cingulate cortex"


def test_only_the_seeds_that_are_named_are_mapped(finished_once):
    names = [name for name in finished_once.results() if "_meas-own_" in name and "stat-r" in name]
    assert len(names) == N_RUNS and all(f"seed-{PCC}" in name for name in names)


def test_a_finished_study_runs_nothing_and_has_nothing_left_over(finished_once):
    assert finished_once.pending() == {}
    assert finished_once.left_over() == []


def test_another_smoothing_maps_again_and_computes_nothing_else(finished):
    finished.configure(lambda config: config["maps"]["whole"].update(smoothing_fwhm=12))
    groups = N_GROUPS * N_SEEDS
    expected = {"map_whole_dmn_bandpass": N_RUNS, "map_group": groups, "draw_map": groups}
    assert finished.pending() == expected | DESCRIPTION


def test_another_threshold_reads_no_image(finished):
    finished.configure(lambda config: config["maps"]["whole"].update(threshold=0.4))
    groups = N_GROUPS * N_SEEDS
    assert finished.pending() == {"map_group": groups, "draw_map": groups} | DESCRIPTION


def test_another_set_of_maps_runs_only_itself(finished):
    finished.configure(lambda config: config["maps"].update(psc={"kind": "percent signal change"}))
    groups = N_GROUPS * N_SEEDS
    expected = {"map_psc_dmn_bandpass": N_RUNS, "map_group": groups, "draw_map": groups}
    assert finished.pending() == expected | DESCRIPTION


def test_an_estimator_maps_nothing_again(finished):
    finished.configure(lambda config: config["estimators"].update(partial={"kind": "partial correlation"}))
    assert not [rule for rule in finished.pending() if rule.startswith("map") or rule == "draw_map"]


def test_a_run_that_is_left_out_has_maps_without_values_and_counts_in_no_group(finished):
    finished.configure(lambda config: config["denoising"]["bandpass"].update(min_minutes=1000))
    finished.run()
    assert np.isnan(read(finished, f"{START}_meas-own_desc-bandpass_seed-{PCC}_stat-r_statmap.nii.gz")).all()
    assert not read(finished, f"{OF_GROUP}_stat-n_statmap.nii.gz").any()
    assert read_signals(finished.root / "results" / f"{START}_desc-bandpass_timeseries.tsv")[1].shape[0] == 0


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"seeds": ["posterior cingulate"]}, "has no seed 'posterior cingulate'; did you mean"),
        ({"seed_sets": ["mine"]}, "maps.whole.seed_sets: 'mine' is not used by any connectome of the study"),
        ({"kind": "coherence"}, 'maps.whole.kind: "coherence" is not allowed'),
        ({"smoothing": 6}, "maps.whole.smoothing: unknown key"),
    ],
)
def test_a_mistake_is_named_before_any_job(finished, entry, sentence):
    finished.configure(lambda config: config["maps"].update(whole=entry))
    assert sentence in finished.fail("-n")


def test_maps_are_read_back_by_the_labels_of_seed_and_statistic(finished_once):
    study = read_study(finished_once.root / "results")
    assert study.maps == ("own", "whole")
    mean = study.seed_map(PCC, maps="whole").get_fdata()
    np.testing.assert_array_equal(mean, read(finished_once, f"{OF_GROUP}_stat-mean_statmap.nii.gz"))
    of_run = study.seed_map(PCC, run="sub-01", maps="whole", statistic="r").get_fdata()
    np.testing.assert_array_equal(
        of_run, read(finished_once, f"{START}_meas-whole_desc-bandpass_seed-{PCC}_stat-r_statmap.nii.gz")
    )
    with pytest.raises(InputError, match=rf"there is no seed 'posterior' \(did you mean '{PCC}'\?\)"):
        study.seed_map("posterior", maps="whole")
