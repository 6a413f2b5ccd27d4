"""Which files a study has when it is finished."""

from __future__ import annotations

from collections.abc import Iterator

from sphereconn.study import names
from sphereconn.study.contrasted import contrast_results
from sphereconn.study.drawn import figures
from sphereconn.study.groups import ALL_RUNS, groups_of
from sphereconn.study.mapped import map_results
from sphereconn.study.study import Study

DESCRIPTION = ("dataset_description.json", "study.json")
GROUP_SUFFIXES = (
    "stat-mean_relmat.tsv",
    "stat-std_relmat.tsv",
    "stat-n_relmat.tsv",
    "nodes.tsv",
    "stat-mean_relmat.json",
)
QUALITY = ("group/quality.tsv", "group/quality.json", "group/estimation.tsv", "group/estimation.json")
REPORT = ("report.html",)
SIGNALS_SUFFIXES = ("timeseries.tsv", "timeseries.json")
RUN_SUFFIXES = ("relmat.tsv", "relmat.json")
FITTED_SUFFIXES = (
    "stat-partialcorrelation_relmat.tsv",
    "stat-precision_relmat.tsv",
    "stat-covariance_relmat.tsv",
)
PATH_SUFFIX = "path.tsv"
JOINT_SUFFIXES = (
    "stat-precision_jointfit.npy",
    "stat-covariance_jointfit.npy",
    "jointfit.tsv",
    "jointfit.json",
    PATH_SUFFIX,
)
SCORE_SUFFIXES = ("stat-z_relmat.tsv", "stat-z_relmat.json", "stat-degreesoffreedom_relmat.tsv")
TANGENT_SUFFIXES = (
    "stat-displacement_jointfit.npy",
    "stat-geometricmean_relmat.tsv",
    "stat-geometricmean_relmat.json",
    "stat-whitening_relmat.tsv",
    "jointfit.tsv",
    "jointfit.json",
)
STACK_SUFFIXES = ("stack.npy", "stack.tsv", "quality.tsv", "stack.json")


def expected_results(study: Study) -> set[str]:
    """Name every result of the finished study, relative to its output folder (logs are not results)."""
    return {
        *DESCRIPTION,
        *QUALITY,
        *REPORT,
        *study.search_results,
        *_seeds_of_atlases(study),
        *_results_of_runs(study),
        *_results_of_groups(study),
        *contrast_results(study),
        *map_results(study),
        *reliability_results(study),
        *comparison_results(study),
        *figures(study),
    }


def _seeds_of_atlases(study: Study) -> Iterator[str]:
    for label in {item.seed_set for item in study.combinations} & set(study.atlases):
        yield names.atlas_seeds(label)
        yield names.atlas_seeds(label, "seeds.json")


def _results_of_runs(study: Study) -> Iterator[str]:
    for item in study.combinations:
        alone = item.estimator in study.sparse_estimators
        fitted = FITTED_SUFFIXES if alone or item.estimator in study.group_sparse_estimators else ()
        scores = SCORE_SUFFIXES if item.estimator in study.scored_estimators else ()
        of_estimator = (*fitted, *scores, *((PATH_SUFFIX,) if alone else ()))
        for run in item.runs:
            for suffix in (*SIGNALS_SUFFIXES, "nodes.tsv"):
                yield names.sphere_signals(run.folder, run.stem, item.seed_set, suffix)
        for subject in item.combined:
            yield names.combined_nodes(subject.folder, subject.stem, item.seed_set, item.denoising)
        for recording in study.cleaned(item):
            for suffix in SIGNALS_SUFFIXES:
                yield names.cleaned_signals(recording.folder, recording.stem, item.seed_set, item.denoising, suffix)
        labels = (item.seed_set, item.denoising, item.estimator)
        for recording in study.connected(item):
            for suffix in RUN_SUFFIXES:
                yield names.connectome(recording.folder, recording.stem, *labels, suffix)
        for recording in study.estimated(item):
            for suffix in of_estimator:
                yield names.connectome(recording.folder, recording.stem, *labels, suffix)


def _results_of_groups(study: Study) -> Iterator[str]:
    for item in study.combinations:
        labels = (item.seed_set, item.denoising, item.estimator)
        joint = JOINT_SUFFIXES if item.estimator in study.group_sparse_estimators else ()
        tangent = TANGENT_SUFFIXES if item.estimator in study.tangent_estimators else ()
        for suffix in (*STACK_SUFFIXES, *joint, *tangent):
            yield names.group_result(ALL_RUNS, *labels, suffix)
        for kind in study.tables:
            for suffix in ("tsv", "json"):
                yield names.group_result(ALL_RUNS, *labels, f"{kind}.{suffix}")
        for group in groups_of(item.members, study.groups):
            for suffix in GROUP_SUFFIXES:
                yield names.group_result(group.label, *labels, suffix)


def reliability_results(study: Study) -> Iterator[str]:
    """Name every result on reliability, relative to the output folder."""
    drawn = "reliability" in study.figures["kinds"]
    for reliability in study.reliabilities:
        yield from reliability.all_results(study.figures["format"] if drawn else None)


def comparison_results(study: Study) -> Iterator[str]:
    """Name every result of comparisons of denoising, relative to the output folder."""
    drawn = "comparison" in study.figures["kinds"]
    for comparison in study.comparisons:
        yield from comparison.all_results(study.figures["format"] if drawn else None)
