"""Figure of the penalties that were tried for a sparse inverse covariance: path and sidecar in; figure out."""

from sphereconn.draw.frame import title_of
from sphereconn.draw.notice import notice_figure
from sphereconn.draw.path import path_figure
from sphereconn.draw.style import save_figure
from sphereconn.files import read_json, read_signals
from sphereconn.job import job

with job(snakemake.log[0]):
    columns, values = read_signals(snakemake.input.path)
    sidecar = read_json(snakemake.input.sidecar)
    path = dict(zip(columns, values.T, strict=True)) if len(values) else {}
    title = title_of(sidecar, snakemake.wildcards)
    if "LeftOut" in sidecar:
        figure = notice_figure(sidecar["LeftOut"], title=title)
    elif not path:
        figure = notice_figure("Fewer than two nodes have a usable signal, so no penalty was tried.", title=title)
    else:
        figure = path_figure(path, sidecar["Alpha"], title=title)
    save_figure(figure, snakemake.output[0], snakemake.params.style["dpi"])
