"""The published strategies of a comparison: their confounds are nilearn's, and runs that have these get them."""

import copy
import json
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
from clean.confound_tables import COMPONENTS, DEVELOPMENT, FMRIPREP
from nilearn.interfaces.fmriprep import load_confounds, load_confounds_strategy

from sphereconn.clean.recipe import read_confounds_of
from sphereconn.errors import InputError
from sphereconn.files import read_records
from sphereconn.study import names
from sphereconn.study.denoising import confound_files
from sphereconn.study.published import TABLE
from sphereconn.study.study import resolve_study

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.filterwarnings("ignore")  # nilearn's

# The call of table 2 for each strategy. No DVARS above infinity: today's nilearn cannot compare with None.
SCRUBBING = {"denoise_strategy": "scrubbing", "std_dvars_threshold": np.inf}
CALLS = {
    "baseline": {"strategy": ["high_pass"]},
    "simple": {"denoise_strategy": "simple"},
    "simplegsr": {"denoise_strategy": "simple", "global_signal": "basic"},
    "scrubbing5": {**SCRUBBING, "fd_threshold": 0.5},
    "scrubbing5gsr": {**SCRUBBING, "fd_threshold": 0.5, "global_signal": "basic"},
    "scrubbing2": {**SCRUBBING, "fd_threshold": 0.2},
    "scrubbing2gsr": {**SCRUBBING, "fd_threshold": 0.2, "global_signal": "basic"},
    "compcor": {"denoise_strategy": "compcor"},
    "compcor6": {"denoise_strategy": "compcor", "n_compcor": 6},
}
AFFINE = np.array([[40.0, 0, 0, -80], [0, 40, 0, -110], [0, 0, 40, -70], [0, 0, 0, 1]])
AROMA_NAME = "sub-{}_task-rest_desc-smoothAROMAnonaggr_bold.nii.gz"


def add_run(folder, subject, table=FMRIPREP, components=COMPONENTS, bold=None, **columns):
    """Put a run's confounds table, with further columns, beside a small image."""
    start = folder / f"sub-{subject}_task-rest_desc-confounds_timeseries"
    content = pd.read_csv(table, sep="\t").assign(**columns)
    content.to_csv(f"{start}.tsv", sep="\t", index=False, na_rep="n/a")
    if components:
        shutil.copy(components, f"{start}.json")
    image = folder / (bold or f"sub-{subject}_task-rest_desc-preproc_bold.nii.gz")
    values = np.random.default_rng(int(subject)).integers(1, 99, (5, 6, 5, 120), dtype=np.int16)
    nifti = nibabel.Nifti1Image(values, AFFINE)
    nifti.header.set_zooms((40, 40, 40, 2))
    nibabel.save(nifti, image)
    return [subject, image.name, Path(f"{start}.tsv").name]


@pytest.fixture
def study(tmp_path):
    def read(rows, comparison=(), main_process=True, output_dir=None, **changes):
        table = "\n".join("\t".join(row) for row in [["subject", "bold", "confounds"], *rows]) + "\n"
        (tmp_path / "runs.tsv").write_text(table)
        config = {
            "runs": str(tmp_path / "runs.tsv"),
            "output_dir": str(output_dir or tmp_path / "results"),
            "seed_sets": {"dmn": {"seeds": "dmn", "radius": 8}},
            "denoising": {"mine": {"confounds": ["csf"]}},
            "estimators": {"full": {"kind": "correlation"}},
            "comparison": {"preset": "published", **dict(comparison)},
            **changes,
        }
        schema = ROOT / "workflow" / "schemas" / "config.schema.json"
        return resolve_study(copy.deepcopy(config), schema, ROOT / "resources", "study.yaml", main_process)

    return read


@pytest.fixture
def three(tmp_path):
    """Runs with all confounds, without their sidecar, and with the few of an older data set."""
    return [
        add_run(tmp_path, "1"),
        add_run(tmp_path, "2", components=None),
        add_run(tmp_path, "3", table=DEVELOPMENT, components=None),
    ]


@pytest.mark.parametrize("label", CALLS)
def test_the_confounds_are_those_that_load_confounds_gives_for_table_2(study, three, tmp_path, label):
    found = study(three)
    settings, run = found.denoising[label], found.runs[0]
    ours = read_confounds_of(settings, confound_files(run, settings), 120, [])
    load = load_confounds if "strategy" in CALLS[label] else load_confounds_strategy
    expected, sample_mask = load(str(tmp_path / three[0][1]), **CALLS[label])
    assert sorted(ours.names) == sorted(expected.columns)
    kept = np.flatnonzero(ours.censoring.kept)
    np.testing.assert_array_equal(kept, np.arange(120) if sample_mask is None else sample_mask)
    assert (len(kept) < 120) == ("scrubbing" in label)
    values = pd.DataFrame(ours.values, columns=ours.names)[list(expected.columns)].to_numpy()[kept]
    away = values - values.mean(axis=0)
    np.testing.assert_allclose(away, expected.to_numpy()[kept], rtol=0, atol=1e-13 * np.abs(values).max())


