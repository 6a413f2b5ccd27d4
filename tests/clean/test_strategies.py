"""Strategies take the columns that nilearn's load_confounds takes; where it falls into a trap, the trap is shown."""

import json
import shutil
from itertools import product

import numpy as np
import pandas as pd
import pytest
from confound_tables import AROMA, COMPONENTS, DEVELOPMENT, FMRIPREP
from nilearn.interfaces.fmriprep import load_confounds, load_confounds_strategy

from sphereconn.clean.strategies import Scrubbing, Strategy, compcor_columns, read_run_confounds
from sphereconn.errors import InputError
from sphereconn.study.denoising import NOTHING, PRESETS, SCRUB_OF_SCRUBBING

pytestmark = pytest.mark.filterwarnings("ignore")  # nilearn's; ours raises what it has to say

EXPANSIONS = ("basic", "derivatives", "power2", "full")
COMPCOR = ("anat_combined", "anat_separated", "temporal", "temporal_anat_combined", "temporal_anat_separated")
STRATEGIES = {
    "motion": [{"motion": expansion} for expansion in EXPANSIONS],
    "wm_csf": [{"wm_csf": expansion} for expansion in EXPANSIONS],
    "global_signal": [{"global_signal": expansion} for expansion in EXPANSIONS],
    "compcor": [{"compcor": kind, "n_compcor": n} for kind, n in product(COMPCOR, ("all", 3, 100))],
}
CASES = [choice for choices in STRATEGIES.values() for choice in choices]


def images_folder(folder, table, name="confounds_timeseries", **files):
    """Lay a table out as nilearn wants it: beside an image, which it only looks at the name of."""
    start = "sub-1_task-rest_desc-"
    shutil.copy(table, folder / f"{start}{name}.tsv")
    for suffix, file in files.items():
        shutil.copy(file, folder / f"{start}{name}.{suffix}")
    image = folder / "sub-1_task-rest_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz"
    image.touch()
    return str(image)


@pytest.fixture
def fmriprep_image(tmp_path):
    return images_folder(tmp_path, FMRIPREP, json=COMPONENTS)


@pytest.fixture
def development_image(tmp_path):
    return images_folder(tmp_path, DEVELOPMENT, "confounds_regressors")


def ours(strategy, table=FMRIPREP, n_frames=120, **options):
    return read_run_confounds(table, n_frames, strategy=Strategy(**strategy), components=COMPONENTS, **options)


def assert_columns_equal(run, expected, sample_mask):
    """Compare by name: nilearn sorts its columns and subtracts their means, which cleaning does in any case."""
    assert sorted(run.names) == sorted(expected.columns)
    kept = np.arange(len(run.censoring.kept)) if sample_mask is None else sample_mask
    np.testing.assert_array_equal(np.flatnonzero(run.censoring.kept), kept)
    values = pd.DataFrame(run.values, columns=run.names)[list(expected.columns)].to_numpy()[kept]
    centred = values - values.mean(axis=0)
    # Rounding of a mean over frames: of squared tissue signals, a few units in the 16th digit of 1e9.
    np.testing.assert_allclose(centred, expected.to_numpy()[kept], rtol=0, atol=1e-13 * np.abs(values).max())


@pytest.mark.parametrize("choices", CASES, ids=str)
def test_the_columns_of_every_choice_are_those_of_nilearn(fmriprep_image, choices):
    strategy = {**choices, "high_pass": "compcor" in choices}
    names = [key for key in ("motion", "wm_csf", "global_signal", "compcor", "high_pass") if strategy.get(key)]
    expected, sample_mask = load_confounds(fmriprep_image, strategy=names, **choices)
    run = ours(strategy)
    assert len(run.names) > 0
    assert_columns_equal(run, expected, sample_mask)


@pytest.mark.parametrize("choices", [choices for choices in CASES if "compcor" not in choices], ids=str)
def test_an_older_table_without_expansions_gives_the_same_where_nilearn_refuses(development_image, choices):
    key, expansion = next(iter(choices.items()))
    run = ours(choices, DEVELOPMENT, 168)
    if expansion == "basic":
        expected, sample_mask = load_confounds(development_image, strategy=[key, "high_pass"], **choices)
        assert_columns_equal(ours({**choices, "high_pass": True}, DEVELOPMENT, 168), expected, sample_mask)
        return
    # nilearn says that motion is missing, and falls over the others; ours are the expansions as fMRIPrep defines them.
    with pytest.raises((ValueError, KeyError)):
        load_confounds(development_image, strategy=[key], **choices)
    table = pd.read_csv(DEVELOPMENT, sep="\t")
    for name, values in zip(run.names, run.values.T, strict=True):
        base = table[name.split("_derivative1")[0].removesuffix("_power2")]
        wanted = base.diff().bfill(limit=1) if "_derivative1" in name else base
        np.testing.assert_array_equal(values, wanted**2 if name.endswith("_power2") else wanted)


