"""Interactive page of the connectomes of a run, or of all groups: matrices, sidecars and nodes in; page out."""

from sphereconn.draw.nodes_table import read_nodes
from sphereconn.draw.page import PageConnectome, connectome_page
from sphereconn.files import read_json, read_matrix, write_text
from sphereconn.job import job

with job(snakemake.log[0]):
    wildcards = snakemake.wildcards
    nodes = read_nodes(snakemake.input.nodes)
    sidecars = [read_json(path) for path in snakemake.input.sidecars]
    sources = list(zip(snakemake.params.connectomes, snakemake.input.matrices, sidecars, strict=True))
    connectomes = [
        # Contrasts have colours of their own.
        PageConnectome(f"{estimator}, contrasts", sidecar["Contrasted"], sidecar["Statistic"], read_matrix(matrix)[1])
        if "Contrasted" in sidecar
        else PageConnectome(
            estimator, sidecar.get("Group", whose), sidecar["RelationshipMeasure"], read_matrix(matrix)[1]
        )
        for (estimator, whose), matrix, sidecar in sources
    ]
    left_out = sorted(
        {
            f"{sidecar.get('Group', whose)}: {sidecar['LeftOut']}"
            for (_, whose), _, sidecar in sources
            if "LeftOut" in sidecar
        }
    )
    page = connectome_page(
        nodes.names,
        nodes.coordinates,
        nodes.networks,
        connectomes,
        title=f"{wildcards.seed_set}, {'groups of runs' if wildcards.folder == 'group' else wildcards.whose}",
        description=" ".join([f"Denoising: {wildcards.denoising}{'.' if left_out else ''}", *left_out]),
        threshold=snakemake.params.style["threshold"],
    )
    write_text(snakemake.output[0], page)
