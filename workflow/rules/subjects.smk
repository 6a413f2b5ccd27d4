"""Subjects: several runs of one combined, by joining their signals in time or by averaging their connectomes.

Needs: sub-*/func/*_atlas-*_desc-*_timeseries.tsv, *_nodes.tsv; to be averaged, *_relmat.tsv.
Gives: with run-all in place of the entities that are combined over, sub-*/func/*_desc-*_nodes.tsv, and
*_desc-*_timeseries.tsv, which connectomes.smk estimates connectomes from, or *_relmat.tsv, each with a sidecar.
"""


rule combine_nodes:
    """Put together how well the nodes were measured in the runs of a subject."""
    input:
        nodes=nodes_of(runs_of_subject),
        sidecars=signals_of(runs_of_subject, "timeseries.json"),
    output:
        nodes=result(names.combined_nodes(*OF_SIGNALS)),
    log:
        log_of("combine_nodes", names.combined_nodes(*OF_SIGNALS)),
    wildcard_constraints:
        stem=f"{STEM_OF_JOINED}|{STEM_OF_AVERAGED}",
    group:
        "runs"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(1),
    params:
        in_all=HOW_COMBINED == "concatenate",
        code=code_of("combine_nodes"),
    message:
        "Combining the nodes of {wildcards.seed_set} of {wildcards.stem} ({wildcards.denoising})"
    script:
        "../../scripts/combine_nodes.py"


rule concatenate:
    """Join the cleaned signals of the runs of a subject in time, z-scored within each run."""
    input:
        signals=signals_of(runs_of_subject),
        sidecars=signals_of(runs_of_subject, "timeseries.json"),
        nodes=rules.combine_nodes.output.nodes,
    output:
        signals=result(names.cleaned_signals(*OF_SIGNALS)),
        sidecar=result(names.cleaned_signals(*OF_SIGNALS, "timeseries.json")),
    log:
        log_of("concatenate", names.cleaned_signals(*OF_SIGNALS, "timeseries")),
    wildcard_constraints:
        stem=STEM_OF_JOINED,
    group:
        "runs"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(1),
    params:
        code=code_of("concatenate"),
    message:
        "Joining the signals of {wildcards.seed_set} of {wildcards.stem} ({wildcards.denoising})"
    script:
        "../../scripts/concatenate.py"


rule average:
    """Average the connectomes of the runs of a subject."""
    input:
        matrices=connectomes_of(runs_of_subject),
        sidecars=connectomes_of(runs_of_subject, "relmat.json"),
        nodes=rules.combine_nodes.output.nodes,
    output:
        matrix=result(names.connectome(*OF_CONNECTOME)),
        sidecar=result(names.connectome(*OF_CONNECTOME, "relmat.json")),
    log:
        log_of("average", names.connectome(*OF_CONNECTOME, "relmat")),
    wildcard_constraints:
        stem=STEM_OF_AVERAGED,
    group:
        batch_of
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(1),
    params:
        settings=lambda wildcards: STUDY.estimators[wildcards.estimator],
        weights=STUDY.combine["weights"] if STUDY.combine else None,
        code=code_of("average"),
    message:
        "Averaging {wildcards.seed_set} of {wildcards.stem} ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/average.py"


rule subjects:
    """All connectomes of combined runs."""
    input:
        [
            result(path)
            for item in STUDY.combinations
            for subject in item.combined
            for path in (
                names.connectome(subject.folder, subject.stem, item.seed_set, item.denoising, item.estimator),
                names.combined_nodes(subject.folder, subject.stem, item.seed_set, item.denoising),
            )
        ],
    message:
        "All connectomes of combined runs are there"
