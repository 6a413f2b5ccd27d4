"""How Snakemake runs the study: planned quickly, scripts in forks of one interpreter, progress in a person's words.

It knows nothing of connectomes, and without it everything runs the same, only slower.
"""
