"""Regression of the global signal in the shipped cohort: what 15 people who hardly move can show, and what not."""

import numpy as np
import pytest
from cohort import FOLDER, cohort_signals

from sphereconn.compare.modularity import modularity
from sphereconn.compare.qcfc import qcfc, spread_of
from sphereconn.files import read_records

SUBJECTS = [number for number in range(1, 17) if number != 5]  # the series of 4 and 5 are the same


@pytest.fixture(scope="module")
def connectomes():
    """Fisher's z of the edges of each subject, as shipped, and after regression of the mean over parcels."""
    both = {"shipped": [], "regressed": []}
    for subject in SUBJECTS:
        signals = cohort_signals(subject)[1]
        signals = signals - signals.mean(axis=0)
        mean = signals.mean(axis=1)
        for key, cleaned in (
            ("shipped", signals),
            ("regressed", signals - np.outer(mean, mean @ signals) / (mean @ mean)),
        ):
            both[key].append(np.arctanh(np.corrcoef(cleaned.T)[np.triu_indices(signals.shape[1], 1)]))
    return {key: np.array(values) for key, values in both.items()}


def test_connectomes_become_more_modular_in_every_subject(connectomes):
    q = {key: [modularity(np.tanh(edges), 122, 10) for edges in values] for key, values in connectomes.items()}
    assert (np.array(q["regressed"]) > np.array(q["shipped"])).all()
    assert np.mean(q["regressed"]) > 2 * np.mean(q["shipped"])


def test_qcfc_is_what_chance_gives_with_and_without_the_global_signal(connectomes):
    people = read_records(FOLDER / "participants.tsv")
    motion = np.array([float(people[number - 1]["mean_fd"]) for number in SUBJECTS])
    site = np.array([[float(people[number - 1]["site"] == "essen")] for number in SUBJECTS])
    for values in connectomes.values():
        read = lambda runs, start, stop, values=values: values[runs, start:stop]  # noqa: E731
        spread = spread_of(qcfc(read, values.shape[1], np.arange(len(values)), motion, site))
        assert spread.median_absolute == pytest.approx(spread.median_absolute_by_chance, rel=0.1)
        assert spread.significant_fdr == 0
