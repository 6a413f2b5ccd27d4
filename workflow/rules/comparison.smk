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
        **outputs_of(names.group_result, (ALL_RUNS, *OF_COMBINATION), compared.ORGANIZATION),
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
    COMPARED = outputs_of(names.comparison_result, COMPARISON.labels, compared.COMPARISON)
    NODES_COMPARED = result(compared.of_all_runs(COMPARISON.items, "nodes.tsv")[0])
    OF_DENOISING = {
        key: [result(path) for path in paths] for key, paths in compared.of_each_denoising(COMPARISON).items()
    }

    rule:
        name:
            f"compare_denoising_{OF_COMPARISON}"
        input:
            stacks=[result(path) for path in compared.of_all_runs(COMPARISON.items, "stack.npy")],
            runs=[result(path) for path in compared.of_all_runs(COMPARISON.items, "stack.tsv")],
            quality=[result(path) for path in compared.of_all_runs(COMPARISON.items, "quality.tsv")],
            sidecars=[result(path) for path in compared.of_all_runs(COMPARISON.items, "stack.json")],
            organization=[
                result(path) for path in compared.of_all_runs(COMPARISON.items, compared.ORGANIZATION["organization"])
            ],
            nodes=NODES_COMPARED,
        output:
            **COMPARED,
            **OF_DENOISING,
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
            **OF_DENOISING,
            nodes=NODES_COMPARED,
        output:
            **{
                kind: report(
                    path,
                    caption="../report/comparison.rst",
                    category="Comparisons",
                    labels={
                        "seed set": COMPARISON.seed_set,
                        "estimator": COMPARISON.estimator,
                        "figure": kind,
                    },
                )
                for kind, path in outputs_of(
                    names.comparison_figure, COMPARISON.labels, endings(compared.OF_COMPARISON, FORMAT)
                ).items()
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
    COMPARED = outputs_of(names.radii_result, RADII.labels, compared.RADII)

    rule:
        name:
            f"compare_radii_{OF_RADII}"
        input:
            stacks=[result(path) for path in compared.of_all_runs(RADII.items, "stack.npy")],
            runs=[result(path) for path in compared.of_all_runs(RADII.items, "stack.tsv")],
            quality=[result(path) for path in compared.of_all_runs(RADII.items, "quality.tsv")],
            sidecars=[result(path) for path in compared.of_all_runs(RADII.items, "stack.json")],
            nodes=[result(path) for path in compared.of_all_runs(RADII.items, "nodes.tsv")],
            statistics=[result(path) for path in compared.of_contrasts(RADII, "stat-statistic_relmat.tsv")],
            significant=[result(path) for path in compared.of_contrasts(RADII, "stat-significant_relmat.tsv")],
            reliability=[result(path) for path in compared.of_reliability(RADII)],
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
                *outputs_of(names.radii_figure, RADII.labels, endings(compared.OF_RADII, FORMAT)).values(),
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
