"""Connectomes: one matrix for each run, seed set, denoising and estimator.

Needs: sub-*/func/*_atlas-*_desc-*_timeseries.tsv.
Gives: sub-*/func/*_atlas-*_meas-*_desc-*_relmat.tsv with a sidecar, and *_stat-z_relmat.* where asked for; for sparse estimators the matrices of the fit as well;
group/*_jointfit.* and *_path.tsv of group sparse estimators; *_stat-geometricmean_relmat.* and *_stat-whitening_relmat.tsv
of tangent spaces.

A group sparse inverse covariance is fitted to all runs of a combination at once, yet what it estimates is the connectome of
each run, and so does a tangent space. So joint fits sit here and not in group.smk, which averages connectomes: cleaned
signals go in, and each run takes its connectome out of the fit. A run added or removed fits all anew, from signals that are
there already.

Where subjects.smk joins the runs of a subject in time, the result is estimated here like a run, and joint fits are made to
these results.
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
        stem=STEM_OF_ESTIMATED,
        estimator=one_of(set(STUDY.estimators) - SPARSE_ESTIMATORS - JOINT_ESTIMATORS),
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
        z=result(names.connectome(*OF_CONNECTOME, "stat-z_relmat.tsv")),
        sidecar=result(names.connectome(*OF_CONNECTOME, "stat-z_relmat.json")),
        degrees_of_freedom=result(names.connectome(*OF_CONNECTOME, "stat-degreesoffreedom_relmat.tsv")),
    log:
        log_of("score", names.connectome(*OF_CONNECTOME, "stat-z_relmat")),
    wildcard_constraints:
        stem=STEM_OF_ESTIMATED,
        estimator=one_of(STUDY.scored_estimators),
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
        matrix=result(names.connectome(*OF_CONNECTOME)),
        sidecar=result(names.connectome(*OF_CONNECTOME, "relmat.json")),
        partial_correlation=result(names.connectome(*OF_CONNECTOME, "stat-partialcorrelation_relmat.tsv")),
        precision=result(names.connectome(*OF_CONNECTOME, "stat-precision_relmat.tsv")),
        covariance=result(names.connectome(*OF_CONNECTOME, "stat-covariance_relmat.tsv")),
        path=result(names.connectome(*OF_CONNECTOME, "path.tsv")),
    log:
        log_of("connect_sparse", names.connectome(*OF_CONNECTOME, "relmat")),
    wildcard_constraints:
        stem=STEM_OF_ESTIMATED,
        estimator=one_of(SPARSE_ESTIMATORS),
    group:
        "runs"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
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


rule fit_group:
    """Estimate the sparse inverse covariances of all runs of a combination jointly, with the same edges in all."""
    input:
        signals=signals_of(fitted_jointly),
        sidecars=signals_of(fitted_jointly, "timeseries.json"),
        nodes=nodes_of(fitted_jointly),
    output:
        precisions=result(names.group_result(ALL_RUNS, *OF_COMBINATION, "stat-precision_jointfit.npy")),
        covariances=result(names.group_result(ALL_RUNS, *OF_COMBINATION, "stat-covariance_jointfit.npy")),
        runs=result(names.group_result(ALL_RUNS, *OF_COMBINATION, "jointfit.tsv")),
        sidecar=result(names.group_result(ALL_RUNS, *OF_COMBINATION, "jointfit.json")),
        path=result(names.group_result(ALL_RUNS, *OF_COMBINATION, "path.tsv")),
    log:
        log_of("fit_group", names.group_result(ALL_RUNS, *OF_COMBINATION, "jointfit")),
    wildcard_constraints:
        estimator=one_of(STUDY.group_sparse_estimators),
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        runs=lambda wildcards: [recording.stem for recording in fitted_jointly(wildcards)],
        combined=HOW_COMBINED if HOW_COMBINED == "concatenate" else None,
        settings=lambda wildcards: STUDY.estimators[wildcards.estimator],
        code=code_of("fit_group"),
    message:
        "Fitting {wildcards.seed_set} of all runs jointly ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/fit_group.py"


rule connect_from_group:
    """Take the connectome of a run out of the joint fit of its group."""
    input:
        precisions=rules.fit_group.output.precisions,
        covariances=rules.fit_group.output.covariances,
        runs=rules.fit_group.output.runs,
        sidecar=rules.fit_group.output.sidecar,
        cleaned=rules.clean.output.sidecar,
    output:
        matrix=result(names.connectome(*OF_CONNECTOME)),
        sidecar=result(names.connectome(*OF_CONNECTOME, "relmat.json")),
        partial_correlation=result(names.connectome(*OF_CONNECTOME, "stat-partialcorrelation_relmat.tsv")),
        precision=result(names.connectome(*OF_CONNECTOME, "stat-precision_relmat.tsv")),
        covariance=result(names.connectome(*OF_CONNECTOME, "stat-covariance_relmat.tsv")),
    log:
        log_of("connect_from_group", names.connectome(*OF_CONNECTOME, "relmat")),
    wildcard_constraints:
        stem=STEM_OF_JOINED if HOW_COMBINED == "concatenate" else STEM_OF_RUN,
        estimator=one_of(STUDY.group_sparse_estimators),
    group:
        "groups"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(1),
    params:
        settings=lambda wildcards: STUDY.estimators[wildcards.estimator],
        code=code_of("connect_from_group"),
    message:
        "Taking {wildcards.seed_set} of {wildcards.stem} out of the joint fit ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/connect_from_group.py"


rule fit_tangent:
    """Find the geometric mean of the covariances of all runs of a combination, and each run's displacement from it."""
    input:
        signals=signals_of(fitted_jointly),
        sidecars=signals_of(fitted_jointly, "timeseries.json"),
        nodes=nodes_of(fitted_jointly),
    output:
        displacements=result(names.group_result(ALL_RUNS, *OF_COMBINATION, "stat-displacement_jointfit.npy")),
        mean=result(names.group_result(ALL_RUNS, *OF_COMBINATION, "stat-geometricmean_relmat.tsv")),
        mean_sidecar=result(names.group_result(ALL_RUNS, *OF_COMBINATION, "stat-geometricmean_relmat.json")),
        whitening=result(names.group_result(ALL_RUNS, *OF_COMBINATION, "stat-whitening_relmat.tsv")),
        runs=result(names.group_result(ALL_RUNS, *OF_COMBINATION, "jointfit.tsv")),
        sidecar=result(names.group_result(ALL_RUNS, *OF_COMBINATION, "jointfit.json")),
    log:
        log_of("fit_tangent", names.group_result(ALL_RUNS, *OF_COMBINATION, "jointfit")),
    wildcard_constraints:
        estimator=one_of(STUDY.tangent_estimators),
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        runs=lambda wildcards: [recording.stem for recording in fitted_jointly(wildcards)],
        combined=HOW_COMBINED if HOW_COMBINED == "concatenate" else None,
        settings=lambda wildcards: STUDY.estimators[wildcards.estimator],
        code=code_of("fit_tangent"),
    message:
        "Finding the tangent space of {wildcards.seed_set} of all runs ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/fit_tangent.py"


