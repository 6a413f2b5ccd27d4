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


rule draw_matrix:
    """Draw a connectome as a matrix."""
    input:
        unpack(of_job(jobs.drawn_connectome)),
    output:
        report(
            result(names.connectome_figure(*OF_FIGURE, f"relmat.{FORMAT}")),
            caption="../report/matrix.rst",
            category=figure_category,
            subcategory="{whose}",
            labels=figure_labels("matrix"),
        ),
    log:
        log_of("draw_matrix", names.connectome_figure(*OF_FIGURE, "relmat")),
    group:
        of_job(jobs.connectome_batch)
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(700),
        runtime=growing(1),
    params:
        style=of_job(jobs.figure_style, "matrix"),
        code=code_of("draw_matrix"),
    message:
        "Drawing {wildcards.seed_set} of {wildcards.whose} as a matrix ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/draw_matrix.py"


rule draw_networks:
    """Draw the mean connectivity within and between networks."""
    input:
        unpack(of_job(jobs.drawn_connectome)),
    output:
        report(
            result(names.connectome_figure(*OF_FIGURE, f"networks.{FORMAT}")),
            caption="../report/networks.rst",
            category=figure_category,
            subcategory="{whose}",
            labels=figure_labels("networks"),
        ),
    log:
        log_of("draw_networks", names.connectome_figure(*OF_FIGURE, "networks")),
    group:
        of_job(jobs.connectome_batch)
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(700),
        runtime=growing(1),
    params:
        style=of_job(jobs.figure_style, "networks"),
        code=code_of("draw_networks"),
    message:
        "Drawing the networks of {wildcards.seed_set} of {wildcards.whose} ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/draw_networks.py"


rule draw_glass_brain:
    """Draw a connectome in outlines of the brain."""
    input:
        unpack(of_job(jobs.drawn_connectome)),
    output:
        report(
            result(names.connectome_figure(*OF_FIGURE, f"glassbrain-{{views}}.{FORMAT}")),
            caption="../report/glass_brain.rst",
            category=figure_category,
            subcategory="{whose}",
            labels=figure_labels("glass brain, {views}"),
        ),
    log:
        log_of("draw_glass_brain", names.connectome_figure(*OF_FIGURE, "glassbrain-{views}")),
    group:
        of_job(jobs.connectome_batch)
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(700),
        runtime=growing(1),
    params:
        style=of_job(jobs.figure_style, "glass_brain"),
        code=code_of("draw_glass_brain", [OUTLINES]),
    message:
        "Drawing {wildcards.seed_set} of {wildcards.whose} in a glass brain ({wildcards.estimator}, {wildcards.views})"
    script:
        "../../scripts/draw_glass_brain.py"


rule draw_strength:
    """Draw the strength of each node in outlines of the brain."""
    input:
        unpack(of_job(jobs.drawn_connectome)),
    output:
        report(
            result(names.connectome_figure(*OF_FIGURE, f"strength.{FORMAT}")),
            caption="../report/strength.rst",
            category=figure_category,
            subcategory="{whose}",
            labels=figure_labels("strength"),
        ),
    log:
        log_of("draw_strength", names.connectome_figure(*OF_FIGURE, "strength")),
    group:
        of_job(jobs.connectome_batch)
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(700),
        runtime=growing(1),
    params:
        style=of_job(jobs.figure_style, "strength"),
        code=code_of("draw_strength", [OUTLINES]),
    message:
        "Drawing the node strengths of {wildcards.seed_set} of {wildcards.whose} ({wildcards.estimator})"
    script:
        "../../scripts/draw_strength.py"


rule draw_path:
    """Draw the penalties that were tried for a sparse inverse covariance, with their scores."""
    input:
        unpack(of_job(jobs.drawn_path)),
    output:
        report(
            result(names.connectome_figure(*OF_FIGURE, f"path.{FORMAT}")),
            caption="../report/path.rst",
            category=figure_category,
            subcategory="{whose}",
            labels=figure_labels("path"),
        ),
    log:
        log_of("draw_path", names.connectome_figure(*OF_FIGURE, "path")),
    group:
        of_job(jobs.connectome_batch)
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(700),
        runtime=growing(1),
    params:
        style={"dpi": STUDY.figures["dpi"]},
        code=code_of("draw_path"),
    message:
        "Drawing the path of {wildcards.seed_set} of {wildcards.whose} ({wildcards.estimator})"
    script:
        "../../scripts/draw_path.py"


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
