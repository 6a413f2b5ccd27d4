"""Connectomes: one matrix for each run, seed set, denoising and estimator.

Needs: sub-*/func/*_atlas-*_desc-*_timeseries.tsv.
Gives: sub-*/func/*_atlas-*_meas-*_desc-*_relmat.tsv with a sidecar, and *_edges.npy, which later rules read; for sparse
  estimators the matrices of the fit as well, and *_stat-z_relmat.* where asked for.

Where combined.smk joins the runs of a subject in time, the result is estimated here like a run.
"""


rule connect:
    """Estimate the connectome of a run from its cleaned signals."""
    input:
        signals=rules.clean.output.signals,
        sidecar=rules.clean.output.sidecar,
    output:
        **outputs_of(names.connectome, OF_CONNECTOME, products.CONNECTED),
    log:
        log_of("connect", names.connectome(*OF_CONNECTOME, "relmat")),
    wildcard_constraints:
        stem=STEM_OF_ESTIMATED,
        estimator=one_of(set(STUDY.estimators) - SPARSE_ESTIMATORS - JOINT_ESTIMATORS),
    priority: 2
    group:
        "runs"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(1),
    params:
        settings=lambda wildcards: STUDY.estimators[wildcards.estimator],
        code=code_of("connect"),
    message:
        "Connecting {wildcards.seed_set} of {wildcards.stem} ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/connect.py"


rule score:
    """Measure the correlations of a run in their standard errors, under the autocorrelation of its signals."""
    input:
        signals=rules.clean.output.signals,
        sidecar=rules.clean.output.sidecar,
    output:
        **outputs_of(names.connectome, OF_CONNECTOME, products.SCORED),
    log:
        log_of("score", names.connectome(*OF_CONNECTOME, "stat-z_relmat")),
    wildcard_constraints:
        stem=STEM_OF_ESTIMATED,
        estimator=one_of(STUDY.scored_estimators),
    priority: 2
    group:
        "runs"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(1),
    params:
        code=code_of("score"),
    message:
        "Scoring the correlations of {wildcards.seed_set} of {wildcards.stem} ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/score.py"


rule connect_sparse:
    """Estimate the sparse inverse covariance of a run from its cleaned signals."""
    input:
        signals=rules.clean.output.signals,
        sidecar=rules.clean.output.sidecar,
    output:
        **outputs_of(names.connectome, OF_CONNECTOME, products.FITTED),
    log:
        log_of("connect_sparse", names.connectome(*OF_CONNECTOME, "relmat")),
    wildcard_constraints:
        stem=STEM_OF_ESTIMATED,
        estimator=one_of(SPARSE_ESTIMATORS),
    priority: 2
    group:
        "runs"
    conda:
        "../../envs/sphereconn.yaml"
    threads: lambda wildcards: jobs.cores_of_fit(STUDY, wildcards.estimator, workflow.cores)
    resources:
        mem_mb=growing(700),
        runtime=growing(5),
    params:
        settings=lambda wildcards: STUDY.estimators[wildcards.estimator],
        code=code_of("connect_sparse"),
    message:
        "Connecting {wildcards.seed_set} of {wildcards.stem} ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/connect_sparse.py"


rule connectomes:
    """All connectomes of runs, and their scores."""
    input:
        targets(STUDY, "connectomes"),
    message:
        "All connectomes of runs are there"
