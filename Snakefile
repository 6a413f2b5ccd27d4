"""Connectomes of spheres around brain coordinates: extract, clean, connect, aggregate, draw.

`snakemake --cores 2` runs config/config.yaml; `--configfile my_study.yaml` runs that study and nothing of the default.
"""

from snakemake.utils import min_version

min_version("9.27.1")


# Without the guard Snakemake would merge the default study into the user's.
if not workflow.configfiles:

    configfile: Path(workflow.current_basedir) / "config" / "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/signals.smk"
include: "workflow/rules/connectomes.smk"
include: "workflow/rules/group.smk"
include: "workflow/rules/contrasts.smk"
include: "workflow/rules/maps.smk"
include: "workflow/rules/reliability.smk"
include: "workflow/rules/comparison.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"


if STUDY.downloads.bold or STUDY.downloads.confounds:

    include: "workflow/rules/downloads.smk"


if STUDY.joint_estimators:

    include: "workflow/rules/joint.smk"


if STUDY.combine:

    include: "workflow/rules/combined.smk"


rule all:
    """Everything that the configuration asks for."""
    default_target: True
    input:
        [targets(STUDY, stage) for stage in products.STAGES],
    message:
        "The study is complete"
