"""Subjects: several runs of one combined, by joining their signals in time or by averaging their connectomes.

Needs: sub-*/func/*_atlas-*_desc-*_timeseries.tsv, *_nodes.tsv; to be averaged, *_edges.npy, *_relmat.json.
Gives: with run-all in place of the entities that are combined over, sub-*/func/*_desc-*_nodes.tsv, and
*_desc-*_timeseries.tsv, which connectomes.smk estimates connectomes from, or *_relmat.tsv and *_edges.npy, with sidecars.
"""


rule combine_nodes:
    """Put together how well the nodes were measured in the runs of a subject."""
    input:
        unpack(of_job(jobs.combined_nodes)),
    output:
        **outputs_of(names.cleaned_signals, OF_SIGNALS, products.COMBINED_NODES),
    log:
        log_of("combine_nodes", names.combined_nodes(*OF_SIGNALS)),
    wildcard_constraints:
        stem=STEM_OF_COMBINED,
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


if HOW_COMBINED == "concatenate":

    rule concatenate:
        """Join the cleaned signals of the runs of a subject in time, z-scored within each run."""
        input:
            unpack(of_job(jobs.combined_signals)),
            nodes=rules.combine_nodes.output.nodes,
        output:
            **outputs_of(names.cleaned_signals, OF_SIGNALS, products.CLEANED),
        log:
            log_of("concatenate", names.cleaned_signals(*OF_SIGNALS, "timeseries")),
        wildcard_constraints:
            stem=STEM_OF_COMBINED,
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

else:

    rule average:
        """Average the connectomes of the runs of a subject."""
        input:
            unpack(of_job(jobs.combined_connectomes)),
            nodes=rules.combine_nodes.output.nodes,
        output:
            **outputs_of(names.connectome, OF_CONNECTOME, products.CONNECTED),
        log:
            log_of("average", names.connectome(*OF_CONNECTOME, "relmat")),
        wildcard_constraints:
            stem=STEM_OF_COMBINED,
        group:
            of_job(jobs.connectome_batch)
        conda:
            "../../envs/sphereconn.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(1),
        params:
            settings=lambda wildcards: STUDY.estimators[wildcards.estimator],
            weights=STUDY.combine["weights"],
            code=code_of("average"),
        message:
            "Averaging {wildcards.seed_set} of {wildcards.stem} ({wildcards.estimator}, {wildcards.denoising})"
        script:
            "../../scripts/average.py"


rule combined:
    """All that is made of combined runs."""
    input:
        targets(STUDY, "combined"),
    message:
        "All connectomes of combined runs are there"
