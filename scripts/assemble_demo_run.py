"""Paint one run of the demo cohort: a BOLD image, and a confounds table as fMRIPrep writes it."""

import gzip
from pathlib import Path

import numpy as np
from nibabel.loadsave import load

from sphereconn import demo
from sphereconn.files import read_records, read_rows, read_signals, write_signals
from sphereconn.job import job

with job(snakemake.log[0]):
    number = snakemake.wildcards.number
    participants = read_records(snakemake.input.participants)
    subject = next(person for person in participants if person["participant_id"] == f"sub-{number}")
    repetition_time = float(subject["repetition_time"])
    displacement = read_signals(snakemake.input.motion)[1][:, 0]
    with gzip.open(snakemake.input.series, "rt") as file:
        parcels = file.readline().split()
        series = np.loadtxt(file)
    columns, rows = read_rows(snakemake.input.parcels)
    points = np.array([row[3:] for row in rows], dtype=float)
    parcel_of_point = np.array([parcels.index(row[0]) for row in rows])

    image, mask = load(snakemake.input.image), load(snakemake.input.mask)
    rng = np.random.default_rng(int(number))
    nuisance = demo.plant_nuisance(displacement, repetition_time, rng)
    bold = demo.paint_run(
        image.get_fdata().mean(axis=3),
        mask.get_fdata() > 0,
        image.affine,
        series,
        points,
        parcel_of_point,
        nuisance,
        rng,
    )
    write_signals(snakemake.output.confounds, *demo.confounds_table(nuisance, displacement))
    demo.save_int16(Path(snakemake.output.bold), bold, image.affine, repetition_time)
