"""Contrasts: a linear model of every edge over the runs of a combination, tested by permutation.

Needs: group/*_stack.npy with its tables, group/group-all_*_nodes.tsv.
Gives: group/contrast-*_stat-*_relmat.tsv, *_edges.tsv, *_components.tsv, *_networkpairs.tsv, *_design.tsv, *_contrast.json,
  the permutations as *_shuffles*.npz, group/figures/contrast-*.
"""

# What a contrast has depends on its settings: each has rules of its own.
for CONTRAST in STUDY.contrasts:
    OF_CONTRAST = "_".join(CONTRAST.labels)
    TESTED = {
        **outputs_of(names.group_result, (ALL_RUNS, *CONTRAST.item.labels), products.STACKED),
        "nodes": result(names.group_result(ALL_RUNS, *CONTRAST.item.labels, products.AGGREGATED["nodes"])),
    }

    RESULTS = outputs_of(names.contrast_result, CONTRAST.labels, contrasted.tested(CONTRAST))

    if CONTRAST.n_chunks:

        rule:
            name:
                f"shuffle_{OF_CONTRAST}"
            input:
                **TESTED,
            output:
                result(names.contrast_result(*CONTRAST.labels, "shuffles{chunk}.npz")),
            log:
                log_of("shuffle_contrast", names.contrast_result(*CONTRAST.labels, "shuffles{chunk}")),
            wildcard_constraints:
                chunk=r"\d+",
            conda:
                "../../envs/sphereconn.yaml"
            threads: 1
            resources:
                mem_mb=growing(2000),
                runtime=growing(60),
            params:
                contrast=CONTRAST.label,
                settings=CONTRAST.model_settings,
                numbers=lambda wildcards, contrast=CONTRAST: contrast.numbers(int(wildcards.chunk)),
                code=code_of("shuffle_contrast"),
            message:
                "Permuting a contrast ({wildcards.chunk})"
            script:
                "../../scripts/shuffle_contrast.py"

    rule:
        name:
            f"test_{OF_CONTRAST}"
        input:
            **TESTED,
            shuffles=[*outputs_of(names.contrast_result, CONTRAST.labels, contrasted.chunks(CONTRAST)).values()],
        output:
            **RESULTS,
        log:
            log_of("test_contrast", names.contrast_result(*CONTRAST.labels, "contrast")),
        group:
            "contrasts"
        conda:
            "../../envs/sphereconn.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(30),
        params:
            contrast=CONTRAST.label,
            words=contrasted.asked_words(CONTRAST),
            settings={**CONTRAST.model_settings, "level": CONTRAST.settings["level"]},
            code=code_of("test_contrast"),
        message:
            "Testing a contrast"
        script:
            "../../scripts/test_contrast.py"

    rule:
        name:
            f"draw_{OF_CONTRAST}"
        input:
            **{
                key: RESULTS[key]
                for key in ("components", "pairs", "strongest", "sidecar", "effect", "statistic", "significant")
            },
            nodes=TESTED["nodes"],
        output:
            **{
                kind: report(
                    path,
                    caption="../report/contrast.rst",
                    category="Contrasts",
                    subcategory=CONTRAST.label,
                    labels={
                        "seed set": CONTRAST.item.seed_set,
                        "denoising": CONTRAST.item.denoising,
                        "estimator": CONTRAST.item.estimator,
                        "figure": kind.replace("_", " "),
                    },
                )
                for kind, path in outputs_of(
                    names.contrast_figure, CONTRAST.labels, endings(contrasted.FIGURES, FORMAT)
                ).items()
            },
        log:
            log_of("draw_contrast", names.contrast_result(*CONTRAST.labels, "contrast")),
        group:
            "contrasts"
        conda:
            "../../envs/sphereconn.yaml"
        threads: 1
        resources:
            mem_mb=growing(700),
            runtime=growing(5),
        params:
            title=contrasted.title(CONTRAST),
            tested=contrasted.tested_words(CONTRAST),
            dpi=STUDY.figures["dpi"],
            code=code_of("draw_contrast"),
        message:
            "Drawing a contrast"
        script:
            "../../scripts/draw_contrast.py"


rule contrasts:
    """All contrasts and their figures."""
    input:
        targets(STUDY, "contrasts"),
    message:
        "All contrasts are tested"
