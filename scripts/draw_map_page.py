"""Page of a set of seed maps: maps of groups and of contrasts with their sidecars in; one HTML file out."""

from sphereconn.draw.map_page import MEASURES, PageMap, map_page
from sphereconn.files import read_json, write_text
from sphereconn.job import job
from sphereconn.map.files import check_same_grid, read_map
from sphereconn.study.seeds import read_seeds

with job(snakemake.log[0]):
    files, wildcards = snakemake.input, snakemake.wildcards
    seeds = read_seeds(files.seeds, radius=0.0)
    centres = dict(zip(seeds.names, seeds.coordinates.tolist(), strict=True))
    maps, grids = [], {}
    for path, sidecar in zip(files.maps, map(read_json, files.sidecars), strict=True):
        grids[path], values = read_map(path)
        contrast = "Contrasted" in sidecar
        maps.append(
            PageMap(
                sidecar["Seed"],
                sidecar["Contrasted"] if contrast else sidecar["Group"],
                sidecar["Statistic"] if contrast else MEASURES[sidecar["Statistic"]],
                values.reshape(grids[path].shape, order="F"),
                sidecar["ClusterThreshold"] if contrast else sidecar["Threshold"],
                tuple(centres[sidecar["Seed"]]),
            )
        )
    check_same_grid(grids)
    page = map_page(
        maps,
        grids[files.maps[0]].affine,
        title=f"{wildcards.map}: maps of {wildcards.seed_set}",
        description=f"Denoising: {wildcards.denoising}",
    )
    write_text(snakemake.output[0], page)
