"""Permutations of a contrast of seed maps, some at a time: maps of runs in; the largest in each shuffled map out."""

from sphereconn.errors import about
from sphereconn.files import read_json, written_whole
from sphereconn.infer.contrast import naming_runs_left_out, shuffles_of
from sphereconn.job import job
from sphereconn.map.contrast import left_out_before, members_of, model_of, values_of
from sphereconn.map.inference import null_of_maps, write_null

with job(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    settings = params.settings
    sidecars = [read_json(path) for path in files.sidecars]
    members = members_of(params.rows, params.runs, files.maps, sidecars)
    left_out = left_out_before(params.rows, params.runs, sidecars)
    with about(f"contrast {params.contrast} of maps"), naming_runs_left_out(left_out, settings["runs"]):
        model = model_of(members, settings)
        maps = values_of(members, model, settings)
        null = null_of_maps(
            maps.values,
            model,
            shuffles_of(model, settings),
            maps.lattice(settings["neighbours"]),
            range(*params.numbers),
            cluster_p=settings["cluster_p"],
            least_share=settings["least_share"],
            cores=snakemake.threads,
        )
    with written_whole(snakemake.output[0]) as temporary:
        write_null(temporary, null)
