"""Figure of the seed map of a group: mean map, peaks and sidecar in; slices out."""

import numpy as np

from sphereconn.draw.map_page import MEASURES
from sphereconn.draw.notice import notice_figure
from sphereconn.draw.slices import slices_figure
from sphereconn.draw.style import save_figure
from sphereconn.files import read_json
from sphereconn.job import job
from sphereconn.map.files import read_map
from sphereconn.study.seeds import read_seeds
from sphereconn.words import counted

with job(snakemake.log[0]):
    params, sidecar = snakemake.params, read_json(snakemake.input.sidecar)
    grid, values = read_map(snakemake.input.mean)
    seeds = read_seeds(snakemake.input.seeds, radius=0.0)
    centre = seeds.coordinates[seeds.names.index(sidecar["Seed"])]
    n_subjects, threshold = sidecar["NumberOfSubjectsWithValues"], sidecar["Threshold"]
    title = f"{sidecar['Seed']}: mean of n = {counted(n_subjects, 'subject')}, {sidecar['Group']} ({params.of})"
    if np.isfinite(values).any():
        figure = slices_figure(
            values.reshape(grid.shape, order="F"),
            grid.affine,
            centre,
            title=title,
            label=MEASURES[sidecar["Statistic"]],
            note=f"Outlined: magnitudes of at least {threshold:.2g}; smaller ones fade. The ring is the seed.",
            threshold=threshold,
            seed=centre,
        )
    else:
        figure = notice_figure("No run of this group has a map.", title=title)
    save_figure(figure, snakemake.output[0], params.dpi)
