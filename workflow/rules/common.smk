"""The study that the configuration describes, and what every rule file uses."""

import runpy
import sys
from os.path import exists, relpath

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

# Relative to the working directory where that is possible: paths are part of what Snakemake compares.
BASE = Path(workflow.current_basedir).parents[1].resolve()
BASE = BASE.relative_to(Path.cwd()) if BASE.is_relative_to(Path.cwd()) else BASE
LIBRARY = BASE / "workflow" / "lib" / "sphereconn"
RESOURCES = BASE / "resources"
SCRIPTS = BASE / "scripts"
OUTLINES = RESOURCES / "brain" / "outlines.json"
PAGE_ASSETS = [RESOURCES / "brain" / "surface.npz", *sorted((LIBRARY / "draw" / "page_assets").iterdir())]

# Snakemake has put the checkout first, where a json.py of a person who works there would stand in for Python's.
sys.path[:] = [str(LIBRARY.parent.resolve()), *(path for path in sys.path if Path(path).resolve() != BASE.resolve())]

runpy.run_path(str(LIBRARY.parent / "sphereconn_runner" / "byte_code.py"))

from sphereconn.errors import InputError
from sphereconn.extract.formats import sidecar_of
from sphereconn.files import MISSING
from sphereconn.ledger import Ledger
from sphereconn.study import comparisons, contrasted, mapped, names, reliabilities
from sphereconn.study.configuration import check_configuration
from sphereconn.study.drawn import ALL_GROUPS, figures, style
from sphereconn.study.fingerprint import fingerprint
from sphereconn.study.folder import Origin, check_folder, take_folder
from sphereconn.study.groups import ALL_RUNS, groups_of
from sphereconn.study.inputs import missing_files
from sphereconn.study.orphans import left_over, listed, orphans
from sphereconn.study.results import SCORE_SUFFIXES, comparison_results, reliability_results
from sphereconn.study.runs import rows_of
from sphereconn.study.settings import with_text_keys
from sphereconn.study.denoising import confound_files
from sphereconn.study.study import read_study
from sphereconn_runner import adapt
from sphereconn_runner.command import command_line, orders
from sphereconn_runner.reruns import record_results, rerun_by

RUNNER = adapt(workflow, scripts=SCRIPTS, library=LIBRARY.parent)

# What the command line asks for once is no part of the study.
ORDERS = orders(workflow, config, ["remove", "take_over"])
IS_MODULE = not workflow.modifier.is_main_snakefile()
CONFIGURATIONS = [workflow.main_snakefile] if IS_MODULE else [relpath(path) for path in workflow.configfiles]
SOURCE = ", ".join(relpath(path) for path in workflow.configfiles) or "config"
ORIGIN = Origin(tuple(CONFIGURATIONS), str(BASE), ORDERS["take_over"])

try:
    for path in workflow.configfiles:
        check_configuration(relpath(path))
    STUDY = read_study(
        config,
        schema=BASE / "workflow" / "schemas" / "config.schema.json",
        resources=RESOURCES,
        source=SOURCE,
        main_process=workflow.is_main_process,
    )
    if workflow.is_main_process:
        check_folder(STUDY, ORIGIN, SOURCE)
except InputError as problem:
    raise WorkflowError(str(problem)) from None
RUNNER.tell_what_is_missing(lambda: missing_files(STUDY.runs, STUDY.runs_table))
# Snakemake's report sorts the labels.
config.update({key: with_text_keys(value) for key, value in config.items()})
if STUDY.summary:
    logger.info(STUDY.summary)

# What is made there has a ledger there.
DEMO = RESOURCES / "demo"
MADE_IN = [STUDY.output_dir, str(DEMO)]
RULES = (BASE / "workflow" / "rules").resolve()
record_results(MADE_IN, RULES)
LEDGERS = [Ledger(folder) for folder in MADE_IN] if workflow.is_main_process else []
rerun_by(LEDGERS, RULES)


STEM = rf"sub-{names.BIDS_LABEL}(_[a-z]+-{names.BIDS_LABEL})*"
NOTHING = r"(?!)"
# Results of combined runs have `run-all` in the start of their names, and results of single runs have not.
HOW_COMBINED = STUDY.how_combined
STEM_OF_RUN = rf"(?!\S*_run-all_){STEM}" if HOW_COMBINED else STEM
STEM_OF_JOINED = rf"(?=\S*_run-all_){STEM}" if HOW_COMBINED == "concatenate" else NOTHING
STEM_OF_AVERAGED = rf"(?=\S*_run-all_){STEM}" if HOW_COMBINED == "average" else NOTHING
STEM_OF_ESTIMATED = STEM_OF_RUN if HOW_COMBINED == "average" else STEM


