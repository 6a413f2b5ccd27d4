"""Inputs and housekeeping: the demo cohort, seeds of atlases, the description of the study, the removal of left-overs.

Needs: resources/cohort, resources/rest_bold, atlases of the configuration.
Gives: resources/demo/sub-*/func/*_bold.nii.gz and *_confounds_timeseries.tsv; seeds/atlas-*_seeds.tsv with a sidecar;
  dataset_description.json, README.md, .bidsignore and study.json.
"""


rule assemble_demo_run:
    """Paint the BOLD file of a demo subject from real parcel series over a real mean image."""
    input:
        series=RESOURCES / "cohort" / "sub-{number}_parcels.tsv.gz",
        motion=RESOURCES / "cohort" / "sub-{number}_motion.tsv",
        parcels=RESOURCES / "cohort" / "parcels.tsv",
        participants=RESOURCES / "cohort" / "participants.tsv",
        image=RESOURCES / "rest_bold" / "sub-001_task-rest_space-MNI152_res-4_bold.nii.gz",
        mask=RESOURCES / "rest_bold" / "sub-001_space-MNI152_res-4_desc-brain_mask.nii.gz",
    output:
        bold=DEMO / "sub-{number}/func/sub-{number}_task-rest_space-MNI152_desc-preproc_bold.nii.gz",
        confounds=DEMO / "sub-{number}/func/sub-{number}_task-rest_desc-confounds_timeseries.tsv",
    log:
        DEMO / "logs/sub-{number}.log",
    wildcard_constraints:
        number=r"\d\d",
    group:
        "runs"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(3),
    params:
        code=code_of("assemble_demo_run"),
    message:
        "Painting the demo run of sub-{wildcards.number}"
    script:
        "../../scripts/assemble_demo_run.py"


rule atlas_seeds:
    """Find the centres of the regions of an atlas."""
    input:
        unpack(of_job(jobs.atlas)),
    output:
        **outputs_of(names.atlas_seeds, ("{seed_set}",), products.SEEDS),
    log:
        log_of("atlas_seeds", names.atlas_seeds("{seed_set}", "seeds")),
    wildcard_constraints:
        seed_set=one_of(STUDY.atlases),
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("atlas_seeds"),
    message:
        "Finding the regions of {wildcards.seed_set}"
    script:
        "../../scripts/atlas_seeds.py"


rule describe_study:
    """Write down what the data set is and the complete settings that made it."""
    output:
        **{key: result(path) for key, path in products.DESCRIPTION.items()},
    log:
        log_of("describe_study", "study"),
    localrule: True
    conda:
        "../../envs/sphereconn.yaml"
    params:
        settings=STUDY.settings,
        code=code_of("describe_study"),
    message:
        "Describing the study"
    script:
        "../../scripts/describe_study.py"


rule remove_orphans:
    """List the results that the configuration no longer requests; remove them with --config remove=true."""
    log:
        log_of("remove_orphans", "removed"),
    localrule: True
    conda:
        "../../envs/sphereconn.yaml"
    params:
        folder=STUDY.output_dir,
        unwanted=unwanted,
        confirmed=ORDERS["remove"],
    message:
        "Looking for results that the configuration no longer requests"
    script:
        "../../scripts/remove_orphans.py"
