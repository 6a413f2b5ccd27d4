"""Figure of the cleaned signals of a run: signals, sidecar, nodes and maybe confounds in; figure out."""

import numpy as np

from sphereconn.clean.confounds import framewise_displacement
from sphereconn.draw.nodes_table import read_nodes
from sphereconn.draw.notice import notice_figure
from sphereconn.draw.style import save_figure
from sphereconn.draw.timeseries import signal_label, time_series_figure
from sphereconn.files import read_json, read_signals
from sphereconn.job import job

with job(snakemake.log[0]):
    wildcards, style = snakemake.wildcards, snakemake.params.style
    confounds = snakemake.input.get("confounds")
    names, signals = read_signals(snakemake.input.signals)
    sidecar = read_json(snakemake.input.sidecar)
    title = f"{wildcards.stem}\n{wildcards.seed_set}, {wildcards.denoising}"
    if "LeftOut" in sidecar:
        figure = notice_figure(sidecar["LeftOut"], title=title)
    else:
        censored = np.zeros(sidecar["NumberOfVolumes"], dtype=bool)
        for frames in sidecar["CensoredVolumes"].values():
            censored[frames] = True
        figure = time_series_figure(
            signals,
            names,
            sidecar["RepetitionTime"],
            title=title,
            label=signal_label("zscore_sample" if "Combined" in sidecar else sidecar["Settings"]["standardize"]),
            networks=read_nodes(snakemake.input.nodes).networks,
            framewise_displacement=framewise_displacement(confounds) if confounds else None,
            censored=censored,
        )
    save_figure(figure, snakemake.output[0], style["dpi"])
