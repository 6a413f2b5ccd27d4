"""What a strategy of the configuration stands for, what it contradicts, and which files it needs."""

import dataclasses
import json

import pytest
from workflow.project import ROOT

from sphereconn.clean.strategies import Scrubbing, Strategy
from sphereconn.errors import InputError
from sphereconn.study.denoising import NOTHING, PRESETS, SCRUB_OF_SCRUBBING, check_run, confound_files, written_out
from sphereconn.study.runs import Run
from sphereconn.study.settings import checked_settings

SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.json"


def denoising(**settings):
    study = {"runs": "runs.tsv", "seed_sets": {"dmn": {"seeds": "dmn"}}, "estimators": {"r": {"kind": "correlation"}}}
    checked = checked_settings({**study, "denoising": {"it": settings}}, SCHEMA, "study.yaml")
    return written_out("study.yaml: denoising.it", checked["denoising"]["it"])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_the_choices_that_it_stands_for(preset):
    by_name = denoising(strategy=preset)
    assert by_name == denoising(strategy={"preset": preset})
    scrub = SCRUB_OF_SCRUBBING if preset == "scrubbing" else None
    assert by_name == denoising(strategy=dict(PRESETS[preset]), scrub=scrub)
    assert Strategy(**by_name["strategy"]).motion == PRESETS[preset].get("motion")


def test_choices_beside_a_preset_replace_single_ones():
    settings = denoising(strategy={"preset": "compcor", "n_compcor": "6", "high_pass": False}, high_pass=0.01)
    assert settings["strategy"] == {
        **NOTHING,
        "motion": "full",
        "compcor": "anat_combined",
        "n_compcor": 6,
        "high_pass": False,
    }
    own = denoising(strategy="scrubbing", scrub={"framewise_displacement": 0.2})["scrub"]
    assert own == {"framewise_displacement": 0.2, "std_dvars": None, "min_segment": 5}


def test_defaults_and_names_are_the_same_in_the_schema_and_in_the_library():
    definitions = json.loads(SCHEMA.read_text())["$defs"]
    assert definitions["preset"]["enum"] == list(PRESETS)
    assert all(preset in definitions["preset"]["allowed"] for preset in PRESETS)
    assert set(definitions["strategy"]["properties"]) == {"preset", *NOTHING}
    assert dataclasses.asdict(Strategy()) == NOTHING
    defaults = {key: value["default"] for key, value in definitions["scrub"]["properties"].items()}
    assert dataclasses.asdict(Scrubbing()) == defaults


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strategy": "simple", "high_pass": 0.01}, "remove the same drifts twice; leave high_pass out"),
        ({"strategy": {"compcor": "temporal"}}, "were computed without slow drifts"),
        ({"scrub": {}}, "scrub needs a threshold, framewise_displacement"),
        ({"strategy": "37parameters"}, r'denoising.it.strategy: "37parameters" is not allowed; allowed: a preset'),
        ({"strategy": {"motoin": "full"}}, "denoising.it.strategy.motoin: unknown key, did you mean 'motion'"),
        ({"strategy": {"motion": "ful"}}, 'strategy.motion: "ful" is not allowed; allowed: basic, derivatives'),
        ({"strategy": {"n_compcor": "half"}}, "allowed: all, a whole number of 1 or more, or a share of the variance"),
        ({"scrub": {"fd_threshold": 0.5}}, "denoising.it.scrub.fd_threshold: unknown key"),
        ({"min_frames": 0}, "denoising.it.min_frames: 0 is not allowed"),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_sentence(settings, message):
    with pytest.raises(InputError, match=message):
        denoising(**settings)


def run_with(folder, *files, bold="desc-preproc_bold.nii.gz"):
    for name in files:
        (folder / f"sub-1_desc-{name}").touch()
    table = str(folder / "sub-1_desc-confounds_timeseries.tsv")
    return Run({"subject": "1"}, bold=str(folder / f"sub-1_{bold}"), confounds=table)


def test_a_file_is_named_as_an_input_only_if_the_strategy_needs_it(tmp_path):
    run = run_with(tmp_path, "confounds_timeseries.tsv", "confounds_timeseries.json", "aroma_timeseries.tsv")
    table = {"confounds": run.confounds}
    assert confound_files(run, denoising(non_steady_state="keep")) == {}
    assert confound_files(run, denoising()) == table  # where frames before the steady state are marked
    assert confound_files(Run({"subject": "1"}, bold="bold.nii"), denoising()) == {}
    assert confound_files(run, denoising(confounds=["csf"])) == table
    assert confound_files(run, denoising(strategy="36parameters")) == table
    assert confound_files(run, denoising(scrub={"std_dvars": 1.5})) == table
    components = {"components": str(tmp_path / "sub-1_desc-confounds_timeseries.json")}
    assert confound_files(run, denoising(strategy="compcor")) == table | components
    aroma = {"aroma": str(tmp_path / "sub-1_desc-aroma_timeseries.tsv")}
    for kind in ("basic", "orthogonal"):
        assert confound_files(run, denoising(strategy={"ica_aroma": kind})) == table | aroma
    assert confound_files(run, denoising(strategy="ica_aroma")) == table
    # fMRIPrep before 23.1 has these components in its own table.
    (tmp_path / "sub-1_desc-aroma_timeseries.tsv").unlink()
    assert confound_files(run, denoising(strategy={"ica_aroma": "basic"})) == table


def test_a_run_without_what_a_strategy_needs_is_named(tmp_path):
    run = run_with(tmp_path, "confounds_timeseries.tsv")
    with pytest.raises(InputError, match=r"runs.tsv: run sub-1 has no .*_timeseries.json, which says what the comp"):
        check_run(run, denoising(strategy="acompcor50"), "it", "runs.tsv")
    with pytest.raises(InputError, match=r"no confounds table, which denoising\.it needs"):
        check_run(Run({"subject": "1"}, bold="bold.nii"), denoising(scrub={"std_dvars": 2}), "it", "runs.tsv")
    check_run(run_with(tmp_path, "confounds_timeseries.json"), denoising(strategy="acompcor50"), "it", "runs.tsv")


@pytest.mark.parametrize("kind", ["basic", "orthogonal"])
def test_components_are_not_regressed_out_of_an_image_that_was_cleaned_of_them(tmp_path, kind):
    run = Run({"subject": "1"}, str(tmp_path / "sub-1_desc-smoothAROMAnonaggr_bold.nii.gz"), confounds="c.tsv")
    with pytest.raises(
        InputError, match=f"ica_aroma: {kind}, which regresses out components that .* already been cleaned of"
    ):
        check_run(run, denoising(strategy={"ica_aroma": kind}), "it", "runs.tsv")


def test_an_image_that_aroma_has_not_cleaned_is_refused_where_it_must_be(tmp_path):
    settings = denoising(strategy="ica_aroma")
    with pytest.raises(InputError, match="ica_aroma: full, which is for images that ICA-AROMA has cleaned"):
        check_run(run_with(tmp_path), settings, "it", "runs.tsv")
    for cleaned in ("smoothAROMAnonaggr", "nonaggrDenoised", "orthaggrDenoised", "aggrDenoised"):
        check_run(run_with(tmp_path, bold=f"desc-{cleaned}_bold.nii.gz"), settings, "it", "runs.tsv")
