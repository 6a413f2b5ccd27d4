"""Signals: the mean over each sphere, then cleaned.

Needs: the images, masks and confounds of the runs table, the seed tables.
Gives: sub-*/func/*_atlas-*_timeseries.tsv, *_nodes.tsv, *_atlas-*_desc-*_timeseries.tsv, each with a sidecar.
"""


rule extract:
    """Average the image over each sphere of a seed set, frame by frame."""
    input:
        unpack(image_files),
    output:
        signals=result(names.sphere_signals(*OF_SPHERES)),
        nodes=result(names.sphere_signals(*OF_SPHERES, "nodes.tsv")),
        sidecar=result(names.sphere_signals(*OF_SPHERES, "timeseries.json")),
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
        settings=sphere_settings,
        code=code_of("extract"),
    message:
        "Extracting {wildcards.seed_set} from {wildcards.stem}"
    script:
        "../../scripts/extract.py"


rule clean:
    """Filter the sphere signals and take the confounds out of them."""
    input:
        unpack(confound_inputs),
        signals=rules.extract.output.signals,
        sidecar=rules.extract.output.sidecar,
    output:
        signals=result(names.cleaned_signals(*OF_SIGNALS)),
        sidecar=result(names.cleaned_signals(*OF_SIGNALS, "timeseries.json")),
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
        [
            result(names.cleaned_signals(run.folder, run.stem, item.seed_set, item.denoising))
            for item in STUDY.combinations
            for run in item.runs
        ],
    message:
        "All signals are cleaned"
