"""Scale of the figures of groups: their matrices and nodes tables in; how far they reach out."""

from sphereconn.aggregate.scale import common_limits
from sphereconn.draw.nodes_table import read_nodes
from sphereconn.files import read_matrix, write_json
from sphereconn.job import job

with job(snakemake.log[0]):
    files = zip(snakemake.input.matrices, snakemake.input.nodes, strict=True)
    limits = common_limits((read_matrix(matrix)[1], read_nodes(nodes).networks) for matrix, nodes in files)
    write_json(snakemake.output[0], limits)
