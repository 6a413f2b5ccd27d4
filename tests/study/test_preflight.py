"""What would fail in all runs is a mistake in the configuration; what would fail in some is said before any job."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sphereconn.clean.cleaning import check_length, clean_signals
from sphereconn.errors import InputError
from sphereconn.study.denoising import written_out
from sphereconn.study.preflight import will_fail
from sphereconn.study.runs import Run
from sphereconn.study.settings import checked_settings

SCHEMA = Path(__file__).parents[2] / "workflow/schemas/config.schema.json"
BAND = {"high_pass": 0.01, "low_pass": 0.1}
DENOISING = {"confounds": ["csf", "trans_?"], **BAND}
GOOD = b"csf\ttrans_x\n"
AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])


def checked(denoising, seed_sets):
    """The complete settings of denoisings and seed sets."""
    config = {
        "runs": "runs.tsv",
        "seed_sets": seed_sets or {"any": {"seeds": "dmn", "radius": 1}},
        "denoising": denoising or {"none": {}},
        "estimators": {"full": {"kind": "correlation"}},
    }
    settings = checked_settings(config, SCHEMA, "study.yaml")
    written = {label: written_out("", item) for label, item in settings["denoising"].items()}
    return written, settings["seed_sets"]


def look(runs, denoising=None, seed_sets=None):
    """Look at runs of which all have all denoisings and seed sets."""
    settings = checked(denoising, seed_sets)
    return will_fail(
        dict.fromkeys(denoising or {}, runs), dict.fromkeys(seed_sets or {}, runs), *settings, "study.yaml"
    ).notices


@pytest.fixture
def study(tmp_path):
    """Look at a denoising of runs with these headers of their confounds tables, whose images are not there yet."""

    def write(*headers, denoising=DENOISING, repetition_times=(None,) * 9):
        runs = []
        for number, (header, seconds) in enumerate(zip(headers, repetition_times, strict=False)):
            table = tmp_path / f"{number}.tsv"
            if header is not None:
                table.write_bytes(header)
            runs.append(Run({"subject": str(number)}, "x.nii", confounds=str(table), repetition_time=seconds))
        return look(runs, {"band": denoising})

    return write


# --- confounds and cut-offs


def test_a_confound_that_no_table_has_is_a_mistake_with_a_suggestion_told_once_for_all_runs(study):
    with pytest.raises(InputError) as caught:
        study(GOOD, GOOD, GOOD, denoising=DENOISING | {"confounds": ["cfs", "trans_?"]})
    assert str(caught.value) == (
        "study.yaml: denoising.band.confounds: the confound 'cfs' matches no column; did you mean 'csf'?"
        " (3 of 3 runs, such as sub-0)."
    )


def test_a_confound_that_all_tables_lack_is_a_mistake_whatever_is_suggested_for_each(study):
    with pytest.raises(InputError, match=r"'cfs' matches no column; .* \(2 of 2 runs"):
        study(GOOD, GOOD.replace(b"csf", b"cs"), denoising=DENOISING | {"confounds": ["cfs", "trans_?"]})


def test_what_some_tables_lack_ends_no_study(study):
    (notice,) = study(GOOD, b"\xef\xbb\xbfcsf\trot_x\r\n", GOOD)
    assert notice.endswith("the confound 'trans_?' matches no column (1 of 3 runs: sub-1).")


def test_outlier_columns_that_quiet_runs_lack_point_to_scrubbing(study):
    table = GOOD.replace(b"csf", b"motion_outlier00")
    (notice,) = study(GOOD, table, denoising=DENOISING | {"confounds": ["motion_outlier*"]})
    assert "list it under confounds_if_any, or censor frames by scrub (1 of 2 runs: sub-0)." in notice


@pytest.mark.parametrize(
    ("denoising", "sentence"),
    [
        ({"strategy": "6parameters"}, "the table has no column 'rot_x', which the strategy regresses out (2 of 2 runs"),
        ({"scrub": {"framewise_displacement": 0.5}}, "no column 'framewise_displacement', which scrub compares with"),
        ({"strategy": {"motion": None, "high_pass": True}}, "the table has no cosines"),
    ],
)
def test_columns_of_a_strategy_or_of_scrubbing_are_looked_for_as_well(study, denoising, sentence):
    header = b"trans_x\ttrans_y\ttrans_z\n"
    with pytest.raises(InputError) as caught:
        study(header, header, denoising=denoising)
    assert sentence in str(caught.value) and str(caught.value).count(".tsv") == 1


def test_tables_that_are_not_there_yet_are_left_to_the_jobs(study):
    assert study(None, GOOD) == []


def test_a_cutoff_that_no_run_can_meet_is_a_mistake_and_one_that_some_cannot_is_said(study):
    with pytest.raises(
        InputError, match=r"denoising.band: low_pass: 0.1 Hz .* Nyquist .* \(2 of 2 runs, such as sub-0"
    ):
        study(GOOD, GOOD, repetition_times=(6.0, 6.0))
    (notice,) = study(GOOD, GOOD, repetition_times=(6.0, 2.0))
    assert notice.endswith("(1 of 2 runs: sub-0).")


def test_a_table_that_one_denoising_does_not_need_is_read_for_the_next(tmp_path):
    (tmp_path / "c.tsv").write_bytes(GOOD)
    runs = [Run({"subject": "1"}, "x.nii", confounds=str(tmp_path / "c.tsv"))]
    with pytest.raises(InputError, match=r"denoising\.b\.confounds: the confound 'wm'"):
        look(runs, {"a": BAND, "b": BAND | {"confounds": ["wm"]}})


# --- images


@pytest.fixture
def image(tmp_path):
    """Write an image of noise, and give a run that has it."""

    def write(subject, n_frames=60, affine=AFFINE, seconds=2.0, n_confounds=None, confounds=None, mask=None, **fields):
        rng = np.random.default_rng(0)
        header = nibabel.Nifti1Header()
        header.set_xyzt_units("mm", "sec")
        made = nibabel.Nifti1Image(rng.random((12, 12, 12, n_frames), dtype=np.float32), affine, header)
        made.header["pixdim"][4] = seconds
        path = tmp_path / f"{subject}.nii.gz"
        nibabel.save(made, path)
        if n_confounds is not None:
            confounds = rng.standard_normal((n_frames, n_confounds))
        if confounds is not None:
            table = fields["confounds"] = str(path).replace("nii.gz", "tsv")
            names = "\t".join(f"c{number}" for number in range(confounds.shape[1]))
            np.savetxt(table, confounds, delimiter="\t", header=names, comments="")
        if mask is not None:
            fields["mask"] = str(path).replace(".nii", "_mask.nii")
            nibabel.save(nibabel.Nifti1Image(mask.astype(np.uint8), affine), fields["mask"])
        return Run({"subject": subject}, str(path), **fields)

    return write


def test_images_that_cannot_be_read_are_said_once_and_all_of_them_are_a_mistake(image):
    runs = [image(subject) for subject in "abc"]
    for run in runs[:2]:
        Path(run.bold).write_bytes(b"<html>" + b" " * 400)
    with pytest.raises(InputError, match=r"^image: the file is damaged \(.*\) \(2 of 2 runs, such as sub-a, .*\)\.$"):
        look(runs[:2], {"band": BAND})
    (notice,) = look(runs, {"band": BAND})
    assert notice.endswith(f"(2 of 3 runs, such as sub-a, {runs[0].bold}).")


def test_a_repetition_time_that_nothing_states_is_said_before_any_job(image):
    runs = [image("a", seconds=0), image("b", seconds=0)]
    with pytest.raises(InputError, match=r"^image: the repetition time is missing; .* \(2 of 2 runs"):
        look(runs, {"band": BAND})
    Path(runs[0].bold.replace(".nii.gz", ".json")).write_text('{"RepetitionTime": 2}')
    (notice,) = look(runs, {"band": BAND})
    assert notice.endswith(f"(1 of 2 runs: sub-b, {runs[1].bold}).")


def test_the_repetition_time_of_a_header_is_held_against_the_cutoffs(image):
    with pytest.raises(InputError, match=r"low_pass: 0.1 Hz .* at the repetition time of 6 s \(1 of 1 run: sub-a\)"):
        look([image("a", seconds=6.0)], {"band": BAND})


@pytest.mark.parametrize(
    ("n_frames", "n_confounds", "denoising", "sentence"),
    [
        (3, 0, {}, "The run has 3 frames; cleaning needs at least 4 ("),
        (60, 24, DENOISING, "24 independent regressors leave less than one degree of freedom in the 60 frames kept"),
        (40, 0, {"filter": "cosine", "high_pass": 0.24}, "38 independent regressors, mean and trend leave less than"),
        (
            33,
            0,
            BAND | {"padtype": "odd"},
            "33 frames are too few for the 0.01-0.1 Hz band-pass of order 5 and padtype",
        ),
    ],
)
def test_too_few_frames_are_a_mistake_where_all_runs_have_so_few(image, n_frames, n_confounds, denoising, sentence):
    denoising = denoising | {"confounds": ["c*"] if n_confounds else []}
    few = [image(subject, n_frames, n_confounds=n_confounds or None) for subject in "ab"]
    with pytest.raises(InputError) as caught:
        look(few, {"it": denoising})
    assert sentence in str(caught.value)
    assert str(caught.value).endswith("(2 of 2 runs, such as sub-a).")
    (notice,) = look([*few, image("c", 200, n_confounds=n_confounds or None)], {"it": denoising})
    assert sentence in notice and notice.endswith("(2 of 3 runs, such as sub-a).")


def test_confounds_that_depend_on_each_other_are_not_counted_twice(image):
    few = np.random.default_rng(1).standard_normal((60, 3))
    run = image("a", 60, confounds=few @ np.random.default_rng(2).standard_normal((3, 40)))
    assert look([run], {"it": BAND | {"confounds": ["c*"]}}) == []


def test_runs_that_a_denoising_leaves_out_for_it_end_no_job(image):
    run = image("a", 60, n_confounds=40)
    for limit in ({"min_degrees_of_freedom": 5}, {"min_frames": 100}, {"min_minutes": 5}):
        assert look([run], {"it": BAND | {"confounds": ["c*"]} | limit}) == []


@given(
    n_frames=st.integers(2, 60),
    n_confounds=st.integers(0, 12),
    seconds=st.floats(0.4, 3),
    detrend=st.booleans(),
    band=st.sampled_from([(None, None), (0.01, None), (None, 0.1), (0.01, 0.1)]),
    filter=st.sampled_from(["butterworth", "cosine"]),
    padtype=st.sampled_from(["gaussian_process", "odd", "none"]),
)
def test_the_length_is_judged_as_cleaning_would(n_frames, n_confounds, seconds, detrend, band, filter, padtype):
    if filter == "cosine":
        band = (0.01, None)
    settings = {"detrend": detrend, "filter": filter, "high_pass": band[0], "low_pass": band[1]}
    settings |= {"order": 2, "padtype": padtype}
    values = np.random.default_rng(0).standard_normal((n_frames, 1 + n_confounds))

    def complaint(judge):
        try:
            judge()
        except InputError as problem:
            return str(problem)
        return None

    names = [f"c{number}" for number in range(n_confounds)]
    cleaned = complaint(
        lambda: clean_signals(values[:, :1], seconds, confounds=values[:, 1:], confound_names=names, **settings)
    )
    looked_at = complaint(lambda: check_length(n_frames, seconds, n_confounds, **settings))
    # Of dependent regressors cleaning drops some, and has more left: noise depends where there are no dimensions left.
    assert (looked_at is None) == (cleaned is None) or n_confounds >= n_frames - 3
    assert cleaned is None or looked_at is not None


# --- spheres


@pytest.fixture
def seeds(tmp_path):
    """Write a table of seeds, and give a seed set of it."""

    def write(*places, radius=8, **settings):
        table = tmp_path / "seeds.tsv"
        rows = ["\t".join(map(str, (chr(97 + number), *place))) for number, place in enumerate(places)]
        table.write_text("\n".join(["name\tx\ty\tz", *rows]) + "\n")
        return {"mine": {"seeds": str(table), "radius": radius, **settings}}

    return write


NEAR = ((16, 20, 20), (28, 20, 20))


def test_spheres_that_overlap_in_all_runs_are_a_mistake_told_once(image, seeds):
    runs = [image(subject) for subject in "abcd"]
    with pytest.raises(InputError) as caught:
        look(runs, seed_sets=seeds(*NEAR, overlap="error"))
    assert str(caught.value).startswith("study.yaml: seed_sets.mine: overlap: error, but spheres share voxels: 'a' and")
    assert str(caught.value).endswith("or overlap: allow (4 of 4 runs, such as sub-a).")
    assert str(caught.value).count("\n") == 0
    for overlap in ("allow", "nearest"):
        assert look(runs, seed_sets=seeds(*NEAR, overlap=overlap)) == []
    assert look(runs, seed_sets=seeds(*NEAR, radius=4, overlap="error")) == []


def test_spheres_that_overlap_on_one_grid_only_are_said(image, seeds):
    runs = [image("a"), image("b", affine=AFFINE @ np.diag([0.5, 0.5, 0.5, 1]))]
    (notice,) = look(runs, seed_sets=seeds((16, 20, 20), (21, 20, 20), radius=3, overlap="error"))
    assert notice.endswith("(1 of 2 runs: sub-b).")  # at 4 mm the two have no voxel in common


def test_voxels_outside_the_mask_are_shared_by_nobody(image, seeds):
    inside = np.ones((12, 12, 12))
    shared = image("a", mask=inside)
    inside[5] = inside[6] = 0  # between the two, at x = 20 and 24
    parted = image("b", mask=inside)
    with pytest.raises(InputError, match="share voxels"):
        look([shared], seed_sets=seeds(*NEAR, overlap="error"))
    assert look([parted], seed_sets=seeds(*NEAR, overlap="error")) == []


def test_a_seed_set_outside_all_images_is_a_mistake(image, seeds):
    with pytest.raises(InputError, match=r"none of the 2 spheres lies in the field of view .* \(2 of 2 runs, such as"):
        look([image("a"), image("b")], seed_sets=seeds((500, 0, 0), (600, 0, 0)))
    assert look([image("a")], seed_sets=seeds((500, 0, 0), (20, 20, 20))) == []


def test_each_grid_is_searched_once_and_each_header_read_once(image, seeds, monkeypatch):
    from sphereconn.study import preflight

    calls = []
    for name in ("find_spheres", "read_header"):
        function = getattr(preflight, name)
        monkeypatch.setattr(
            preflight, name, lambda *given, function=function, name=name: (calls.append(name), function(*given))[1]
        )
    runs = [image(subject) for subject in "abcdef"]
    look(runs, {"one": BAND, "other": {}}, seeds((20, 20, 20)) | {"again": seeds((20, 20, 20))["mine"]})
    assert sorted(calls) == ["find_spheres"] * 2 + ["read_header"] * 6


def test_images_that_are_not_there_yet_are_left_to_the_jobs(seeds):
    assert look([Run({"subject": "a"}, "none.nii.gz")], {"band": BAND}, seeds((900, 0, 0))) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"csf,white_matter\n0.5,1\n", "a table is separated by tabs; this one looks like commas"),
        (b"0.1 0.2 0.3\n0.1 0.3 0.2\n", "the first line holds numbers; it must name the columns, separated by tabs"),
        (b"", "the table is empty"),
        (b"\xff\xfe\x00", "a tab-separated table is expected, and this file is UTF-16 text"),
    ],
)
def test_confounds_that_are_no_tab_separated_table_are_said_before_any_job(study, text, sentence):
    with pytest.raises(InputError) as caught:
        study(text, text)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"confounds: {sentence}") and line.endswith("0.tsv).")
