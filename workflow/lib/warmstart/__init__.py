"""What lets Snakemake run thousands of short Python jobs quickly; without it everything runs the same, only slower."""
