"""The study that the configuration describes, and what every rule file uses."""

import runpy
import sys
from inspect import signature
from os.path import relpath

from snakemake.logging import logger

# Relative to the working directory where that is possible: paths are part of what Snakemake compares.
BASE = Path(workflow.current_basedir).parents[1].resolve()
BASE = BASE.relative_to(Path.cwd()) if BASE.is_relative_to(Path.cwd()) else BASE
LIBRARY = BASE / "workflow" / "lib" / "sphereconn"
RESOURCES = BASE / "resources"
SCRIPTS = BASE / "scripts"
OUTLINES = RESOURCES / "brain" / "outlines.json"
COLOURS = LIBRARY / "draw" / "colours.css"
REPORT_ASSETS = [COLOURS, *sorted((LIBRARY / "draw" / "report_assets").iterdir())]
PAGE_ASSETS = [RESOURCES / "brain" / "surface.npz", COLOURS, *sorted((LIBRARY / "draw" / "page_assets").iterdir())]

# Snakemake has put the checkout first, where a json.py of a person who works there would stand in for Python's.
sys.path[:] = [str(LIBRARY.parent.resolve()), *(path for path in sys.path if Path(path).resolve() != BASE.resolve())]

runpy.run_path(str(LIBRARY.parent / "sphereconn_runner" / "byte_code.py"))

from sphereconn.errors import InputError
from sphereconn.ledger import Ledger
from sphereconn.plan import compared, contrasted, differences, drawn, jobs, mapped, products, together
from sphereconn.plan.cost import announced, weights_of
from sphereconn.plan.fingerprint import fingerprint
from sphereconn.plan.foreign import check_descriptions
from sphereconn.plan.known_code import KnownCode
from sphereconn.plan.orphans import left_over, listed, orphans
from sphereconn.plan.product import endings, named
from sphereconn.plan.products import targets
from sphereconn.study import names
from sphereconn.study.configuration import check_configuration
from sphereconn.study.folder import Origin, check_folder, take_folder
from sphereconn.study.groups import ALL_RUNS
from sphereconn.study.inputs import missing_files
from sphereconn.study.settings import with_text_keys
from sphereconn.study.study import resolve_study
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
    STUDY = resolve_study(
        config,
        schema=BASE / "workflow" / "schemas" / "config.schema.json",
        resources=RESOURCES,
        source=SOURCE,
        main_process=workflow.is_main_process,
    )
    if workflow.is_main_process:
        products.check_names(STUDY, SOURCE)
        check_folder(STUDY, ORIGIN, SOURCE)
        check_descriptions(STUDY.output_dir, SOURCE)
except InputError as problem:
    # Snakemake would set its own words and our line numbers around an exception of its own.
    logger.error(f"error: {problem}")
    sys.exit(1)
RUNNER.tell_what_is_missing(lambda: missing_files(STUDY.runs, STUDY.runs_table))
RUNNER.tell_cost(
    lambda planned: announced(STUDY, planned.steps, planned.cores, planned.replaced),
    lambda planned: weights_of(STUDY, planned.steps),
)
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
# Results of combined runs have `run-all` in the start of their names, and results of single runs have not.
HOW_COMBINED = STUDY.how_combined
STEM_OF_RUN = rf"(?!\S*_run-all_){STEM}" if HOW_COMBINED else STEM
STEM_OF_COMBINED = rf"(?=\S*_run-all_){STEM}"
STEM_OF_ESTIMATED = STEM_OF_RUN if HOW_COMBINED == "average" else STEM
STEM_OF_FITTED = STEM_OF_COMBINED if HOW_COMBINED == "concatenate" else STEM_OF_RUN


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


KNOWN_CODE = KnownCode(Path(".snakemake") / "sphereconn" / "code.json")


def code_of(script, assets=()):
    """Fingerprint a script, the library code that it uses and other files: the rule runs again when that changes."""
    return fingerprint(SCRIPTS / f"{script}.py", LIBRARY, assets, KNOWN_CODE.of)


def growing(amount):
    """Ask for this much of a resource, and for that much more at each further attempt."""
    return lambda wildcards, attempt: amount * attempt


def one_of(labels):
    """Give the pattern of a wildcard that is one of some labels; of no label, one that matches nothing."""
    return "|".join(sorted(labels)) or r"(?!)"


def outputs_of(name, labels, suffixes):
    """Give the outputs of a rule: files that differ in the ends of their names, by what the rule calls them."""
    return {key: result(path) for key, path in named(name, labels, suffixes).items()}


def of_job(function, *known):
    """Give the function that Snakemake calls: it is told the study, what is known, and the labels of a job it names."""
    asked = list(signature(function).parameters)[1 + len(known) :]
    return lambda wildcards: function(STUDY, *known, *(getattr(wildcards, label) for label in asked))


def figure_category(wildcards):
    """Sort a figure into Snakemake's own report."""
    return "Groups" if wildcards.folder == "group" else "Runs"


def take():
    """Lock the folder of the results and mark it as this study's, before any job writes there."""
    global LOCK
    try:
        LOCK = take_folder(STUDY, ORIGIN, SOURCE)
    except InputError as problem:
        logger.error(f"error: {problem}")
        sys.exit(1)


if IS_MODULE:
    RUNNER.before_jobs(take)


REMOVED = []


def unwanted(wildcards):
    """List the results that `remove_orphans` is about, once: while it runs they vanish."""
    REMOVED[:] = orphans(STUDY)
    return [[orphan.path, orphan.size, orphan.checksum] for orphan in REMOVED]


onstart:
    take()
    KNOWN_CODE.keep()
    RUNNER.start(STUDY.run.keys() - STUDY.excluded.keys(), log)


def settle():
    """Put the records of the finished jobs together, when the disk has what they are of."""
    for ledger in LEDGERS:
        ledger.settle()


onerror:
    settle()
    RUNNER.tell_failures()


onsuccess:
    together.remove_left(STUDY)
    settle()
    if "remove_orphans" in workflow.dag_settings.targets:
        told = listed(STUDY, REMOVED, command_line(workflow, "remove_orphans", remove="true"), ORDERS["remove"])
    else:
        told = left_over(STUDY, orphans(STUDY), command_line(workflow, "remove_orphans"))
        if {*workflow.dag_settings.targets} <= {"all"} and Path(result("report.html")).is_file():
            told = [*told, f"Open {result('report.html')}"]
    print(*told, sep="\n", end="\n" if told else "")
