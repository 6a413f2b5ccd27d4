"""The development_fmri data set from the download to the connectomes of groups, from a server on this machine."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel
import numpy as np
import pytest
import yaml
from servers import serving

from sphereconn.files import read_json, read_signals, write_signals
from sphereconn.study.development_fmri import BOLD, CONFOUNDS, REDUCED, REDUCED_CONFOUNDS
from workflow.project import AFFINE, N_FRAMES, ROOT, SHAPE, Project, new_project

SUBJECTS = ("pixar001", "pixar002", "pixar123")  # whom nilearn's rule gives for three
MORE = ("pixar003",)  # and for four
FOLDER = Path("data/development_fmri")


def files_of(subject):
    """A small image, and a confounds table with a column more than is kept."""
    rng = np.random.default_rng(int(subject[-3:]))
    image = nibabel.Nifti1Image((rng.standard_normal((*SHAPE, N_FRAMES)) * 10 + 500).astype(np.int16), AFFINE)
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((8, 8, 8, 2))
    columns = ["global_signal", *REDUCED[::-1]]
    return image, columns, rng.standard_normal((N_FRAMES, len(columns)))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """What the data set's server gives for four subjects."""
    folder = tmp_path_factory.mktemp("served")
    content = {}
    with open(ROOT / "resources" / "development_fmri" / "osf_ids.csv", newline="") as file:
        keys = {row["participant_id"].removeprefix("sub-"): row for row in csv.DictReader(file)}
    for subject in (*SUBJECTS, *MORE):
        image, columns, confounds = files_of(subject)
        nibabel.save(image, folder / "image.nii.gz")
        write_signals(folder / "confounds.tsv", columns, confounds)
        content[f"/download/{keys[subject]['key_b']}/"] = (folder / "image.nii.gz").read_bytes()
        content[f"/download/{keys[subject]['key_r']}/"] = (folder / "confounds.tsv").read_bytes()
    with serving(content) as files:
        yield files


@pytest.fixture(scope="module")
def new(server, tmp_path_factory):
    """A study of three subjects that has never run."""
    project = new_project(tmp_path_factory.mktemp("new") / "project", n_subjects=0)

    def edit(config):
        config.pop("runs")
        config["development_fmri"] = {"n_subjects": 3, "base_url": server.url}
        config["groups"] = ["group"]
        config["seed_sets"].pop("mine")
        config["denoising"]["bandpass"]["confounds"] = ["*"]
        config["estimators"].pop("full")
        config["figures"].update(runs={"subject": "pixar123"}, kinds=["matrix"])

    project.configure(edit)
    return project


@pytest.fixture(scope="module")
def finished_once(new, server, tmp_path_factory):
    project = new.copy(tmp_path_factory.mktemp("finished") / "project")
    server.asked.clear()
    project.run()
    return project


@pytest.fixture
def finished(finished_once, tmp_path):
    return finished_once.copy(tmp_path / "project")


@pytest.fixture
def fresh(new, server, tmp_path):
    """A copy of the new study; the server has forgotten what it was asked."""
    server.asked.clear()
    server.script.clear()
    server.most_at_once, server.delay = 0, 0.0
    return new.copy(tmp_path / "project")


def downloaded(project):
    return sorted(path.name for path in (project.root / FOLDER).glob("*") if path.suffix != ".sha256")


ALL_FILES = sorted(
    name.format(subject=subject) for name in (BOLD, CONFOUNDS, REDUCED_CONFOUNDS) for subject in SUBJECTS
)
UNTIL_DATA = ("--until", "download_bold", "reduce_confounds")


def test_from_the_download_to_connectomes_of_groups_and_figures(finished_once, server):
    assert downloaded(finished_once) == ALL_FILES
    assert len(server.asked) == 6
    results = finished_once.results()
    group = "group/{}_atlas-dmn_meas-partial_desc-bandpass_{}"
    for name in ("group-all", "group-adult", "group-child"):
        assert group.format(name, "stat-mean_relmat.tsv") in results
        assert group.format(name, "relmat.png").replace("group/", "group/figures/") in results
    stack = results[group.format("group-all", "stack.tsv")].decode().splitlines()
    rows = [dict(zip(stack[0].split("\t"), row.split("\t"), strict=True)) for row in stack[1:]]
    assert [(row["subject"], row["group"], row["age"]) for row in rows] == [
        ("pixar001", "child", "4.774811773"),
        ("pixar002", "child", "4.856947296"),
        ("pixar123", "adult", "27.06"),
    ]


