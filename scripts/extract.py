"""Sphere signals of one run: an image, a seed table and maybe a mask in; signals, nodes table and sidecar out."""

from sphereconn import provenance
from sphereconn.extract.images import read_header
from sphereconn.extract.repetition_time import repetition_time
from sphereconn.extract.signals import extract_sphere_signals
from sphereconn.files import read_json, write_json, write_rows, write_signals
from sphereconn.log import logged
from sphereconn.study.seeds import read_seeds

with logged(snakemake.log[0]):
    settings, bold = snakemake.params.settings, snakemake.input.bold
    sidecar = snakemake.input.get("sidecar")
    time = repetition_time(
        bold, settings["repetition_time"], read_json(sidecar) if sidecar else None, read_header(bold).repetition_time
    )
    seeds = read_seeds(snakemake.input.seeds, settings["radius"])
    spheres = extract_sphere_signals(
        bold,
        seeds.names,
        seeds.coordinates,
        seeds.radii,
        mask=snakemake.input.get("mask"),
        smoothing_fwhm=settings["smoothing_fwhm"],
        overlap=settings["overlap"],
        min_coverage=settings["min_coverage"],
    )

    write_signals(snakemake.output.signals, seeds.names, spheres.signals)
    columns = ["index", "name", "x", "y", "z", "radius", "network", "voxels", "coverage", "temporal_snr", "problem"]
    write_rows(
        snakemake.output.nodes,
        columns,
        zip(
            range(1, len(seeds.names) + 1),
            seeds.names,
            *seeds.coordinates.T,
            seeds.radii,
            [network or None for network in seeds.networks],
            spheres.n_voxels,
            spheres.coverage,
            spheres.temporal_snr,
            [problem or None for problem in spheres.problem],
            strict=True,
        ),
    )
    write_json(
        snakemake.output.sidecar,
        {
            "Description": "Mean signal of each sphere, before any cleaning",
            "SamplingFrequency": 1 / time.seconds,
            "RepetitionTime": time.seconds,
            "RepetitionTimeSource": time.source,
            "RepetitionTimeOverruled": time.overruled,
            "NumberOfVolumes": len(spheres.signals),
            "VolumesWithoutData": spheres.frames_without_data,
            "SpaceOfImage": settings["space_of_image"],
            "SpaceOfSeeds": settings["space"],
            "SmoothingFWHM": settings["smoothing_fwhm"],
            "Overlap": settings["overlap"],
            "MinimumCoverage": settings["min_coverage"],
            "NodesUnusable": sum(map(bool, spheres.problem)),
            "NodeFiles": provenance.sources([snakemake.output.nodes], snakemake.output.sidecar),
            "Sources": provenance.sources(list(snakemake.input), snakemake.output.sidecar),
            "Software": provenance.software(),
        },
    )
