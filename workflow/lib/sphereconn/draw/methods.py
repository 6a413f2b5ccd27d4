"""The methods of a study in sentences for a paper, from the settings that were used, and the references they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sphereconn.clean.confounds import select_columns
from sphereconn.clean.interpolation import CORNER_FREQUENCY, NOISE
from sphereconn.connect.connectivity import KINDS
from sphereconn.draw.comparison_words import denoising_compared
from sphereconn.draw.confound_words import EXPANSIONS, in_words
from sphereconn.draw.inference_methods import inference, seed_maps
from sphereconn.draw.radius_words import methods_of_radii
from sphereconn.draw.references import (
    AFYOUNI,
    BAYLEY_HAMMERSLEY,
    BEHZADI,
    BIDS,
    CIRIC,
    DOSENBACH,
    EBIC,
    FMRIPREP,
    FRISTON,
    GRAPHICAL_LASSO,
    LEDOIT_WOLF,
    LINDQUIST,
    MUSCHELLI,
    OAS,
    POWER_2011,
    POWER_2012,
    POWER_2014,
    PRUIM,
    RASMUSSEN,
    SATTERTHWAITE,
    SEITZMAN,
    SNAKEMAKE,
    SOFTWARE,
    TANGENT_SPACE,
    VAROQUAUX,
    Cite,
    Reference,
)
from sphereconn.draw.reliability_words import methods_of_reliability
from sphereconn.study.denoising import NOTHING, PRESETS
from sphereconn.words import counted

Range = tuple[float, float]


PUBLISHED_SEEDS = {"power264": POWER_2011, "dosenbach160": DOSENBACH, "seitzman300": SEITZMAN}
COUNTED = {"effective": "effective number of frames", "frames": "number of frames"}
COVARIANCES: Mapping[str, tuple[str, Reference | None]] = {
    "ledoit_wolf": ("covariance shrunk towards a scaled identity", LEDOIT_WOLF),
    "oas": ("covariance with oracle approximating shrinkage", OAS),
    "empirical": ("empirical covariance", None),
}


@dataclass(frozen=True)
class SeedSetUsed:
    """A seed set: its settings under the keys of the configuration, its number of nodes, its range of radii in mm."""

    label: str
    settings: Mapping[str, Any]
    n_nodes: int
    radii: Range


@dataclass(frozen=True)
class DenoisingUsed:
    """A denoising: its settings, and over its runs their number and the ranges of regressors and degrees of freedom.

    ``columns`` has the number of runs in which each column of the confounds tables was regressed out.
    ``n_left_out`` counts the runs below the minimum, ``n_left_out_in_part`` those among them that only some sets of
    spheres do without and that ``n_runs`` counts as well, ``censored`` is the range of the share of censored frames,
    ``without_data`` has the number of frames without data of each run that has some; these are not in the share.
    """

    label: str
    n_runs: int
    settings: Mapping[str, Any]
    regressors: Range
    degrees_of_freedom: Range
    effective_degrees_of_freedom: Range
    n_left_out: int = 0
    n_left_out_in_part: int = 0
    censored: Range = (0.0, 0.0)
    without_data: Mapping[str, int] = field(default_factory=dict)
    columns: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class DataUsed:
    """The runs that were used: numbers, spaces, and ranges of frames, repetition times and lengths.

    ``repetition_time`` is in seconds, ``minutes`` is the length of a run; ``preprocessed_by`` are names and versions of
    programs.
    """

    n_runs: int
    n_subjects: int
    frames: Range
    repetition_time: Range
    minutes: Range
    spaces: Sequence[str] = ()
    preprocessed_by: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Methods:
    """Paragraphs, each with a heading, and the references that they cite, sorted."""

    paragraphs: list[tuple[str, str]]
    references: list[Reference]


def methods(
    *,
    data: DataUsed,
    seed_sets: Sequence[SeedSetUsed],
    denoising: Sequence[DenoisingUsed],
    estimators: Mapping[str, Mapping[str, Any]],
    groups: Sequence[str],
    motion_known: bool,
    software: Mapping[str, Sequence[str]],
    combine: Mapping[str, Any] | None = None,
    contrasts: Sequence[Mapping[str, Any]] = (),
    maps: Mapping[str, Mapping[str, Any]] | None = None,
    reliability: Sequence[Mapping[str, Any]] = (),
    has_lengths: bool = False,
    comparisons: Sequence[Mapping[str, Any]] = (),
    radii: Sequence[Mapping[str, Any]] = (),
) -> Methods:
    """Describe a study as the methods section of a paper does.

    Parameters
    ----------
    data
        The runs that were used.
    seed_sets, denoising, estimators
        Those that were used; the settings of estimators by label.
    groups
        Columns of the runs table whose levels were averaged over.
    motion_known
        Whether the framewise displacement of some run is known.
    software
        Versions by name, as the sidecars record them.
    combine
        How the runs of a subject were combined, over which columns of the runs table.
    contrasts
        Sidecars of the contrasts.
    maps
        Settings of the seed maps by label.
    reliability
        Sidecars of the reliability of combinations.
    has_lengths
        Whether it was measured by the length of the scan, too.
    comparisons
        Sidecars of the comparisons of denoising.
    radii
        Sidecars of the comparisons of radii.
    """
    cited: dict[str, Reference] = {}

    def cite(reference: Reference) -> Reference:
        cited[reference.doi] = reference
        return reference

    paragraphs = [
        ("Data and software", f"{_data(data, cite)} {_analysis(software, cite)}"),
        ("Spheres", _spheres(seed_sets, cite)),
        *_denoisings(denoising, cite),
        ("Connectomes", _connectomes(estimators, cite)),
        *([("Combined runs", _combined(estimators, combine))] if combine else []),
        *([("Groups", _groups(estimators, groups, "combined runs" if combine else "runs"))] if data.n_runs > 1 else []),
        *([("Inference", inference(contrasts, cite))] if contrasts else []),
        *([("Seed maps", seed_maps(maps, cite))] if maps else []),
        *([("Reliability", methods_of_reliability(reliability, has_lengths, cite))] if reliability else []),
        *([("Comparison of denoising", denoising_compared(comparisons, cite))] if comparisons else []),
        *([("Comparison of radii", methods_of_radii(radii, cite))] if radii else []),
        ("Quality", _quality(motion_known, cite)),
    ]
    return Methods(paragraphs, sorted(cited.values(), key=lambda item: (item.authors.casefold(), item.year)))


def _data(data: DataUsed, cite: Cite) -> str:
    programs = [
        " ".join(filter(None, (name, version)))
        + (f" ({cite(FMRIPREP).in_brackets})" if name.casefold() == "fmriprep" else "")
        for name, version in data.preprocessed_by
    ]
    runs = f"{'' if programs else 'preprocessed '}functional run"
    preprocessed = f", preprocessed with {_listed(programs)}," if programs else ""
    spaces = f" in {_listed(data.spaces)} space" if data.spaces else ""
    return (
        f"The data comprised {counted(data.n_runs, runs)} from"
        f" {counted(data.n_subjects, 'subject')}{preprocessed if spaces else preprocessed.rstrip(',')}{spaces}."
        f" {'The run' if data.n_runs == 1 else 'Each run'} lasted {_range(data.minutes, '.1f')} min"
        f" ({_range(data.frames)} frames, repetition time {_range(data.repetition_time)} s)."
    )


def _analysis(software: Mapping[str, Sequence[str]], cite: Cite) -> str:
    versions = [
        f"{words} {_listed(software[name])} ({cite(reference).in_brackets})"
        for name, (words, reference) in sorted(SOFTWARE.items())
        if name in software
    ]
    return (
        f"The data were analysed with sphereconn {_listed(software['sphereconn'])}, a workflow based on Snakemake"
        f" ({cite(SNAKEMAKE).in_brackets}), in Python {_listed(software['python'])}"
        + (f" with {_listed(versions)}" if versions else "")
        + f". Results were organized according to the Brain Imaging Data Structure ({cite(BIDS).in_brackets})."
    )


def _spheres(seed_sets: Sequence[SeedSetUsed], cite: Cite) -> str:
    several = len(seed_sets) > 1
    described = [_sphere_set(item, several, cite) for item in seed_sets]
    text = (
        f"Signals were averaged within spheres of {counted(len(seed_sets), 'set')}: {'; '.join(described)}."
        if several
        else f"Signals were averaged within {described[0]}."
    )
    text += (
        " A sphere comprised the voxels whose centres lay within its radius, and in any case the voxel nearest to its"
        " centre."
    )
    rules = {rule: [item.label for item in seed_sets if item.settings["overlap"] == rule] for rule in OVERLAPS}
    for rule, labels in rules.items():
        if labels:
            of_sets = "" if len(labels) == len(seed_sets) else f" of {_listed(labels)}"
            text += f" {OVERLAPS[rule].format(of_sets)}"
    shares = sorted({item.settings["min_coverage"] for item in seed_sets})
    smoothed = any(item.settings["smoothing_fwhm"] for item in seed_sets)
    text += (
        " Voxels outside the image or the brain mask, or without data (0 in every frame, or not finite), were not used"
        f"{' for averaging or smoothing' if smoothed else ''};"
        f" spheres with less than {_listed([f'{100 * share:g} %' for share in shares], 'or')} coverage"
        + (" (depending on the set)" if len(shares) > 1 else "")
        + " were treated as missing in that run."
    )
    return text


OVERLAPS = {
    "error": "The spheres{} did not overlap.",
    "nearest": "Voxels within several spheres{} were assigned to the sphere with the nearest centre.",
    "allow": "Voxels within several spheres{} contributed to each of them.",
}


def _sphere_set(item: SeedSetUsed, several: bool, cite: Cite) -> str:
    seeds = item.settings["seeds"]
    if seeds in PUBLISHED_SEEDS:
        where = f"around the coordinates of {cite(PUBLISHED_SEEDS[seeds]).in_text}"
    elif seeds == "dmn":
        where = "around coordinates in the default mode network"
    elif seeds.lower().endswith((".nii", ".nii.gz")):
        where = f"around the centres of the regions in {seeds}"
    else:
        where = f"around the coordinates listed in {seeds}"
    width = item.settings["smoothing_fwhm"]
    smoothed = (
        f", after spatial smoothing with a Gaussian kernel of {width:g} mm full width at half maximum" if width else ""
    )
    label = f"{item.label}, " if several else ""
    return f"{label}{counted(item.n_nodes, 'sphere')} of {_range(item.radii)} mm radius {where}{smoothed}"


def _denoisings(denoising: Sequence[DenoisingUsed], cite: Cite) -> list[tuple[str, str]]:
    if len(denoising) == 1:
        return [("Denoising", _denoising(denoising[0], cite))]
    return [
        (
            f"Denoising “{item.label}”",
            f"This denoising was applied to {counted(item.n_runs, 'run')}. {_denoising(item, cite)}",
        )
        for item in denoising
    ]


def _denoising(item: DenoisingUsed, cite: Cite) -> str:
    settings = item.settings
    high, low = settings["high_pass"], settings["low_pass"]
    filtered = settings["filter"] == "butterworth" and (high is not None or low is not None)
    cosines = settings["filter"] == "cosine"
    confounds = _confounds(item, cite)
    whose = "signals and confounds" if confounds else "signals"
    steps = [*_censoring(item, filtered, cite)]
    if settings["strategy"] and settings["strategy"]["ica_aroma"] == "full":
        steps.append(f"The images had previously been denoised with ICA-AROMA ({cite(PRUIM).in_brackets}).")
    n_before = len(steps)
    if settings["detrend"]:
        steps.append(f"The mean and the linear trend of the {whose} were removed.")
    if filtered:
        steps.append(
            f"The {whose} were filtered with a zero-phase Butterworth filter of order {settings['order']}"
            f" ({_band(high, low)}){_continuation(settings['padtype'], cite)}."
        )
    if confounds or cosines:
        removed = confounds + ([f"discrete cosines slower than {high:g} Hz"] if cosines else [])
        count = f"{_range(item.regressors)} regressor{'' if item.regressors == (1, 1) else 's'} in total"
        parts = "; ".join([*removed[:-1], f"and {removed[-1]}"]) if len(removed) > 2 else _listed(removed)
        verb = "was" if item.regressors == (1, 1) else "were"
        then = " then" if len(steps) > n_before else ""
        text = f"{parts} ({count}{', filtered identically' if filtered else ''}) {verb}{then} regressed out"
        if filtered:
            text += f", to avoid reintroducing filtered frequencies ({cite(LINDQUIST).in_brackets})"
        steps.append(text[0].upper() + text[1:] + ".")
    steps += _remarks(settings, cite)
    if confounds and settings["missing_confounds"] == "mean":
        steps.append("Missing values of a confound were replaced by its mean.")
    if not filtered and not cosines:
        steps.append("No temporal filter was applied.")
    if not confounds:
        steps.append("No confounds were regressed out.")
    scaled = {
        "zscore_sample": "The cleaned signals were z-scored.",
        "psc": "The cleaned signals were expressed in percent of the mean signal of each sphere.",
    }
    if settings["standardize"] in scaled:
        steps.append(scaled[settings["standardize"]])
    steps.append(
        f"The cleaned signals of each run had {_range(item.degrees_of_freedom, '.1f')} degrees of freedom"
        f" ({_range(item.effective_degrees_of_freedom, '.1f')} after accounting for autocorrelation)."
    )
    return " ".join(steps)


COMPCOR = {
    "anat_combined": "the combined white-matter and CSF mask",
    "anat_separated": "each of the white-matter and CSF masks",
    "temporal": "the most variable voxels",
    "temporal_anat_combined": "each of the most variable voxels and the combined white-matter and CSF mask",
    "temporal_anat_separated": "each of the most variable voxels, the white-matter mask and the CSF mask",
}


def _confounds(item: DenoisingUsed, cite: Cite) -> list[str]:
    """Describe the confounds of a denoising, those of its strategy first."""
    settings = item.settings
    strategy: Mapping[str, Any] = settings["strategy"] or {}
    described = []
    for key, words, number in (
        ("motion", "the six head-motion parameters", 6),
        ("wm_csf", "the mean white-matter and cerebrospinal-fluid (CSF) signals", 2),
        ("global_signal", "the global signal", 1),
    ):
        expansion = strategy.get(key)
        if expansion:
            expanded = EXPANSIONS[expansion] if number > 1 else EXPANSIONS[expansion].replace("their", "its")
            sources = {"motion": [FRISTON, SATTERTHWAITE]}.get(key, [SATTERTHWAITE]) if expansion == "full" else []
            cited = f" ({_cited(sources, cite)})" if sources else ""
            described.append(f"{words}{expanded}{cited}")
    if strategy.get("compcor"):
        number = strategy["n_compcor"]
        sources = [BEHZADI, MUSCHELLI] if isinstance(number, str) and number != "all" else [BEHZADI]
        amount = (
            "all components" if number == "all"
            else counted(number, "component") if isinstance(number, int)
            else f"as many components as explain {number.rstrip('%')} % of the variance"
        )  # fmt: skip
        described.append(f"{amount} from CompCor in {COMPCOR[strategy['compcor']]} ({_cited(sources, cite)})")
    if strategy.get("ica_aroma") in ("basic", "orthogonal"):
        part = ", orthogonalized to its other components" if strategy["ica_aroma"] == "orthogonal" else ""
        described.append(f"the motion components from ICA-AROMA{part} ({_cited([PRUIM], cite)})")
    if strategy.get("high_pass"):
        described.append(f"the discrete cosines from fMRIPrep ({_cited([FMRIPREP], cite)}), which model slow drifts")
    chosen = select_columns(list(item.columns), [], settings["confounds"])
    if_any = [
        name for name in select_columns(list(item.columns), [], settings["confounds_if_any"]) if name not in chosen
    ]
    described += in_words({name: item.columns[name] for name in chosen}, item.n_runs)
    described += [
        f"{words} (in runs that have them)"
        for words in in_words({name: item.columns[name] for name in if_any}, item.n_runs)
    ]
    return described


def _remarks(settings: Mapping[str, Any], cite: Cite) -> list[str]:
    """Return what a strategy is known as by its number of parameters, and what the first frame of derivatives is."""
    remarks, strategy = [], settings["strategy"] or {}
    others = settings["confounds"] or settings["confounds_if_any"]
    for number in (9, 36):
        if strategy == {**NOTHING, **PRESETS[f"{number}parameters"]} and not others:
            remarks.append(f"This {number}-parameter strategy is evaluated by {cite(CIRIC).in_text}.")
    expansions = [strategy.get(key) for key in ("motion", "wm_csf", "global_signal")]
    if settings["missing_confounds"] == "error" and {"derivatives", "full"} & set(expansions):
        remarks.append("The first value of each derivative, which is undefined, was set to the next one.")
    return remarks


def _cited(references: Sequence[Reference], cite: Cite) -> str:
    return "; ".join(cite(reference).in_brackets for reference in references)


def _censoring(item: DenoisingUsed, filtered: bool, cite: Cite) -> list[str]:
    """Say which frames were censored, how, and which runs were left out for it."""
    settings, steps = item.settings, []
    scrub, least, highest = settings["scrub"], *item.censored
    if settings["non_steady_state"] == "censor" and highest > 0:
        steps.append("Frames marked as acquired before the scanner reached its steady state were censored.")
    if scrub:
        limits = [
            words.format(scrub[key])
            for key, words in (
                ("framewise_displacement", "a framewise displacement above {:g} mm"),
                ("std_dvars", "a standardized DVARS above {:g}"),
            )
            if scrub[key] is not None
        ]
        between = (
            f", as were stretches of fewer than {scrub['min_segment']} frames between censored frames"
            if scrub["min_segment"] > 1
            else ""
        )
        steps.append(
            f"Frames with {_listed(limits, 'or')} were censored ({_cited([POWER_2012, POWER_2014], cite)}){between}."
        )
    if steps:
        low, high = round(100 * least, 1), round(100 * highest, 1)
        steps.append(
            f"Between {low:g} % and {high:g} % of frames were censored per run."
            if low < high
            else f"In each run, {low:g} % of frames were censored."
        )
    if item.without_data:
        number, runs = sum(item.without_data.values()), len(item.without_data)
        steps.append(
            f"Frames without data (image 0 everywhere, or not finite; {counted(number, 'frame')} in"
            f" {counted(runs, 'run')}) were treated as censored."
        )
    if steps and filtered:
        steps.append(
            "For filtering, censored frames between kept frames were replaced by"
            f" {_interpolation(settings['interpolation'], cite)}; all censored frames were then discarded."
        )
    frames, minutes = settings["min_frames"], settings["min_minutes"]
    limits = [f"fewer than {counted(frames, 'frame')}"] if frames is not None else []
    limits += [f"less than {minutes:g} min of data"] if minutes is not None else []
    worth, motion = settings["min_degrees_of_freedom"], settings["max_mean_framewise_displacement"]
    limits += [f"fewer than {worth:g} effective degrees of freedom"] if worth is not None else []
    rules = [f"with {_listed(limits, 'or')} after censoring"] if limits else []
    rules += [f"with a mean framewise displacement above {motion:g} mm"] if motion is not None else []
    if rules:
        in_part = f"; {item.n_left_out_in_part} for some sets of spheres only" if item.n_left_out_in_part else ""
        which = ", or ".join(rules) + ("," if len(rules) > 1 else "")
        steps.append(f"Runs {which} were excluded (n = {item.n_left_out}{in_part}).")
    if settings["non_steady_state"] == "keep":
        steps.insert(0, "Any frames marked as acquired before the scanner reached its steady state were kept.")
    return steps


def _interpolation(interpolation: str, cite: Cite) -> str:
    if interpolation == "cubic_spline":
        return "a cubic spline through the kept frames"
    return _expectation(cite)


def _expectation(cite: Cite) -> str:
    return (
        f"their expected values under a Gaussian process with exponential autocorrelation (corner frequency"
        f" {CORNER_FREQUENCY:g} Hz) and white noise of {NOISE:g} times its variance ({cite(RASMUSSEN).in_brackets})"
    )


def _continuation(padtype: str, cite: Cite) -> str:
    """Return how a run is extended beyond its ends for filtering, as a clause after that of the filter."""
    if padtype == "none":
        return ""
    how = {
        "odd": "by point reflection about their end values",
        "even": "by mirroring",
        "constant": "by repeating their end values",
    }
    return ", after extending them beyond the ends of each run " + (how.get(padtype) or f"by {_expectation(cite)}")


def _band(high: float | None, low: float | None) -> str:
    if high is None:
        return f"low-pass, {low:g} Hz"
    return f"high-pass, {high:g} Hz" if low is None else f"band-pass, {high:g} to {low:g} Hz"


def _connectomes(estimators: Mapping[str, Mapping[str, Any]], cite: Cite) -> str:
    several = len(estimators) > 1
    described = [
        f"{_estimate(settings, cite)}{f' ({label})' if several else ''}" for label, settings in estimators.items()
    ]
    listed = "; ".join([*described[:-1], f"and {described[-1]}"]) if len(described) > 2 else _listed(described)
    text = (
        f"For each run, the signals were z-scored over time and the connectivity between spheres was estimated as"
        f" {listed}."
    )
    shares = sorted({settings["min_nodes"] for settings in estimators.values() if "min_nodes" in settings})
    if shares:
        least = _listed([f"{100 * share:g} %" for share in shares], "or")
        text += (
            " Joint fits excluded spheres without a signal in any of their runs, and runs with a signal in less than"
            f" {least} of the spheres."
        )
    return text


def _estimate(settings: Mapping[str, Any], cite: Cite) -> str:
    kind = settings["kind"]
    if "alpha" in settings:
        lasso = (
            f"joint fit to all runs, which have the same edges ({cite(VAROQUAUX).in_brackets})"
            if "min_nodes" in settings
            else f"graphical lasso ({cite(GRAPHICAL_LASSO).in_brackets})"
        )
        matrix = {
            "partial correlation": f"the partial correlation derived from the sparse inverse covariance of the {lasso}",
            "precision": f"the sparse inverse covariance from the {lasso}",
            "covariance": f"the covariance from the {lasso}",
        }[settings["matrix"]]
        return (
            f"{matrix}, {_penalty(settings, cite)} and a duality gap of at most {settings['gap_per_node']:g} per sphere"
        )
    words, reference = COVARIANCES[settings["covariance"]]
    source = f"the {words}"
    if reference:
        source += f" ({cite(reference).in_brackets}; for the {COUNTED[settings['samples']]})"
    if kind == "tangent":
        return (
            f"the displacement of {source} from the geometric mean over all runs, in the tangent space"
            f" ({cite(TANGENT_SPACE).in_brackets})"
        )
    words = source if kind == "covariance" else f"the {kind} derived from {source}"
    if kind == "correlation" and settings["covariance"] == "empirical":
        words = "Pearson’s correlation"
    if settings.get("z"):
        words += (
            f", with z scores that account for the autocorrelation of the signals ({cite(AFYOUNI).in_brackets};"
            " variances scaled so that an average edge agrees with the effective degrees of freedom of the run)"
        )
    return words


def _penalty(settings: Mapping[str, Any], cite: Cite) -> str:
    alpha, gap = settings["alpha"], settings["gap_frames"]
    if alpha == "cv":
        between = f", with {counted(gap, 'frame')} left out between training and test data," if gap else ""
        parts = (
            " (if the effective number of frames was smaller than the number of spheres, the folds were blocks of the"
            " same number of uncorrelated samples)"
            if settings["samples"] == "effective"
            else ""
        )
        return f"with a penalty chosen by {settings['cv']}-fold cross-validation{between}{parts}"
    if alpha == "ebic":
        criterion = f"the extended Bayesian information criterion ({cite(EBIC).in_brackets}; γ = {settings['gamma']:g};"
        criterion += f" for the {COUNTED[settings['samples']]})"
        return f"with a penalty chosen by {criterion}"
    return f"with a penalty of {alpha:g}"


WEIGHTS = {
    "degrees_of_freedom": "each run weighted by its effective degrees of freedom",
    "equal": "with equal weights for all runs",
}


def _combined(estimators: Mapping[str, Mapping[str, Any]], combine: Mapping[str, Any]) -> str:
    alike = f"Runs of a subject that differed only in {_listed(combine['over'])} were combined:"
    if combine["how"] == "average":
        return (
            f"{alike} the connectomes of the runs of a subject were averaged (correlations as Fisher’s z), each edge"
            f" over the runs in which both of its spheres had a signal, {WEIGHTS[combine['weights']]}."
        )
    text = (
        f"{alike} the cleaned signals were z-scored within each run and concatenated, and connectomes were estimated"
        " from the concatenated signals as for single runs. Spheres without a signal in one run of a subject were"
        " excluded for that subject."
    )
    if any("min_nodes" in settings for settings in estimators.values()):
        text += " Joint fits were made to the concatenated signals of all subjects, not to those of single runs."
    return text


def _groups(estimators: Mapping[str, Mapping[str, Any]], groups: Sequence[str], members: str) -> str:
    levels = f" and over the {members} of each level of {_listed(groups)}" if groups else ""
    text = f"Connectomes were averaged over all {members}{levels}."
    kinds = [settings.get("matrix", settings["kind"]) for settings in estimators.values()]
    correlations = list(dict.fromkeys(kind for kind in kinds if kind in KINDS and KINDS[kind].is_correlation))
    if correlations:
        what = _listed([f"{kind}s" for kind in correlations])
        text += (
            f" {what[0].upper() + what[1:]} were transformed to Fisher’s z before averaging, and the mean was"
            " transformed back; their standard deviations are in units of z."
        )
    return f"{text} Spheres without a signal were excluded only for the {members} concerned."


def _quality(motion_known: bool, cite: Cite) -> str:
    text = (
        "Coverage is the fraction of the voxels of a full sphere that were used. The temporal signal-to-noise ratio is"
        " the mean of a sphere’s signal over time divided by its standard deviation, before cleaning. Degrees of"
        " freedom are those of white noise after the same cleaning: the number of frames times the fraction of"
        " frequencies passed by the filter, minus one for each regressor and, unless removed by a high-pass filter, for"
        " the mean and the trend. Effective degrees of freedom are the number of independent frames that would yield"
        " correlations of the same precision as those of the cleaned signals, given their autocorrelation"
        f" ({cite(BAYLEY_HAMMERSLEY).in_brackets}; {cite(AFYOUNI).in_brackets}), estimated from their spectra in"
        " frequency bands."
    )
    if motion_known:
        text += (
            " Head motion is reported as framewise displacement, averaged over the frames of a run"
            f" ({cite(POWER_2012).in_brackets})."
        )
    return text


def _range(limits: Range, form: str = "g") -> str:
    low, high = (f"{value:{form}}" for value in limits)
    return low if low == high else f"{low} to {high}"


def _listed(words: Iterable[str], conjunction: str = "and") -> str:
    *first, last = words
    return f"{', '.join(first)} {conjunction} {last}" if first else last