def test_what_arrived_is_what_the_server_has(finished_once):
    for subject in SUBJECTS:
        _, columns, confounds = files_of(subject)
        names, reduced = read_signals(finished_once.root / FOLDER / REDUCED_CONFOUNDS.format(subject=subject))
        assert names == list(REDUCED)
        np.testing.assert_array_equal(reduced, confounds[:, [columns.index(name) for name in names]])
        sidecar = read_json(
            finished_once.root / f"results/sub-{subject}/func/sub-{subject}_task-pixar_space-MNI152NLin2009cAsym"
            "_atlas-dmn_desc-bandpass_timeseries.json"
        )
        assert sidecar["RepetitionTime"] == 2


def test_nothing_is_asked_of_the_server_to_plan_a_study(fresh, server):
    assert fresh.pending()["download_bold"] == 3
    assert server.asked == []


def test_a_finished_study_runs_nothing_and_has_nothing_left_over(finished_once):
    assert finished_once.pending() == {}
    assert finished_once.left_over() == []


def test_files_that_are_there_already_are_used_whoever_put_them_there(finished_once, fresh, server):
    elsewhere = fresh.root / "nilearn_data" / "development_fmri"
    elsewhere.mkdir(parents=True)
    for path in (finished_once.root / FOLDER).iterdir():
        if path.suffix != ".sha256":
            (elsewhere / path.name).write_bytes(path.read_bytes())
            os.utime(elsewhere / path.name, (1e9, 1e9))
    fresh.configure(lambda config: config["development_fmri"].update(folder="nilearn_data/development_fmri/"))
    pending = fresh.pending()
    assert pending["extract"] == 3
    assert not {"download_bold", "download_confounds", "reduce_confounds"} & set(pending)
    fresh.run("--until", "connectomes")
    assert server.asked == []
    before, after = finished_once.results(), fresh.results()
    matrices = [name for name in before if name.startswith("sub-") and name.endswith("relmat.tsv")]
    assert len(matrices) == 3
    assert [after[name] for name in matrices] == [before[name] for name in matrices]


def test_another_server_or_edited_code_of_the_download_download_nothing_again(finished):
    for file in ("workflow/lib/sphereconn/download.py", "scripts/download.py"):
        path = finished.root / file
        path.write_text(path.read_text() + "\n\nEDITED = True\n")
    finished.configure(lambda config: config["development_fmri"].update(base_url="https://mirror.example/osf"))
    assert finished.pending() == {"describe_study": 1, "write_report": 1}


def test_a_subject_more_downloads_that_subject_only(finished):
    finished.configure(lambda config: config["development_fmri"].update(n_subjects=4))
    pending = finished.pending()
    chain = ("download_bold", "download_confounds", "reduce_confounds", "extract", "clean", "connect")
    assert {rule: pending[rule] for rule in chain} == dict.fromkeys(chain, 1)


def test_all_confounds_instead_of_the_reduced_clean_anew_and_download_nothing(finished):
    finished.configure(lambda config: config["development_fmri"].update(reduce_confounds=False))
    pending = finished.pending()
    assert pending["clean"] == 3
    assert not {"download_bold", "download_confounds", "reduce_confounds", "extract"} & set(pending)


def test_images_may_be_deleted_after_the_study_is_finished(finished):
    for path in (finished.root / FOLDER).glob("*.nii.gz"):
        path.unlink()
    assert finished.pending() == {}


def test_a_deleted_image_is_downloaded_again_and_must_be_the_same(finished, server, monkeypatch):
    image = finished.root / FOLDER / BOLD.format(subject="pixar001")
    before = image.read_bytes()
    (address,) = [path for path, content in server.content.items() if content == before]
    other = (finished.root / FOLDER / BOLD.format(subject="pixar002")).read_bytes()
    image.unlink()
    shutil.rmtree(finished.root / "results")
    with monkeypatch.context() as context:
        context.setitem(server.content, address, other)
        output = finished.fail(*UNTIL_DATA)
    assert f"{image.name} is not the file of the first download" in output
    assert not image.exists()
    finished.run(*UNTIL_DATA)
    assert image.read_bytes() == before


def test_a_file_that_cannot_be_had_stops_that_subject_only(fresh, server):
    server.script = ["status 404"]
    output = fresh.fail()
    (error,) = set(re.findall(r"error: .*", output))
    assert "cannot be downloaded, the server says 404" in error
    assert "Traceback" not in output
    assert (
        len({name.split("/")[0] for name in fresh.results() if "relmat.tsv" in name and name.startswith("sub-")}) == 2
    )
    fresh.run(*UNTIL_DATA)
    assert downloaded(fresh) == ALL_FILES


def test_the_profile_bounds_the_downloads_at_once(fresh, server):
    server.delay = 0.5
    fresh.run("--cores", "6", *UNTIL_DATA)
    assert 2 <= server.most_at_once <= 4


