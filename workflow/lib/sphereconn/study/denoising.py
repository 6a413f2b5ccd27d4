"""The strategies of a denoising as the configuration names them: presets, what they stand for, files they need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sphereconn.errors import InputError
from sphereconn.study.runs import Run

Settings = Mapping[str, Any]

NOTHING: Settings = {
    "motion": None,
    "wm_csf": None,
    "global_signal": None,
    "compcor": None,
    "n_compcor": "all",
    "ica_aroma": None,
    "high_pass": False,
}
PRESETS: Mapping[str, Settings] = {
    "6parameters": {"motion": "basic"},
    "12parameters": {"motion": "derivatives"},
    "24parameters": {"motion": "full"},
    "9parameters": {"motion": "basic", "wm_csf": "basic", "global_signal": "basic"},
    "36parameters": {"motion": "full", "wm_csf": "full", "global_signal": "full"},
    "acompcor50": {"motion": "derivatives", "compcor": "anat_separated", "n_compcor": "50%", "high_pass": True},
    "simple": {"motion": "full", "wm_csf": "basic", "high_pass": True},
    "scrubbing": {"motion": "full", "wm_csf": "full", "high_pass": True},
    "compcor": {"motion": "full", "compcor": "anat_combined", "high_pass": True},
    "ica_aroma": {"wm_csf": "basic", "ica_aroma": "full", "high_pass": True},
}
SCRUB_OF_SCRUBBING: Settings = {"framewise_displacement": 0.5, "std_dvars": 1.5, "min_segment": 5}

# What fMRIPrep before 23.1 and fMRIPost-AROMA call the images that ICA-AROMA has cleaned.
_CLEANED_BY_AROMA = re.compile(r"_desc-(smoothAROMAnonaggr|(non|orth)?aggrDenoised)_")


def written_out(where: str, denoising: Settings) -> dict[str, Any]:
    """Write out the strategy of a denoising: a preset becomes what it stands for, and what is not said is None.

    ``InputError`` when parts of the denoising contradict each other; ``where`` names it in messages.
    """
    given = denoising["strategy"]
    if given is None:
        strategy, scrub = None, denoising["scrub"]
    else:
        preset, strategy = _in_full(given)
        scrub = denoising["scrub"]
        if scrub is None and preset == "scrubbing":
            scrub = dict(sorted(SCRUB_OF_SCRUBBING.items()))
        _check_drifts(where, strategy, denoising["high_pass"])
    if scrub is not None and scrub["framewise_displacement"] is None and scrub["std_dvars"] is None:
        raise InputError(f"{where}: scrub needs a threshold, framewise_displacement (mm) or std_dvars or both.")
    return {**denoising, "strategy": strategy, "scrub": scrub}


def _check_drifts(where: str, strategy: Settings, high_pass: float | None) -> None:
    if strategy["high_pass"] and high_pass is not None:
        raise InputError(
            f"{where}: high_pass ({high_pass:g} Hz) and the strategy's cosines (high_pass: true) remove the same drifts"
            " twice; leave high_pass out, or write the strategy as {preset: …, high_pass: false}."
        )
    if strategy["compcor"] is not None and not strategy["high_pass"] and high_pass is None:
        raise InputError(
            f"{where}: the components of CompCor were computed without slow drifts, so these must be removed as well;"
            " set high_pass: true in the strategy (cosines) or a high_pass in Hz beside it."
        )


def needs_confounds(denoising: Settings) -> bool:
    """Whether a denoising can't do without the confounds table of a run; its strategy may be written out or not."""
    keys = ("confounds", "confounds_if_any", "strategy", "scrub", "max_mean_framewise_displacement")
    return any(bool(denoising[key]) for key in keys)


def needs_components(denoising: Settings) -> bool:
    """Return whether a denoising reads the sidecars of confounds tables, which say what CompCor's components are."""
    return denoising["strategy"] is not None and _in_full(denoising["strategy"])[1]["compcor"] is not None


def _in_full(given: str | Settings) -> tuple[str | None, dict[str, Any]]:
    """Return the preset of a strategy, and its choices: those of the preset, those made beside it, and the rest."""
    chosen = {"preset": given} if isinstance(given, str) else dict(given)
    preset = chosen.pop("preset", None)
    return preset, dict(sorted({**NOTHING, **(PRESETS[preset] if preset else {}), **chosen}.items()))


def confound_files(run: Run, denoising: Settings) -> dict[str, str]:
    """Name the files that a denoising needs beside the signals of a run.

    Returns
    -------
    dict of str to str
        ``confounds``, the table, which marks frames before the steady state of the scanner whatever else is read from
        it; ``components``, its sidecar, for CompCor; ``aroma``, the table of fMRIPost-AROMA, for
        components of ICA-AROMA where the file is there (fMRIPrep before 23.1 has these in the confounds table).
    """
    if run.confounds is None or not (needs_confounds(denoising) or denoising["non_steady_state"] == "censor"):
        return {}
    files = {"confounds": run.confounds}
    strategy = denoising["strategy"] or NOTHING
    if strategy["compcor"] is not None:
        files["components"] = sidecar_of(run.confounds)
    if strategy["ica_aroma"] in ("basic", "orthogonal"):
        aroma = re.sub(r"_desc-confounds_(timeseries|regressors)\.tsv$", "_desc-aroma_timeseries.tsv", run.confounds)
        if aroma != run.confounds and Path(aroma).is_file():
            files["aroma"] = aroma
    return files


def cleaned_by_aroma(run: Run) -> bool:
    """Return whether the name of an image says that ICA-AROMA has cleaned it."""
    return _CLEANED_BY_AROMA.search(Path(run.bold).name) is not None


def sidecar_of(table: str) -> str:
    """Return the path of the sidecar of a table."""
    return str(Path(table).with_suffix(".json"))


def check_run(run: Run, denoising: Settings, label: str, where: str) -> None:
    """Check that a run has what a denoising needs; ``InputError`` names the run and what it lacks."""
    if not needs_confounds(denoising):
        return
    if run.confounds is None:
        raise InputError(f"{where}: run {run.stem} has no confounds table, which denoising.{label} needs.")
    strategy = denoising["strategy"] or NOTHING
    # A table that is not there yet may be made by the workflow, and its sidecar with it.
    if strategy["compcor"] is not None and Path(run.confounds).is_file():
        sidecar = sidecar_of(run.confounds)
        if not Path(sidecar).is_file():
            raise InputError(
                f"{where}: run {run.stem} has no {sidecar}, which says what the components of CompCor are and which"
                f" denoising.{label} needs; choose columns by name (confounds) if it is not available."
            )
    cleaned = cleaned_by_aroma(run)
    if strategy["ica_aroma"] in ("basic", "orthogonal") and cleaned:
        raise InputError(
            f"{where}: run {run.stem}: denoising.{label} has ica_aroma: {strategy['ica_aroma']}, which regresses out"
            f" components that {run.bold} has already been cleaned of; use ica_aroma: full."
        )
    if strategy["ica_aroma"] == "full" and not cleaned:
        raise InputError(
            f"{where}: run {run.stem}: denoising.{label} has ica_aroma: full, which is for images that ICA-AROMA has"
            f" cleaned (desc-smoothAROMAnonaggr or desc-nonaggrDenoised in the name), and {run.bold} is not one of"
            " them; use ica_aroma: basic to regress out its components."
        )
