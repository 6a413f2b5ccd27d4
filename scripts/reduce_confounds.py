"""A confounds table of the development_fmri data set with the columns that nilearn's examples use."""

from sphereconn.job import job
from sphereconn.study.development_fmri import reduce_confounds

with job(snakemake.log[0]):
    reduce_confounds(snakemake.input[0], snakemake.output[0])
