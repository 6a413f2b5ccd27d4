"""Confound strategies: which columns of fMRIPrep's tables a named way of denoising takes, and which frames it drops."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sphereconn.clean.censoring import Censoring, censor
from sphereconn.clean.confounds import (
    FRAMEWISE_DISPLACEMENT,
    STD_DVARS,
    ConfoundsTable,
    MissingPolicy,
    filled_in,
    read_table,
    select_columns,
)
from sphereconn.errors import InputError, about
from sphereconn.files import read_json

Expansion = Literal["basic", "derivatives", "power2", "full"]
CompCor = Literal["anat_combined", "anat_separated", "temporal", "temporal_anat_combined", "temporal_anat_separated"]
Aroma = Literal["basic", "orthogonal", "full"]
NonSteadyState = Literal["censor", "keep"]

MOTION = tuple(f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz")
WM_CSF = ("csf", "white_matter")
GLOBAL_SIGNAL = ("global_signal",)
SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "basic": ("",),
    "derivatives": ("", "_derivative1"),
    "power2": ("", "_power2"),
    "full": ("", "_derivative1", "_power2", "_derivative1_power2"),
}
# The masks of each kind of CompCor, as fMRIPrep's sidecar names them; that of temporal CompCor has no name.
MASKS: Mapping[str, tuple[str | None, ...]] = {
    "anat_combined": ("combined",),
    "anat_separated": ("CSF", "WM"),
    "temporal": (None,),
    "temporal_anat_combined": (None, "combined"),
    "temporal_anat_separated": (None, "CSF", "WM"),
}
AROMA_COLUMNS = {"basic": "aroma_motion_", "orthogonal": "aroma_orth_motion_"}
COSINES = r"cosine_?\d+"
NON_STEADY_STATE_COLUMNS = r"non_steady_state_outlier_?\d+"


@dataclass(frozen=True)
class Strategy:
    """Groups of confounds, each None or False to be left out.

    Attributes
    ----------
    motion, wm_csf, global_signal
        Six parameters of head motion, means of white matter and cerebrospinal fluid, mean of the brain: "basic" as they
        are, "derivatives" with their temporal derivatives, "power2" with their squares, "full" with derivatives,
        squares, and squares of the derivatives.
    compcor, n_compcor
        Principal components of which masks; how many of each mask: "all", a number, or so many that they explain a
        share of the variance in their mask, as in "50%".
    ica_aroma
        "basic": time courses of motion components of ICA-AROMA. "orthogonal": what these do not share with the other
        components. "full": the image has been cleaned by ICA-AROMA, and nothing is regressed out.
    high_pass
        The discrete cosines of the table.

    References
    ----------
    Friston KJ et al. (1996). Movement-related effects in fMRI time-series. Magnetic Resonance in Medicine 35:346-355.
    Satterthwaite TD et al. (2013). An improved framework for confound regression and filtering for control of motion
    artifact in the preprocessing of resting-state functional connectivity data. NeuroImage 64:240-256.
    Behzadi Y et al. (2007). A component based noise correction method (CompCor) for BOLD and perfusion based fMRI.
    NeuroImage 37:90-101.
    Pruim RHR et al. (2015). ICA-AROMA: a robust ICA-based strategy for removing motion artifacts from fMRI data.
    NeuroImage 112:267-277.
    """

    motion: Expansion | None = None
    wm_csf: Expansion | None = None
    global_signal: Expansion | None = None
    compcor: CompCor | None = None
    n_compcor: int | str = "all"
    ica_aroma: Aroma | None = None
    high_pass: bool = False


@dataclass(frozen=True)
class Scrubbing:
    """Thresholds above which a frame is censored (None: not used), and the shortest stretch of frames that is kept."""

    framewise_displacement: float | None = None
    std_dvars: float | None = None
    min_segment: int = 5


@dataclass(frozen=True)
class RunConfounds:
    """What a confounds table gives for the denoising of a run.

    Attributes
    ----------
    names, values
        The confounds, and their values, shape (n_frames, n_confounds), finite in the frames that are kept.
    censoring
        Which frames are kept.
    framewise_displacement
        mm, shape (n_frames,), NaN where it is not known; None when the table has no such column.
    n_filled
        For each confound with missing values in frames that are kept, how many of them were filled in.
    """

    names: list[str]
    values: NDArray[np.float64]
    censoring: Censoring
    framewise_displacement: NDArray[np.float64] | None
    n_filled: Mapping[str, int] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """Return what the sidecar of the cleaned signals says of censoring and motion."""
        censoring = self.censoring
        return {
            "NumberOfVolumesKept": int(censoring.kept.sum()),
            "NumberOfVolumesDiscardedByMotionScrubbing": censoring.n_scrubbed,
            "NumberOfVolumesDiscardedByNonsteadyStatesDetector": censoring.n_non_steady_state,
            "NumberOfVolumesWithoutData": censoring.n_without_data,
            "CensoredVolumes": censoring.reasons,
            "MissingConfoundsFilledIn": dict(self.n_filled),
            "MeanFramewiseDisplacement": self.mean_framewise_displacement(),
            "MeanFramewiseDisplacementKept": self.mean_framewise_displacement(kept_only=True),
        }

    def mean_framewise_displacement(self, kept_only: bool = False) -> float | None:
        """Average the framewise displacement over the frames that have one, or those of them that are kept."""
        if self.framewise_displacement is None:
            return None
        known = ~np.isnan(self.framewise_displacement)
        values = self.framewise_displacement[known & self.censoring.kept if kept_only else known]
        return float(values.mean()) if values.size else None


def read_run_confounds(
    path: str | Path | None,
    n_frames: int,
    *,
    patterns: Sequence[str] = (),
    if_any: Sequence[str] = (),
    strategy: Strategy | None = None,
    scrubbing: Scrubbing | None = None,
    non_steady_state: NonSteadyState = "censor",
    missing: MissingPolicy = "error",
    components: str | Path | None = None,
    aroma: str | Path | None = None,
    without_data: Sequence[int] = (),
) -> RunConfounds:
    """Read the confounds that a denoising takes from a run's table, and find the frames that it censors.

    Parameters
    ----------
    path
        The confounds table; None for a denoising that needs none.
    n_frames
        Number of frames of the run.
    patterns, if_any
        Columns by name or wildcard, which must and need not be there, beside those of the strategy; none comes twice.
    strategy, scrubbing
        None for none.
    non_steady_state
        Whether frames that the table marks as preceding the steady state of the scanner are censored.
    missing
        What to do about missing values, see `filled_in`.
    components
        The sidecar of the table, which a strategy with CompCor needs.
    aroma
        A second table with the components of ICA-AROMA, if the first has none.
    without_data
        Frames, counted from 0, that the image has no data of: they are censored whatever the denoising.

    Raises
    ------
    InputError
        When a table or the sidecar does not fit the run or lacks what is asked for.
    """
    if path is None:
        return RunConfounds([], np.empty((n_frames, 0)), censor(n_frames, without_data=without_data), None)
    table = read_table(path, n_frames)
    names, values = regressors(table, patterns, if_any, strategy, components, aroma)
    flags = None
    if non_steady_state == "censor":
        marked = _matching(table.columns, NON_STEADY_STATE_COLUMNS)
        flags = np.any([np.zeros(n_frames), *map(table.column, marked)], axis=0)
    traces = motion_traces(table, scrubbing)
    censoring = censor(n_frames, flags, traces, scrubbing.min_segment if scrubbing else 0, without_data)
    confounds = np.array(values).reshape(len(names), n_frames).T
    n_missing = np.isnan(confounds[censoring.kept]).sum(axis=0)
    return RunConfounds(
        names,
        filled_in(path, names, confounds, censoring.kept, missing),
        censoring,
        table.column(FRAMEWISE_DISPLACEMENT) if FRAMEWISE_DISPLACEMENT in table.columns else None,
        {name: int(count) for name, count in zip(names, n_missing, strict=True) if count},
    )


def regressors(
    table: ConfoundsTable,
    patterns: Sequence[str] = (),
    if_any: Sequence[str] = (),
    strategy: Strategy | None = None,
    components: str | Path | None = None,
    aroma: str | Path | None = None,
) -> tuple[list[str], list[NDArray[np.float64]]]:
    """Return the names of the confounds that are regressed out, those of the strategy first, and their values.

    The parameters are those of `read_run_confounds`; a table without rows tells the names. ``InputError`` when the
    table lacks one.
    """
    names: list[str] = []
    values: list[NDArray[np.float64]] = []
    if strategy is not None:
        names, values = _strategy_columns(table, strategy, components, aroma)
    with about(table.path):
        chosen = [name for name in select_columns(table.columns, patterns, if_any) if name not in names]
    return names + chosen, values + [table.column(name) for name in chosen]


def _matching(columns: Sequence[str], pattern: str) -> list[str]:
    return [name for name in columns if re.fullmatch(pattern, name)]


def motion_traces(table: ConfoundsTable, scrubbing: Scrubbing | None) -> dict[str, tuple[NDArray[np.float64], float]]:
    """Return by reason what frames are censored by, and the threshold; ``InputError`` when the table lacks it."""
    traces = {}
    if scrubbing is not None:
        for reason, name, threshold in (
            ("FramewiseDisplacement", FRAMEWISE_DISPLACEMENT, scrubbing.framewise_displacement),
            ("StdDVARS", STD_DVARS, scrubbing.std_dvars),
        ):
            if threshold is not None:
                if name not in table.columns:
                    raise InputError(
                        f"{table.path}: the table has no column '{name}', which scrub compares with {threshold:g}."
                    )
                traces[reason] = table.column(name), threshold
    return traces


def _strategy_columns(
    table: ConfoundsTable, strategy: Strategy, components: str | Path | None, aroma: str | Path | None
) -> tuple[list[str], list[NDArray[np.float64]]]:
    """Give the names of a strategy's confounds and their values, in the order of its keys."""
    names: list[str] = []
    values: list[NDArray[np.float64]] = []
    for signals, expansion in (
        (MOTION, strategy.motion),
        (WM_CSF, strategy.wm_csf),
        (GLOBAL_SIGNAL, strategy.global_signal),
    ):
        for name in signals if expansion is not None else ():
            if name not in table.columns:
                raise InputError(f"{table.path}: the table has no column '{name}', which the strategy regresses out.")
            for suffix in SUFFIXES[str(expansion)]:
                names.append(name + suffix)
                values.append(_expanded(table, name, suffix))
    if strategy.compcor is not None:
        if components is None:
            raise InputError(f"{table.path}: CompCor needs the table's sidecar, which describes its components.")
        with about(str(components)):
            chosen = compcor_columns(read_json(components), strategy.compcor, strategy.n_compcor)
        absent = [name for name in chosen if name not in table.columns]
        if absent:
            raise InputError(f"{table.path}: the table has no column '{absent[0]}', which {components} says it has.")
        names += chosen
        values += [table.column(name) for name in chosen]
    if strategy.ica_aroma in AROMA_COLUMNS:
        source = table if aroma is None else read_table(aroma, len(table.rows))
        chosen = _matching(source.columns, AROMA_COLUMNS[strategy.ica_aroma] + r"\d+")
        if not chosen:
            raise InputError(
                f"{source.path}: the table has no column {AROMA_COLUMNS[strategy.ica_aroma]}*, which ica_aroma:"
                f" {strategy.ica_aroma} regresses out; fMRIPrep before 23.1 writes them into its table, fMRIPost-AROMA"
                " into one of its own (desc-aroma_timeseries.tsv), expected beside that."
            )
        names += chosen
        values += [source.column(name) for name in chosen]
    if strategy.high_pass:
        chosen = _matching(table.columns, COSINES)
        if not chosen:
            raise InputError(
                f"{table.path}: the table has no cosines (cosine00 and so on), which the strategy's high_pass: true"
                " regresses out; set it to false."
            )
        names += chosen
        values += [table.column(name) for name in chosen]
    return names, values


