"""Comparisons: of denoising, by what motion is left in the connectomes and what its removal cost; of radii.

Needs: group/*_stack.npy with its tables, group/group-all_*_nodes.tsv, contrasts and reliability of seed sets with
  several radii.
Gives: group/group-all_*_organization.tsv, group/comparison-denoising_*_criteria.tsv, *_distance.tsv, *_similarity.tsv,
  *_motiongroups.tsv, *_stat-qcfc_relmat.tsv, *_stat-motiondifference_relmat.tsv, *_comparison.json,
  group/comparison-radii_*_radii.tsv, *_similarity.tsv, *_radii.json, group/figures/comparison-*.
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
    QCFC = [result(path) for path in COMPARISON.matrices(comparisons.QCFC)]
    DIFFERENCE = [result(path) for path in COMPARISON.matrices(comparisons.DIFFERENCE)]

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
            difference=DIFFERENCE,
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
            difference=DIFFERENCE,
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


for RADII in STUDY.radius_comparisons:
    OF_RADII = "_".join(RADII.labels)
    COMPARED = {key: result(path) for key, path in RADII.tables().items()}

    rule:
        name:
            f"compare_radii_{OF_RADII}"
        input:
            stacks=[result(path) for path in RADII.stacked("stack.npy")],
            runs=[result(path) for path in RADII.stacked("stack.tsv")],
            quality=[result(path) for path in RADII.stacked("quality.tsv")],
            sidecars=[result(path) for path in RADII.stacked("stack.json")],
            nodes=[result(path) for path in RADII.stacked("nodes.tsv")],
            statistics=[result(path) for path in RADII.contrasted("stat-statistic_relmat.tsv")],
            significant=[result(path) for path in RADII.contrasted("stat-significant_relmat.tsv")],
            reliability=[result(path) for path in RADII.reliabilities()],
        output:
            **COMPARED,
        log:
            log_of("compare_radii", names.radii_result(*RADII.labels, "radii")),
        group:
            "comparison"
        conda:
            "../../envs/sphereconn.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(30),
        params:
            labels=RADII.of_each,
            motion=RADII.motion,
            covariates=list(RADII.covariates),
            contrasts=list(RADII.contrasts),
            title=RADII.title,
            code=code_of("compare_radii"),
        message:
            "Comparing the radii of a seed set"
        script:
            "../../scripts/compare_radii.py"

    rule:
        name:
            f"draw_radii_{OF_RADII}"
        input:
            **COMPARED,
        output:
            report(
                result(RADII.figure(FORMAT)),
                caption="../report/radii.rst",
                category="Comparisons",
                labels={
                    "seed set": RADII.seed_set,
                    "estimator": RADII.estimator,
                    "figure": f"radii, {RADII.denoising}",
                },
            ),
        log:
            log_of("draw_radii", names.radii_result(*RADII.labels, "radii")),
        group:
            "comparison"
        conda:
            "../../envs/sphereconn.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(5),
        params:
            title=RADII.title,
            dpi=STUDY.figures["dpi"],
            code=code_of("draw_radii"),
        message:
            "Drawing a comparison of radii"
        script:
            "../../scripts/draw_radii.py"


rule comparison:
    """All comparisons of denoising and of radii, and their figures."""
    input:
        targets(STUDY, "comparison"),
    message:
        "All denoising and radii are compared"
