"""Results of a contrast of seed maps: maps of runs and permutations in; maps, clusters, design and a sidecar out."""

from sphereconn.errors import about
from sphereconn.files import read_json, write_json, write_rows
from sphereconn.infer.contrast import naming_runs_left_out, shuffles_of
from sphereconn.infer.results import described_model, design_table
from sphereconn.job import job
from sphereconn.map import contrast as c
from sphereconn.map.files import write_map
from sphereconn.map.inference import joined, read_null, results_of_maps
from sphereconn.provenance import with_sources
from sphereconn.study.seeds import read_all_seeds

with job(snakemake.log[0]):
    files, output, params = snakemake.input, snakemake.output, snakemake.params
    settings = {**params.settings, "level": params.level}
    chosen = {key: settings[key] for key in ("cluster_p", "least_share", "level")}
    sidecars = [read_json(path) for path in files.sidecars]
    members = c.members_of(params.rows, params.runs, files.maps, sidecars)
    left_out = c.left_out_before(params.rows, params.runs, sidecars)
    with about(f"contrast {params.contrast} of maps"), naming_runs_left_out(left_out, settings["runs"]):
        model = c.model_of(members, settings)
        maps, shuffles = c.values_of(members, model, settings), shuffles_of(model, settings)
        null, lattice = joined([read_null(path) for path in files.shuffles]), maps.lattice(settings["neighbours"])
        tested = results_of_maps(maps.values, model, lattice, null, shuffles.exhaustive, **chosen)
    found = c.maps_of(tested, maps)
    for key, values in found.items():
        write_map(output[key], values, maps.grid)
    of_clusters = (maps.grid, tested.threshold, settings["neighbours"], *read_all_seeds(files.seeds))
    write_rows(output.clusters, c.CLUSTER_COLUMNS, c.cluster_rows(found, *of_clusters))
    write_rows(output.design, *design_table(model))
    content = {
        "Description": "A linear model of each voxel across runs; files with the same name contain the results",
        **params.described,
        **described_model(model, shuffles, [member.row for member in members], left_out, settings),
        **c.described_maps(tested, maps, settings),
        "Settings": settings,
    }
    write_json(output.sidecar, with_sources(content, [*files.maps, *files.sidecars], output.sidecar))
