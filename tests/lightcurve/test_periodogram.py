import numpy as np
import pytest
from astropy.timeseries import LombScargle

from workflow_scripts.lightcurve import periodogram

# The transform is asked for 1e-4 and runs in single precision: angles of up to 1e5 grid steps lose three more
# digits at the end of the grid (module docstring), so powers agree to about 1e-3 with double precision.
SINGLE = 3e-3


@pytest.fixture
def curve():
    rng = np.random.default_rng(5)
    time = np.sort(rng.uniform(53000, 55000, 180))
    error = rng.uniform(0.05, 0.2, 180)
    mag = 15 + 0.4 * np.sin(2 * np.pi * 1.7321 * time) + rng.normal(0, error)
    for values in (time, mag, error):
        values.setflags(write=False)
    return time, mag, error


def frequencies(grid):
    return grid.low + grid.step * np.arange(grid.count)


def test_grid_covers_the_periods_at_the_oversampling():
    grid = periodogram.grid(1000.0, 0.5, 100.0, 5.0)
    values = frequencies(grid)
    assert values[0] == 0.01
    assert values[-2] < 2.0 <= values[-1]
    assert grid.step == pytest.approx(1 / 5000)


@pytest.mark.parametrize(("low", "high"), [(0.05, 1000), (0.5, 100)])
def test_power_is_that_of_a_direct_sum(curve, low, high):
    time, mag, error = curve
    grid = periodogram.grid(np.ptp(time), low, high, 5.0)
    spectrum = periodogram.power(time, mag, error, grid)
    chosen = np.r_[0:50, np.random.default_rng(1).integers(0, grid.count, 200), grid.count - 50 : grid.count]
    exact = LombScargle(time - time.min(), mag, error).power(frequencies(grid)[chosen], method="slow")
    np.testing.assert_allclose(spectrum[chosen], exact, atol=SINGLE)


def test_power_of_a_pure_sinusoid_is_one(curve):
    time, _, error = curve
    frequency = 1.5
    grid = periodogram.Grid(frequency - 0.1, 0.001, 201)
    spectrum = periodogram.power(time, np.cos(2 * np.pi * frequency * time), error, grid)
    assert spectrum.argmax() == 100
    assert spectrum[100] == pytest.approx(1, abs=SINGLE)


def test_order_of_the_points_does_not_matter(curve):
    time, mag, error = curve
    grid = periodogram.grid(np.ptp(time), 0.5, 100.0, 5.0)
    shuffled = np.random.default_rng(2).permutation(len(time))
    first = periodogram.power(time, mag, error, grid)
    second = periodogram.power(time[shuffled], mag[shuffled], error[shuffled], grid)
    np.testing.assert_allclose(first, second, atol=SINGLE)


def test_constant_magnitudes_have_no_power(curve):
    time, _, error = curve
    grid = periodogram.grid(np.ptp(time), 0.5, 100.0, 5.0)
    assert not periodogram.power(time, np.full(len(time), 15.0), error, grid).any()


@pytest.mark.parametrize("peak", [0.05, 0.1, 0.2, 0.5, 0.9])
def test_false_alarm_probability_is_that_of_astropy(curve, peak):
    time, mag, error = curve
    expected = LombScargle(time, mag, error).false_alarm_probability(peak, method="baluev", maximum_frequency=20.0)
    assert periodogram.false_alarm_probability(peak, time, error, 20.0) == pytest.approx(expected, rel=1e-4, abs=1e-12)


def test_false_alarm_probability_at_the_ends(curve):
    time, _, error = curve
    assert periodogram.false_alarm_probability(0.0, time, error, 20.0) == 1
    assert periodogram.false_alarm_probability(1.0, time, error, 20.0) == 0


def test_false_alarm_probability_holds_for_noise(curve):
    """Of 200 noise curves about 10 may pass a limit of 5 %: the bound is conservative, so far fewer than 25."""
    time, _, error = curve
    rng = np.random.default_rng(7)
    grid = periodogram.grid(np.ptp(time), 0.5, 1000.0, 5.0)
    passed = 0
    for _ in range(200):
        peak = float(periodogram.power(time, rng.normal(0, error), error, grid).max())
        passed += periodogram.false_alarm_probability(peak, time, error, 2.0) < 0.05
    assert passed < 25


def test_peaks_are_local_maxima_highest_first():
    spectrum = np.zeros(100, dtype=np.float32)
    spectrum[[10, 30, 33, 60, 99]] = [0.5, 0.9, 0.8, 0.7, 0.6]
    assert periodogram.peaks(spectrum, 10, 1)[:5].tolist() == [30, 33, 60, 99, 10]
    assert periodogram.peaks(spectrum, 3, 5).tolist() == [30, 60, 99]


def test_peaks_equal_a_literal_search():
    rng = np.random.default_rng(3)
    for _ in range(50):
        spectrum = rng.random(300).astype(np.float32)
        padded = np.r_[-1, spectrum, -1]
        maxima = [k for k in range(300) if padded[k] <= padded[k + 1] > padded[k + 2]]
        expected = sorted(maxima, key=lambda k: -spectrum[k])[:8]
        assert periodogram.peaks(spectrum, 8, 1).tolist() == expected
