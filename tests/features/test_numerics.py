"""Numerical helpers against numpy, over sizes and kinds of values where they take another way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from workflow_scripts.features import numerics

# Ties, zeros and many decades: bisection must end on all of them.
NUMBERS = st.one_of(st.floats(-1e3, 1e3), st.sampled_from([0.0, 1.0, -1.0, 1e-300, 0.1]), st.floats(1e-12, 1e12))
VALUES = arrays(np.float64, st.integers(1, 70), elements=NUMBERS)


@given(VALUES)
@settings(deadline=None, max_examples=300)
def test_median_of_values_in_any_order(values):
    kept = values.copy()
    assert numerics.middle_of(values) == np.median(values)
    np.testing.assert_array_equal(values, kept)


@given(VALUES)
@settings(deadline=None, max_examples=300)
def test_median_distance_from_the_median(values):
    assert numerics.middle_distance(np.sort(values)) == np.median(np.abs(values - np.median(values)))


@given(VALUES)
@settings(deadline=None)
def test_sort(values):
    expected = np.sort(values)
    numerics.sort_few(values)
    np.testing.assert_array_equal(values, expected)


@given(arrays(np.float64, st.integers(1, 70), elements=st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0]))))
@settings(deadline=None, max_examples=300)
def test_order_of_phases_is_that_of_a_stable_sort(phase):
    np.testing.assert_array_equal(numerics.order(phase), np.argsort(phase, kind="stable"))


def test_order_of_crowded_phases():
    phase = np.random.default_rng(1).uniform(0.5, 0.5001, 2000)
    np.testing.assert_array_equal(numerics.order(phase), np.argsort(phase, kind="stable"))


@pytest.mark.parametrize("n", [2, 3, 400, 401])
def test_median_of_values_over_ten_decades(n):
    values = 10 ** np.random.default_rng(n).uniform(-5, 5, n)
    assert numerics.middle_of(values) == np.median(values)


def test_median_of_nothing_and_of_what_is_no_number_is_undefined():
    assert np.isnan(numerics.middle_of(np.empty(0)))
    for place in (0, 20, 40):
        values = np.arange(41.0)
        values[place] = np.nan
        assert np.isnan(numerics.middle_of(values))


@given(VALUES)
@settings(deadline=None)
def test_extremes(values):
    assert numerics.extremes(values) == (values.min(), values.max())


@pytest.mark.parametrize("harmonics", [1, 2, 5, 8])
def test_fourier_series_on_the_grid_of_phases(harmonics):
    series = np.random.default_rng(harmonics).normal(size=2 * harmonics + 1)
    angle = 2 * np.pi * np.arange(numerics.PROFILE_POINTS) / numerics.PROFILE_POINTS
    expected = sum(
        series[2 * k - 1] * np.cos(k * angle) + series[2 * k] * np.sin(k * angle) for k in range(1, harmonics + 1)
    )
    np.testing.assert_allclose(numerics.evaluate(series), expected, atol=1e-13)
