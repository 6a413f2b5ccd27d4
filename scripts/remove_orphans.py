"""List the results that the configuration no longer requests, or remove them where that is asked for."""

from sphereconn.job import job
from sphereconn.plan.orphans import Orphan, remove

with job(snakemake.log[0]):
    unwanted = [Orphan(*fields) for fields in snakemake.params.unwanted]
    if snakemake.params.confirmed:
        for said in remove(snakemake.params.folder, unwanted):
            print(said)
    else:
        for orphan in unwanted:
            print(f"{orphan.path}\t{orphan.size} bytes")