def test_without_the_profile_the_downloads_work_too(fresh, server):
    fresh.run("--workflow-profile", "none", *UNTIL_DATA)
    assert downloaded(fresh) == ALL_FILES


def test_after_a_kill_only_what_is_missing_is_downloaded(fresh, server):
    server.script = ["", "slow 0.3"]
    command = [str(Path(sys.executable).with_name("snakemake")), "--configfile", "study.yaml", "--cores", "1"]
    folder = fresh.root / FOLDER
    with subprocess.Popen(
        [*command, "--until", "download_bold"],
        cwd=fresh.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as running:
        end = time.monotonic() + 60
        while len(server.asked) < 2 or not any(path.stat().st_size > 20_000 for path in folder.glob(".unfinished-*")):
            assert time.monotonic() < end
            time.sleep(0.02)
        os.killpg(running.pid, signal.SIGKILL)
    assert len(list(folder.glob("sub-*.nii.gz"))) == 1
    subprocess.run([*command, "--unlock"], cwd=fresh.root, check=True, capture_output=True)
    server.asked.clear()
    fresh.run(*UNTIL_DATA)
    assert len(server.asked) == 5
    assert downloaded(fresh) == ALL_FILES


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"base_url": "file:///etc"}, "development_fmri.base_url"),
        (
            {"n_subjects": 156},
            "development_fmri.n_subjects: 156 is not allowed; allowed: a whole number from 1 to 155",
        ),
        (
            {"n_subjects": 40, "age_group": "adult"},
            "development_fmri.n_subjects: 40 is not allowed; there are 33 adults",
        ),
        (
            {"age_group": "adults"},
            'development_fmri.age_group: "adults" is not allowed; allowed: both, child or adult',
        ),
        ({"folders": "data"}, "development_fmri.folders: unknown key, did you mean 'folder'?"),
    ],
)
def test_a_mistake_is_named_before_any_job(fresh, setting, sentence):
    fresh.configure(lambda config: config["development_fmri"].update(setting))
    output = fresh.fail()
    assert sentence in output
    assert "Traceback" not in output
    assert not (fresh.root / "data").joinpath("development_fmri").exists()


def test_the_shipped_study_has_the_values_of_nilearns_example():
    config = yaml.safe_load((ROOT / "config" / "development_fmri.yaml").read_text())
    spheres = {label: (item["radius"], item.get("smoothing_fwhm")) for label, item in config["seed_sets"].items()}
    assert spheres == {"dmn": (8, None), "power264": (5, 6), "dosenbach160": (4.5, 6)}
    crossed = {item["seed_sets"][0]: (item["denoising"][0], item["estimators"][0]) for item in config["connectomes"]}
    cleaned = {label: config["denoising"][denoising] for label, (denoising, _) in crossed.items()}
    assert {label: item["padtype"] for label, item in cleaned.items()} == {
        "dmn": "even",
        "power264": "odd",
        "dosenbach160": "odd",
    }
    for item in cleaned.values():
        assert item["interpolation"] == "cubic_spline"
        assert (item["high_pass"], item["low_pass"], item["detrend"], item["confounds"]) == (0.01, 0.1, True, ["*"])
    estimated = {label: config["estimators"][estimator] for label, (_, estimator) in crossed.items()}
    assert estimated == {
        "dmn": {"kind": "partial correlation", "covariance": "ledoit_wolf", "samples": "frames"},
        "power264": {"kind": "sparse inverse covariance", "cv": 3, "matrix": "covariance", "samples": "frames"},
        "dosenbach160": {"kind": "sparse inverse covariance", "cv": 5, "matrix": "covariance", "samples": "frames"},
    }
    drawn = {label: item["glass_brain"] for label, item in config["figures"]["seed_sets"].items()}
    assert drawn["dmn"]["views"] == ["ortho", "lyrz"]
    assert (drawn["power264"]["threshold"], drawn["power264"]["node_size"]) == ("99.8%", 20)
    assert (drawn["dosenbach160"]["threshold"], drawn["dosenbach160"]["node_size"]) == ("99.7%", 20)


def test_the_shipped_study_is_valid_and_needs_every_subject(tmp_path):
    project = Project(tmp_path)
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("snakemake")), "-n", "--snakefile", str(ROOT / "Snakefile")),
            *("--configfile", str(ROOT / "config" / "development_fmri.yaml")),
            *("--config", "development_fmri={n_subjects: all}"),
        ],
        cwd=project.root,
        text=True,
        capture_output=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert re.search(r"^download_bold +155$", output, re.MULTILINE)
    assert re.search(r"^connect_sparse +310$", output, re.MULTILINE)
