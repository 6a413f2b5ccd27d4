"""Figures: what single runs and groups look like. They draw numbers and compute none.

Needs: sub-*/func/*_timeseries.tsv, *_relmat.tsv, group/*_stat-mean_relmat.tsv, the nodes tables.
Gives: sub-*/figures/*, group/figures/*.
"""

FORMAT = STUDY.figures["format"]
SIGNALS_STYLE = {key: STUDY.figures[key] for key in ("dpi",)}
MATRIX_STYLE = {key: STUDY.figures[key] for key in ("dpi", "matrix")}


rule draw_signals:
    """Draw the cleaned signals of a run."""
    input:
        signals=rules.clean.output.signals,
        sidecar=rules.clean.output.sidecar,
        nodes=rules.extract.output.nodes,
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
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        style=SIGNALS_STYLE,
        code=code_of("draw_signals"),
    message:
        "Drawing the signals of {wildcards.seed_set} of {wildcards.stem}"
    script:
        "../../scripts/draw_signals.py"


rule draw_connectome:
    """Draw the connectome of a run."""
    input:
        matrix=rules.connect.output.matrix,
        sidecar=rules.connect.output.sidecar,
        nodes=rules.extract.output.nodes,
    output:
        report(
            result(names.connectome_figure(*OF_CONNECTOME, FORMAT)),
            caption="../report/connectome.rst",
            category="Runs",
            subcategory="{stem}",
            labels={"seed set": "{seed_set}", "denoising": "{denoising}", "figure": "{estimator}"},
        ),
    log:
        log_of("draw_connectome", names.connectome_figure(*OF_CONNECTOME, FORMAT)),
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        style=MATRIX_STYLE,
        code=code_of("draw_matrix"),
    message:
        "Drawing {wildcards.seed_set} of {wildcards.stem} ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/draw_matrix.py"


rule draw_group:
    """Draw the mean connectome of a group."""
    input:
        matrix=rules.aggregate.output.mean,
        sidecar=rules.aggregate.output.sidecar,
        nodes=rules.aggregate.output.nodes,
    output:
        report(
            result(names.group_figure(*OF_GROUP, f"stat-mean_relmat.{FORMAT}")),
            caption="../report/group.rst",
            category="Groups",
            subcategory="{group}",
            labels={"seed set": "{seed_set}", "denoising": "{denoising}", "figure": "{estimator}"},
        ),
    log:
        log_of("draw_group", names.group_figure(*OF_GROUP, f"relmat.{FORMAT}")),
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        style=MATRIX_STYLE,
        code=code_of("draw_matrix"),
    message:
        "Drawing the mean of {wildcards.seed_set} over {wildcards.group} ({wildcards.estimator})"
    script:
        "../../scripts/draw_matrix.py"


rule figures:
    """All figures."""
    input:
        [
            result(path)
            for item in STUDY.combinations
            for run in item.runs
            if run.stem in STUDY.figure_runs
            for path in (
                names.signals_figure(run.folder, run.stem, item.seed_set, item.denoising, FORMAT),
                names.connectome_figure(run.folder, run.stem, item.seed_set, item.denoising, item.estimator, FORMAT),
            )
        ],
        [
            result(
                names.group_figure(group, item.seed_set, item.denoising, item.estimator, f"stat-mean_relmat.{FORMAT}")
            )
            for item in STUDY.combinations
            for group in groups_of(item.runs, STUDY.groups)
        ],
    message:
        "All figures are drawn"
