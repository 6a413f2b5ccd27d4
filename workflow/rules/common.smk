"""The study that the configuration describes, and what every rule file uses."""

import sys
from os.path import relpath

from snakemake.exceptions import WorkflowError

# Relative to the working directory where that is possible: paths are part of what Snakemake compares.
BASE = Path(workflow.current_basedir).parents[1].resolve()
BASE = BASE.relative_to(Path.cwd()) if BASE.is_relative_to(Path.cwd()) else BASE
LIBRARY = BASE / "workflow" / "lib" / "sphereconn"
RESOURCES = BASE / "resources"
SCRIPTS = BASE / "scripts"

sys.path.insert(0, str(LIBRARY.parent.resolve()))

from sphereconn.errors import InputError
from sphereconn.study import names
from sphereconn.study.fingerprint import fingerprint
from sphereconn.study.groups import ALL_RUNS, groups_of
from sphereconn.study.results import orphans
from sphereconn.study.study import read_study

try:
    STUDY = read_study(
        config,
        schema=BASE / "workflow" / "schemas" / "config.schema.json",
        resources=RESOURCES,
        source=", ".join(relpath(path) for path in workflow.configfiles) or "config",
    )
except InputError as problem:
    raise WorkflowError(str(problem)) from None


wildcard_constraints:
    folder=r"sub-[A-Za-z0-9]+(/ses-[A-Za-z0-9]+)?",
    stem=r"sub-[A-Za-z0-9]+(_[a-z]+-[A-Za-z0-9]+)*",
    seed_set=names.LABEL,
    denoising=names.LABEL,
    estimator=names.LABEL,
    group=r"[A-Za-z0-9]+-[A-Za-z0-9]+",


# The wildcards of a rule over the runs of a seed set, and so on down the chain.
OF_SPHERES = ("{folder}", "{stem}", "{seed_set}")
OF_SIGNALS = (*OF_SPHERES, "{denoising}")
OF_CONNECTOME = (*OF_SIGNALS, "{estimator}")
OF_COMBINATION = ("{seed_set}", "{denoising}", "{estimator}")
OF_GROUP = ("{group}", *OF_COMBINATION)


def result(path):
    """Place a result in the output folder of the study."""
    return f"{STUDY.output_dir}/{path}"


def log_of(rule_name, path):
    """Place the log of a job beside the results, so that two studies never share one."""
    return f"{STUDY.output_dir}/logs/{rule_name}/{path}.log"


def code_of(script):
    """Fingerprint a script with the library code that it uses: the rule runs again when that changes."""
    return fingerprint(SCRIPTS / f"{script}.py", LIBRARY)


def run_of(wildcards):
    """Find the run of a job."""
    return STUDY.run[wildcards.stem]


def combination_of(wildcards):
    """Find the combination of a group job."""
    return STUDY.combination[wildcards.seed_set, wildcards.denoising, wildcards.estimator]


rule remove_orphans:
    """Remove the results that the configuration does not ask for any more (named at the end of a run)."""
    log:
        log_of("remove_orphans", "removed"),
    conda:
        "../../envs/sphereconn.yaml"
    params:
        root=STUDY.output_dir,
        orphans=lambda wildcards: orphans(STUDY),
    message:
        "Removing results that the configuration does not ask for any more"
    script:
        "../../scripts/remove_orphans.py"


onsuccess:
    left_over = orphans(STUDY)
    if left_over:
        print(f"{len(left_over)} files in {STUDY.output_dir}, such as {left_over[0]},")
        print(
            "belong to nothing that the configuration asks for; to remove them: snakemake --cores 1 remove_orphans"
        )