def test_expansions_that_are_computed_are_those_that_fmriprep_writes(tmp_path):
    table = pd.read_csv(FMRIPREP, sep="\t")
    basic = [name for name in table.columns if "_derivative1" not in name and "_power2" not in name]
    table[basic].to_csv(tmp_path / "basic.tsv", sep="\t", index=False, na_rep="n/a")
    strategy = {"motion": "full", "wm_csf": "full", "global_signal": "full"}
    written, computed = ours(strategy), ours(strategy, tmp_path / "basic.tsv")
    assert written.names == computed.names and len(written.names) == 36
    scale = np.abs(written.values).max(axis=0)
    # The table has ten or more digits of numbers of which differences are taken.
    np.testing.assert_allclose(computed.values / scale, written.values / scale, rtol=0, atol=1e-9)


@pytest.mark.parametrize("preset", ["simple", "scrubbing", "compcor"])
def test_the_presets_that_nilearn_has_are_its_own(fmriprep_image, preset):
    expected, sample_mask = load_confounds_strategy(fmriprep_image, denoise_strategy=preset)
    scrubbing = Scrubbing(**SCRUB_OF_SCRUBBING) if preset == "scrubbing" else None
    run = ours({**NOTHING, **PRESETS[preset]}, scrubbing=scrubbing)
    assert (sample_mask is not None) == (preset == "scrubbing")
    assert_columns_equal(run, expected, sample_mask)


def test_ica_aroma_in_full_is_in_the_image_and_leaves_tissue_signals_and_drifts(tmp_path, fmriprep_image):
    image = tmp_path / "sub-1_task-rest_space-MNI152NLin6Asym_desc-smoothAROMAnonaggr_bold.nii.gz"
    image.touch()
    expected, sample_mask = load_confounds_strategy(str(image), denoise_strategy="ica_aroma")
    assert_columns_equal(ours({**NOTHING, **PRESETS["ica_aroma"]}), expected, sample_mask)


@pytest.mark.parametrize(
    ("preset", "number"),
    [(preset, int(preset.removesuffix("parameters"))) for preset in PRESETS if preset.endswith("parameters")],
)
def test_presets_have_as_many_columns_as_their_names_say(preset, number):
    assert len(ours(PRESETS[preset]).names) == number


def test_half_of_the_variance_is_counted_from_the_sidecar():
    run = ours({**NOTHING, **PRESETS["acompcor50"]})
    components = json.loads(COMPONENTS.read_text())
    for mask, letter, number in (("CSF", "c", 13), ("WM", "w", 35)):
        chosen = [name for name in run.names if name.startswith(f"{letter}_comp_cor")]
        assert chosen == [f"{letter}_comp_cor_{place:02d}" for place in range(number)]
        explained = [components[name]["CumulativeVarianceExplained"] for name in chosen]
        assert explained[-2] < 0.5 <= explained[-1]
        assert {components[name]["Mask"] for name in chosen} == {mask}
    assert sum(name.startswith("cosine") for name in run.names) == 4
    assert len(run.names) == 12 + 13 + 35 + 4


def test_a_smaller_share_takes_fewer_components_and_a_larger_one_than_was_retained_is_an_error():
    components = json.loads(COMPONENTS.read_text())
    assert compcor_columns(components, "anat_combined", "10%") == [f"a_comp_cor_{n:02d}" for n in range(3)]
    assert compcor_columns(components, "temporal", "40%") == ["t_comp_cor_00", "t_comp_cor_01"]
    with pytest.raises(InputError, match=r"'combined' explain 50\.\d+ % of the variance, less than n_compcor: 80%"):
        compcor_columns(components, "anat_combined", "80%")


def component(mask, cumulative=0.5, **changes):
    return {"Method": "aCompCor", "Mask": mask, "Retained": True, "CumulativeVarianceExplained": cumulative} | changes


def test_masks_are_those_of_the_sidecar_whatever_the_components_are_called(tmp_path):
    # As fMRIPrep 20 writes them: one count of a_comp_cor over three masks, and the sidecar in no order.
    masks = ["WM"] * 2 + ["CSF"] * 3 + ["combined"] * 2
    components = {f"a_comp_cor_{n:02d}": component(mask) for n, mask in enumerate(masks)}
    components["dropped_0"] = component("WM", Retained=False)
    shuffled = dict(sorted(components.items(), reverse=True))
    assert compcor_columns(shuffled, "anat_combined") == ["a_comp_cor_05", "a_comp_cor_06"]
    assert compcor_columns(shuffled, "anat_separated", 2) == [f"a_comp_cor_0{n}" for n in (2, 3, 0, 1)]


