"""Radii side by side: stacks, nodes, contrasts and reliability of each in; measures, similarity and a sidecar out."""

from sphereconn import provenance
from sphereconn.compare import radius_tables as t
from sphereconn.compare.radii import edges_by_run, motion_by_radius, runs_in_common, sphere_points, strength_points
from sphereconn.compare.similarity import similarity
from sphereconn.errors import about
from sphereconn.files import read_json, write_json, write_rows
from sphereconn.job import job

with job(snakemake.log[0]):
    files, output, params = snakemake.input, snakemake.output, snakemake.params
    read = zip(params.labels, files.stacks, files.runs, files.quality, files.sidecars, files.nodes, strict=True)
    radii = [t.read_radius(*each) for each in read]
    with about(params.title):
        common = runs_in_common(radii)
    shared = [one.of(common) for one in radii]
    motion = motion_by_radius(shared, params.motion, params.covariates) if params.motion else None
    contrasts = t.read_contrasts(params.contrasts, files.statistics, files.significant, len(radii))
    found = [
        [sphere_points(one.spheres, len(one.names)) for one in radii],
        strength_points(edges_by_run(shared), len(radii[0].spheres.radii)),
        motion.points if motion else (),
        [list(t.reliability_points(read_json(path))) for path in files.reliability],
        *(points for points, _ in contrasts.values()),
    ]
    alike = similarity(edges_by_run(shared))

    write_rows(output.radii, list(t.POINT_COLUMNS), t.point_rows(radii, [part for part in found if part]))
    of_contrasts = {label: correlations for label, (_, correlations) in contrasts.items()}
    write_rows(output.similarity, list(t.SIMILARITY_COLUMNS), t.similarity_rows(radii, alike, of_contrasts))
    sidecar = {"Description": "Radii of the same seeds compared; files of the same name have the results"}
    sidecar |= {"Motion": params.motion, "Covariates": params.covariates, **t.described(radii, common, motion)}
    columns = {"Radii": t.POINT_COLUMNS, "Similarity": t.SIMILARITY_COLUMNS}
    sidecar |= {"Columns": columns, "Sources": provenance.sources(list(files), output.sidecar)}
    write_json(output.sidecar, sidecar | {"Software": provenance.software()})
