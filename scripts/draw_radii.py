"""Figure of radii compared: tables and sidecar in; every measure over the radius out."""

from sphereconn.draw.radii import radii_figure
from sphereconn.draw.radius_words import panels
from sphereconn.draw.style import save_figure
from sphereconn.files import read_json, read_records
from sphereconn.job import job

with job(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    sidecar = read_json(files.sidecar)
    figure = radii_figure(
        panels(read_records(files.radii), read_records(files.similarity), sidecar["QcFcByChance"]),
        title=f"{params.title}, {sidecar['RunsInCommon']} runs",
        note="Bands: quartiles over nodes or edges, 95 % confidence interval of the ICC of whole connectomes.",
    )
    save_figure(figure, snakemake.output[0], params.dpi)
