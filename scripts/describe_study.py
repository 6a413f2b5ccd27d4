"""Write what the results are (BIDS's dataset_description.json) and the complete settings that made them."""

from sphereconn import provenance
from sphereconn.files import write_json
from sphereconn.log import logged

with logged(snakemake.log[0]):
    description = {
        "Name": snakemake.params.settings["title"],
        "BIDSVersion": "1.11.1",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": provenance.NAME, "Version": provenance.software()[provenance.NAME]}],
    }
    write_json(snakemake.output.dataset, description)
    write_json(snakemake.output.settings, snakemake.params.settings)