wildcard_constraints:
    folder=rf"group|sub-{names.BIDS_LABEL}(/ses-{names.BIDS_LABEL})?",
    stem=STEM,
    seed_set=names.LABEL,
    denoising=names.LABEL,
    estimator=names.LABEL,
    group=r"[A-Za-z0-9]+-[A-Za-z0-9]+",
    whose=rf"groups|[A-Za-z0-9]+-{names.BIDS_LABEL}(_[a-z]+-{names.BIDS_LABEL})*",
    views=r"[a-z]+",
    map=names.LABEL,
    seed=names.LABEL,


# The wildcards of a rule over the runs of a seed set, and so on down the chain.
OF_SPHERES = ("{folder}", "{stem}", "{seed_set}")
OF_SIGNALS = (*OF_SPHERES, "{denoising}")
OF_CONNECTOME = (*OF_SIGNALS, "{estimator}")
OF_COMBINATION = ("{seed_set}", "{denoising}", "{estimator}")
OF_GROUP = ("{group}", *OF_COMBINATION)
# A figure is of a run (its folder and stem) or of a group (the folder "group" and its name).
OF_FIGURE = ("{folder}", "{whose}", *OF_COMBINATION)
FORMAT = STUDY.figures["format"]
SPARSE_ESTIMATORS = STUDY.sparse_estimators
JOINT_ESTIMATORS = STUDY.joint_estimators


def result(path):
    """Place a result in the output folder of the study."""
    return f"{STUDY.output_dir}/{path}"


def log_of(rule_name, path):
    """Place the log of a job beside the results, so that two studies never share one."""
    return f"{STUDY.output_dir}/logs/{rule_name}/{path}.log"


def code_of(script, assets=()):
    """Fingerprint a script, the library code that it uses and other files: the rule runs again when that changes."""
    return fingerprint(SCRIPTS / f"{script}.py", LIBRARY, assets)


def growing(amount):
    """Ask for this much of a resource, and for that much more at each further attempt."""
    return lambda wildcards, attempt: amount * attempt


def one_of(labels):
    """Give the pattern of a wildcard that is one of some labels; of no label, one that matches nothing."""
    return "|".join(sorted(labels)) or NOTHING


def run_of(wildcards):
    """Find the run of a job."""
    return STUDY.run[wildcards.stem]


def combination_of(wildcards):
    """Find the combination of a group job."""
    return STUDY.combination[wildcards.seed_set, wildcards.denoising, wildcards.estimator]


def image_files(wildcards):
    """Name what a run and a seed set are extracted from; sidecar and mask where there are any."""
    run = run_of(wildcards)
    files = {"bold": run.bold, "seeds": STUDY.seed_sets[wildcards.seed_set]["seeds"]}
    sidecar = sidecar_of(run.bold)
    if exists(sidecar):
        files["sidecar"] = sidecar
    if run.mask:
        files["mask"] = run.mask
    return files


def atlas_files(wildcards):
    """Name the image of an atlas, and its labels where there are any."""
    atlas = STUDY.atlases[wildcards.seed_set]
    return {"atlas": atlas["seeds"]} | ({"labels": atlas["labels"]} if "labels" in atlas else {})


def confound_inputs(wildcards):
    """Name the confounds table of a run and what lies beside it, as far as the denoising needs them."""
    return confound_files(run_of(wildcards), STUDY.denoising[wildcards.denoising])


def sphere_settings(wildcards):
    """Settings of an extraction; the seed table is an input, and compared by its content."""
    seed_set = STUDY.seed_sets[wildcards.seed_set]
    seed_set = {key: value for key, value in seed_set.items() if key not in ("seeds", "labels")}
    run = run_of(wildcards)
    return seed_set | {"repetition_time": run.repetition_time, "space_of_image": run.entities.get("space")}


def runs_of_subject(wildcards):
    """Find the runs that are combined in a job."""
    return STUDY.combined_runs[wildcards.stem, wildcards.seed_set, wildcards.denoising].runs


def signals_of(recordings, suffix="timeseries.tsv"):
    """Give the function that Snakemake calls for the cleaned signals of some runs, or their sidecars."""

    def signals(wildcards):
        labels = (wildcards.seed_set, wildcards.denoising, suffix)
        return [result(names.cleaned_signals(recording.folder, recording.stem, *labels)) for recording in recordings(wildcards)]

    return signals


