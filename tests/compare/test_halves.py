"""Halves of runs: what is left of degrees of freedom, and reliability against length."""

import numpy as np
import pytest
from compare.repeated_runs import draw
from hypothesis import given
from hypothesis import strategies as st

from sphereconn.clean.cleaning import clean_signals
from sphereconn.compare.halves import (
    degrees_of_freedom_of_part,
    factor_for,
    halves_of,
    lengths_of,
    spearman_brown,
)
from sphereconn.compare.icc import one_way


@given(st.integers(2, 500))
def test_halves_are_contiguous_equal_and_apart(n_frames):
    first, last = (np.arange(n_frames)[half] for half in halves_of(n_frames))
    assert len(first) == len(last) == n_frames // 2
    assert first[0] == 0
    assert last[-1] == n_frames - 1
    assert last[0] - first[-1] == 1 + n_frames % 2


@pytest.mark.parametrize("n_regressors", [0, 6, 24, 60])
@pytest.mark.parametrize("part", [slice(0, 100), slice(100, 200), slice(0, 30), slice(60, 110)])
def test_degrees_of_freedom_of_a_part_are_those_of_its_projector(n_regressors, part):
    """(tr V)² / tr V² of the centred part, the mean over draws of regressors."""
    rng, n = np.random.default_rng(0), 200
    left = []
    for _ in range(4):
        removed = np.linalg.qr(np.column_stack([np.ones(n), rng.normal(size=(n, n_regressors))]))[0]
        projector = (np.eye(n) - removed @ removed.T)[part, part]
        projector = projector - projector.mean(axis=0)
        projector = projector - projector.mean(axis=1)[:, None]
        left.append(np.trace(projector) ** 2 / (projector**2).sum())
    expected = degrees_of_freedom_of_part(n - 1 - n_regressors, n_regressors, (part.stop - part.start) / n)
    assert np.mean(left) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("filtered", [False, True])
def test_correlations_of_halves_are_as_precise_as_their_degrees_of_freedom_say(filtered):
    """Simulated: the variance of r of independent signals is one over the degrees of freedom."""
    rng, n, r = np.random.default_rng(1), 400, 60
    signals, regressors = rng.normal(size=(n, 300)), rng.normal(size=(n, r))
    high_pass, low_pass = (0.01, 0.1) if filtered else (None, None)
    found = clean_signals(
        signals, 2.0, confounds=regressors, confound_names=[f"c{i}" for i in range(r)], detrend=False,
        high_pass=high_pass, low_pass=low_pass, standardize="zscore_sample",
    )  # fmt: skip
    half = halves_of(n)[0]
    precision = 1 / np.corrcoef(found.signals[half].T)[np.triu_indices(300, 1)].var()
    assert precision == pytest.approx(degrees_of_freedom_of_part(found.effective_degrees_of_freedom, r, 0.5), rel=0.06)
    assert precision != pytest.approx(found.effective_degrees_of_freedom * 0.5, rel=0.03)
    assert precision != pytest.approx(200 * (0.36 if filtered else 1), rel=0.06)  # as if nothing was regressed out


def test_spearman_brown_predicts_what_longer_scans_have():
    rng = np.random.default_rng(2)
    for factor in (2, 4):
        short = draw(rng, 200, 2, 300, between=1, error=3).reshape(400, 300)
        long = draw(rng, 200, 2, 300, between=1, error=3 / factor).reshape(400, 300)
        subject = np.repeat(np.arange(200), 2)
        pooled = [one.between.sum() / one.total.sum() for one in (one_way(short, subject), one_way(long, subject))]
        assert spearman_brown(pooled[0], factor) == pytest.approx(pooled[1], abs=0.02)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_the_factor_for_a_reliability_is_its_inverse(reliability, wanted):
    assert spearman_brown(reliability, factor_for(reliability, wanted)) == pytest.approx(wanted)


def test_no_length_makes_noise_reliable():
    assert np.isnan(factor_for(0.0, 0.5))
    assert np.isnan(factor_for(-0.1, 0.5))


@given(st.lists(st.floats(0.2, 90), min_size=1, max_size=5))
def test_lengths_rise_to_what_the_shortest_part_has(minutes):
    lengths = lengths_of(minutes)
    assert lengths == sorted(set(lengths))
    assert lengths[-1] <= min(minutes) + 1e-6
    assert lengths[-1] >= 0.6 * min(minutes) - 0.1
    assert len(lengths) <= 10
