"""Fourier series by normal equations, against numpy's least squares."""

import itertools

import numpy as np
import pytest
from simulated import simulate_series

from workflow_scripts.lightcurve import harmonics

# The ridge adds 1e-6 to diagonal entries of about 0.5: coefficients change by about 1e-6 of themselves.
RIDGE = 1e-5


@pytest.fixture
def curve():
    rng = np.random.default_rng(11)
    since = np.sort(rng.uniform(0, 900, 120))
    weight = rng.uniform(0.5, 2, 120)
    mag = (
        14 + 0.3 * np.sin(2 * np.pi * 0.73 * since) + 0.1 * np.cos(4 * np.pi * 0.73 * since) + rng.normal(0, 0.02, 120)
    )
    return since, weight / weight.sum(), mag


@pytest.fixture
def centred(curve):
    """The same about zero, as the residuals are asked for."""
    since, weight, mag = curve
    return since, weight, mag - (weight * mag).sum()


def one_band(curve):
    return np.array([0, len(curve[0])])


def design(since, frequency, terms):
    columns = [np.ones_like(since)]
    for k in range(1, terms + 1):
        columns += [np.cos(2 * np.pi * k * frequency * since), np.sin(2 * np.pi * k * frequency * since)]
    return np.column_stack(columns)


def least_squares(since, weight, mag, frequency, terms):
    matrix, root = design(since, frequency, terms), np.sqrt(weight)
    solution = np.linalg.lstsq(matrix * root[:, None], mag * root, rcond=None)[0]
    return solution, float((weight * (mag - matrix @ solution) ** 2).sum())


def ridge_regression(since, weight, mag, frequency, terms):
    """Literal normal equations with the ridge on the diagonal, about the first magnitude."""
    matrix = design(since, frequency, terms)
    gram = (matrix * weight[:, None]).T @ matrix
    gram += harmonics._RIDGE * weight.sum() * np.eye(len(gram))
    solution = np.linalg.solve(gram, matrix.T @ (weight * (mag - mag[0])))
    solution[0] += mag[0]
    return solution


def residuals(curve, bands, frequency, terms):
    result = np.full(terms + 3, 7.0)
    harmonics.residuals(*curve, bands, frequency, terms, result)
    assert (result[terms + 1 :] == 7).all(), "what is beyond the harmonics asked for is left alone"
    return result[: terms + 1]


# Closed form.


def test_model_is_the_sum_of_the_series(curve):
    since = curve[0]
    series = np.array([15.0, 0.3, -0.2, 0.05, 0.1])
    np.testing.assert_allclose(harmonics.model(since, 0.73, series), design(since, 0.73, 2) @ series, atol=1e-10)


def test_model_of_a_constant(curve):
    assert harmonics.model(curve[0], 0.73, np.array([15.25])).tolist() == [15.25] * 120


def test_noise_free_series_is_recovered(curve):
    since, weight, _ = curve
    series = np.array([15.0, 0.3, -0.2, 0.05, 0.1])
    mag = design(since, 0.73, 2) @ series
    np.testing.assert_allclose(harmonics.coefficients(since, weight, mag, 0.73, 2), series, atol=RIDGE)


def test_residual_of_a_noise_free_series_is_next_to_nothing_from_its_order_on(curve):
    since, weight, _ = curve
    mag = design(since, 0.73, 2) @ np.array([0.0, 0.3, -0.2, 0.05, 0.1])
    found = residuals((since, weight, mag), one_band(curve), 0.73, 4)
    square = (weight * mag**2).sum()
    assert (found[:2] > 0.01 * square).all()
    assert (found[2:] < RIDGE * square).all()
    assert (found > 0).all(), "their logarithm is taken"


def test_residual_without_harmonics_is_the_scatter(centred):
    _, weight, mag = centred
    assert residuals(centred, one_band(centred), 0.73, 0)[0] == pytest.approx((weight * mag**2).sum(), rel=1e-6)


# numpy's least squares.


@pytest.mark.parametrize("frequency", [0.73, 0.365, 1.9, 0.0123])
def test_residuals_of_all_orders_are_those_of_least_squares(centred, frequency):
    expected = [least_squares(*centred, frequency, h)[1] for h in range(6)]
    found = residuals(centred, one_band(centred), frequency, 5)
    np.testing.assert_allclose(found, expected, atol=RIDGE * expected[0])


@pytest.mark.parametrize("terms", [1, 3, 5])
def test_coefficients_are_those_of_least_squares(curve, terms):
    expected, _ = least_squares(*curve, 0.73, terms)
    np.testing.assert_allclose(harmonics.coefficients(*curve, 0.73, terms), expected, atol=RIDGE)


@pytest.mark.parametrize("frequency", [0.73, 1.0, 0.0123])
@pytest.mark.parametrize("terms", [1, 5, 10])
def test_coefficients_are_those_of_ridge_regression(curve, frequency, terms):
    """To rounding: condition numbers of up to 1e6 leave ten of sixteen digits."""
    expected = ridge_regression(*curve, frequency, terms)
    np.testing.assert_allclose(harmonics.coefficients(*curve, frequency, terms), expected, atol=1e-8)


def test_residuals_of_lower_orders_do_not_depend_on_the_highest(centred):
    whole = residuals(centred, one_band(centred), 0.73, 10)
    for terms in range(10):
        np.testing.assert_allclose(residuals(centred, one_band(centred), 0.73, terms), whole[: terms + 1], rtol=1e-9)


