"""Real series of the demo cohort, for tests."""

import gzip
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[1] / "resources" / "cohort"


def cohort_signals(subject: int) -> tuple[list[str], np.ndarray]:
    """Parcel names and series of shape (200, 122) of one of the 16 subjects, counted from 1."""
    with gzip.open(FOLDER / f"sub-{subject:02d}_parcels.tsv.gz", "rt") as file:
        names = file.readline().rstrip("\n").split("\t")
        return names, np.loadtxt(file)
