"""What each job is made from, and what it is told: functions of the study and of the labels of the job.

Paths come as Snakemake needs them: those of results in the output folder, those of the user as the study has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os.path import exists
from typing import Any

from sphereconn.extract.formats import sidecar_of
from sphereconn.plan.contrasted import PREFIX, TABLES
from sphereconn.plan.differences import DENOISING, Difference, differences
from sphereconn.plan.drawn import ALL_GROUPS, on_common_scale, style
from sphereconn.plan.products import AGGREGATED, CONNECTED, TANGENT_SPACE
from sphereconn.study import names
from sphereconn.study.denoising import confound_files
from sphereconn.study.groups import ALL_RUNS, groups_of
from sphereconn.study.runs import Recording, rows_of
from sphereconn.study.study import Combination, Study

Files = dict[str, list[str]]
# A list of views says which figures there are, not how one looks; a page has no resolution.
_NOT_OF_STYLE = {"glass_brain": "views", "page": "dpi"}


def image(study: Study, stem: str, seed_set: str) -> dict[str, str]:
    """Return what a run and a seed set are extracted from; sidecar and mask where there are any."""
    run = study.run[stem]
    files = {"bold": run.bold, "seeds": study.seed_sets[seed_set]["seeds"]}
    sidecar = sidecar_of(run.bold)
    if exists(sidecar):
        files["sidecar"] = sidecar
    if run.mask:
        files["mask"] = run.mask
    return files


def sphere_settings(study: Study, stem: str, seed_set: str) -> dict[str, Any]:
    """Return the settings of an extraction; the seed table is an input, and compared by its content."""
    settings = {key: value for key, value in study.seed_sets[seed_set].items() if key not in ("seeds", "labels")}
    run = study.run[stem]
    return settings | {"repetition_time": run.repetition_time, "space_of_image": run.entities.get("space")}


def atlas(study: Study, seed_set: str) -> dict[str, str]:
    """Return the image of an atlas, and its labels where there are any."""
    settings = study.atlases[seed_set]
    return {"atlas": settings["seeds"]} | ({"labels": settings["labels"]} if "labels" in settings else {})


def confounds(study: Study, stem: str, denoising: str) -> dict[str, str]:
    """Return the confounds table of a run and what lies beside it, as far as the denoising needs them."""
    return confound_files(study.run[stem], study.denoising[denoising])


def combined_nodes(study: Study, stem: str, seed_set: str, denoising: str) -> Files:
    """Return the nodes tables of the runs that are combined, and the sidecars of their signals."""
    runs = study.combined_runs[stem, seed_set, denoising].runs
    sidecars = signals_of(study, runs, seed_set, denoising)["sidecars"]
    return {"nodes": nodes_tables(study, runs, seed_set, denoising), "sidecars": sidecars}


def combined_signals(study: Study, stem: str, seed_set: str, denoising: str) -> Files:
    """Return the cleaned signals of the runs that are joined in time, and their sidecars."""
    return signals_of(study, study.combined_runs[stem, seed_set, denoising].runs, seed_set, denoising)


def combined_connectomes(study: Study, stem: str, seed_set: str, denoising: str, estimator: str) -> Files:
    """Return the edges of the runs that are averaged, and the sidecars of their connectomes."""
    runs = study.combined_runs[stem, seed_set, denoising].runs
    return _connectomes(study, runs, study.combination[seed_set, denoising, estimator])


def folds(study: Study, estimator: str) -> int:
    """Return how many folds a sparse estimator fits to choose its penalty, each of which a core can do; else 1."""
    settings = study.estimators[estimator]
    return int(settings["cv"]) if settings["alpha"] == "cv" else 1


def cores_of_fit(study: Study, estimator: str, cores: int | None) -> int:
    """Return how many of the cores the sparse fit of one run takes: one, unless there are fewer fits than cores.

    ``cores`` is None where jobs run on other machines.
    """
    return max(1, min(folds(study, estimator), (cores or 1) // study.n_sparse_fits))


def jointly_fitted(study: Study, seed_set: str, denoising: str, estimator: str) -> Files:
    """Return the cleaned signals that a joint fit is made to, of runs or combined ones, their sidecars and nodes."""
    recordings = study.estimated(study.combination[seed_set, denoising, estimator])
    nodes = {"nodes": nodes_tables(study, recordings, seed_set, denoising)}
    return signals_of(study, recordings, seed_set, denoising) | nodes


def jointly_fitted_stems(study: Study, seed_set: str, denoising: str, estimator: str) -> list[str]:
    """Return what a joint fit is made to, in the order of its inputs."""
    return [each.stem for each in study.estimated(study.combination[seed_set, denoising, estimator])]


def group_connectomes(study: Study, seed_set: str, denoising: str, estimator: str) -> Files:
    """Return the edges that groups are made of, the sidecars of their connectomes, and the nodes that all have."""
    item = study.combination[seed_set, denoising, estimator]
    return _connectomes(study, item.members, item) | {"nodes": nodes_tables(study, item.members[:1], *item.labels[:2])}


def group_nodes(study: Study, seed_set: str, denoising: str, estimator: str) -> list[str]:
    """Return the nodes tables of what groups are made of."""
    return nodes_tables(study, study.combination[seed_set, denoising, estimator].members, seed_set, denoising)


def group_rows(study: Study, seed_set: str, denoising: str, estimator: str) -> list[dict[str, str]]:
    """Return what the runs table says of each member of a combination, as the stack's table of runs keeps it."""
    item = study.combination[seed_set, denoising, estimator]
    return rows_of(item.members, item.runs)


