"""Sphere signals of one run: an image, a seed table and maybe a mask in; signals, nodes table and sidecar out."""

from sphereconn import provenance
from sphereconn.extract.images import read_header
from sphereconn.extract.node_table import COLUMNS, node_rows
from sphereconn.extract.repetition_time import repetition_time
from sphereconn.extract.sidecar import sphere_signals
from sphereconn.extract.signals import extract_sphere_signals
from sphereconn.extract.together import of_spheres, read_found
from sphereconn.files import read_json, write_json, write_rows, write_signals
from sphereconn.job import job
from sphereconn.study.seeds import read_seeds

with job(snakemake.log[0]):
    settings, bold = snakemake.params.settings, snakemake.input.bold
    sidecar = snakemake.input.get("sidecar")
    time = repetition_time(
        bold, settings["repetition_time"], read_json(sidecar) if sidecar else None, read_header(bold).repetition_time
    )
    seeds = read_seeds(snakemake.input.seeds, settings["radius"])
    temporary = snakemake.input.get("temporary")
    spheres = read_found(temporary, snakemake.wildcards.seed_set) if temporary else None
    if spheres is None:
        spheres = extract_sphere_signals(bold, **of_spheres(seeds, snakemake.input.get("mask"), settings))

    write_signals(snakemake.output.signals, seeds.names, spheres.signals)
    rows = node_rows(seeds.names, seeds.coordinates, seeds.radii, seeds.networks, spheres)
    write_rows(snakemake.output.nodes, COLUMNS, rows)
    without_data, n_unusable = spheres.frames_without_data, sum(map(bool, spheres.problem))
    described = sphere_signals(settings, time, len(spheres.signals), without_data, n_unusable)
    output = snakemake.output
    sources = [path for path in snakemake.input if path != temporary]
    write_json(output.sidecar, provenance.with_sources(described, sources, output.sidecar, output.nodes))
