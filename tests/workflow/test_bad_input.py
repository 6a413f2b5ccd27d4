"""Bad input ends with one clear sentence, before any number where that can be, and leaves no half-written result."""

import gzip
import re

import nibabel
import numpy as np
import pytest

from workflow.project import N_FRAMES, Project, new_project


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """A study of two runs that has never run."""
    return new_project(tmp_path_factory.mktemp("pristine") / "project", n_subjects=2)


@pytest.fixture
def project(pristine, tmp_path):
    project = pristine.copy(tmp_path / "project")
    project.configure(lambda config: config["seed_sets"].pop("mine"))
    project.configure(lambda config: config["figures"].update(kinds=[]))
    return project


def said(project: Project, *arguments: str) -> str:
    """Run the study, which must fail without showing a traceback; give what it said."""
    output = project.fail(*arguments)
    assert "Traceback" not in output, output
    assert list(project.root.rglob(".unfinished-*")) == []
    return output


def results_of(project: Project, subject: str) -> list[str]:
    return (
        [name for name in project.results() if name.startswith(f"sub-{subject}/")]
        if (project.root / "results").exists()
        else []
    )


def rewrite_image(project: Project, edit) -> None:
    """Change the image of the first subject: ``edit`` takes data and header, and gives data."""
    path = project.root / "data" / "sub-01_bold.nii.gz"
    image = nibabel.load(path)
    data = np.asanyarray(image.dataobj)
    header = image.header.copy()
    data = edit(data, header)
    header.set_data_shape(data.shape)
    nibabel.save(nibabel.Nifti1Image(data, image.affine, header), path)


# --- before any job


def test_files_that_are_not_there_are_named_with_their_rows_and_nothing_of_ours(project):
    for name in ("sub-01_bold.nii.gz", "sub-02_confounds.tsv"):
        (project.root / "data" / name).unlink()
    output = said(project, "--dry-run")
    assert "error: data/runs.tsv: 2 files are not there:\n    row 2, bold: data/sub-01_bold.nii.gz\n" in output
    assert "Error in" not in output and "WorkflowError" not in output and "missing.py" not in output


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (
            "seed_sets",
            {"dmn": {"seeds": "dmn", "raduis": 8}},
            "seed_sets.dmn.raduis: unknown key, did you mean 'radius'?",
        ),
        (
            "seed_sets",
            {"d/mn": {"seeds": "dmn"}},
            "the label 'd/mn' is not allowed; allowed: letters and digits only",
        ),
        ("seed_sets", {"far": {"seeds": "none.tsv"}}, "'none.tsv' is neither a file nor a seed table that comes with"),
        (
            "estimators",
            {"best": {"kind": "best"}},
            'estimators.best.kind: "best" is not allowed; allowed: covariance',
        ),
        ("runs", "data/none.tsv", "data/none.tsv: not a readable tab-separated table"),
        (
            "denoising",
            {"b": {"high_pass": 0.2, "low_pass": 0.1}},
            "high_pass (0.2 Hz) must lie below low_pass (0.1 Hz)",
        ),
    ],
)
def test_a_mistake_in_the_configuration_is_named_before_any_job(project, key, value, sentence):
    project.configure(lambda config: config.update({key: value}))
    assert sentence in said(project)
    assert not (project.root / "results").exists()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("02\trest", "01\trest", "row 3 is the same run as row 2 (sub-01_task-rest)"),
        ("02\trest", "02\trest/2", "row 3, column task: the label 'rest/2' is not allowed"),
        ("sub-02_confounds.tsv", "n/a", "run sub-02_task-rest has no confounds table, which denoising.bandpass needs"),
        ("sub-02_bold.nii.gz", "sub-03_bold.nii.gz", "data/sub-03_bold.nii.gz"),
    ],
)
def test_a_mistake_in_the_runs_table_is_named_before_any_job(project, old, new, sentence):
    project.replace("data/runs.tsv", old, new)
    assert sentence in said(project)
    assert not (project.root / "results").exists()


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("name\tx\ty\na\t0\t0\n", "data/mine.tsv: the column 'z' is missing; a seed table needs x, y and z in mm"),
        ("name\tx\ty\tz\na\t0\t0\t0\na\t1\t1\t1\n", "rows 2 and 3 have the same name 'a'; names must differ"),
        ("name\tx\ty\tz\n\t0\t0\t0\n", "row 2, column name: the seed has no name"),
    ],
)
def test_a_mistake_in_a_seed_table_is_named_before_any_job(project, table, sentence):
    (project.root / "data" / "mine.tsv").write_text(table)
    project.configure(lambda config: config["seed_sets"].update(mine={"seeds": "data/mine.tsv", "radius": 10}))
    assert sentence in said(project)
    assert not (project.root / "results").exists()