def group_settings(study: Study, group: str, seed_set: str, denoising: str, estimator: str) -> dict[str, str]:
    """Return which level of which column of the runs table makes a group, and what it is called."""
    members = study.combination[seed_set, denoising, estimator].members
    found = next(item for item in groups_of(members, study.groups) if item.label == group)
    return {"column": found.column, "level": found.level, "words": found.words}


def signals_of(study: Study, recordings: Iterable[Recording], seed_set: str, denoising: str) -> Files:
    """Return the cleaned signals of some recordings, and their sidecars."""

    def files(suffix: str) -> list[str]:
        labels = (seed_set, denoising, suffix)
        return [study.place(names.cleaned_signals(each.folder, each.stem, *labels)) for each in recordings]

    recordings = list(recordings)
    return {"signals": files("timeseries.tsv"), "sidecars": files("timeseries.json")}


def nodes_table(study: Study, folder: str, stem: str, seed_set: str, denoising: str) -> str:
    """Return the nodes table of a run, or of combined ones."""
    if stem in study.run:
        return study.place(names.sphere_signals(folder, stem, seed_set, "nodes.tsv"))
    return study.place(names.combined_nodes(folder, stem, seed_set, denoising))


def nodes_tables(study: Study, recordings: Iterable[Recording], seed_set: str, denoising: str) -> list[str]:
    """Return the nodes tables of some recordings."""
    return [nodes_table(study, each.folder, each.stem, seed_set, denoising) for each in recordings]


def drawn_signals(study: Study, folder: str, stem: str, seed_set: str, denoising: str) -> dict[str, str]:
    """Return what a figure of signals shows beside these: the nodes, and the head motion of a single run."""
    nodes = {"nodes": nodes_table(study, folder, stem, seed_set, denoising)}
    run = study.run.get(stem)
    return nodes | ({"confounds": run.confounds} if run and run.confounds else {})


def drawn_connectome(
    study: Study, folder: str, whose: str, seed_set: str, denoising: str, estimator: str
) -> dict[str, str]:
    """Return what a figure shows of a recording or a group: its connectome, or the statistic of a contrast.

    The mean displacement of all runs of a tangent space is zero: what there is to see is the geometric mean. Groups
    come with the ``scale`` that their figures share.
    """
    labels = (seed_set, denoising, estimator)
    if folder != "group":
        matrix, sidecar = (names.connectome(folder, whose, *labels, CONNECTED[key]) for key in ("matrix", "sidecar"))
        nodes = nodes_table(study, folder, whose, seed_set, denoising)
        return {"matrix": study.place(matrix), "sidecar": study.place(sidecar), "nodes": nodes}
    shown, measured = (AGGREGATED["mean"], AGGREGATED["sidecar"]), whose
    if whose.startswith(PREFIX):
        shown, measured = ("stat-statistic_relmat.tsv", TABLES["sidecar"]), ALL_RUNS
    elif whose == ALL_RUNS and estimator in study.tangent_estimators:
        shown = (TANGENT_SPACE["mean"], TANGENT_SPACE["mean_sidecar"])
    files = {
        "matrix": study.place(names.group_result(whose, *labels, shown[0])),
        "sidecar": study.place(names.group_result(whose, *labels, shown[1])),
        "nodes": study.place(names.group_result(measured, *labels, AGGREGATED["nodes"])),
    }
    if measured == whose and on_common_scale(study, whose, estimator):
        files["scale"] = study.place(names.figure_scale(seed_set, estimator))
    return files


def scaled_connectomes(study: Study, seed_set: str, estimator: str) -> Files:
    """Return the connectomes of groups whose figures share a scale: those of a seed set and an estimator."""
    of_groups = [
        (group.label, *item.labels)
        for item in study.shown
        if (item.seed_set, item.estimator) == (seed_set, estimator)
        for group in groups_of(item.members, study.groups)
        if on_common_scale(study, group.label, estimator)
    ]
    return {
        key: [study.place(names.group_result(*labels, AGGREGATED[suffix])) for labels in of_groups]
        for key, suffix in {"matrices": "mean", "nodes": "nodes"}.items()
    }


