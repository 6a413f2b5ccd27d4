"""Seed map of a group: maps of its runs in; mean, spread, number and t of each voxel, peaks and a sidecar out."""

from sphereconn import provenance
from sphereconn.aggregate.moments import running_moments
from sphereconn.extract.images import read_volume_header
from sphereconn.files import write_json, write_rows
from sphereconn.job import job
from sphereconn.map.files import check_same_grid, read_map, write_map
from sphereconn.map.group import of_subjects, one_sample_t
from sphereconn.map.peaks import PEAK_COLUMNS, largest_twentieth, peak_rows
from sphereconn.study.seeds import read_all_seeds

with job(snakemake.log[0]):
    files, params, output = snakemake.input, snakemake.params, snakemake.output
    grids = {stem: read_volume_header(path) for stem, path in zip(params.stems, files.maps, strict=True)}
    check_same_grid(grids)
    grid = next(iter(grids.values()))
    moments = running_moments(of_subjects(params.subjects, (read_map(path)[1] for path in files.maps)), grid.n_voxels)

    write_map(output.mean, moments.mean, grid)
    write_map(output.std, moments.standard_deviation, grid)
    write_map(output.n, moments.n_runs.astype(float), grid)
    write_map(output.t, one_sample_t(moments), grid)
    seeds = read_all_seeds(files.seeds)
    mean, threshold = moments.mean.reshape(grid.shape, order="F"), params.threshold or largest_twentieth(moments.mean)
    write_rows(output.peaks, PEAK_COLUMNS, peak_rows(mean, grid.affine, threshold, *seeds))
    write_json(
        output.sidecar,
        {
            "Description": "Mean over the subjects of a group, after averaging the runs of each subject",
            **params.described,
            "NumberOfSubjects": len(set(params.subjects)),
            "NumberOfSubjectsWithValues": int(moments.n_runs.max()),
            "Runs": list(params.stems),
            "Threshold": threshold,
            "Sources": provenance.sources(list(files), output.sidecar),
            "Software": provenance.software(),
        },
    )