def _expanded(table: ConfoundsTable, name: str, suffix: str) -> NDArray[np.float64]:
    """Read a signal or an expansion of it; one that an older table lacks is computed as fMRIPrep does.

    The derivative is the difference from the frame before, which the first frame has not.
    """
    if name + suffix in table.columns:
        return table.column(name + suffix)
    values = table.column(name)
    if suffix.startswith("_derivative1"):
        values = np.diff(values, prepend=np.nan)
    return values**2 if suffix.endswith("_power2") else values


def compcor_columns(components: Mapping[str, Any], compcor: CompCor, n_compcor: int | str = "all") -> list[str]:
    """Choose components of CompCor by what the sidecar of a confounds table says of them.

    Parameters
    ----------
    components
        The sidecar: for each component its ``Method`` (aCompCor or tCompCor), ``Mask`` (combined, CSF or WM),
        ``Retained`` and ``CumulativeVarianceExplained``. Their names do not matter.
    compcor, n_compcor
        See `Strategy`.

    Returns
    -------
    list of str
        Mask by mask, each in the order of the components' numbers, which is that of the variance that they explain.

    Raises
    ------
    InputError
        When a mask has no component, the sidecar does not say what one explains, or those that were retained explain
        less than the share that is asked for.
    """
    chosen: list[str] = []
    for mask in MASKS[compcor]:
        retained = sorted(
            (name for name, component in components.items() if _is_of_mask(component, mask)),
            key=lambda name: [int(number) for number in re.findall(r"\d+", name)],
        )
        words = "temporal CompCor" if mask is None else f"anatomical CompCor in the mask '{mask}'"
        if not retained:
            raise InputError(f"it describes no component of {words}, which compcor: {compcor} regresses out.")
        if isinstance(n_compcor, int):
            chosen += retained[:n_compcor]
        elif n_compcor == "all":
            chosen += retained
        else:
            share = float(n_compcor.rstrip("%")) / 100
            explained = [_explained(name, components[name]) for name in retained]
            enough = [number for number, total in enumerate(explained, start=1) if total >= share]
            if not enough:
                raise InputError(
                    f"the components of {words} explain {100 * explained[-1]:.4g} % of the variance, less than"
                    f" n_compcor: {n_compcor} requires; fMRIPrep retains 50 % unless it is told to return all."
                )
            chosen += retained[: enough[0]]
    return chosen


def _explained(name: str, component: Mapping[str, Any]) -> float:
    share = component.get("CumulativeVarianceExplained")
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1 + 1e-6:
        raise InputError(f"CumulativeVarianceExplained of {name} must be a share from 0 to 1.")
    return float(share)


def _is_of_mask(component: Any, mask: str | None) -> bool:
    if not isinstance(component, Mapping) or component.get("Retained") is False:
        return False
    method = "tCompCor" if mask is None else "aCompCor"
    return component.get("Method") == method and (mask is None or component.get("Mask") == mask)
