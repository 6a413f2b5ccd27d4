"""Joint fits: one fit to all runs of a combination, from which each run takes its connectome.

Needs: sub-*/func/*_atlas-*_desc-*_timeseries.tsv.
Gives: group/*_jointfit.*, *_path.tsv of group sparse estimators, *_stat-geometricmean_relmat.* and
  *_stat-whitening_relmat.tsv of tangent spaces; sub-*/func/*_atlas-*_meas-*_desc-*_relmat.* and *_edges.npy.

What is estimated is the connectome of each run, so this comes before group.smk, which averages connectomes: cleaned
signals go in. A run added or removed fits all anew, from signals that are there already. Where combined.smk joins the
runs of a subject in time, joint fits are made to the results.
"""


rule fit_group:
    """Estimate the sparse inverse covariances of all runs of a combination jointly, with the same edges in all."""
    input:
        unpack(of_job(jobs.jointly_fitted)),
    output:
        **outputs_of(names.group_result, (ALL_RUNS, *OF_COMBINATION), products.JOINT_FIT),
    log:
        log_of("fit_group", names.group_result(ALL_RUNS, *OF_COMBINATION, "jointfit")),
    wildcard_constraints:
        estimator=one_of(STUDY.group_sparse_estimators),
    conda:
        "../../envs/sphereconn.yaml"
    threads: lambda wildcards: jobs.folds(STUDY, wildcards.estimator)
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        runs=of_job(jobs.jointly_fitted_stems),
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
        **outputs_of(names.connectome, OF_CONNECTOME, products.FITTED_JOINTLY),
    log:
        log_of("connect_from_group", names.connectome(*OF_CONNECTOME, "relmat")),
    wildcard_constraints:
        stem=STEM_OF_FITTED,
        estimator=one_of(STUDY.group_sparse_estimators),
    priority: 2
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
        unpack(of_job(jobs.jointly_fitted)),
    output:
        **outputs_of(names.group_result, (ALL_RUNS, *OF_COMBINATION), products.TANGENT_SPACE),
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
        runs=of_job(jobs.jointly_fitted_stems),
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
        **outputs_of(names.connectome, OF_CONNECTOME, products.CONNECTED),
    log:
        log_of("connect_from_tangent", names.connectome(*OF_CONNECTOME, "relmat")),
    wildcard_constraints:
        stem=STEM_OF_FITTED,
        estimator=one_of(STUDY.tangent_estimators),
    priority: 2
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
