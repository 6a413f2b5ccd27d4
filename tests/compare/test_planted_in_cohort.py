"""A motion artefact planted into the shipped cohort: it is found, and the strategy that removes it ranks first."""

import numpy as np
import pytest
from cohort import FOLDER, cohort_signals

from sphereconn.compare.denoising import Strategy, compare_strategies
from sphereconn.compare.distance import edge_lengths
from sphereconn.files import read_records

SUBJECTS = [number for number in range(1, 17) if number != 5]  # the series of 4 and 5 are the same
REMOVED = {"none": 0, "one": 1, "all": 3}  # of the artefact's three series


def centres(names):
    points = read_records(FOLDER / "parcels.tsv")
    of = {name: [[float(row[axis]) for axis in "xyz"] for row in points if row["parcel"] == name] for name in names}
    return np.array([np.mean(of[name], axis=0) for name in names])


def planted(signals, displacement, places, rng):
    """Add three series that are as large as the head moves at the time, each to the parcels around a place.

    Returns the signals and these series.
    """
    series = displacement[:, None] / 0.05 * rng.normal(size=(len(displacement), 3))
    fields = np.exp(-((places[:, None] - places[rng.choice(len(places), 3)]) ** 2).sum(axis=2) / (2 * 50**2))
    return signals / signals.std(axis=0) + series @ fields.T, series


@pytest.fixture(scope="module")
def compared():
    edges = {label: [] for label in REMOVED}
    rows = []
    people = read_records(FOLDER / "participants.tsv")
    for subject in SUBJECTS:
        names, signals = cohort_signals(subject)
        motion = read_records(FOLDER / f"sub-{subject:02d}_motion.tsv")
        displacement = np.array([float(row["framewise_displacement"].replace("n/a", "0")) for row in motion])
        places = centres(names)
        signals, series = planted(signals - signals.mean(axis=0), displacement, places, np.random.default_rng(subject))
        for label, number in REMOVED.items():
            known = np.column_stack([np.ones(len(signals)), series[:, :number]])
            left = signals - known @ np.linalg.lstsq(known, signals, rcond=None)[0]
            edges[label].append(np.arctanh(np.corrcoef(left.T)[np.triu_indices(len(names), 1)]))
        rows.append({"subject": f"{subject:02d}", "fd": people[subject - 1]["mean_fd"]})
    strategies = [
        Strategy(
            label=label,
            names=tuple(row["subject"] for row in rows),
            rows=tuple(rows),
            measured=tuple({} for _ in rows),
            edges=lambda runs, start, stop, values=values: values[runs, start:stop],
            n_edges=values.shape[1],
            n_asked=len(rows),
        )
        for label, values in ((label, np.array(of_label)) for label, of_label in edges.items())
    ]
    return compare_strategies(strategies, edge_lengths(places), "fd", [])


def test_the_artefact_is_found_and_its_removal_ranks_first(compared):
    none, one, every = (criteria.values for criteria in compared.common)
    for key in ("qcfc_median_absolute", "qcfc_significant", "high_low_significant", "high_low_difference"):
        assert compared.ranks[key] == (3, 2, 1), key
        assert none[key] > one[key] > every[key], key
    assert none["qcfc_median_absolute"] > 1.3 * compared.common[0].by_chance
    assert every["qcfc_median_absolute"] == pytest.approx(compared.common[2].by_chance, rel=0.15)


def test_it_reaches_edges_between_neighbours_most(compared):
    none, _, every = (criteria.values["qcfc_by_distance"] for criteria in compared.common)
    assert none < every and none < -0.1
