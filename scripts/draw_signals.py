"""Figure of the cleaned signals of a run: signals, sidecar, nodes and maybe confounds in; figure out."""

from sphereconn.clean.confounds import framewise_displacement
from sphereconn.draw.style import save_figure
from sphereconn.draw.timeseries import time_series_figure
from sphereconn.files import read_json, read_signals
from sphereconn.log import logged
from sphereconn.study.nodes import read_nodes

with logged(snakemake.log[0]):
    wildcards, style = snakemake.wildcards, snakemake.params.style
    confounds = snakemake.input.get("confounds")
    names, signals = read_signals(snakemake.input.signals)
    figure = time_series_figure(
        signals,
        names,
        read_json(snakemake.input.sidecar)["RepetitionTime"],
        title=f"{wildcards.stem}\n{wildcards.seed_set}, {wildcards.denoising}",
        networks=read_nodes(snakemake.input.nodes).networks,
        framewise_displacement=framewise_displacement(confounds) if confounds else None,
    )
    save_figure(figure, snakemake.output[0], style["dpi"])
