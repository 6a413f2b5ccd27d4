"""Download one file."""

from sphereconn.download import download
from sphereconn.log import logged

with logged(snakemake.log[0]):
    download(snakemake.params.url, snakemake.output[0])