def connectomes_of(recordings, suffix="relmat.tsv"):
    """Give the function that Snakemake calls for the connectomes of some runs, or their sidecars."""

    def connectomes(wildcards):
        labels = (wildcards.seed_set, wildcards.denoising, wildcards.estimator, suffix)
        return [result(names.connectome(recording.folder, recording.stem, *labels)) for recording in recordings(wildcards)]

    return connectomes


def nodes_table(folder, stem, seed_set, denoising):
    """Name the nodes table of a run, or of combined ones."""
    if stem in STUDY.run:
        return names.sphere_signals(folder, stem, seed_set, "nodes.tsv")
    return names.combined_nodes(folder, stem, seed_set, denoising)


def nodes_of(recordings):
    """Give the function that Snakemake calls for the nodes tables of some runs."""

    def nodes(wildcards):
        labels = (wildcards.seed_set, wildcards.denoising)
        return [result(nodes_table(recording.folder, recording.stem, *labels)) for recording in recordings(wildcards)]

    return nodes


def members(wildcards):
    """Find what the groups of a combination are made of, runs or combined ones."""
    return combination_of(wildcards).members


def fitted_jointly(wildcards):
    """Find what a joint fit is made to, runs or combined ones."""
    return STUDY.estimated(combination_of(wildcards))


def group_settings(wildcards):
    """Say which level of which column of the runs table makes a group, and what it is called."""
    of_combination = groups_of(members(wildcards), STUDY.groups)
    group = next(group for group in of_combination if group.label == wildcards.group)
    return {"column": group.column, "level": group.level, "words": group.words}


def members_table(wildcards):
    """What the runs table says of each member of a combination, as the stack's table of runs keeps it."""
    return rows_of(members(wildcards), combination_of(wildcards).runs)


def nodes_and_matrix(folder, whose, seed_set, denoising, estimator):
    """Name the connectome of a run or a group, its sidecar and its nodes table; or the statistic of a contrast.

    The mean displacement of all runs of a tangent space is zero: what there is to see is the geometric mean.
    """
    labels = (seed_set, denoising, estimator)
    if whose.startswith(contrasted.PREFIX):
        contrast = (whose.removeprefix(contrasted.PREFIX), *labels)
        nodes = names.group_result(ALL_RUNS, *labels, "nodes.tsv")
        matrix = names.contrast_result(*contrast, "stat-statistic_relmat.tsv")
        return result(nodes), result(matrix), result(names.contrast_result(*contrast, contrasted.TABLES["sidecar"]))
    if folder == "group":
        mean = "geometricmean" if whose == ALL_RUNS and estimator in STUDY.tangent_estimators else "mean"
        matrix = names.group_result(whose, *labels, f"stat-{mean}_relmat.tsv")
        nodes = names.group_result(whose, *labels, "nodes.tsv")
    else:
        matrix = names.connectome(folder, whose, *labels)
        nodes = nodes_table(folder, whose, seed_set, denoising)
    return result(nodes), result(matrix), result(matrix.replace("relmat.tsv", "relmat.json"))


def drawn_beside_signals(wildcards):
    """Name what a figure of signals shows beside these: the nodes, and the head motion of a single run."""
    nodes = nodes_table(wildcards.folder, wildcards.stem, wildcards.seed_set, wildcards.denoising)
    run = STUDY.run.get(wildcards.stem)
    return {"nodes": result(nodes)} | ({"confounds": run.confounds} if run and run.confounds else {})


def drawn_connectome(wildcards):
    """Name what a figure of a connectome is drawn from."""
    nodes, matrix, sidecar = nodes_and_matrix(
        wildcards.folder, wildcards.whose, wildcards.seed_set, wildcards.denoising, wildcards.estimator
    )
    return {"matrix": matrix, "sidecar": sidecar, "nodes": nodes}


def drawn_path(wildcards):
    """Name what a figure of penalties is drawn from: the path and the sidecar of a run's fit, or of a joint one."""
    labels = (wildcards.seed_set, wildcards.denoising, wildcards.estimator)
    if wildcards.folder == "group":
        fit = [names.group_result(wildcards.whose, *labels, suffix) for suffix in ("path.tsv", "jointfit.json")]
    else:
        run = (wildcards.folder, wildcards.whose)
        fit = [names.connectome(*run, *labels, suffix) for suffix in ("path.tsv", "relmat.json")]
    return {"path": result(fit[0]), "sidecar": result(fit[1])}


