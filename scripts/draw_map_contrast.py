"""Figure of a contrast of seed maps: statistic, corrected p and sidecar in; slices out."""

import numpy as np

from sphereconn.draw.slices import slices_figure
from sphereconn.draw.style import save_figure
from sphereconn.files import read_json
from sphereconn.job import job
from sphereconn.map.files import read_map
from sphereconn.study.seeds import read_seeds

with job(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    sidecar = read_json(files.sidecar)
    grid, values = read_map(files.statistic)
    significant = read_map(files.tfce_fwe)[1] <= params.level
    magnitude = np.where(significant if significant.any() else True, np.abs(np.nan_to_num(values)), -1)
    place = np.unravel_index(int(np.argmax(magnitude)), grid.shape, order="F")
    seeds = read_seeds(files.seeds, radius=0.0)
    found = f"{int(significant.sum()):,} voxels are" if significant.any() else "No voxel is"
    figure = slices_figure(
        values.reshape(grid.shape, order="F"),
        grid.affine,
        grid.affine[:3, :3] @ place + grid.affine[:3, 3],
        title=f"{sidecar['Seed']}: {params.title}, n = {sidecar['NumberOfRuns']} ({params.of})",
        label=sidecar["Statistic"],
        signed=sidecar["Statistic"] != "F",
        note=f"{found} significant (TFCE, p ≤ {params.level:g}, corrected for all voxels)"
        f"{' and outlined; others fade' if significant.any() else ''}. The views cut at the largest"
        f" {'|t|' if sidecar['Statistic'] == 't' else 'F'}; the ring is the seed.",
        strong=significant.reshape(grid.shape, order="F"),
        seed=seeds.coordinates[seeds.names.index(sidecar["Seed"])],
    )
    save_figure(figure, snakemake.output[0], params.dpi)
