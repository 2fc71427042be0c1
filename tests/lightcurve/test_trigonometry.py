"""Cosine and sine of 2 pi f t, against closed forms and numpy."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_scripts.lightcurve.trigonometry import cosine_sine

# The polynomials' promise (module docstring); measured 1.1e-15.
EXACT = 3e-15
# Half a unit in the last place of the turns, as an angle: a product time * frequency is known no better.
ROUNDING = 2 * math.pi * 2.0**-53


def both(time, frequency):
    time = np.atleast_1d(np.asarray(time, dtype=np.float64))
    cosine, sine = np.empty_like(time), np.empty_like(time)
    cosine_sine(time, float(frequency), cosine, sine)
    return cosine, sine


# Closed form.


def test_twelfths_of_a_turn():
    root = math.sqrt(3) / 2
    cosine, sine = both(np.arange(13), 1 / 12)
    np.testing.assert_allclose(cosine, [1, root, 0.5, 0, -0.5, -root, -1, -root, -0.5, 0, 0.5, root, 1], atol=EXACT)
    np.testing.assert_allclose(sine, [0, 0.5, root, 1, root, 0.5, 0, -0.5, -root, -1, -root, -0.5, 0], atol=EXACT)


@pytest.mark.parametrize("turns", [0.0, 1.0, -1.0, 12345.0, -99999.0, 2.0**40])
def test_whole_turns_are_exact(turns):
    cosine, sine = both(turns, 1.0)
    assert (cosine[0], sine[0]) == (1, 0)


def test_half_a_turn_is_either_end_of_the_reduced_angle():
    for turns in (0.5, -0.5, 1.5, 1000.5, np.nextafter(0.5, 0), np.nextafter(0.5, 1)):
        cosine, sine = both(turns, 1.0)
        assert cosine[0] == pytest.approx(-1, abs=EXACT)
        assert sine[0] == pytest.approx(0, abs=EXACT)


def test_frequency_zero_is_the_constant():
    cosine, sine = both([0.0, 7.3, -1e5], 0.0)
    assert cosine.tolist() == [1, 1, 1]
    assert sine.tolist() == [0, 0, 0]


def test_no_points():
    cosine, sine = both(np.empty(0), 1.0)
    assert cosine.shape == sine.shape == (0,)


# numpy.


@pytest.mark.parametrize("turns", [1, 1e3, 1e5])
def test_where_the_product_is_exact_so_are_the_functions(turns):
    """Times in 2^-20 d and whole frequencies: the product has no rounding, so 3e-15 holds over 1e5 turns."""
    rng = np.random.default_rng(1)
    for frequency in (1.0, 3.0, 20.0):
        time = np.round(rng.uniform(-turns, turns, 20_000) / frequency * 2**20) / 2**20
        product = time * frequency
        angle = 2 * np.pi * (product - np.rint(product))
        cosine, sine = both(time, frequency)
        np.testing.assert_allclose(cosine, np.cos(angle), rtol=0, atol=EXACT)
        np.testing.assert_allclose(sine, np.sin(angle), rtol=0, atol=EXACT)


@pytest.mark.parametrize("frequency", [1e-3, 0.0731, 1.00273791, 19.97])
def test_arbitrary_times_and_frequencies_up_to_their_rounding(frequency):
    """Against the exact product: no more is lost than the rounding of time * frequency to double precision."""
    rng = np.random.default_rng(2)
    time = rng.uniform(-1e5, 1e5, 3000) / frequency
    product = [Fraction(t) * Fraction(frequency) for t in time.tolist()]
    angle = 2 * np.pi * np.array([float(turns - round(turns)) for turns in product])
    tolerance = EXACT + ROUNDING * np.abs(np.array(product, dtype=np.float64))
    cosine, sine = both(time, frequency)
    assert (np.abs(cosine - np.cos(angle)) <= tolerance).all()
    assert (np.abs(sine - np.sin(angle)) <= tolerance).all()


# Properties.


@given(st.floats(-1e5, 1e5), st.floats(0, 30))
def test_identities(time, frequency):
    cosine, sine = both([time, -time], frequency)
    assert cosine[0] ** 2 + sine[0] ** 2 == pytest.approx(1, abs=EXACT)
    assert cosine[1] == pytest.approx(cosine[0], abs=EXACT)
    assert sine[1] == pytest.approx(-sine[0], abs=EXACT)
    double = both(time, 2 * frequency)  # doubling is exact in binary
    assert double[0][0] == pytest.approx(cosine[0] ** 2 - sine[0] ** 2, abs=4 * EXACT)
    assert double[1][0] == pytest.approx(2 * sine[0] * cosine[0], abs=4 * EXACT)


def test_a_point_does_not_depend_on_its_neighbours():
    """Remainders of the SIMD loop take another path than full registers: the result is the same."""
    time = np.random.default_rng(3).uniform(0, 3000, 67)
    whole = both(time, 0.7312)
    for n in (1, 2, 3, 7, 8, 9, 31, 66):
        for part, expected in zip(both(time[:n], 0.7312), whole, strict=True):
            np.testing.assert_allclose(part, expected[:n], rtol=0, atol=EXACT)


def test_results_may_be_rows_of_a_larger_array():
    waves = np.full((4, 50), 7.0)
    time = np.linspace(0, 10, 50)
    cosine_sine(time, 0.3, waves[0], waves[1])
    np.testing.assert_allclose(waves[0], np.cos(2 * np.pi * 0.3 * time), atol=1e-14)
    np.testing.assert_allclose(waves[1], np.sin(2 * np.pi * 0.3 * time), atol=1e-14)
    assert (waves[2:] == 7).all()