def of_map(wildcards):
    """Find the maps of a group's job, its group and its seed."""
    maps = mapped.map_of(STUDY, wildcards.seed_set, wildcards.map, wildcards.denoising)
    return STUDY, maps, wildcards.group, wildcards.seed


def map_inputs(maps):
    """Give the function that Snakemake calls for what a run is mapped from."""

    def inputs(wildcards):
        run = run_of(wildcards)
        return mapped.map_inputs(STUDY, maps, run) | confound_files(run, STUDY.denoising[maps.denoising])

    return inputs


def page_labels(wildcards):
    """List the connectomes of a page: estimators, and for the page of the groups every group."""
    chosen = [
        item
        for item in STUDY.combinations
        if (item.seed_set, item.denoising) == (wildcards.seed_set, wildcards.denoising)
    ]
    if (wildcards.folder, wildcards.whose) == ALL_GROUPS:
        of_groups = [
            [item.estimator, group.label] for item in chosen for group in groups_of(item.members, STUDY.groups)
        ]
        of_contrasts = [
            [contrast.item.estimator, contrasted.PREFIX + contrast.label]
            for contrast in STUDY.contrasts
            if contrast.item in chosen
        ]
        return of_groups + of_contrasts
    return [
        [item.estimator, wildcards.whose]
        for item in chosen
        if any(recording.stem == wildcards.whose for recording in STUDY.connected(item))
    ]


def page_connectomes(wildcards):
    """Name what an interactive page is made from."""
    members = [
        nodes_and_matrix(wildcards.folder, whose, wildcards.seed_set, wildcards.denoising, estimator)
        for estimator, whose in page_labels(wildcards)
    ]
    nodes, matrices, sidecars = zip(*members)
    return {"nodes": nodes[0], "matrices": list(matrices), "sidecars": list(sidecars)}


def style_of(kind):
    """Give the function that Snakemake calls for the settings of a kind of figure."""
    # A list of views says which figures there are, not how one looks; a page has no resolution.
    elsewhere = {"glass_brain": "views", "page": "dpi"}.get(kind)

    def settings(wildcards):
        chosen = {"dpi": STUDY.figures["dpi"]} | style(STUDY, kind, wildcards.seed_set)
        return {key: value for key, value in chosen.items() if key != elsewhere}

    return settings


def batch_of(wildcards):
    """On a cluster, make a figure or an average with its run; with the groups, if it is of a group or of a joint fit.

    The page of all groups shows contrasts, too, which need the groups: it is made with the report.
    """
    if wildcards.get("whose") == ALL_GROUPS[1]:
        return "report"
    single = "estimator" in wildcards.keys()
    estimators = {wildcards.estimator} if single else {estimator for estimator, _ in page_labels(wildcards)}
    return "groups" if wildcards.folder == "group" or JOINT_ESTIMATORS & estimators else "runs"


def figure_category(wildcards):
    """Sort a figure into Snakemake's own report."""
    return "Groups" if wildcards.folder == "group" else "Runs"


def figure_labels(figure):
    """Label a figure in Snakemake's own report."""
    return {
        "seed set": "{seed_set}",
        "denoising": "{denoising}",
        "estimator": "{estimator}",
        "figure": figure,
    }


def take():
    """Lock the folder of the results and mark it as this study's, before any job writes there."""
    global LOCK
    try:
        LOCK = take_folder(STUDY, ORIGIN, SOURCE)
    except InputError as problem:
        raise WorkflowError(str(problem)) from None


if IS_MODULE:
    RUNNER.before_jobs(take)


REMOVED = []


def unwanted(wildcards):
    """List the results that `remove_orphans` is about, once: while it runs they vanish."""
    REMOVED[:] = orphans(STUDY)
    return [[orphan.path, orphan.size, orphan.checksum] for orphan in REMOVED]


onstart:
    take()
    RUNNER.start(STUDY.run, log)


def settle():
    """Put the records of the finished jobs together, when the disk has what they are of."""
    for ledger in LEDGERS:
        ledger.settle()


onerror:
    settle()
    RUNNER.tell_failures()


onsuccess:
    settle()
    if "remove_orphans" in workflow.dag_settings.targets:
        told = listed(STUDY, REMOVED, command_line(workflow, "remove_orphans", remove="true"), ORDERS["remove"])
    else:
        told = left_over(STUDY, orphans(STUDY), command_line(workflow, "remove_orphans"))
    print(*told, sep="\n", end="\n" if told else "")
