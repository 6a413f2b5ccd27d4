"""Download an image or a table of confounds of the development_fmri data set."""

from sphereconn.download import download
from sphereconn.job import job
from sphereconn.study.development_fmri_files import LARGEST_IMAGE, LARGEST_TABLE, check_confounds, check_image

with job(snakemake.log[0]):
    (target,) = snakemake.output
    largest, check = (LARGEST_TABLE, check_confounds) if target.endswith(".tsv") else (LARGEST_IMAGE, check_image)
    download(snakemake.params.url, target, largest, check)
