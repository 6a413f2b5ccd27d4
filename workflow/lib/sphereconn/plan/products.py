"""The products of a study: the one list that the targets of rules, the report and the search for left-overs filter.

A rule takes the names of its outputs from here (``EXTRACTED`` and so on), and so does the list. A stage is a function
that names what it makes, and an entry in ``STAGES``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from sphereconn.errors import InputError
from sphereconn.plan.compared import comparison_results, reliability_results
from sphereconn.plan.contrasted import contrast_results
from sphereconn.plan.differences import difference_figures
from sphereconn.plan.drawn import figures
from sphereconn.plan.mapped import map_results
from sphereconn.plan.product import Product, ending
from sphereconn.plan.sheets import subject_results
from sphereconn.study import names
from sphereconn.study.groups import ALL_RUNS, groups_of
from sphereconn.study.paths import LONGEST_NAME
from sphereconn.study.study import Combination, Study

# The outputs of a rule, by what the rule calls them: how the names of the files end.
SEEDS = {"seeds": "seeds.tsv", "sidecar": "seeds.json"}
EXTRACTED = {"signals": "timeseries.tsv", "nodes": "nodes.tsv", "sidecar": "timeseries.json"}
CLEANED = {"signals": "timeseries.tsv", "sidecar": "timeseries.json"}
COMBINED_NODES = {"nodes": "nodes.tsv"}
CONNECTED = {"matrix": "relmat.tsv", "sidecar": "relmat.json", "edges": "edges.npy"}
FITTED_JOINTLY = {
    **CONNECTED,
    "partial_correlation": "stat-partialcorrelation_relmat.tsv",
    "precision": "stat-precision_relmat.tsv",
    "covariance": "stat-covariance_relmat.tsv",
}
FITTED = {**FITTED_JOINTLY, "path": "path.tsv"}
SCORED = {
    "z": "stat-z_relmat.tsv",
    "sidecar": "stat-z_relmat.json",
    "degrees_of_freedom": "stat-degreesoffreedom_relmat.tsv",
}
JOINT_FIT = {
    "precisions": "stat-precision_jointfit.npy",
    "covariances": "stat-covariance_jointfit.npy",
    "runs": "jointfit.tsv",
    "sidecar": "jointfit.json",
    "path": "path.tsv",
}
TANGENT_SPACE = {
    "displacements": "stat-displacement_jointfit.npy",
    "mean": "stat-geometricmean_relmat.tsv",
    "mean_sidecar": "stat-geometricmean_relmat.json",
    "whitening": "stat-whitening_relmat.tsv",
    "runs": "jointfit.tsv",
    "sidecar": "jointfit.json",
}
STACKED = {"stack": "stack.npy", "runs": "stack.tsv", "quality": "quality.tsv", "sidecar": "stack.json"}
AGGREGATED = {
    "mean": "stat-mean_relmat.tsv",
    "std": "stat-std_relmat.tsv",
    "n": "stat-n_relmat.tsv",
    "nodes": "nodes.tsv",
    "sidecar": "stat-mean_relmat.json",
}
TABLE = {"table": "{kind}.tsv", "sidecar": "{kind}.json"}
DESCRIPTION = {
    "dataset": "dataset_description.json",
    "settings": "study.json",
    "readme": "README.md",
    "ignored": ".bidsignore",
}
QUALITY = {
    "quality": "group/quality.tsv",
    "quality_sidecar": "group/quality.json",
    "estimation": "group/estimation.tsv",
    "estimation_sidecar": "group/estimation.json",
}
REPORT = "report.html"


def products(study: Study, *stages: str) -> Iterator[Product]:
    """Name all products of some stages, of all stages where none is given; one that two stages need may come twice."""
    for stage in stages or STAGES:
        yield from STAGES[stage](study)


def targets(study: Study, stage: str) -> list[str]:
    """Return a file of each product of a stage, in the output folder of the study."""
    return list(dict.fromkeys(study.place(product.files[0]) for product in products(study, stage)))


def results(study: Study) -> set[str]:
    """Return every result of the finished study, relative to its output folder (logs are not results)."""
    return {*study.search_results, *(file for product in products(study) for file in product.files)}


def check_names(study: Study, source: str) -> None:
    """Raise ``InputError`` where the name of a result is too long for a file, also while that is being written."""
    longest = max((file.rpartition("/")[2] for product in products(study) for file in product.files), key=len)
    allowed = LONGEST_NAME - len(".unfinished-12345678-")
    if len(longest) > allowed:
        raise InputError(
            f"{source}: {longest[:60]}... and other results would have names of up to {len(longest)} characters, and"
            f" {allowed} are allowed; shorten the labels that they are made of."
        )


def description(study: Study) -> Iterator[Product]:
    """Name what says what the study is."""
    yield Product(tuple(DESCRIPTION.values()))


def signals(study: Study) -> Iterator[Product]:
    """Name the seeds that are made from atlases, and the signals of each run, extracted and cleaned."""
    for label in sorted({item.seed_set for item in study.combinations} & set(study.atlases)):
        yield Product(ending(names.atlas_seeds, (label,), SEEDS), seed_set=label)
    for item in study.combinations:
        for run in item.runs:
            labels = (run.folder, run.stem, item.seed_set)
            yield Product(ending(names.cleaned_signals, (*labels, item.denoising), CLEANED), run.stem, *item.labels[:2])
            yield Product(ending(names.sphere_signals, labels, EXTRACTED), run.stem, item.seed_set)


def combined(study: Study) -> Iterator[Product]:
    """Name what is made of the runs of a subject put together: nodes, and joined signals or averaged connectomes."""
    for item in study.combinations:
        for each in item.combined:
            labels = (each.folder, each.stem, *item.labels[:2])
            yield Product(ending(names.cleaned_signals, labels, COMBINED_NODES), each.stem, *item.labels[:2])
            if study.how_combined == "concatenate":
                yield Product(ending(names.cleaned_signals, labels, CLEANED), each.stem, *item.labels[:2])
            else:
                files = ending(names.connectome, (each.folder, each.stem, *item.labels), CONNECTED)
                yield Product(files, each.stem, *item.labels)


def connectomes(study: Study) -> Iterator[Product]:
    """Name the connectomes that are estimated from signals, their scores, and the joint fits they are taken from."""
    for item in study.combinations:
        for suffixes in _jointly_made(study, item):
            yield Product(ending(names.group_result, (ALL_RUNS, *item.labels), suffixes), ALL_RUNS, *item.labels)
        for each in study.estimated(item):
            for suffixes in _made_of_each(study, item):
                files = ending(names.connectome, (each.folder, each.stem, *item.labels), suffixes)
                yield Product(files, each.stem, *item.labels)


def _jointly_made(study: Study, item: Combination) -> Iterator[Mapping[str, str]]:
    if item.estimator in study.group_sparse_estimators:
        yield JOINT_FIT
    if item.estimator in study.tangent_estimators:
        yield TANGENT_SPACE


def _made_of_each(study: Study, item: Combination) -> Iterator[Mapping[str, str]]:
    if item.estimator in study.sparse_estimators:
        yield FITTED
    elif item.estimator in study.group_sparse_estimators:
        yield FITTED_JOINTLY
    else:
        yield CONNECTED
    if item.estimator in study.scored_estimators:
        yield SCORED


def groups(study: Study) -> Iterator[Product]:
    """Name the connectomes of groups, the stacks that they are made from, and the long tables."""
    for item in study.combinations:
        for group in groups_of(item.members, () if item.compared_only else study.groups):
            files = ending(names.group_result, (group.label, *item.labels), AGGREGATED)
            yield Product(files, group.label, *item.labels)
        of_all = (ALL_RUNS, *item.labels)
        yield Product(ending(names.group_result, of_all, STACKED), *of_all)
        for kind in () if item.compared_only else study.tables:
            suffixes = {key: suffix.format(kind=kind) for key, suffix in TABLE.items()}
            yield Product(ending(names.group_result, of_all, suffixes), *of_all)


def report(study: Study) -> Iterator[Product]:
    """Name the tables of quality and the report."""
    yield Product(tuple(QUALITY.values()))
    yield Product((REPORT,))


# Stage -> what it makes. A stage is the target of the same name, too, but for those that every target makes.
STAGES: dict[str, Callable[[Study], Iterator[Product]]] = {
    "description": description,
    "signals": signals,
    "combined": combined,
    "connectomes": connectomes,
    "groups": groups,
    "contrasts": contrast_results,
    "maps": map_results,
    "reliability": reliability_results,
    "comparison": comparison_results,
    "figures": lambda study: chain(figures(study), difference_figures(study)),
    "subjects": subject_results,
    "report": report,
}
