"""A seed table from an atlas: an image of region numbers and maybe a table of labels in; seeds and sidecar out."""

from pathlib import Path

from sphereconn import provenance
from sphereconn.errors import about
from sphereconn.extract.regions import read_regions
from sphereconn.files import write_json, write_rows
from sphereconn.job import job
from sphereconn.study.atlas import COLUMNS, atlas_seeds, read_labels

with job(snakemake.log[0]):
    labels = snakemake.input.get("labels")
    regions = read_regions(snakemake.input.atlas)
    with about(snakemake.input.atlas):
        seeds = atlas_seeds(regions, read_labels(labels) if labels else None)
    for note in ("RegionsMoved", "RegionsInPieces", "RegionsNotListed", "RegionsWithoutVoxels"):
        if seeds.notes[note]:
            print(f"{snakemake.input.atlas}: {note}: {seeds.notes[note]}")
    write_rows(snakemake.output.seeds, COLUMNS, seeds.rows)
    sources = [Path(path).as_posix() for path in snakemake.input]
    write_json(snakemake.output.sidecar, {**seeds.notes, "Sources": sources, "Software": provenance.software()})
