"""Connectomes: one matrix for each run, seed set, denoising and estimator.

Needs: sub-*/func/*_atlas-*_desc-*_timeseries.tsv.
Gives: sub-*/func/*_atlas-*_meas-*_desc-*_relmat.tsv with a sidecar; for sparse estimators the matrices of the fit as well.
"""


rule connect:
    """Estimate the connectome of a run from its cleaned signals."""
    input:
        signals=rules.clean.output.signals,
        sidecar=rules.clean.output.sidecar,
    output:
        matrix=result(names.connectome(*OF_CONNECTOME)),
        sidecar=result(names.connectome(*OF_CONNECTOME, "relmat.json")),
    log:
        log_of("connect", names.connectome(*OF_CONNECTOME, "relmat")),
    wildcard_constraints:
        estimator=one_of(set(STUDY.estimators) - SPARSE_ESTIMATORS),
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        settings=lambda wildcards: STUDY.estimators[wildcards.estimator],
        code=code_of("connect"),
    message:
        "Connecting {wildcards.seed_set} of {wildcards.stem} ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/connect.py"


rule connect_sparse:
    """Estimate the sparse inverse covariance of a run from its cleaned signals."""
    input:
        signals=rules.clean.output.signals,
        sidecar=rules.clean.output.sidecar,
    output:
        matrix=result(names.connectome(*OF_CONNECTOME)),
        sidecar=result(names.connectome(*OF_CONNECTOME, "relmat.json")),
        partial_correlation=result(names.connectome(*OF_CONNECTOME, "stat-partialcorrelation_relmat.tsv")),
        precision=result(names.connectome(*OF_CONNECTOME, "stat-precision_relmat.tsv")),
        covariance=result(names.connectome(*OF_CONNECTOME, "stat-covariance_relmat.tsv")),
        path=result(names.connectome(*OF_CONNECTOME, "path.tsv")),
    log:
        log_of("connect_sparse", names.connectome(*OF_CONNECTOME, "relmat")),
    wildcard_constraints:
        estimator=one_of(SPARSE_ESTIMATORS),
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        settings=lambda wildcards: STUDY.estimators[wildcards.estimator],
        code=code_of("connect_sparse"),
    message:
        "Connecting {wildcards.seed_set} of {wildcards.stem} ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/connect_sparse.py"


rule connectomes:
    """All connectomes of single runs."""
    input:
        [
            result(names.connectome(run.folder, run.stem, item.seed_set, item.denoising, item.estimator))
            for item in STUDY.combinations
            for run in item.runs
        ],
    message:
        "All connectomes of runs are there"
