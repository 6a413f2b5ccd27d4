"""Names of the results, after BIDS derivatives: every entity of the source is carried over, so no two runs can meet.

Each function gives a path relative to the output folder. Called with ``"{seed_set}"`` and the like, it gives the
pattern of a rule; called with labels, the file of one result. So a name is written down in one place only.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

# Column of a runs table -> BIDS entity, in the order in which BIDS wants them in a file name.
ENTITIES = {
    "subject": "sub",
    "session": "ses",
    "cohort": "cohort",
    "sample": "sample",
    "task": "task",
    "acquisition": "acq",
    "ceagent": "ce",
    "tracer": "trc",
    "reconstruction": "rec",
    "direction": "dir",
    "run": "run",
    "echo": "echo",
    "part": "part",
    "processing": "proc",
    "space": "space",
    "resolution": "res",
}

LABEL = "[A-Za-z0-9]+"  # of what the configuration names: seed sets, denoising, estimators
BIDS_LABEL = "[A-Za-z0-9+]+"  # of an entity; the plus is allowed since BIDS 1.11

# Takes the place of the entities that runs were combined over, so that no combined result has the name of a run.
COMBINED = {"run": "all"}

# What the search of a tree of BIDS derivatives writes: the runs it found, and those it left out.
RUNS_FOUND = "runs.tsv"
RUNS_LEFT_OUT = "runs_left_out.tsv"
# Which runs the published strategies of a comparison are not for, and why.
PUBLISHED_LEFT_OUT = "published_left_out.tsv"


def stem(entities: Mapping[str, str]) -> str:
    """Join the entities of a run, keyed by the columns of the runs table: ``sub-01_task-rest_space-MNI152``."""
    return "_".join(f"{entity}-{entities[column]}" for column, entity in ENTITIES.items() if entities.get(column))


def folder(entities: Mapping[str, str]) -> str:
    """Name the folder of a run: ``sub-01``, or ``sub-01/ses-a``."""
    session = entities.get("session")
    return f"sub-{entities['subject']}" + (f"/ses-{session}" if session else "")


def seed_set_of_radius(seed_set: str, radius: float) -> str:
    """Name the seed set that one radius of a list makes: ``power264r4``, and ``power264r4p5`` for 4.5 mm.

    Labels are letters and digits, so ``p`` stands for the decimal point; no two radii have the same label.
    """
    digits = f"{Decimal(repr(abs(float(radius)))):f}".removesuffix(".0")
    return f"{seed_set}r{digits.replace('.', 'p')}"


def atlas_seeds(seed_set: str, suffix: str = "seeds.tsv") -> str:
    """Name the seed table that is made from an atlas, or its sidecar."""
    return f"seeds/atlas-{seed_set}_{suffix}"


def sphere_signals(folder: str, stem: str, seed_set: str, suffix: str = "timeseries.tsv") -> str:
    """Name the sphere signals of a run, before any cleaning; or, by ``suffix``, their sidecar or nodes table."""
    return f"{folder}/func/{stem}_atlas-{seed_set}_{suffix}"


def extracted_together(stem: str, together: str) -> str:
    """Name what one pass over an image has found for several seed sets, until each has its result."""
    return f"records/{stem}_together-{together}.npz"


def cleaned_signals(folder: str, stem: str, seed_set: str, denoising: str, suffix: str = "timeseries.tsv") -> str:
    """Name the cleaned signals of a run or of several joined, or their sidecar."""
    return f"{folder}/func/{stem}_atlas-{seed_set}_desc-{denoising}_{suffix}"


def combined_nodes(folder: str, stem: str, seed_set: str, denoising: str) -> str:
    """Name the nodes table of combined runs; a denoising may leave some of them out."""
    return cleaned_signals(folder, stem, seed_set, denoising, "nodes.tsv")


def connectome(
    folder: str, stem: str, seed_set: str, denoising: str, estimator: str, suffix: str = "relmat.tsv"
) -> str:
    """Name the connectome of a run or of several combined, or its sidecar."""
    return f"{folder}/func/{stem}_atlas-{seed_set}_meas-{estimator}_desc-{denoising}_{suffix}"


def group_result(group: str, seed_set: str, denoising: str, estimator: str, suffix: str) -> str:
    """Name a result of a group of runs; ``group`` is ``group-all`` or a column and its level, as in ``site-essen``."""
    return f"group/{group}_atlas-{seed_set}_meas-{estimator}_desc-{denoising}_{suffix}"


def contrast_result(contrast: str, seed_set: str, denoising: str, estimator: str, suffix: str) -> str:
    """Name a result of a contrast."""
    return group_result(f"contrast-{contrast}", seed_set, denoising, estimator, suffix)


def contrast_figure(contrast: str, seed_set: str, denoising: str, estimator: str, suffix: str) -> str:
    """Name a figure of a contrast."""
    return connectome_figure("group", f"contrast-{contrast}", seed_set, denoising, estimator, suffix)


def reliability_result(over: str, seed_set: str, denoising: str, estimator: str, suffix: str) -> str:
    """Name a result on reliability; ``over`` says what tells the runs of a subject apart, or that halves are."""
    return group_result(f"reliability-{over}", seed_set, denoising, estimator, suffix)


def reliability_figure(over: str, seed_set: str, denoising: str, estimator: str, suffix: str) -> str:
    """Name a figure of reliability."""
    return connectome_figure("group", f"reliability-{over}", seed_set, denoising, estimator, suffix)


def comparison_result(seed_set: str, estimator: str, suffix: str) -> str:
    """Name a result of a comparison of denoising."""
    return f"group/comparison-denoising_atlas-{seed_set}_meas-{estimator}_{suffix}"


def compared_denoising(seed_set: str, denoising: str, estimator: str, suffix: str) -> str:
    """Name a result of a comparison that is of one of its denoisings."""
    return group_result("comparison-denoising", seed_set, denoising, estimator, suffix)


def comparison_figure(seed_set: str, estimator: str, suffix: str) -> str:
    """Name a figure of a comparison of denoising."""
    return f"group/figures/comparison-denoising_atlas-{seed_set}_meas-{estimator}_{suffix}"


def radii_result(seed_set: str, denoising: str, estimator: str, suffix: str) -> str:
    """Name a result of a comparison of radii; ``seed_set`` is that with the list of radii."""
    return group_result("comparison-radii", seed_set, denoising, estimator, suffix)


def radii_figure(seed_set: str, denoising: str, estimator: str, suffix: str) -> str:
    """Name a figure of a comparison of radii."""
    return connectome_figure("group", "comparison-radii", seed_set, denoising, estimator, suffix)


def seed_map(folder: str, stem: str, seed_set: str, label: str, denoising: str, seed: str, suffix: str) -> str:
    """Name a seed map of a run, or its sidecar; of a group with the folder ``group`` and its label for stem."""
    place = folder if folder == "group" else f"{folder}/func"
    return f"{place}/{stem}_atlas-{seed_set}_meas-{label}_desc-{denoising}_seed-{seed}_{suffix}"


def seed_maps_sidecar(folder: str, stem: str, seed_set: str, label: str, denoising: str) -> str:
    """Name the sidecar that the seed maps of a run share."""
    return f"{folder}/func/{stem}_atlas-{seed_set}_meas-{label}_desc-{denoising}_statmap.json"


def seed_map_figure(group: str, seed_set: str, label: str, denoising: str, seed: str, suffix: str) -> str:
    """Name a figure of the seed map of a group."""
    return f"group/figures/{group}_atlas-{seed_set}_meas-{label}_desc-{denoising}_seed-{seed}_{suffix}"


def maps_page(seed_set: str, label: str, denoising: str) -> str:
    """Name the interactive page of a set of seed maps."""
    return f"group/figures/groups_atlas-{seed_set}_meas-{label}_desc-{denoising}_maps.html"


def signals_figure(folder: str, stem: str, seed_set: str, denoising: str, extension: str) -> str:
    """Name the figure of a run's cleaned signals."""
    return f"{folder}/figures/{stem}_atlas-{seed_set}_desc-{denoising}_timeseries.{extension}"


