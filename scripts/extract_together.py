"""Sphere signals of one run for several seed sets: an image, their tables and maybe a mask in; what each needs out."""

from sphereconn.errors import InputError
from sphereconn.extract.signals import extract_together
from sphereconn.extract.together import of_spheres, write_found
from sphereconn.job import job
from sphereconn.study.seeds import read_seeds

with job(snakemake.log[0]):
    chosen, found = snakemake.params.settings, {}
    try:
        tables = zip(snakemake.input.seeds, chosen.values(), strict=True)
        sets = [
            of_spheres(read_seeds(table, settings["radius"]), snakemake.input.get("mask"), settings)
            for table, settings in tables
        ]
        found = dict(zip(chosen, extract_together(snakemake.input.bold, sets), strict=True))
    except InputError:
        pass  # the extraction of each seed set meets it again, and says so in its own log
    usable = {seed_set: spheres for seed_set, spheres in found.items() if not isinstance(spheres, InputError)}
    write_found(snakemake.output.temporary, usable)
