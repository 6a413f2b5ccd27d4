"""Report of the study: settings, quality, nodes tables and figures of groups in; one HTML file out."""

from sphereconn.draw.preview import preview
from sphereconn.draw.report import study_report
from sphereconn.files import read_json, read_records, written_whole
from sphereconn.log import logged


def extent_of(path):
    radii = [float(node["radius"]) for node in read_records(path)]
    return len(radii), (min(radii), max(radii))


with logged(snakemake.log[0]):
    files, contents = snakemake.input, dict(snakemake.params.contents)
    numbers = [read_json(path)["NumberOfRuns"] for path in files.groups]
    contents["groups"] = [item | {"runs": number} for item, number in zip(contents["groups"], numbers, strict=True)]
    contents["contrasts"] = [
        item
        | {"result": read_json(result)}
        | {"component_rows": read_records(components), "pair_rows": read_records(pairs)}
        for item, result, components, pairs in zip(
            contents["contrasts"],
            files.get("contrasts", []),
            files.get("components", []),
            files.get("pairs", []),
            strict=True,
        )
    ]
    lengths = map(read_json, files.get("lengths", []))
    contents["reliability"] = [
        item | {"result": read_json(result), "lengths": next(lengths) if item["lengths_sidecar"] else None}
        for item, result in zip(contents["reliability"], files.get("reliability", []), strict=True)
    ]
    contents["comparisons"] = [
        item | {"result": read_json(result), "criteria_rows": read_records(criteria)}
        for item, result, criteria in zip(
            contents["comparisons"], files.get("comparisons", []), files.get("compared", []), strict=True
        )
    ]
    shown = [item for key in ("groups", "contrasts", "maps", "reliability", "comparisons") for item in contents[key]]
    figures = [path for item in shown for _, path in item["figures"]]
    page = study_report(
        settings=read_json(files.settings),
        contents=contents,
        name=read_json(files.dataset)["Name"],
        quality=read_records(files.quality),
        estimation=read_records(files.estimation),
        software=read_json(files.sidecar)["SoftwareOfRuns"],
        spheres={
            seed_set: extent_of(path) for seed_set, path in zip(snakemake.params.seed_sets, files.nodes, strict=True)
        },
        images={path: preview(file) for path, file in zip(figures, files.get("figures", []), strict=True)},
    )
    with written_whole(snakemake.output[0]) as temporary:
        temporary.write_text(page, encoding="utf-8")
