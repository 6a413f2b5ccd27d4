"""Groups: the connectomes of all runs, and of each level of each grouping column, put together.

Needs: sub-*/func/*_edges.npy, *_relmat.json, *_nodes.tsv; where runs are combined, those with run-all in their names.
Gives: group/*_stack.npy with its table of runs; group/*_stat-mean_relmat.tsv, *_stat-std_*, *_stat-n_*, *_nodes.tsv.
"""


rule stack:
    """Put the edges of every run of a combination into one file, a row a run, readable block by block."""
    input:
        unpack(of_job(jobs.group_connectomes)),
    output:
        **outputs_of(names.group_result, (ALL_RUNS, *OF_COMBINATION), products.STACKED),
    log:
        log_of("stack", names.group_result(ALL_RUNS, *OF_COMBINATION, "stack")),
    group:
        "groups"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        runs=of_job(jobs.group_rows),
        estimator=lambda wildcards: STUDY.estimators[wildcards.estimator],
        combined=HOW_COMBINED,
        code=code_of("stack"),
    message:
        "Stacking the connectomes of {wildcards.seed_set} ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/stack.py"


rule aggregate:
    """Mean, standard deviation and number of runs of each edge, over the runs of a group."""
    input:
        stack=rules.stack.output.stack,
        runs=rules.stack.output.runs,
        sidecar=rules.stack.output.sidecar,
        nodes=of_job(jobs.group_nodes),
    output:
        **outputs_of(names.group_result, OF_GROUP, products.AGGREGATED),
    log:
        log_of("aggregate", names.group_result(*OF_GROUP, "relmat")),
    group:
        "groups"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        group=of_job(jobs.group_settings),
        code=code_of("aggregate"),
    message:
        "Aggregating {wildcards.seed_set} over {wildcards.group} ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/aggregate.py"


rule write_table:
    """Put the networks, the node strengths or the edges of all runs of a combination into a long table."""
    input:
        stack=rules.stack.output.stack,
        runs=rules.stack.output.runs,
        sidecar=rules.stack.output.sidecar,
        nodes=result(names.group_result(ALL_RUNS, *OF_COMBINATION, "nodes.tsv")),
    output:
        **outputs_of(names.group_result, (ALL_RUNS, *OF_COMBINATION), products.TABLE),
    log:
        log_of("write_table", names.group_result(ALL_RUNS, *OF_COMBINATION, "{kind}")),
    wildcard_constraints:
        kind="networks|strengths|edges",
    group:
        "groups"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(700),
        runtime=growing(30),
    params:
        kind=lambda wildcards: wildcards.kind,
        code=code_of("write_table"),
    message:
        "Writing the {wildcards.kind} of {wildcards.seed_set} ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/write_table.py"


rule groups:
    """All connectomes of groups, and the long tables."""
    input:
        targets(STUDY, "groups"),
    message:
        "All connectomes of groups are there"
