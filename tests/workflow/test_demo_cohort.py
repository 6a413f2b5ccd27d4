"""The demo cohort against the truth that was planted in it."""

import gzip

import numpy as np
import pytest

from sphereconn import demo
from sphereconn.clean.cleaning import clean_signals
from sphereconn.connect.connectivity import connectome
from sphereconn.files import read_json, read_matrix, read_rows, read_signals
from sphereconn.study.seeds import read_seeds
from workflow.project import ROOT, new_project

SUBJECTS = ("01", "03", "09", "14")  # two of each site
EDGES = np.triu_indices(4, k=1)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The default study, cut down to four subjects, the DMN and partial correlation."""
    import shutil

    root = tmp_path_factory.mktemp("demo") / "project"
    project = new_project(root, n_subjects=1)
    for folder in ("cohort", "rest_bold"):
        shutil.copytree(ROOT / "resources" / folder, root / "resources" / folder)
    shutil.copy(ROOT / "config" / "config.yaml", root / "study.yaml")

    def cut(config):
        config["seed_sets"] = {"dmn": config["seed_sets"]["dmn"]}
        config["estimators"] = {"partial": config["estimators"]["partial"]}
        config["connectomes"] = [{"denoising": ["bandpass", "scrubbed"], "runs": {"subject": list(SUBJECTS)}}]
        config["figures"] = {"runs": "none"}
        for key in ("contrasts", "maps", "comparison"):
            config.pop(key)

    project.configure(cut)
    project.run("groups")
    return project


@pytest.fixture(scope="module")
def planted():
    """The signals planted in the spheres, (n_frames, 4) for each subject: parcel series weighted by the mean image."""
    from nibabel.loadsave import load

    resources = ROOT / "resources"
    image = load(resources / "rest_bold" / "sub-001_task-rest_space-MNI152_res-4_bold.nii.gz")
    mask = load(resources / "rest_bold" / "sub-001_space-MNI152_res-4_desc-brain_mask.nii.gz").get_fdata() > 0
    mean = image.get_fdata().mean(axis=3)[mask]
    mm = np.argwhere(mask) @ image.affine[:3, :3].T + image.affine[:3, 3]
    seeds = read_seeds(resources / "coordinates" / "dmn.tsv", radius=8).coordinates
    spheres = [np.linalg.norm(mm - seed, axis=1) <= 8 for seed in seeds]
    _, rows = read_rows(resources / "cohort" / "parcels.tsv")
    nearest = demo.nearest_point(mm, np.array([row[3:] for row in rows], dtype=float))
    signals = {}
    for subject in SUBJECTS:
        with gzip.open(resources / "cohort" / f"sub-{subject}_parcels.tsv.gz", "rt") as file:
            parcels = file.readline().split()
            series = np.loadtxt(file)
        parcel = np.array([parcels.index(row[0]) for row in rows])[nearest]
        signals[subject] = np.stack(
            [(series[:, parcel[sphere]] * mean[sphere]).mean(axis=1) for sphere in spheres], axis=1
        )
    return signals


def partial_correlations(project, subject, denoising="bandpass"):
    name = f"sub-{subject}_task-rest_space-MNI152_atlas-dmn_meas-partial_desc-{denoising}_relmat.tsv"
    return read_matrix(project.root / "results" / f"sub-{subject}" / "func" / name)[1][EDGES]


def cleaned(signals, subject, confounds=None):
    names = [f"confound{number}" for number in range(0 if confounds is None else confounds.shape[1])]
    seconds = 2.52 if subject < "09" else 2.5
    return clean_signals(signals, seconds, confounds=confounds, confound_names=names, high_pass=0.01, low_pass=0.1)


def true_partial_correlations(signals, subject, confounds=None):
    kept = cleaned(signals, subject, confounds)
    samples = kept.effective_degrees_of_freedom
    return connectome(kept.signals, "partial correlation", "ledoit_wolf", samples=samples).matrix[EDGES]


def test_partial_correlations_come_close_to_the_planted_ones(project, planted):
    # What is left is the noise of a sphere's mean and the share of true signal that eight confounds take away by
    # chance: with 83 degrees of freedom a partial correlation has a standard error of about 0.1.
    ours = np.array([partial_correlations(project, subject) for subject in SUBJECTS])
    truth = np.array([true_partial_correlations(planted[subject], subject) for subject in SUBJECTS])
    assert np.abs(ours - truth).mean() < 0.06
    assert np.abs(ours - truth).max() < 0.15
    assert np.corrcoef(ours.ravel(), truth.ravel())[0, 1] > 0.95


def test_so_do_those_of_the_frames_without_motion(project, planted):
    # Twenty-six confounds leave fewer than 65 degrees of freedom, and the confounds take more of the signal by chance.
    differences = []
    for subject in SUBJECTS:
        func = project.root / "results" / f"sub-{subject}" / "func"
        sidecar = read_json(func / f"sub-{subject}_task-rest_space-MNI152_atlas-dmn_desc-scrubbed_timeseries.json")
        motion = read_signals(ROOT / "resources" / "cohort" / f"sub-{subject}_motion.tsv")[1][:, 0]
        assert sidecar["CensoredVolumes"]["FramewiseDisplacement"] == np.flatnonzero(motion > 0.25).tolist()
        assert len(sidecar["ConfoundRegressors"]) == 26
        assert 30 < sidecar["DegreesOfFreedom"] < 65
        truth = true_partial_correlations(planted[subject], subject)
        differences.append(np.abs(partial_correlations(project, subject, "scrubbed") - truth))
    assert np.mean(differences) < 0.1
    assert np.max(differences) < 0.3


def test_they_come_closer_still_to_the_planted_signals_cleaned_alike(project, planted):
    # The same confounds taken out of the planted signals: only noise (1 % a voxel, some 30 voxels a sphere) is left.
    differences = []
    for subject in SUBJECTS:
        path = project.root / f"resources/demo/sub-{subject}/func/sub-{subject}_task-rest_desc-confounds_timeseries.tsv"
        columns, values = read_signals(path)
        confounds = values[:, [place for place, name in enumerate(columns) if name != "framewise_displacement"]]
        truth = true_partial_correlations(planted[subject], subject, confounds)
        differences.append(np.abs(partial_correlations(project, subject) - truth))
    assert np.mean(differences) < 0.03
    assert np.max(differences) < 0.08


def test_without_confounds_the_planted_nuisance_spoils_the_correlations(project, planted):
    # So the two tests above could fail: the nuisance is there, it is strong, and taking out the confounds removes it.
    for subject in SUBJECTS:
        name = f"results/sub-{subject}/func/sub-{subject}_task-rest_space-MNI152_atlas-dmn"
        truth = connectome(cleaned(planted[subject], subject).signals, "correlation", "empirical").matrix[EDGES]
        with_nuisance = cleaned(read_signals(project.root / f"{name}_timeseries.tsv")[1], subject)
        without = read_signals(project.root / f"{name}_desc-bandpass_timeseries.tsv")[1]
        spoilt = np.abs(connectome(with_nuisance.signals, "correlation", "empirical").matrix[EDGES] - truth).max()
        mended = np.abs(connectome(without, "correlation", "empirical").matrix[EDGES] - truth).max()
        assert spoilt > 0.15 > 1.5 * mended


def test_framewise_displacement_of_the_planted_motion_is_the_real_one():
    displacement = read_signals(ROOT / "resources" / "cohort" / "sub-01_motion.tsv")[1][:, 0]
    motion = demo.plant_nuisance(displacement, 2.52, np.random.default_rng(1)).motion
    steps = np.abs(np.diff(motion, axis=0))
    steps[:, 3:] *= 50  # a rotation counts as the arc on a sphere of 50 mm
    np.testing.assert_allclose(steps.sum(axis=1), displacement[1:], atol=1e-12)


def test_painting_twice_gives_the_same_bytes(project, tmp_path):
    path = project.root / "resources/demo/sub-01/func/sub-01_task-rest_space-MNI152_desc-preproc_bold.nii.gz"
    before = path.read_bytes()
    path.unlink()
    project.run(str(path.relative_to(project.root)))
    assert path.read_bytes() == before