@pytest.mark.parametrize("frequency", [0.73, 0.365, 1.9])
def test_residuals_are_those_of_the_model(curve, centred, frequency):
    found = residuals(centred, one_band(centred), frequency, 5)
    since, weight, mag = curve
    for terms in range(6):
        series = harmonics.coefficients(since, weight, mag, frequency, terms)
        left = (weight * (mag - harmonics.model(since, frequency, series)) ** 2).sum()
        assert found[terms] == pytest.approx(left, abs=RIDGE * found[0])


# Two bands.


@pytest.fixture
def two(centred):
    """Another amplitude and phase, and a third of the points, in the second band; weights sum to 1 over both."""
    rng = np.random.default_rng(12)
    since = np.sort(rng.uniform(0, 900, 40))
    weight = np.r_[centred[1] * 0.8, np.full(40, 0.2 / 40)]
    mag = 0.15 * np.sin(2 * np.pi * 0.73 * since + 1) + rng.normal(0, 0.02, 40)
    return (np.r_[centred[0], since], weight, np.r_[centred[2], mag - mag.mean()]), np.array([0, 120, 160])


@pytest.mark.parametrize("frequency", [0.73, 0.365, 1.9])
def test_residuals_of_two_bands_are_the_sum_of_both(two, frequency):
    curve, bands = two
    expected = np.zeros(6)
    for first, last in itertools.pairwise(bands):
        band = [values[first:last] for values in curve]
        expected += [least_squares(*band, frequency, h)[1] for h in range(6)]
    np.testing.assert_allclose(residuals(curve, bands, frequency, 5), expected, atol=RIDGE * expected[0])


def test_two_bands_of_the_same_points_have_the_residuals_of_one(centred):
    since, weight, mag = centred
    twice = (np.r_[since, since], np.r_[weight, weight] / 2, np.r_[mag, mag])
    found = residuals(twice, np.array([0, 120, 240]), 0.73, 5)
    np.testing.assert_allclose(found, residuals(centred, one_band(centred), 0.73, 5), rtol=1e-9)


def test_bands_are_fitted_each_on_its_own(two):
    """A band at another level and in antiphase costs nothing; as one light curve it would."""
    curve, bands = two
    apart = residuals(curve, bands, 0.73, 2)[2]
    as_one = residuals(curve, np.array([0, 160]), 0.73, 2)[2]
    assert apart < 0.5 * as_one


# Properties.


def test_residuals_fall_with_every_harmonic(two):
    curve, bands = two
    for frequency in np.random.default_rng(13).uniform(0.01, 5, 20):
        found = residuals(curve, bands, frequency, 10)
        assert (np.diff(found) <= 1e-12).all()
        assert found[0] <= (curve[1] * curve[2] ** 2).sum() * (1 + 1e-12)


def test_a_shift_of_the_magnitudes_moves_the_mean_alone(curve):
    since, weight, mag = curve
    first = harmonics.coefficients(since, weight, mag, 0.73, 5)
    second = harmonics.coefficients(since, weight, mag + 3, 0.73, 5)
    np.testing.assert_allclose(second - first, [3] + 10 * [0], atol=1e-12)


def test_a_factor_of_the_weights_changes_nothing(curve):
    since, weight, mag = curve
    first = harmonics.coefficients(since, weight, mag, 0.73, 5)
    np.testing.assert_allclose(harmonics.coefficients(since, 1e-3 * weight, mag, 0.73, 5), first, rtol=1e-9)


def test_order_of_the_points_does_not_matter(centred):
    shuffled = np.random.default_rng(14).permutation(120)
    mixed = tuple(values[shuffled] for values in centred)
    bands = one_band(centred)
    np.testing.assert_allclose(residuals(mixed, bands, 0.73, 5), residuals(centred, bands, 0.73, 5), rtol=1e-9)
    first = harmonics.coefficients(*centred, 0.73, 5)
    np.testing.assert_allclose(harmonics.coefficients(*mixed, 0.73, 5), first, atol=2e-6)  # the ridge's centre moves


# Where the points do not determine the series.


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10])
def test_fewer_points_than_coefficients(n):
    """The ridge chooses the small coefficients among those that go through the points."""
    since, mag = simulate_series(n)
    weight = np.full(n, 1 / n)
    series = harmonics.coefficients(since, weight, mag, 0.73, 5)
    assert np.isfinite(series).all()
    assert np.abs(series[1:]).max() < 5
    np.testing.assert_allclose(harmonics.model(since, 0.73, series), mag, atol=0.01)
    centred = (since, weight, mag - mag.mean())
    found = residuals(centred, np.array([0, n]), 0.73, 5)
    assert np.isfinite(found).all()
    assert (found >= 0).all()


def test_a_gap_in_phase_does_not_blow_up_the_fit():
    """All points within a tenth of the cycle: the ridge keeps the coefficients within reason."""
    rng = np.random.default_rng(3)
    since = rng.integers(0, 500, 60) + rng.uniform(0, 0.1, 60)
    weight = np.full(60, 1 / 60)
    series = harmonics.coefficients(since, weight, 15 + rng.normal(0, 0.1, 60), 1.0, 5)
    assert np.isfinite(series).all()
    assert np.abs(series[1:]).max() < 20


def test_points_of_one_phase_have_a_mean_and_no_series():
    since, weight = np.arange(50.0), np.full(50, 1 / 50)
    mag = 15 + np.random.default_rng(4).normal(0, 0.1, 50)
    series = harmonics.coefficients(since, weight, mag, 1.0, 5)
    assert np.isfinite(series).all()
    assert harmonics.model(since[:1], 1.0, series)[0] == pytest.approx(mag.mean(), abs=1e-5)
    found = residuals((since, weight, mag - mag.mean()), np.array([0, 50]), 1.0, 5)
    np.testing.assert_allclose(found, np.var(mag), rtol=1e-6)