def test_aroma_is_in_the_image_or_its_components_are_regressed_out(study, tmp_path):
    components = {f"aroma_motion_{n:02d}": np.random.default_rng(n).normal(size=120) for n in (1, 3)}
    with_components = [add_run(tmp_path, number, **components) for number in "123"]
    found = study(with_components)
    settings = found.denoising["aroma"]
    ours = read_confounds_of(settings, confound_files(found.runs[0], settings), 120, [])
    expected, _ = load_confounds(
        str(tmp_path / with_components[0][1]), strategy=["high_pass", "wm_csf", "ica_aroma"], ica_aroma="basic"
    )
    assert sorted(ours.names) == sorted(expected.columns) and "aroma_motion_03" in ours.names

    cleaned = [add_run(tmp_path, number, bold=AROMA_NAME.format(number)) for number in "456"]
    found = study(cleaned)
    assert [label for label in found.denoising if label != "mine"] == ["aroma"]
    settings = found.denoising["aroma"]
    ours = read_confounds_of(settings, confound_files(found.runs[0], settings), 120, [])
    expected, _ = load_confounds_strategy(str(tmp_path / AROMA_NAME.format(4)), denoise_strategy="ica_aroma")
    assert sorted(ours.names) == sorted(expected.columns)
    assert "simplegsr" in found.summary and "the image has already been cleaned by ICA-AROMA" in found.summary


def test_the_table_has_the_strategies_of_the_paper_in_its_order():
    rows = read_records(ROOT / "resources" / TABLE)
    assert [row["denoising"] for row in rows] == [*CALLS, "aroma"]
    assert all(row["name_in_paper"].replace("+", "").replace(".", "") == row["denoising"] for row in rows)


def test_each_strategy_is_for_the_runs_whose_confounds_can_feed_it(study, three):
    found = study(three)
    members = {item.denoising: [run.entities["subject"] for run in item.runs] for item in found.combinations}
    assert members == {
        "mine": ["1", "2", "3"],
        **{label: ["1", "2", "3"] for label in CALLS if "compcor" not in label},
        "compcor": ["1"],
        "compcor6": ["1"],
    }
    assert list(found.published_left_out) == ["compcor", "compcor6", "aroma"]
    assert found.published_left_out["compcor"]["sub-2"].startswith("the confounds table has no sidecar")
    assert (
        "study.yaml: comparison: the published strategies compcor and compcor6 are left out: the confounds table has no"
        " sidecar, which says what the components of CompCor are (2 of 3 runs, such as sub-2)." in found.summary
    )
    assert (
        "the published strategy aroma is left out: the table has no column aroma_motion_* (3 of 3 runs, such as sub-1, "
        in found.summary
    )


def test_jobs_find_what_the_main_process_found_without_a_look_at_the_confounds(study, three, tmp_path):
    first = study(three)
    (tmp_path / "results").mkdir()
    for name, content in first.search_results.items():
        (tmp_path / "results" / name).write_bytes(content)
    assert list(first.search_results) == [names.PUBLISHED_LEFT_OUT]
    for _, _, table in three:
        (tmp_path / table).unlink()
    again = study(three, main_process=False)
    assert again.combinations == first.combinations and again.denoising == first.denoising
    assert again.published_left_out == first.published_left_out


def test_they_are_compared_and_not_drawn_tested_or_mapped(study, three):
    found = study(
        three,
        maps={"dmnmaps": {"seeds": "all"}},
        reliability={"over": "halves"},
        tables=["edges"],
    )
    (comparison,) = found.comparisons
    assert comparison.denoising == ["mine", *(label for label in found.denoising if label != "mine")]
    assert {item.denoising for item in found.shown} == {"mine"}
    assert {maps.denoising for maps in found.maps} == {"mine"}
    assert {reliability.item.denoising for reliability in found.reliabilities} == {"mine"}


def test_a_list_chooses_among_them(study, three):
    found = study(three, {"denoising": ["mine", "simple", "scrubbing2"]})
    assert found.comparisons[0].denoising == ["mine", "simple", "scrubbing2"]
    assert set(found.denoising) == {"mine", "simple", "scrubbing2"}


def test_a_list_may_name_one_that_no_run_has_the_confounds_for(study, three):
    found = study(three, {"denoising": ["mine", "simple", "aroma"]})
    assert found.comparisons[0].denoising == ["mine", "simple"]
    with pytest.raises(InputError, match=r"of mine, aroma\. The published strategy aroma is left out: the table"):
        study(three, {"denoising": ["mine", "aroma"]})


def test_a_denoising_of_the_study_that_is_one_of_them_is_made_once(study, three):
    limits = {"min_degrees_of_freedom": 1}
    found = study(three, denoising={"simple": {"strategy": "simple", **limits}})
    assert [item.denoising for item in found.shown] == ["simple"]
    assert [item.denoising for item in found.combinations].count("simple") == 1


def test_without_the_preset_there_is_nothing_of_it(study, three):
    plain = study(three, {"preset": None}, denoising={"one": {}, "two": {"detrend": False}})
    assert set(plain.denoising) == {"one", "two"} and plain.search_results == {} and not plain.summary


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"comparison": {"denoising": ["mine", "other"]}}, "none of mine, other belongs to the preset 'published'"),
        (
            {"denoising": {"Simple": {"strategy": "simple", "low_pass": 0.1}}},
            "the denoising 'Simple' of the study has the label of a published strategy",
        ),
        (
            {"comparison": {"preset": "ciric"}},
            'comparison.preset: "ciric" is not allowed; allowed: published or null',
        ),
    ],
)
def test_mistakes_are_named(study, three, changes, message):
    with pytest.raises(InputError) as caught:
        study(three, **changes)
    assert message in str(caught.value)


def test_the_labels_are_allowed_and_differ_from_each_other():
    labels = [row["denoising"] for row in read_records(ROOT / "resources" / TABLE)]
    definitions = json.loads((ROOT / "workflow" / "schemas" / "config.schema.json").read_text())["$defs"]
    assert len(set(labels)) == len(labels) == 10
    assert definitions["label"]["pattern"] == "^[A-Za-z0-9]+$" and all(label.isalnum() for label in labels)
