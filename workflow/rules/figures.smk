"""Figures: what single runs and groups look like. They draw numbers and compute none.

Needs: sub-*/func/*_timeseries.tsv, *_relmat.tsv, group/*_stat-mean_relmat.tsv, the nodes tables.
Gives: sub-*/figures/*, group/figures/*.
"""


rule draw_signals:
    """Draw the cleaned signals of a run."""
    input:
        unpack(of_job(jobs.drawn_signals)),
        signals=rules.clean.output.signals,
        sidecar=rules.clean.output.sidecar,
    output:
        report(
            result(names.signals_figure(*OF_SIGNALS, FORMAT)),
            caption="../report/signals.rst",
            category="Runs",
            subcategory="{stem}",
            labels={"seed set": "{seed_set}", "denoising": "{denoising}", "figure": "signals"},
        ),
    log:
        log_of("draw_signals", names.signals_figure(*OF_SIGNALS, FORMAT)),
    group:
        "runs"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(700),
        runtime=growing(1),
    params:
        style={"dpi": STUDY.figures["dpi"]},
        code=code_of("draw_signals"),
    message:
        "Drawing the signals of {wildcards.seed_set} of {wildcards.stem}"
    script:
        "../../scripts/draw_signals.py"


rule measure_scale:
    """Measure how far the connectomes of groups reach, so that their figures share one scale."""
    input:
        unpack(of_job(jobs.scaled_connectomes)),
    output:
        result(names.figure_scale("{seed_set}", "{estimator}")),
    log:
        log_of("measure_scale", names.figure_scale("{seed_set}", "{estimator}")),
    group:
        "groups"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(700),
        runtime=growing(1),
    params:
        code=code_of("measure_scale"),
    message:
        "Measuring the scale of the figures of groups of {wildcards.seed_set} ({wildcards.estimator})"
    script:
        "../../scripts/measure_scale.py"


# Figures of one connectome, and of the penalties that it was chosen from. Those of strengths, the largest files, are in
# report.html alone, or Snakemake's report would be twice as large.
for KIND, FIGURE in drawn.FIGURES.items():
    shown = report if KIND != "strength" else lambda path, **_: path

    rule:
        name:
            f"draw_{KIND}"
        input:
            unpack(of_job(jobs.drawn_path if KIND == "path" else jobs.drawn_connectome)),
        output:
            **({"table": result(names.network_table(*OF_FIGURE))} if KIND == "networks" else {}),
            figure=shown(
                result(names.connectome_figure(*OF_FIGURE, f"{FIGURE.ending}.{FORMAT}")),
                caption=f"../report/{KIND}.rst",
                category=figure_category,
                subcategory="{whose}",
                labels={
                    "seed set": "{seed_set}",
                    "denoising": "{denoising}",
                    "estimator": "{estimator}",
                    "figure": FIGURE.shows,
                },
            ),
        log:
            log_of(f"draw_{KIND}", names.connectome_figure(*OF_FIGURE, FIGURE.ending)),
        group:
            of_job(jobs.connectome_batch)
        conda:
            "../../envs/sphereconn.yaml"
        threads: 1
        resources:
            mem_mb=growing(700),
            runtime=growing(1),
        params:
            kind=KIND,  # the path of a script is read when a job runs, long after the loop
            style=of_job(jobs.figure_style, KIND),
            code=code_of(f"draw_{KIND}", [OUTLINES] if FIGURE.on_brain else []),
        message:
            f"Drawing {{wildcards.seed_set}} of {{wildcards.whose}} {FIGURE.drawing} ({{wildcards.estimator}})"
        script:
            "../../scripts/draw_{params.kind}.py"


rule draw_difference:
    """Draw two groups, or two denoisings, and their difference: large figures, that are in report.html alone."""
    input:
        unpack(of_job(jobs.subtracted)),
    output:
        **{
            kind: result(names.connectome_figure("group", *OF_FIGURE[1:], ENDING))
            for kind, ENDING in endings(differences.FIGURES, FORMAT).items()
        },
    log:
        log_of("draw_difference", names.connectome_figure("group", *OF_FIGURE[1:], "difference")),
    group:
        "groups"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(700),
        runtime=growing(1),
    params:
        style=of_job(jobs.figure_style, "glass_brain"),
        words=of_job(jobs.difference_words),
        code=code_of("draw_difference", [OUTLINES]),
    message:
        "Drawing the difference {wildcards.whose} of {wildcards.seed_set} ({wildcards.estimator})"
    script:
        "../../scripts/draw_difference.py"


rule draw_page:
    """Make the interactive page of the connectomes of a run, or of all groups."""
    input:
        unpack(of_job(jobs.page_connectomes)),
    output:
        report(
            result(names.page("{folder}", "{whose}", "{seed_set}", "{denoising}")),
            caption="../report/page.rst",
            category=figure_category,
            subcategory="{whose}",
            labels={"seed set": "{seed_set}", "denoising": "{denoising}", "figure": "interactive page"},
        ),
    log:
        log_of("draw_page", names.page("{folder}", "{whose}", "{seed_set}", "{denoising}")),
    group:
        of_job(jobs.page_batch)
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(700),
        runtime=growing(1),
    params:
        style=of_job(jobs.figure_style, "page"),
        connectomes=of_job(jobs.page_labels),
        code=code_of("draw_page", PAGE_ASSETS),
    message:
        "Making the interactive page of {wildcards.seed_set} of {wildcards.whose} ({wildcards.denoising})"
    script:
        "../../scripts/draw_page.py"


rule figures:
    """All figures."""
    input:
        targets(STUDY, "figures"),
    message:
        "All figures are drawn"
