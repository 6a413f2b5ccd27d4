"""Connectomes of spheres around brain coordinates.

Data flows one way through the sub-packages: ``extract`` (sphere signals of an image), ``clean`` (confounds, filters),
``connect`` (one connectome a run), ``aggregate`` (runs into groups), ``draw`` (figures). ``study`` reads what the user
wrote: the configuration, the runs table, the seed tables. Nothing here knows of Snakemake.
"""

__version__ = "0.1.0"
