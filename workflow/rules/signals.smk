"""Signals: the mean over each sphere, then cleaned.

Needs: the images, masks and confounds of the runs table, the seed tables.
Gives: sub-*/func/*_atlas-*_timeseries.tsv, *_nodes.tsv, *_atlas-*_desc-*_timeseries.tsv, each with a sidecar.
"""


rule extract:
    """Average the image over each sphere of a seed set, frame by frame."""
    input:
        unpack(of_job(jobs.image)),
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
        code=code_of("extract"),
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
