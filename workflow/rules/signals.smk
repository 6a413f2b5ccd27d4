"""Signals: the mean over each sphere, then cleaned.

Needs: the images, masks and confounds of the runs table, the seed tables.
Gives: sub-*/func/*_atlas-*_timeseries.tsv, *_nodes.tsv, *_atlas-*_desc-*_timeseries.tsv, each with a sidecar.
"""

CODE_OF_EXTRACTION = code_of("extract")
# A process that runs jobs for another one does not plan; it is told, but later than this is read.
TOGETHER = (
    together.planned(STUDY, LEDGERS[0], CODE_OF_EXTRACTION)
    if workflow.is_main_process
    else together.told(lambda: workflow.dag_settings.target_jobs)
)


rule extract_together:
    """Average the image over the spheres of all seed sets that are out of date, in one pass, if there are several."""
    input:
        unpack(of_job(together.images)),
    output:
        temporary=temp(result(names.extracted_together("{stem}", "{together}"))),
    log:
        log_of("extract_together", "{stem}_together-{together}"),
    wildcard_constraints:
        stem=STEM_OF_RUN,
        together="[0-9a-f]+",
    group:
        "runs"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(700),
        runtime=growing(3),
    params:
        settings=of_job(together.settings),
        code=code_of("extract_together"),
    message:
        "Reading {wildcards.stem} for several seed sets"
    script:
        "../../scripts/extract_together.py"


rule extract:
    """Average the image over each sphere of a seed set, frame by frame."""
    input:
        unpack(of_job(together.extracted_from, TOGETHER)),
    output:
        **outputs_of(names.sphere_signals, OF_SPHERES, products.EXTRACTED),
    log:
        log_of("extract", names.sphere_signals(*OF_SPHERES, "timeseries")),
    wildcard_constraints:
        stem=STEM_OF_RUN,
    group:
        "runs"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(700),
        runtime=growing(3),
    params:
        settings=of_job(jobs.sphere_settings),
        code=CODE_OF_EXTRACTION,
    message:
        "Extracting {wildcards.seed_set} from {wildcards.stem}"
    script:
        "../../scripts/extract.py"


rule clean:
    """Filter the sphere signals and take the confounds out of them."""
    input:
        unpack(of_job(jobs.confounds)),
        signals=rules.extract.output.signals,
        sidecar=rules.extract.output.sidecar,
    output:
        **outputs_of(names.cleaned_signals, OF_SIGNALS, products.CLEANED),
    log:
        log_of("clean", names.cleaned_signals(*OF_SIGNALS, "timeseries")),
    wildcard_constraints:
        stem=STEM_OF_RUN,
    priority: 1
    group:
        "runs"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(1),
    params:
        settings=lambda wildcards: STUDY.denoising[wildcards.denoising],
        code=code_of("clean"),
    message:
        "Cleaning {wildcards.seed_set} of {wildcards.stem} ({wildcards.denoising})"
    script:
        "../../scripts/clean.py"


rule signals:
    """All cleaned signals."""
    input:
        targets(STUDY, "signals"),
    message:
        "All signals are cleaned"
