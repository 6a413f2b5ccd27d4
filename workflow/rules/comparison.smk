"""Comparison of denoising: what motion is left in the connectomes, and what its removal cost, strategy by strategy.

Needs: group/*_stack.npy with its tables, group/group-all_*_nodes.tsv.
Gives: group/group-all_*_organization.tsv, group/comparison-denoising_*_criteria.tsv, *_distance.tsv, *_similarity.tsv,
  *_stat-qcfc_relmat.tsv, *_comparison.json, group/figures/comparison-denoising_*.
"""


rule measure_organization:
    """Measure modularity and the separation of networks in the connectome of every run."""
    input:
        stack=rules.stack.output.stack,
        runs=rules.stack.output.runs,
        sidecar=rules.stack.output.sidecar,
        nodes=result(names.group_result(ALL_RUNS, *OF_COMBINATION, "nodes.tsv")),
    output:
        **outputs_of(names.group_result, (ALL_RUNS, *OF_COMBINATION), comparisons.ORGANIZATION),
    log:
        log_of("measure_organization", names.group_result(ALL_RUNS, *OF_COMBINATION, "organization")),
    group:
        "comparison"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
    params:
        code=code_of("measure_organization"),
    message:
        "Measuring the organization of {wildcards.seed_set} ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/measure_organization.py"


# A comparison has a file for each of its denoisings, and these differ: each has rules of its own.
for COMPARISON in STUDY.comparisons:
    OF_COMPARISON = f"{COMPARISON.seed_set}_{COMPARISON.estimator}"
    COMPARED = {key: result(path) for key, path in COMPARISON.tables().items()}
    NODES_COMPARED = result(COMPARISON.stacked("nodes.tsv")[0])
    QCFC = [result(path) for path in COMPARISON.matrices()]

    rule:
        name:
            f"compare_denoising_{OF_COMPARISON}"
        input:
            stacks=[result(path) for path in COMPARISON.stacked("stack.npy")],
            runs=[result(path) for path in COMPARISON.stacked("stack.tsv")],
            quality=[result(path) for path in COMPARISON.stacked("quality.tsv")],
            sidecars=[result(path) for path in COMPARISON.stacked("stack.json")],
            organization=[result(path) for path in COMPARISON.stacked(comparisons.ORGANIZATION["organization"])],
            nodes=NODES_COMPARED,
        output:
            **COMPARED,
            qcfc=QCFC,
        log:
            log_of(
                "compare_denoising", names.comparison_result(COMPARISON.seed_set, COMPARISON.estimator, "comparison")
            ),
        group:
            "comparison"
        conda:
            "../../envs/sphereconn.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(60),
        params:
            labels=COMPARISON.denoising,
            motion=COMPARISON.motion,
            covariates=list(COMPARISON.covariates),
            title=COMPARISON.title,
            code=code_of("compare_denoising"),
        message:
            "Comparing denoising"
        script:
            "../../scripts/compare_denoising.py"

    rule:
        name:
            f"draw_comparison_{OF_COMPARISON}"
        input:
            **COMPARED,
            qcfc=QCFC,
            nodes=NODES_COMPARED,
        output:
            **{
                kind: report(
                    result(path),
                    caption="../report/comparison.rst",
                    category="Comparisons",
                    labels={
                        "seed set": COMPARISON.seed_set,
                        "estimator": COMPARISON.estimator,
                        "figure": kind,
                    },
                )
                for kind, path in COMPARISON.figures(FORMAT).items()
            },
        log:
            log_of("draw_comparison", names.comparison_result(COMPARISON.seed_set, COMPARISON.estimator, "comparison")),
        group:
            "comparison"
        conda:
            "../../envs/sphereconn.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(5),
        params:
            labels=COMPARISON.denoising,
            title=COMPARISON.title,
            dpi=STUDY.figures["dpi"],
            code=code_of("draw_comparison"),
        message:
            "Drawing a comparison of denoising"
        script:
            "../../scripts/draw_comparison.py"


rule comparison:
    """All comparisons of denoising and their figures."""
    input:
        targets(STUDY, "comparison"),
    message:
        "All denoising is compared"
