"""Write what the results are, as BIDS asks it of a data set, and the complete settings that made them."""

from sphereconn.files import write_if_changed, write_json
from sphereconn.job import job
from sphereconn.plan.dataset import description, ignored, readme

with job(snakemake.log[0]):
    output, settings = snakemake.output, snakemake.params.settings
    write_json(output.dataset, description(settings["title"]))
    write_json(output.settings, settings)
    write_if_changed(output.readme, readme(settings).encode())
    write_if_changed(output.ignored, ignored().encode())
