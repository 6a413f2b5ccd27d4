"""Quality sheet of a run: sphere signals before and after each denoising, nodes and maybe confounds in; SVG out."""

from sphereconn.clean.confounds import framewise_displacement
from sphereconn.clean.summary import frames_beside, summarize_signals
from sphereconn.draw.sheet import by_network, described, pixels_of_each, quality_sheet, read_spheres
from sphereconn.files import read_json, read_signals, write_text
from sphereconn.job import job

with job(snakemake.log[0]):
    files, labels = snakemake.input, snakemake.params.denoisings
    source, spheres = read_json(files.sidecar), read_spheres(files.nodes)
    n_frames, seconds = source["NumberOfVolumes"], source["RepetitionTime"]
    settings = {"order": by_network(spheres.networks), "most_pixels": pixels_of_each(len(labels))}
    _, signals = read_signals(files.signals)
    with_data = frames_beside(n_frames, [source["VolumesWithoutData"]])
    denoised = []
    for label, path, sidecar in zip(labels, files.cleaned, map(read_json, files.sidecars), strict=True):
        kept = frames_beside(n_frames, sidecar["CensoredVolumes"].values())
        cleaned = None if "LeftOut" in sidecar else read_signals(path)[1]
        summary = None if cleaned is None else summarize_signals(cleaned, kept, seconds, **settings)
        denoised.append(described(label, sidecar, kept, summary))
    sheet = quality_sheet(
        title=snakemake.wildcards.stem,
        seed_set=snakemake.wildcards.seed_set,
        repetition_time=seconds,
        spheres=spheres,
        before=summarize_signals(signals, with_data, seconds, detrend=True, **settings),
        denoised=denoised,
        framewise_displacement=framewise_displacement(files.confounds) if files.get("confounds") else None,
    )
    write_text(snakemake.output[0], sheet)