def quality_sheet(folder: str, stem: str, seed_set: str) -> str:
    """Name the quality sheet of a run, which shows the signals of one seed set."""
    return f"{folder}/figures/{stem}_atlas-{seed_set}_sheet.svg"


def subject_page(subject: str) -> str:
    """Name the page of a subject, which has the quality sheets of all of its runs."""
    return f"sub-{subject}.html"


def connectome_figure(folder: str, whose: str, seed_set: str, denoising: str, estimator: str, suffix: str) -> str:
    """Name a figure of the connectome of a run (its folder and stem), or of a group (``group`` and its name)."""
    return f"{folder}/figures/{whose}_atlas-{seed_set}_meas-{estimator}_desc-{denoising}_{suffix}"


def network_table(folder: str, whose: str, seed_set: str, denoising: str, estimator: str) -> str:
    """Name the table of means by network, beside the figure of them."""
    return connectome_figure(folder, whose, seed_set, denoising, estimator, "networks.tsv")


def figure_scale(seed_set: str, estimator: str) -> str:
    """Name what says how far the connectomes of groups reach: their figures share this scale."""
    return f"group/figures/groups_atlas-{seed_set}_meas-{estimator}_scale.json"


def page(folder: str, whose: str, seed_set: str, denoising: str) -> str:
    """Name the interactive page of a run, or of all groups (``group``, ``groups``); it has every estimator."""
    return f"{folder}/figures/{whose}_atlas-{seed_set}_desc-{denoising}_connectomes.html"


def labels_of(path: str | Path) -> tuple[str, ...]:
    """Read the stem off the name of a run's result, and the labels of seed set, denoising and estimator that it has."""
    stem, _, rest = Path(path).name.partition("_atlas-")
    seed_set, *others = rest.split("_")[:-1]
    labels = dict(part.split("-") for part in others)
    return (stem, seed_set, *(labels[entity] for entity in ("desc", "meas") if entity in labels))
