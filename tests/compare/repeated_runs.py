"""Runs of subjects with a known share of variance between subjects."""

import numpy as np


def draw(rng, n_subjects, n_repeats, n_edges, between=1.0, of_repeats=0.0, error=1.0):
    """Return values of shape (n_subjects, n_repeats, n_edges), given the variances."""
    return (
        np.sqrt(between) * rng.normal(size=(n_subjects, 1, n_edges))
        + np.sqrt(of_repeats) * rng.normal(size=(1, n_repeats, n_edges))
        + np.sqrt(error) * rng.normal(size=(n_subjects, n_repeats, n_edges))
    )


def reader(values):
    """Return the function that gives edges of runs."""
    return lambda runs, start, stop: values[runs, start:stop]