def test_a_label_given_twice_is_named_with_both_lines(project):
    lines = (project.root / "study.yaml").read_text().splitlines()
    first = lines.index("estimators:") + 1
    (project.root / "study.yaml").write_text("\n".join([*lines, "estimators: {}", ""]))
    sentence = f"study.yaml: line {len(lines) + 1}: the key estimators stands in line {first} already"
    assert sentence in said(project)
    assert not (project.root / "results").exists()


def test_code_in_the_configuration_is_not_run(project):
    path = project.root / "study.yaml"
    path.write_text(path.read_text() + "\nfigures: !!python/object/apply:os.system ['touch hacked']\n")
    project.fail()
    assert not (project.root / "hacked").exists()


def test_a_seed_set_outside_the_field_of_view_is_named(project):
    table = "name\tx\ty\tz\nfar\t500\t0\t0\nfarther\t600\t0\t0\n"
    (project.root / "data" / "mine.tsv").write_text(table)
    project.configure(lambda config: config["seed_sets"].update(mine={"seeds": "data/mine.tsv", "radius": 10}))
    assert "study.yaml: seed_sets.mine: none of the 2 spheres lies in the field of view" in said(project)
    assert not (project.root / "results").exists()


def test_spheres_that_overlap_are_named_by_pairs(project):
    project.configure(lambda config: config["seed_sets"]["dmn"].update(radius=60))
    output = said(project)
    assert "'posterior cingulate cortex' and 'left temporoparietal junction'" in output
    assert "(2 of 2 runs, such as sub-01_task-rest)." in output
    assert not (project.root / "results").exists()


def test_more_regressors_than_frames_are_named_with_their_numbers(project):
    path = project.root / "data" / "sub-01_confounds.tsv"
    many = np.random.default_rng(0).standard_normal((N_FRAMES, 90))
    names = [f"csf_{number}" for number in range(90)]
    np.savetxt(path, many, delimiter="\t", header="\t".join(names), comments="")
    (project.root / "data" / "sub-02_confounds.tsv").write_bytes(path.read_bytes())
    project.configure(lambda config: config["denoising"]["bandpass"].update(confounds=["csf_*"]))
    assert re.search(
        r"\d+ independent regressors .* in the 80 frames kept \(28.8 after .* \(2 of 2 runs, such as", said(project)
    )
    assert not (project.root / "results").exists()


# --- in the job that meets it; the other run goes on


def spoil_confounds(project: Project, edit) -> None:
    path = project.root / "data" / "sub-01_confounds.tsv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(edit(lines)) + "\n")


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda lines: lines[:-1], f"the table has {N_FRAMES - 1} rows, but the run has {N_FRAMES} frames"),
        (lambda lines: [lines[0].replace("csf", "csg"), *lines[1:]], "csf"),
        (lambda lines: [lines[0], lines[1].replace(lines[1].split("\t")[1], "n/a"), *lines[2:]], "trans_x"),
        (lambda lines: [lines[0], lines[1].replace(lines[1].split("\t")[1], "fast"), *lines[2:]], "fast"),
    ],
)
def test_a_mistake_in_a_confounds_table_stops_that_run_only(project, edit, sentence):
    spoil_confounds(project, edit)
    output = said(project)
    (error,) = set(re.findall(r"error: .*", output))
    assert "sub-01_confounds.tsv" in error
    assert sentence in error
    assert not [name for name in results_of(project, "01") if "desc-bandpass" in name]
    assert [name for name in results_of(project, "02") if "relmat.tsv" in name]