rule connect_from_tangent:
    """Take the displacement of a run out of the tangent space of its group."""
    input:
        displacements=rules.fit_tangent.output.displacements,
        runs=rules.fit_tangent.output.runs,
        sidecar=rules.fit_tangent.output.sidecar,
        cleaned=rules.clean.output.sidecar,
    output:
        matrix=result(names.connectome(*OF_CONNECTOME)),
        sidecar=result(names.connectome(*OF_CONNECTOME, "relmat.json")),
    log:
        log_of("connect_from_tangent", names.connectome(*OF_CONNECTOME, "relmat")),
    wildcard_constraints:
        stem=STEM_OF_JOINED if HOW_COMBINED == "concatenate" else STEM_OF_RUN,
        estimator=one_of(STUDY.tangent_estimators),
    group:
        "groups"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(1),
    params:
        settings=lambda wildcards: STUDY.estimators[wildcards.estimator],
        code=code_of("connect_from_tangent"),
    message:
        "Taking {wildcards.seed_set} of {wildcards.stem} out of the tangent space ({wildcards.estimator}, {wildcards.denoising})"
    script:
        "../../scripts/connect_from_tangent.py"


rule connectomes:
    """All connectomes of single runs."""
    input:
        [
            result(names.connectome(run.folder, run.stem, item.seed_set, item.denoising, item.estimator))
            for item in STUDY.combinations
            for run in STUDY.connected(item)
            if run.stem in STUDY.run
        ],
        [
            result(names.connectome(recording.folder, recording.stem, item.seed_set, item.denoising, item.estimator, suffix))
            for item in STUDY.combinations
            if item.estimator in STUDY.scored_estimators
            for recording in STUDY.estimated(item)
            for suffix in SCORE_SUFFIXES
        ],
    message:
        "All connectomes of runs are there"
