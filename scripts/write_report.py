"""Report of the study: settings, quality, nodes tables and figures of groups in; one HTML file out."""

from sphereconn.aggregate.cohort import worst_values
from sphereconn.aggregate.unusual import unusual_runs
from sphereconn.draw.contents import extent_of_spheres, with_results
from sphereconn.draw.preview import preview
from sphereconn.draw.report import study_report
from sphereconn.files import read_json, read_records, write_text
from sphereconn.job import job
from sphereconn.threads import map_at_once

with job(snakemake.log[0]):
    files = snakemake.input
    quality_sidecar = read_json(files.sidecar)
    quality, estimation = read_records(files.quality), read_records(files.estimation)
    contents = with_results(snakemake.params.contents, files)
    kinds = ("groups", "differences", "contrasts", "maps", "map_contrasts", "reliability", "comparisons", "radii")
    shown = [item for key in kinds for item in contents[key]]
    figures = [path for item in shown for _, path in item["figures"]]
    previews = map_at_once(snakemake.threads, preview, files.get("figures", []))
    page = study_report(
        settings=read_json(files.settings),
        contents=contents,
        name=read_json(files.dataset)["Name"],
        quality=quality,
        estimation=estimation,
        unusual=unusual_runs(quality, estimation),
        worst=worst_values(quality),
        software=quality_sidecar["SoftwareOfRuns"],
        regressors=quality_sidecar["RegressorsOfRuns"],
        spheres=dict(zip(snakemake.params.seed_sets, map(extent_of_spheres, files.nodes), strict=True)),
        images=dict(zip(figures, previews, strict=True)),
    )
    write_text(snakemake.output[0], page)