def subtracted(study: Study, whose: str, seed_set: str, denoising: str, estimator: str) -> Files:
    """Return what a difference is drawn from: two groups, and the scale that they share."""
    groups = difference_of(study, whose, seed_set, denoising, estimator).groups
    return {
        key: [study.place(names.group_result(*labels, AGGREGATED[suffix])) for labels in groups]
        for key, suffix in {"matrices": "mean", "sidecars": "sidecar", "nodes": "nodes"}.items()
    } | {"scale": [study.place(names.figure_scale(seed_set, estimator))]}


def difference_words(study: Study, whose: str, seed_set: str, denoising: str, estimator: str) -> dict[str, Any]:
    """Return what a difference is called."""
    item = difference_of(study, whose, seed_set, denoising, estimator)
    labels = (seed_set, estimator, *([] if item.whose.startswith(DENOISING) else [denoising]))
    return {"title": f"{item.words}\n{', '.join(labels)}", "captions": list(item.captions)}


def difference_of(study: Study, whose: str, seed_set: str, denoising: str, estimator: str) -> Difference:
    """Return the difference of these labels."""
    labels = (seed_set, denoising, estimator)
    return next(item for item in differences(study) if (item.whose, item.labels) == (whose, labels))


def drawn_path(study: Study, folder: str, whose: str, seed_set: str, denoising: str, estimator: str) -> dict[str, str]:
    """Return what a figure of penalties is drawn from: path and sidecar of the fit of a recording, or a joint one."""
    labels = (seed_set, denoising, estimator)
    if folder == "group":
        path, sidecar = (names.group_result(whose, *labels, suffix) for suffix in ("path.tsv", "jointfit.json"))
    else:
        path, sidecar = (names.connectome(folder, whose, *labels, suffix) for suffix in ("path.tsv", "relmat.json"))
    return {"path": study.place(path), "sidecar": study.place(sidecar)}


def page_connectomes(study: Study, folder: str, whose: str, seed_set: str, denoising: str) -> dict[str, Any]:
    """Return what an interactive page is made from."""
    shown = [
        drawn_connectome(study, folder, member, seed_set, denoising, estimator)
        for estimator, member in page_labels(study, folder, whose, seed_set, denoising)
    ]
    return {
        "nodes": shown[0]["nodes"],
        "matrices": [files["matrix"] for files in shown],
        "sidecars": [files["sidecar"] for files in shown],
    }


def page_labels(study: Study, folder: str, whose: str, seed_set: str, denoising: str) -> list[list[str]]:
    """Return the connectomes of a page, each as estimator and whose it is; that of the groups has contrasts, too."""
    chosen = [item for item in study.combinations if item.labels[:2] == (seed_set, denoising)]
    if (folder, whose) != ALL_GROUPS:
        has = (item for item in chosen if any(each.stem == whose for each in study.connected(item)))
        return [[item.estimator, whose] for item in has]
    groups = [[item.estimator, group.label] for item in chosen for group in groups_of(item.members, study.groups)]
    contrasts = [[item.item.estimator, PREFIX + item.label] for item in study.contrasts if item.item in chosen]
    return groups + contrasts


def figure_style(study: Study, kind: str, seed_set: str) -> Mapping[str, Any]:
    """Return the settings of a kind of figure."""
    chosen = {"dpi": study.figures["dpi"]} | style(study, kind, seed_set)
    return {key: value for key, value in chosen.items() if key != _NOT_OF_STYLE.get(kind)}


def connectome_batch(study: Study, folder: str, estimator: str) -> str:
    """Return with what a cluster makes a figure or an average: with its run, or with the groups it has to wait for."""
    return "groups" if folder == "group" or estimator in study.joint_estimators else "runs"


def page_batch(study: Study, folder: str, whose: str, seed_set: str, denoising: str) -> str:
    """Return with what a cluster makes a page.

    The page of all groups shows contrasts, too, which need the groups: it is made with the report.
    """
    if whose == ALL_GROUPS[1]:
        return "report"
    estimators = {estimator for estimator, _ in page_labels(study, folder, whose, seed_set, denoising)}
    return "groups" if study.joint_estimators & estimators else "runs"


def _connectomes(study: Study, recordings: Iterable[Recording], item: Combination) -> Files:
    def files(suffix: str) -> list[str]:
        return [study.place(names.connectome(each.folder, each.stem, *item.labels, suffix)) for each in recordings]

    recordings = list(recordings)
    return {"edges": files(CONNECTED["edges"]), "sidecars": files(CONNECTED["sidecar"])}
