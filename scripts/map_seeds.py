"""Seed maps of one run: image, mask, cleaned signals and confounds in; maps and their sidecar out."""

from sphereconn import provenance
from sphereconn.clean.recipe import read_confounds_of, signal_settings
from sphereconn.errors import about
from sphereconn.extract.images import read_header, read_mask
from sphereconn.files import read_json, read_signals, write_json
from sphereconn.job import job
from sphereconn.map.files import write_map
from sphereconn.map.run import maps_of_run, no_maps

with job(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    image = read_header(files.bold)
    inside = read_mask(files.mask, image.shape, image.affine).ravel(order="F") if files.get("mask") else None
    source, cleaned = read_json(files.extracted), read_json(files.cleaned)
    names, signals = read_signals(files.signals)
    seeds = list(params.seeds.values())
    if "LeftOut" in cleaned:
        made = no_maps(image.n_voxels, len(seeds), params.settings["kind"])
    else:
        confounds = read_confounds_of(params.denoising, files, image.n_frames, source["VolumesWithoutData"])
        of_seeds = (signals[:, [names.index(name) for name in seeds]], source["RepetitionTime"], confounds)
        with about(files.bold):
            made = maps_of_run(image, inside, *of_seeds, signal_settings(params.denoising), **params.settings)

    for statistic, maps in made.maps.items():
        for path, values in zip(snakemake.output[statistic], maps, strict=True):
            write_map(path, values, image)
    content = {
        **({"LeftOut": cleaned["LeftOut"]} if "LeftOut" in cleaned else {}),
        **made.described(seeds, params.settings["kind"]),
        "EffectiveDegreesOfFreedom": cleaned["EffectiveDegreesOfFreedom"],
        "Settings": params.settings,
        "Denoising": params.denoising,
        "Sources": provenance.sources(list(files), snakemake.output.sidecar),
        "Software": provenance.software(),
    }
    write_json(snakemake.output.sidecar, content)