def test_missing_confounds_can_be_filled_with_the_mean(project):
    spoil_confounds(project, lambda lines: [lines[0], lines[1].replace(lines[1].split("\t")[1], "n/a"), *lines[2:]])
    project.configure(lambda config: config["denoising"]["bandpass"].update(missing_confounds="mean"))
    project.run()


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda data, header: data[..., 0], ("sub-01_bold.nii.gz", "a 4D image is needed, this one has 3 dimensions")),
        (lambda data, header: data[..., :3], ("sub-01_task-rest_atlas-dmn", "The run has 3 frames", "at least 4")),
        (lambda data, header: data.astype(np.complex64), ("sub-01_bold.nii.gz", "complex numbers")),
    ],
    ids=["3D", "too few frames", "complex"],
)
def test_an_image_of_the_wrong_kind_stops_that_run_only(project, edit, words):
    def spoil(data, header):
        data = edit(data, header)
        header.set_data_dtype(data.dtype)
        return data

    rewrite_image(project, spoil)
    spoil_confounds(project, lambda lines: lines[:4] if "The run has 3 frames" in words else lines)
    output = said(project)
    errors = set(re.findall(r"error: .*", output))
    assert any(all(word in error for word in words) for error in errors), errors
    assert not [name for name in results_of(project, "01") if "desc-bandpass" in name]
    assert [name for name in results_of(project, "02") if "relmat.tsv" in name]


@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda content: content[:1000] + b"\0\0" + content[1002:]]
)
def test_a_damaged_image_is_named_and_gives_no_number(project, damage):
    path = project.root / "data" / "sub-01_bold.nii.gz"
    path.write_bytes(damage(path.read_bytes()))
    (error,) = set(re.findall(r"error: .*", said(project)))
    assert "sub-01_bold.nii.gz" in error
    assert results_of(project, "01") == []


def test_a_repetition_time_that_is_missing_is_named(project):
    def without_time(data, header):
        header["pixdim"][4] = 0
        return data

    rewrite_image(project, without_time)
    (error,) = set(re.findall(r"error: .*", said(project)))
    assert "sub-01_bold.nii.gz: the repetition time is missing; give it in the runs table" in error


def test_one_seed_outside_is_missing_and_ends_no_run_and_no_figure(project):
    table = "name\tx\ty\tz\nfar\t500\t0\t0\nfront\t0\t50\t0\nback\t0\t-60\t20\n"
    (project.root / "data" / "mine.tsv").write_text(table)
    project.configure(lambda config: config.update(seed_sets={"mine": {"seeds": "data/mine.tsv", "radius": 10}}))
    project.configure(lambda config: config.update(figures={"dpi": 60, "runs": {"subject": "01"}}, groups=[]))
    project.configure(lambda config: config["estimators"].pop("partial"))
    project.run()
    results = project.results()
    nodes = results["sub-01/func/sub-01_task-rest_atlas-mine_nodes.tsv"].decode().splitlines()
    assert nodes[1].endswith("outside the field of view")
    matrix = results["sub-01/func/sub-01_task-rest_atlas-mine_meas-full_desc-bandpass_relmat.tsv"].decode().splitlines()
    assert matrix[1] == "far\tn/a\tn/a\tn/a"
    assert "n/a" not in matrix[2].split("\t", 2)[2]
    count = results["group/group-all_atlas-mine_meas-full_desc-bandpass_stat-n_relmat.tsv"].decode().splitlines()
    assert count[1:] == ["far\t0\t0\t0", "front\t0\t2\t2", "back\t0\t2\t2"]


def test_a_mask_that_is_no_image_is_named(project):
    with gzip.open(project.root / "data" / "mask.nii.gz", "wb") as file:
        file.write(b"no image")
    table = project.root / "data" / "runs.tsv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0] + "\tmask", *(line + "\tmask.nii.gz" for line in lines[1:])]) + "\n")
    errors = set(re.findall(r"error: .*", said(project)))
    assert errors
    assert all("data/mask.nii.gz" in error for error in errors)
