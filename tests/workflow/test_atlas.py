"""A seed set from an atlas of one's own: from the image to connectomes, and what an edit runs again."""

import re

import nibabel
import numpy as np
import pytest

from sphereconn.files import read_json, read_matrix, read_records
from workflow.project import AFFINE, SHAPE, new_project

N_RUNS = 2
SEEDS = "results/seeds/atlas-mine_seeds.tsv"


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    """A finished study with an atlas of four regions, one of them in both hemispheres."""
    project = new_project(tmp_path_factory.mktemp("atlas") / "project", n_subjects=N_RUNS)
    atlas = np.zeros(SHAPE, dtype=np.int16)
    atlas[4:7, 8:11, 10:13] = 1
    atlas[18:21, 8:11, 10:13] = 2
    atlas[11:14, 20:23, 14:17] = 3
    atlas[[6, 18], 15:18, 18] = 8
    nibabel.save(nibabel.Nifti1Image(atlas, AFFINE), project.root / "data" / "atlas_dseg.nii.gz")
    (project.root / "data" / "atlas_dseg.tsv").write_text(
        "index\tname\tnetwork\n0\toutside\tn/a\n1\tleft\tA\n2\tright\tA\n3\tfront\tB\n8\tboth\tB\n"
    )
    (project.root / "data" / "mine.tsv").unlink()

    def edit(config):
        config["seed_sets"]["mine"] = {
            "seeds": "data/atlas_dseg.nii.gz",
            "labels": "data/atlas_dseg.tsv",
            "radius": 12,
        }
        config["estimators"].pop("partial")
        config["figures"].update(kinds=["networks"], runs="none")

    project.configure(edit)
    project.run()
    return project


@pytest.fixture
def finished(finished_once, tmp_path):
    return finished_once.copy(tmp_path / "project")


def test_the_centres_of_the_regions_are_the_seeds(finished_once):
    seeds = read_records(finished_once.root / SEEDS)
    assert [seed["name"] for seed in seeds] == ["left", "right", "front", "both"]
    assert [float(seeds[0][axis]) for axis in "xyz"] == [5 * 8 - 96, 9 * 8 - 132, 11 * 8 - 78]
    assert [(seed["network"], seed["pieces"]) for seed in seeds] == [("A", "1"), ("A", "1"), ("B", "1"), ("B", "2")]
    assert float(seeds[3]["moved"]) == 6 * 8
    notes = read_json(finished_once.root / SEEDS.replace(".tsv", ".json"))
    assert notes["RegionsInPieces"] == {"both": 2}
    assert notes["RegionsMoved"] == ["both"]
    assert notes["Sources"] == ["data/atlas_dseg.nii.gz", "data/atlas_dseg.tsv"]


def test_the_connectome_has_the_regions_by_name_and_figures_have_their_networks(finished_once):
    func = finished_once.root / "results" / "sub-01" / "func"
    names, matrix = read_matrix(func / "sub-01_task-rest_atlas-mine_meas-full_desc-bandpass_relmat.tsv")
    assert names == ["left", "right", "front", "both"]
    assert np.isfinite(matrix).all()
    figures = {path.name for path in (finished_once.root / "results" / "group" / "figures").iterdir()}
    assert "group-all_atlas-mine_meas-full_desc-bandpass_networks.png" in figures
    sidecar = read_json(func / "sub-01_task-rest_atlas-mine_timeseries.json")
    assert "bids::seeds/atlas-mine_seeds.tsv" in sidecar["Sources"]


def test_a_finished_study_runs_nothing_and_has_nothing_left_over(finished_once):
    assert finished_once.pending() == {}
    assert finished_once.left_over() == []


def test_another_radius_leaves_the_seeds_as_they_are(finished):
    finished.configure(lambda config: config["seed_sets"]["mine"].update(radius=14))
    pending = finished.pending()
    assert pending["extract"] == N_RUNS
    assert "atlas_seeds" not in pending


@pytest.mark.parametrize("edit", ["image", "labels"])
def test_an_edited_atlas_runs_its_chain_and_no_other(finished, edit):
    if edit == "labels":
        finished.replace("data/atlas_dseg.tsv", "left", "left one")
    else:
        path = finished.root / "data" / "atlas_dseg.nii.gz"
        image = nibabel.load(path)
        data = np.asanyarray(image.dataobj).copy()
        data[7, 8:11, 10:13] = 1
        nibabel.save(nibabel.Nifti1Image(data, image.affine), path)
    pending, messages = finished.pending_with_messages()
    assert (pending["atlas_seeds"], pending["extract"]) == (1, N_RUNS)
    assert messages and not [message for message in messages if " dmn " in message]


def test_seeds_that_no_configuration_asks_for_are_removed_on_request(finished):
    finished.configure(lambda config: config["seed_sets"].pop("mine"))
    finished.run("--until", "describe_study")
    finished.run("remove_orphans", "--config", "remove=true")
    assert not list((finished.root / "results" / "seeds").glob("*"))


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        ({"radius": None}, "seed_sets.mine: radius: an atlas has no radius column, so this key is required."),
        ({"labels": "data/none.tsv"}, "seed_sets.mine: data/none.tsv: not a readable tab-separated table"),
        ({"seeds": "data/none.nii.gz"}, "'data/none.nii.gz' is neither a file nor a seed table that comes with"),
        ({"seeds": "dmn"}, "seed_sets.mine: labels: these belong to an atlas (.nii, .nii.gz)"),
        ({"labels": "data/labels.json"}, "seed_sets.mine.labels: "),
    ],
)
def test_a_mistake_is_named_before_any_job(finished, edit, sentence):
    finished.configure(lambda config: config["seed_sets"]["mine"].update(edit))
    output = finished.fail()
    assert sentence in output
    assert "Traceback" not in output


def test_an_image_that_is_no_atlas_is_named(finished):
    path = finished.root / "data" / "atlas_dseg.nii.gz"
    probabilities = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(probabilities, AFFINE), path)
    output = finished.fail()
    (error,) = set(re.findall(r"error: .*", output))
    assert "data/atlas_dseg.nii.gz: an atlas holds the number of a region in each voxel" in error
    assert "Traceback" not in output