def test_components_whose_numbers_have_gaps_are_found_where_nilearn_counts_past_them(tmp_path):
    names = ["a_comp_cor_00", "a_comp_cor_02", "cosine00"]
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 3)), columns=names)
    table.to_csv(tmp_path / "table.tsv", sep="\t", index=False)
    sidecar = {name: component("combined") for name in table.columns[:2]}
    (tmp_path / "table.json").write_text(json.dumps(sidecar))
    folder = tmp_path / "derivatives"
    folder.mkdir()
    image = images_folder(folder, tmp_path / "table.tsv", json=tmp_path / "table.json")
    with pytest.raises(KeyError, match="a_comp_cor_01"):
        load_confounds(image, strategy=["compcor", "high_pass"])
    strategy = Strategy(compcor="anat_combined", high_pass=True)
    run = read_run_confounds(tmp_path / "table.tsv", 20, strategy=strategy, components=tmp_path / "table.json")
    assert run.names == list(table.columns)


@pytest.mark.parametrize(("kind", "start"), [("basic", "aroma_motion_"), ("orthogonal", "aroma_orth_motion_")])
def test_components_of_aroma_come_from_a_table_of_their_own_or_from_the_confounds_table(tmp_path, kind, start):
    table = pd.read_csv(AROMA, sep="\t")
    expected = [name for name in table.columns if name.startswith(start)]
    run = ours({"ica_aroma": kind}, aroma=AROMA)
    assert run.names == expected and len(expected) == 6
    np.testing.assert_allclose(run.values, table[expected].to_numpy(), rtol=1e-14)
    pd.concat([pd.read_csv(FMRIPREP, sep="\t"), table], axis=1).to_csv(
        tmp_path / "both.tsv", sep="\t", index=False, na_rep="n/a"
    )
    assert ours({"ica_aroma": kind}, tmp_path / "both.tsv").names == expected


def test_a_strategy_and_a_list_of_columns_give_none_twice():
    run = ours({"motion": "basic"}, patterns=["rot_?", "csf"])
    assert run.names == ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z", "csf"]


def test_the_order_of_the_columns_does_not_matter(tmp_path):
    table = pd.read_csv(FMRIPREP, sep="\t")
    table[table.columns[::-1]].to_csv(tmp_path / "turned.tsv", sep="\t", index=False, na_rep="n/a")
    strategy = {**NOTHING, **PRESETS["acompcor50"], "wm_csf": "full"}
    as_written, turned = ours(strategy), ours(strategy, tmp_path / "turned.tsv")
    cosines = [name for name in turned.names if name.startswith("cosine")]
    assert sorted(turned.names) == sorted(as_written.names)
    assert [name for name in turned.names if name not in cosines] == as_written.names[: -len(cosines)]
    order = [turned.names.index(name) for name in as_written.names]
    np.testing.assert_allclose(turned.values[:, order], as_written.values, rtol=1e-12)


@pytest.mark.parametrize(
    ("strategy", "table", "n_frames", "message"),
    [
        ({"high_pass": True}, "reduced", 168, "has no cosines"),
        ({"global_signal": "basic"}, "reduced", 168, "has no column 'global_signal', which the strategy regresses out"),
        ({"ica_aroma": "basic"}, "fmriprep", 120, r"has no column aroma_motion_\*.*fMRIPost-AROMA"),
    ],
)
def test_what_a_table_lacks_is_said_in_a_sentence(strategy, table, n_frames, message):
    path = (
        FMRIPREP
        if table == "fmriprep"
        else DEVELOPMENT.with_name("sub-pixar123_task-pixar_desc-reducedConfounds_regressors.tsv")
    )
    with pytest.raises(InputError, match=message) as caught:
        ours(strategy, path, n_frames)
    assert str(path) in str(caught.value)


def test_compcor_without_a_sidecar_and_a_component_that_is_not_there_are_named(tmp_path):
    with pytest.raises(InputError, match="CompCor needs the table's sidecar"):
        read_run_confounds(FMRIPREP, 120, strategy=Strategy(compcor="anat_combined"))
    (tmp_path / "odd.json").write_text(json.dumps({"a_comp_cor_99": component("combined")}))
    with pytest.raises(InputError, match="has no column 'a_comp_cor_99'"):
        read_run_confounds(FMRIPREP, 120, strategy=Strategy(compcor="anat_combined"), components=tmp_path / "odd.json")
    with pytest.raises(InputError, match="describes no component of anatomical CompCor in the mask 'CSF'"):
        compcor_columns(json.loads((tmp_path / "odd.json").read_text()), "anat_separated")
