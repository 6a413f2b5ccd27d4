import warnings

import numpy as np
import pytest
from cohort import cohort_signals
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import OAS, EmpiricalCovariance, LedoitWolf

from sphereconn.connect.connectivity import KINDS, SAMPLES, connectome, describe, precision, standardize
from sphereconn.connect.covariance import ESTIMATORS
from sphereconn.errors import InputError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nilearn.connectome import ConnectivityMeasure

ORACLES = {"ledoit_wolf": LedoitWolf, "oas": OAS, "empirical": EmpiricalCovariance}
OF_NILEARN = ("covariance", "correlation", "partial correlation", "precision")
CORRELATIONS = [kind for kind in KINDS if KINDS[kind].is_correlation]


def mixed_signals(n_frames=120, n_nodes=10, seed=0):
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n_frames, 2)) @ rng.standard_normal((2, n_nodes))
    return common + rng.standard_normal((n_frames, n_nodes))


def nilearn_connectome(signals, kind, covariance):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ConnectivityMeasure(cov_estimator=ORACLES[covariance](), kind=kind).fit_transform([signals])[0]


def population_z(signals):
    return (signals - signals.mean(axis=0)) / signals.std(axis=0)


# --- against nilearn and scikit-learn -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OF_NILEARN)
@pytest.mark.parametrize("covariance", ESTIMATORS)
def test_every_kind_agrees_with_nilearn_on_z_scored_signals(kind, covariance):
    signals = mixed_signals() * np.arange(1, 11) + 50
    expected = nilearn_connectome(population_z(signals), kind, covariance)
    np.testing.assert_allclose(connectome(signals, kind, covariance).matrix, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", OF_NILEARN)
@pytest.mark.parametrize("covariance", ESTIMATORS)
@pytest.mark.parametrize("subject", [1, 9, 16])
def test_every_kind_agrees_with_nilearn_on_real_series(kind, covariance, subject):
    _, signals = cohort_signals(subject)
    # The series are low-passed, about 75 dimensions are left: the inverse of an empirical covariance of 20 parcels
    # is still well determined.
    signals = signals[:, ::6] if covariance == "empirical" else signals
    expected = nilearn_connectome(population_z(signals), kind, covariance)
    tolerance = 1e-10 * max(1, np.abs(expected).max())  # precisions reach a few hundred
    np.testing.assert_allclose(connectome(signals, kind, covariance).matrix, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("covariance", ["ledoit_wolf", "oas"])
def test_shrinkage_is_that_of_scikit_learn_on_z_scored_signals(covariance):
    _, signals = cohort_signals(3)
    expected = ORACLES[covariance]().fit(population_z(signals)).shrinkage_
    assert connectome(signals, "correlation", covariance).shrinkage == pytest.approx(expected, abs=1e-10)


def test_empirical_correlation_is_pearsons():
    signals = mixed_signals()
    np.testing.assert_allclose(
        connectome(signals, "correlation", "empirical").matrix, np.corrcoef(signals.T), rtol=0, atol=1e-14
    )


@pytest.mark.parametrize("covariance", ["ledoit_wolf", "oas"])
def test_the_number_of_samples_is_that_of_the_frames_unless_it_is_given(covariance):
    signals = mixed_signals()
    by_frames = connectome(signals, "partial correlation", covariance)
    few = connectome(signals, "partial correlation", covariance, samples=len(signals) / 4)
    assert (by_frames.samples, few.samples) == (len(signals), len(signals) / 4)
    assert few.shrinkage == pytest.approx(4 * by_frames.shrinkage, rel=0.03)
    assert connectome(signals, "correlation", "empirical", samples=5.0).samples is None


def test_nilearns_partial_correlation_depends_on_the_units_of_the_signals_and_ours_does_not():
    signals = mixed_signals(n_frames=60)
    rescaled = signals * np.geomspace(0.5, 13, 10)  # the standard deviations of unstandardised masker signals
    theirs = [nilearn_connectome(x, "partial correlation", "ledoit_wolf") for x in (signals, rescaled)]
    ours = [connectome(x, "partial correlation", "ledoit_wolf").matrix for x in (signals, rescaled)]
    assert np.abs(theirs[0] - theirs[1]).max() > 0.02
    np.testing.assert_allclose(ours[0], ours[1], rtol=0, atol=1e-12)


def test_signals_z_scored_with_n_minus_1_change_covariances_by_that_factor_and_correlations_not_at_all():
    _, signals = cohort_signals(2)
    sample_z = (signals - signals.mean(axis=0)) / signals.std(axis=0, ddof=1)
    n_frames = len(signals)
    factors = {
        "covariance": (n_frames - 1) / n_frames,
        "precision": n_frames / (n_frames - 1),
        "correlation": 1,
        "partial correlation": 1,
    }
    for kind, factor in factors.items():
        expected = nilearn_connectome(sample_z, kind, "ledoit_wolf")
        ours = connectome(signals, kind, "ledoit_wolf").matrix * factor
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


# --- closed forms and properties ------------------------------------------------------------------------------------


def test_two_nodes_follow_the_closed_forms():
    signals = np.repeat([[1.0, 1], [1, -1], [-1, 1], [-1, -1]], [3, 1, 1, 3], axis=0)  # correlation 1/2
    expected = {
        "covariance": [[1, 0.5], [0.5, 1]],
        "correlation": [[1, 0.5], [0.5, 1]],
        "precision": np.array([[1, -0.5], [-0.5, 1]]) / 0.75,
        "partial correlation": [[1, 0.5], [0.5, 1]],  # with nothing to hold constant, the correlation itself
    }
    for kind, matrix in expected.items():
        np.testing.assert_allclose(connectome(signals, kind, "empirical").matrix, matrix, rtol=0, atol=1e-15)


def test_a_third_node_is_held_constant_by_the_textbook_formula():
    signals = mixed_signals(n_nodes=3)
    r = np.corrcoef(signals.T)
    expected = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    ours = connectome(signals, "partial correlation", "empirical").matrix[0, 1]
    assert ours == pytest.approx(expected, abs=1e-13)


def test_a_common_cause_correlates_two_nodes_but_leaves_no_partial_correlation():
    rng = np.random.default_rng(0)
    # Orthogonal by construction, so the answer is exact rather than up to sampling.
    cause, first, second = np.linalg.qr(np.column_stack([np.ones(100), rng.standard_normal((100, 3))]))[0].T[1:]
    signals = np.column_stack([cause, cause + first, cause + second])
    assert connectome(signals, "correlation", "empirical").matrix[1, 2] == pytest.approx(0.5, abs=1e-13)
    assert connectome(signals, "partial correlation", "empirical").matrix[1, 2] == pytest.approx(0, abs=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_unrelated_nodes_give_the_identity(kind):
    signals = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    signals = np.vstack([signals, -signals])
    matrix = connectome(signals, kind, "empirical").matrix
    np.testing.assert_array_equal(matrix, np.eye(3))
    assert not np.signbit(matrix).any()  # no minus zero in a table


@pytest.mark.parametrize("covariance", ESTIMATORS)
def test_precision_times_covariance_is_the_identity(covariance):
    signals = mixed_signals()
    product = connectome(signals, "precision", covariance).matrix @ connectome(signals, "covariance", covariance).matrix
    np.testing.assert_allclose(product, np.eye(10), rtol=0, atol=1e-12)


def test_the_empirical_covariance_of_z_scored_signals_has_a_unit_diagonal():
    signals = mixed_signals() * 100 + 5000
    np.testing.assert_allclose(np.diag(connectome(signals, "covariance", "empirical").matrix), 1, rtol=1e-13)


@settings(deadline=None)
@given(st.integers(12, 60), st.integers(1, 10), st.integers(0, 10_000))
def test_matrices_are_exactly_symmetric_and_correlations_have_an_exact_unit_diagonal(n_frames, n_nodes, seed):
    signals = mixed_signals(n_frames, n_nodes, seed)
    for kind in KINDS:
        for covariance in ESTIMATORS:
            matrix = connectome(signals, kind, covariance).matrix
            np.testing.assert_array_equal(matrix, matrix.T)
            if kind in CORRELATIONS:
                np.testing.assert_array_equal(np.diag(matrix), 1)
                assert np.abs(matrix).max() <= 1


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_offsets_and_units_change_nothing_and_a_flipped_sign_flips_its_edges(seed):
    signals = mixed_signals(seed=seed)
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1, 1], 10)
    changed = signals * signs * np.exp(rng.uniform(-5, 5, 10)) + rng.uniform(-100, 100, 10)
    for kind in KINDS:
        expected = connectome(signals, kind, "ledoit_wolf").matrix * np.outer(signs, signs)
        # Subtracting an offset of up to 100 from a signal as small as 0.01 costs four of sixteen digits.
        np.testing.assert_allclose(connectome(changed, kind, "ledoit_wolf").matrix, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("covariance", ESTIMATORS)
def test_nodes_in_another_order_give_the_same_matrix_in_that_order(kind, covariance):
    signals, order = mixed_signals(), np.random.default_rng(1).permutation(10)
    expected = connectome(signals, kind, covariance).matrix[np.ix_(order, order)]
    np.testing.assert_allclose(connectome(signals[:, order], kind, covariance).matrix, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_frames_does_not_matter(kind):
    signals = mixed_signals()
    np.testing.assert_allclose(
        connectome(signals[::-1], kind, "ledoit_wolf").matrix,
        connectome(signals, kind, "ledoit_wolf").matrix,
        rtol=0,
        atol=1e-13,
    )


def test_the_input_is_not_changed():
    signals = mixed_signals()
    before = signals.copy()
    for kind in KINDS:
        connectome(signals, kind, "ledoit_wolf")
    np.testing.assert_array_equal(signals, before)


# --- nodes without a signal -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("covariance", ESTIMATORS)
def test_missing_and_constant_nodes_are_left_out_and_come_back_as_nan(kind, covariance):
    signals = mixed_signals()
    kept = np.delete(np.arange(10), [2, 7])
    expected = connectome(signals[:, kept], kind, covariance)
    signals[:, 2] = np.nan
    signals[:, 7] = 0.1  # 0.1 is not its own mean in floating point
    result = connectome(signals, kind, covariance)
    np.testing.assert_array_equal(result.matrix[np.ix_(kept, kept)], expected.matrix)
    assert np.isnan(result.matrix[[2, 7]]).all() and np.isnan(result.matrix[:, [2, 7]]).all()
    assert result.unusable == (2, 7)
    assert result.shrinkage == expected.shrinkage
    assert result.n_frames == 120


def test_a_run_without_any_usable_node_gives_a_matrix_of_nan():
    result = connectome(np.column_stack([np.full(20, np.nan), np.full(20, 3.0)]), "partial correlation", "ledoit_wolf")
    assert result.matrix.shape == (2, 2) and np.isnan(result.matrix).all()
    assert result.unusable == (0, 1) and result.shrinkage is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_usable_node_has_only_its_diagonal(kind):
    signals = mixed_signals(n_nodes=2)
    signals[:, 0] = np.nan
    matrix = connectome(signals, kind, "ledoit_wolf").matrix
    assert matrix[1, 1] == pytest.approx(1, abs=1e-13)
    assert np.isnan(matrix).sum() == 3


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_signal_that_is_missing_in_some_frames_only_is_an_error(value):
    signals = mixed_signals()
    signals[5, 3] = value
    with pytest.raises(ValueError, match="node 4"):
        connectome(signals, "correlation", "empirical")


def test_a_column_of_infinities_is_an_error():
    signals = mixed_signals()
    signals[:, 0] = np.inf
    with pytest.raises(ValueError, match="node 1"):
        connectome(signals, "correlation", "empirical")


def test_standardized_signals_have_mean_0_and_population_deviation_1():
    signals = mixed_signals() * 30 + 1000
    signals[:, 4] = np.nan
    z, usable = standardize(signals)
    assert z.shape == (120, 9) and usable.sum() == 9 and not usable[4]
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-13)


def test_a_small_signal_on_a_large_offset_is_not_taken_for_a_constant():
    signals = mixed_signals() * 1e-3 + 1e4
    assert connectome(signals, "correlation", "empirical").unusable == ()


# --- what cannot be inverted ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["precision", "partial correlation"])
def test_too_few_frames_for_an_empirical_inverse_are_refused_with_advice(kind):
    signals = mixed_signals(n_frames=10, n_nodes=10)  # rank 9 after centring
    with pytest.raises(InputError, match=r"needs at least 11 frames.*have 10.*ledoit_wolf or oas"):
        connectome(signals, kind, "empirical")
    connectome(mixed_signals(n_frames=11, n_nodes=10), kind, "empirical")
    for covariance in ("ledoit_wolf", "oas"):
        assert np.isfinite(connectome(signals, kind, covariance).matrix).all()


def test_missing_nodes_do_not_count_towards_the_frames_needed():
    signals = mixed_signals(n_frames=11, n_nodes=12)
    signals[:, [3, 4]] = np.nan
    assert np.isfinite(connectome(signals, "precision", "empirical").matrix).sum() == 100


def test_correlations_need_no_inverse_and_so_no_number_of_frames():
    assert np.isfinite(connectome(mixed_signals(n_frames=5), "correlation", "empirical").matrix).all()


@pytest.mark.parametrize("kind", ["precision", "partial correlation"])
@pytest.mark.parametrize("factor", [1, -2.5])
def test_nodes_with_the_same_signal_are_named(kind, factor):
    signals = mixed_signals()
    signals[:, 0] = np.nan  # names are those of all nodes, not of the usable ones
    signals[:, 6] = factor * signals[:, 3] + 4
    with pytest.raises(InputError, match=r"'4' and '7' have the same signal.*ledoit_wolf"):
        connectome(signals, kind, "empirical")
    names = [f"seed{letter}" for letter in "ABCDEFGHIJ"]
    with pytest.raises(InputError, match="'seedD' and 'seedG'"):
        connectome(signals, kind, "empirical", names=names)


@pytest.mark.parametrize("covariance", ESTIMATORS)
def test_one_signal_in_many_units_never_correlates_beyond_1(covariance):
    rng = np.random.default_rng(0)
    signals = np.outer(rng.standard_normal(97), rng.uniform(-10, 10, 40)) + rng.uniform(-10, 10, 40)
    assert np.nanmax(np.abs(connectome(signals, "correlation", covariance).matrix)) <= 1


def test_linearly_dependent_signals_are_refused():
    signals = mixed_signals()
    signals -= signals.mean(axis=1, keepdims=True)
    with pytest.raises(InputError, match="linearly dependent"):
        connectome(signals, "partial correlation", "empirical")
    assert np.isfinite(connectome(signals, "partial correlation", "ledoit_wolf").matrix).all()


def test_low_passed_real_series_have_no_empirical_inverse_although_the_frames_outnumber_the_parcels():
    _, signals = cohort_signals(1)  # 200 frames, 122 parcels, about 80 dimensions left by the filter
    with pytest.raises(InputError, match="filtering"):
        connectome(signals, "partial correlation", "empirical")


def test_near_duplicates_that_double_precision_can_tell_apart_are_accepted():
    signals = mixed_signals()
    signals[:, 6] = signals[:, 3] + 1e-3 * signals[:, 6]
    assert np.isfinite(connectome(signals, "precision", "empirical").matrix).all()


def test_a_singular_shrunk_covariance_is_refused_too():
    # In two frames every z-score is 1 or -1: Ledoit and Wolf find no sampling error, shrink by nothing.
    signals = np.random.default_rng(0).standard_normal((2, 3))
    with pytest.raises(InputError, match="Ledoit-Wolf shrunk covariance has no inverse"):
        connectome(signals, "precision", "ledoit_wolf")


def test_precision_does_not_mind_units_when_it_judges_singularity():
    scales = np.diag([1e-6, 1.0, 1e6])
    covariance = np.array([[2.0, 1, 0], [1, 2, 1], [0, 1, 2]])
    expected = np.linalg.inv(scales) @ np.linalg.inv(covariance) @ np.linalg.inv(scales)
    np.testing.assert_allclose(precision(scales @ covariance @ scales), expected, rtol=1e-12)


@pytest.mark.parametrize("n_frames", [0, 1])
def test_fewer_than_two_frames_are_refused(n_frames):
    with pytest.raises(InputError, match=f"at least 2 frames, and the signals have {n_frames}"):
        connectome(np.ones((n_frames, 3)), "correlation", "empirical")


def test_unknown_names_are_refused_with_what_is_allowed():
    with pytest.raises(ValueError, match="'tangent' is unknown, allowed are covariance, correlation"):
        connectome(mixed_signals(), "tangent", "ledoit_wolf")
    with pytest.raises(ValueError, match="allowed are ledoit_wolf, oas, empirical"):
        connectome(mixed_signals(), "correlation", "pearson")


def test_one_signal_instead_of_a_table_is_refused():
    with pytest.raises(ValueError, match="n_frames, n_nodes"):
        connectome(np.arange(10.0), "correlation", "empirical")


# --- the sidecar ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("covariance", ESTIMATORS)
def test_the_sidecar_has_the_required_keys_with_their_types(kind, covariance):
    keys = describe(kind, covariance)
    assert isinstance(keys["RelationshipMeasure"], str) and isinstance(keys["MeasureDescription"], str)
    assert keys["Directed"] is False and keys["Weighted"] is True and keys["NonNegative"] is False
    assert keys["ValidDiagonal"] is (kind in ("covariance", "precision"))


def test_the_measure_is_named_in_full():
    assert (
        describe("partial correlation", "ledoit_wolf", "effective")["RelationshipMeasure"]
        == "partial correlation from the Ledoit-Wolf shrunk covariance (samples: effective)"
    )
    assert describe("correlation", "empirical")["RelationshipMeasure"] == "correlation from the empirical covariance"
    assert (
        describe("covariance", "ledoit_wolf", "frames")["RelationshipMeasure"]
        == "Ledoit-Wolf shrunk covariance (samples: frames)"
    )


def test_every_measure_has_a_name_of_its_own():
    names = {
        describe(kind, covariance, samples)["RelationshipMeasure"]
        for kind in KINDS
        for covariance in ESTIMATORS
        for samples in SAMPLES
    }
    assert len(names) == len(KINDS) * (1 + 2 * 2)  # what is not shrunk counts no samples


@pytest.mark.parametrize("scale", [1.0, -3.0])
def test_nodes_with_the_same_signal_have_no_correlation(scale):
    signals = np.random.default_rng(0).normal(size=(50, 4))
    others = connectome(np.delete(signals, 2, axis=1), "correlation", "empirical")
    signals[:, 2] = scale * signals[:, 0] + 7
    found = connectome(signals, "correlation", "empirical")
    assert found.identical == ((0, 2),) and np.isnan(found.matrix[0, 2]) and np.isnan(found.matrix[2, 0])
    assert np.count_nonzero(np.isnan(found.matrix)) == 2 and others.identical == ()
    np.testing.assert_array_equal(np.delete(np.delete(found.matrix, 2, axis=0), 2, axis=1), others.matrix)


@pytest.mark.parametrize(("kind", "covariance"), [("correlation", "oas"), ("partial correlation", "ledoit_wolf")])
def test_shrinkage_does_not_hide_that_two_nodes_have_the_same_signal(kind, covariance):
    signals = np.random.default_rng(0).normal(size=(50, 5))
    signals[:, 4] = np.nan
    signals[:, [0, 3]] = signals[:, 3:4] * [-2, 1]
    found = connectome(signals, kind, covariance, samples=20)
    assert found.identical == ((0, 3),)
    assert np.argwhere(np.isnan(found.matrix[:4, :4])).tolist() == [[0, 3], [3, 0]]
