"""Connectomes of spheres around brain coordinates: extract, clean, connect, aggregate, draw.

`snakemake --cores 2` runs config/config.yaml; `--configfile my_study.yaml` runs that study and nothing of the default.
"""

from snakemake.utils import min_version

min_version("9.18.2")


if "HERE" not in globals():

    include: "workflow/rules/here.smk"


# Without the guard Snakemake would merge the default study into the user's.
if not workflow.configfiles:

    configfile: HERE / "config" / "config.yaml"


include: HERE / "workflow/rules/common.smk"
include: HERE / "workflow/rules/inputs.smk"
include: HERE / "workflow/rules/signals.smk"
include: HERE / "workflow/rules/connectomes.smk"
include: HERE / "workflow/rules/group.smk"
include: HERE / "workflow/rules/figures.smk"
include: HERE / "workflow/rules/report.smk"


if STUDY.downloads.bold or STUDY.downloads.confounds:

    include: HERE / "workflow/rules/downloads.smk"


if STUDY.joint_estimators:

    include: HERE / "workflow/rules/joint.smk"


if STUDY.contrasts:

    include: HERE / "workflow/rules/contrasts.smk"


if STUDY.maps:

    include: HERE / "workflow/rules/maps.smk"


if STUDY.reliabilities:

    include: HERE / "workflow/rules/reliability.smk"


if STUDY.comparisons or STUDY.radius_comparisons:

    include: HERE / "workflow/rules/comparison.smk"


if STUDY.sheets:

    include: HERE / "workflow/rules/subjects.smk"


if STUDY.combine:

    include: HERE / "workflow/rules/combined.smk"


rule all:
    """Everything that the configuration asks for."""
    default_target: True
    input:
        [targets(STUDY, stage) for stage in products.STAGES],
    message:
        "The study is complete"
