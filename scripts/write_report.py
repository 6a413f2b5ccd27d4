"""Report of the study: settings, quality, nodes tables and figures of groups in; one HTML file out."""

from sphereconn.draw.preview import preview
from sphereconn.draw.report import study_report
from sphereconn.files import read_json, read_rows, written_whole
from sphereconn.log import logged


def rows_of(path):
    columns, rows = read_rows(path)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def extent_of(path):
    radii = [float(node["radius"]) for node in rows_of(path)]
    return len(radii), (min(radii), max(radii))


with logged(snakemake.log[0]):
    files, contents = snakemake.input, dict(snakemake.params.contents)
    numbers = [read_json(path)["NumberOfRuns"] for path in files.groups]
    contents["groups"] = [item | {"runs": number} for item, number in zip(contents["groups"], numbers, strict=True)]
    contents["search"] = rows_of(files.left_out) if files.get("left_out") else []
    figures = [path for group in contents["groups"] for _, path in group["figures"]]
    page = study_report(
        settings=read_json(files.settings),
        contents=contents,
        name=read_json(files.dataset)["Name"],
        quality=rows_of(files.quality),
        estimation=rows_of(files.estimation),
        software=read_json(files.sidecar)["SoftwareOfRuns"],
        spheres={
            seed_set: extent_of(path) for seed_set, path in zip(snakemake.params.seed_sets, files.nodes, strict=True)
        },
        images={path: preview(file) for path, file in zip(figures, files.get("figures", []), strict=True)},
    )
    with written_whole(snakemake.output[0]) as temporary:
        temporary.write_text(page, encoding="utf-8")
