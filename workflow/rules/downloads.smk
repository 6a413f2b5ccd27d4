"""Downloads: images and confounds of the development_fmri data set, where they are missing.

Needs: resources/development_fmri (already read), the web.
Gives: in the data set's folder sub-pixar*_bold.nii.gz, *_desc-confounds_regressors.tsv, *_desc-reducedConfounds_regressors.tsv.
"""

from sphereconn.study import development_fmri

DOWNLOADS = STUDY.downloads


# A file that is there is used as it is, whoever put it there: a download has no input, no fingerprint of its code, and
# an address that depends on the output, which Snakemake does not compare. What arrives is held to its first checksum.
rule download_bold:
    """Download the image of a subject."""
    output:
        f"{DOWNLOADS.folder}/{development_fmri.BOLD}",
    log:
        log_of("download_bold", development_fmri.BOLD),
    wildcard_constraints:
        subject=one_of(DOWNLOADS.bold),
    localrule: True
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        downloads=1,
        mem_mb=100,
        runtime=120,
    params:
        url=lambda wildcards, output: DOWNLOADS.bold[wildcards.subject],
    message:
        "Downloading the image of sub-{wildcards.subject}"
    script:
        "../../scripts/download.py"


rule download_confounds:
    """Download the confounds of a subject."""
    output:
        f"{DOWNLOADS.folder}/{development_fmri.CONFOUNDS}",
    log:
        log_of("download_confounds", development_fmri.CONFOUNDS),
    wildcard_constraints:
        subject=one_of(DOWNLOADS.confounds),
    localrule: True
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        downloads=1,
        mem_mb=100,
        runtime=30,
    params:
        url=lambda wildcards, output: DOWNLOADS.confounds[wildcards.subject],
    message:
        "Downloading the confounds of sub-{wildcards.subject}"
    script:
        "../../scripts/download.py"


rule reduce_confounds:
    """Keep the confounds that nilearn's examples use."""
    input:
        ancient(rules.download_confounds.output[0]),  # a file that is there is used as it is, whatever its time
    output:
        f"{DOWNLOADS.folder}/{development_fmri.REDUCED_CONFOUNDS}",
    log:
        log_of("reduce_confounds", development_fmri.REDUCED_CONFOUNDS),
    wildcard_constraints:
        subject=one_of(DOWNLOADS.confounds),
    localrule: True
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=200,
        runtime=10,
    params:
        code=code_of("reduce_confounds"),
    message:
        "Reducing the confounds of sub-{wildcards.subject}"
    script:
        "../../scripts/reduce_confounds.py"
