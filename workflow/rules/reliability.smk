"""Reliability: how alike the connectomes of repeated runs of a subject, or of halves of runs, are.

Needs: group/*_stack.npy with its table, group/group-all_*_nodes.tsv, sub-*/func/*_desc-*_timeseries.tsv with sidecars.
Gives: group/reliability-*_stat-icc*_relmat.tsv, *_edges.tsv, *_networkpairs.tsv, *_summary.tsv, *_identification.tsv,
  *_similarity.tsv, *_reliability.json, *_minutes.*, for halves *_stack.*, group/figures/reliability-*.
"""

# What there is depends on what is asked for: each combination has rules of its own.
for RELIABILITY in STUDY.reliabilities:
    OF_RELIABILITY = "_".join(RELIABILITY.labels)
    ITEM = RELIABILITY.item
    NODES = result(names.group_result(ALL_RUNS, *RELIABILITY.labels[1:], "nodes.tsv"))
    SIGNALS = jobs.signals_of(STUDY, RELIABILITY.members, ITEM.seed_set, ITEM.denoising)
    OF_HALVES = outputs_of(names.reliability_result, RELIABILITY.labels, compared.HALVES)
    STACKED = {
        "stack": result(names.group_result(ALL_RUNS, *RELIABILITY.labels[1:], "stack.npy")),
        "runs": result(names.group_result(ALL_RUNS, *RELIABILITY.labels[1:], "stack.tsv")),
        "stacked": result(names.group_result(ALL_RUNS, *RELIABILITY.labels[1:], "stack.json")),
    }
    RESULTS = outputs_of(names.reliability_result, RELIABILITY.labels, compared.RELIABILITY)
    OF_LENGTHS = outputs_of(names.reliability_result, RELIABILITY.labels, compared.LENGTHS)
    FIGURES = endings(compared.reliability_figures(RELIABILITY), FORMAT)

    if not RELIABILITY.over:

        rule:
            name:
                f"halve_{OF_RELIABILITY}"
            input:
                **SIGNALS,
                nodes=NODES,
            output:
                **OF_HALVES,
            log:
                log_of("halve_runs", names.reliability_result(*RELIABILITY.labels, "stack")),
            group:
                "reliability"
            conda:
                "../../envs/sphereconn.yaml"
            threads: 1
            resources:
                mem_mb=growing(1000),
                runtime=growing(60),
            params:
                runs=[member.stem for member in RELIABILITY.members],
                subjects=[member.entities["subject"] for member in RELIABILITY.members],
                settings=STUDY.estimators[ITEM.estimator],
                code=code_of("halve_runs"),
            message:
                "Connecting the halves of runs"
            script:
                "../../scripts/halve_runs.py"

    rule:
        name:
            f"reliability_{OF_RELIABILITY}"
        input:
            **(STACKED if RELIABILITY.over else OF_HALVES),
            nodes=NODES,
        output:
            **RESULTS,
        log:
            log_of("measure_reliability", names.reliability_result(*RELIABILITY.labels, "reliability")),
        group:
            "reliability"
        conda:
            "../../envs/sphereconn.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(30),
        params:
            over=list(RELIABILITY.over),
            runs=[member.stem for member in RELIABILITY.members],
            settings=dict(RELIABILITY.settings),
            title=RELIABILITY.title,
            code=code_of("measure_reliability"),
        message:
            "Measuring reliability"
        script:
            "../../scripts/measure_reliability.py"

    if RELIABILITY.has_lengths:

        rule:
            name:
                f"lengths_{OF_RELIABILITY}"
            input:
                **SIGNALS,
                nodes=NODES,
            output:
                **OF_LENGTHS,
            log:
                log_of("measure_lengths", names.reliability_result(*RELIABILITY.labels, "minutes")),
            group:
                "reliability"
            conda:
                "../../envs/sphereconn.yaml"
            threads: 1
            resources:
                mem_mb=growing(1000),
                runtime=growing(60),
            params:
                subjects=[member.entities["subject"] for member in RELIABILITY.members],
                halves=not RELIABILITY.over,
                settings=STUDY.estimators[ITEM.estimator],
                minutes=RELIABILITY.minutes,
                title=RELIABILITY.title,
                code=code_of("measure_lengths"),
            message:
                "Measuring reliability by the length of runs"
            script:
                "../../scripts/measure_lengths.py"

    rule:
        name:
            f"draw_reliability_{OF_RELIABILITY}"
        input:
            **{key: RESULTS[key] for key in ("icc11", "pairs", "similarity", "sidecar")},
            **(OF_LENGTHS if RELIABILITY.has_lengths else {}),
            nodes=NODES,
        output:
            **{
                kind: report(
                    path,
                    caption="../report/reliability.rst",
                    category="Reliability",
                    subcategory=RELIABILITY.label,
                    labels={
                        "seed set": ITEM.seed_set,
                        "denoising": ITEM.denoising,
                        "estimator": ITEM.estimator,
                        "figure": kind,
                    },
                )
                for kind, path in outputs_of(names.reliability_figure, RELIABILITY.labels, FIGURES).items()
            },
        log:
            log_of("draw_reliability", names.reliability_result(*RELIABILITY.labels, "reliability")),
        group:
            "reliability"
        conda:
            "../../envs/sphereconn.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(5),
        params:
            title=RELIABILITY.title,
            minutes=RELIABILITY.minutes,
            dpi=STUDY.figures["dpi"],
            code=code_of("draw_reliability"),
        message:
            "Drawing reliability"
        script:
            "../../scripts/draw_reliability.py"


rule reliability:
    """All measures of reliability and their figures."""
    input:
        targets(STUDY, "reliability"),
    message:
        "All reliability is measured"
