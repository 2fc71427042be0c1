import numpy as np
import pytest

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


def design(since, frequency, terms):
    columns = [np.ones_like(since)]
    for k in range(1, terms + 1):
        columns += [np.cos(2 * np.pi * k * frequency * since), np.sin(2 * np.pi * k * frequency * since)]
    return np.column_stack(columns)


def least_squares(since, weight, mag, frequency, terms):
    matrix, root = design(since, frequency, terms), np.sqrt(weight)
    solution = np.linalg.lstsq(matrix * root[:, None], mag * root, rcond=None)[0]
    return solution, float((weight * (mag - matrix @ solution) ** 2).sum())


@pytest.mark.parametrize("frequency", [0.73, 0.365, 1.9, 0.0123])
def test_residuals_of_all_orders_are_those_of_least_squares(curve, frequency):
    result = np.empty(6)
    harmonics.residuals(*curve, frequency, 5, result)
    expected = [least_squares(*curve, frequency, h)[1] for h in range(6)]
    np.testing.assert_allclose(result, expected, atol=RIDGE * expected[0])


@pytest.mark.parametrize("terms", [1, 3, 5])
def test_coefficients_are_those_of_least_squares(curve, terms):
    expected, _ = least_squares(*curve, 0.73, terms)
    np.testing.assert_allclose(harmonics.coefficients(*curve, 0.73, terms), expected, atol=RIDGE)


def test_model_is_the_sum_of_the_series(curve):
    since = curve[0]
    series = np.array([15.0, 0.3, -0.2, 0.05, 0.1])
    np.testing.assert_allclose(harmonics.model(since, 0.73, series), design(since, 0.73, 2) @ series, atol=1e-10)


def test_noise_free_series_is_recovered(curve):
    since, weight, _ = curve
    series = np.array([15.0, 0.3, -0.2, 0.05, 0.1])
    mag = design(since, 0.73, 2) @ series
    np.testing.assert_allclose(harmonics.coefficients(since, weight, mag, 0.73, 2), series, atol=RIDGE)


def test_a_gap_in_phase_does_not_blow_up_the_fit():
    """All points within a tenth of the cycle: the ridge keeps the coefficients within reason."""
    rng = np.random.default_rng(3)
    since = rng.integers(0, 500, 60) + rng.uniform(0, 0.1, 60)
    weight = np.full(60, 1 / 60)
    series = harmonics.coefficients(since, weight, 15 + rng.normal(0, 0.1, 60), 1.0, 5)
    assert np.isfinite(series).all()
    assert np.abs(series[1:]).max() < 20
