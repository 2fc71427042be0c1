"""The periodogram: closed forms, a literal transcription, and astropy, nifty-ls and finufft as oracles."""

import finufft
import nifty_ls
import numpy as np
import pytest
from astropy.timeseries import LombScargle, LombScargleMultiband
from simulated import parts, ragged

from workflow_scripts.lightcurve import periodogram
from workflow_scripts.lightcurve.nufft import BLOCK, LANES, MODES
from workflow_scripts.lightcurve.periodogram import Grid

# Three sums by a transform that is good to about 1e-4 of the sum of the weights (test_nufft.py), of points whose errors
# are independent: measured 0.9e-4 at worst in ten light curves of 180 points, and in inverse proportion to the points.
SINGLE = 1.5e-4


def simulate(seed, n=180, mean=15.0, baseline=2000.0):
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(53000, 53000 + baseline, n))
    error = rng.uniform(0.05, 0.2, n)
    return time, mean + 0.4 * np.sin(2 * np.pi * 1.7321 * time) + rng.normal(0, error), error


@pytest.fixture
def curve():
    values = simulate(5)
    for array in values:
        array.setflags(write=False)
    return values


def frequencies(grid):
    return grid.low + grid.step * np.arange(grid.count)


def exact(curve, at):
    """Power at some frequencies by astropy's double-precision sums."""
    return LombScargle(curve[0] - curve[0].min(), *curve[1:]).power(at, method="cython", assume_regular_frequency=False)


def places(count, seed=1):
    """Frequencies to look at: both ends, both sides of every seam between halves of blocks, and some at random."""
    seams = np.arange(BLOCK // 2, count, BLOCK // 2)
    near = np.concatenate([seams + shift for shift in (-2, -1, 0, 1)])
    some = np.random.default_rng(seed).integers(0, count, 200)
    chosen = np.unique(np.r_[0:50, near, some, count - 50 : count])
    return chosen[(chosen >= 0) & (chosen < count)]


# Closed form.


def test_grid_covers_the_periods_at_the_oversampling():
    grid = periodogram.grid(1000.0, 0.5, 100.0, 5.0)
    values = frequencies(grid)
    assert values[0] == 0.01
    assert values[-2] < 2.0 <= values[-1]
    assert grid.step == pytest.approx(1 / 5000)


@pytest.mark.parametrize(("low", "high", "step", "n"), [(0, 1, 0.25, 5), (0, 1, 0.3, 5), (0, 1, 2, 2), (1, 1, 1, 1)])
def test_count_reaches_or_passes_the_end(low, high, step, n):
    assert periodogram.count(float(low), float(high), float(step)) == n


def test_power_of_a_pure_sinusoid_is_one(curve):
    time, _, error = curve
    frequency = 1.5
    grid = Grid(frequency - 0.1, 0.001, 201)
    spectrum = periodogram.power(time, np.cos(2 * np.pi * frequency * time), error, grid)
    assert spectrum.argmax() == 100
    assert spectrum[100] == pytest.approx(1, abs=SINGLE)


def test_constant_magnitudes_have_no_power(curve):
    time, _, error = curve
    grid = periodogram.grid(np.ptp(time), 0.5, 100.0, 5.0)
    assert not periodogram.power(time, np.full(len(time), 15.0), error, grid).any()


def test_epochs_that_share_one_phase_have_no_power():
    """One point a day: at whole frequencies all have the same phase, and no sinusoid is defined."""
    rng = np.random.default_rng(2)
    time, error = 53000.0 + np.arange(100), np.full(100, 0.1)
    spectrum = periodogram.power(time, 15 + rng.normal(0, error), error, Grid(1.0, 1.0, 5))
    assert spectrum.tolist() == [0] * 5


def test_window_of_one_point_a_day_repeats_the_spectrum():
    rng = np.random.default_rng(3)
    time, error = 53000.0 + np.arange(100), rng.uniform(0.05, 0.2, 100)
    spectrum = periodogram.power(time, 15 + rng.normal(0, error), error, Grid(0.0, 0.001, 2001))
    np.testing.assert_allclose(spectrum[10:990], spectrum[1010:1990], atol=SINGLE)
    np.testing.assert_allclose(spectrum[10:990], spectrum[990:10:-1], atol=SINGLE)


def test_weights_and_means_of_the_bands():
    mag, error = np.array([1.0, 2.0, 4.0, 10.0, 20.0]), np.array([1.0, 1.0, 0.5, 1.0, 1.0])
    weight, residual, means = periodogram.centred(mag, error, np.array([0, 3, 5]))
    np.testing.assert_allclose(weight, np.array([1, 1, 4, 1, 1]) / 8, rtol=1e-15)
    np.testing.assert_allclose(means, [19 / 6, 15], rtol=1e-15)
    np.testing.assert_allclose(residual, [1 - 19 / 6, 2 - 19 / 6, 4 - 19 / 6, -5, 5], rtol=1e-15)


# A literal transcription, and other packages.


def literal(curve, frequency):
    """Share of chi square that a weighted fit of a constant, a cosine and a sine explains beyond a constant."""
    time, mag, error = curve
    angle = 2 * np.pi * frequency * (time - time.min())
    chi_square = []
    for columns in ([np.ones(len(time))], [np.ones(len(time)), np.cos(angle), np.sin(angle)]):
        matrix = np.column_stack(columns) / error[:, None]
        fit = np.linalg.lstsq(matrix, mag / error, rcond=None)[0]
        chi_square.append(((mag / error - matrix @ fit) ** 2).sum())
    return 1 - chi_square[1] / chi_square[0]


# With few points the fit is ill-conditioned at some frequencies, which multiplies the errors of the sums.
@pytest.mark.parametrize(("n", "tolerance"), [(10, 5e-3), (30, 1e-3), (180, SINGLE)])
def test_power_is_that_of_least_squares(n, tolerance):
    curve = simulate(n, n)
    grid = periodogram.grid(np.ptp(curve[0]), 0.5, 100.0, 5.0)
    chosen = places(grid.count)
    expected = [literal(curve, frequency) for frequency in frequencies(grid)[chosen]]
    np.testing.assert_allclose(periodogram.power(*curve, grid)[chosen], expected, atol=tolerance)


@pytest.mark.parametrize(("low", "high"), [(0.05, 1000), (0.5, 100)])
@pytest.mark.parametrize("oversampling", [1, 2, 5, 20])
def test_power_is_that_of_astropy(curve, low, high, oversampling):
    grid = periodogram.grid(np.ptp(curve[0]), low, high, oversampling)
    chosen = places(grid.count)
    spectrum = periodogram.power(*curve, grid)
    assert (spectrum.shape, spectrum.dtype) == ((grid.count,), np.float32)
    np.testing.assert_allclose(spectrum[chosen], exact(curve, frequencies(grid)[chosen]), atol=SINGLE)


HALF = BLOCK // 2
COUNTS = [1, 2, LANES - 1, LANES + 1, HALF - 1, HALF, HALF + 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 77]


@pytest.mark.parametrize("count", COUNTS)
def test_any_number_of_frequencies(curve, count):
    grid = Grid(0.013, 7e-5, count)
    spectrum = periodogram.power(*curve, grid)
    assert spectrum.shape == (count,)
    chosen = places(count)
    np.testing.assert_allclose(spectrum[chosen], exact(curve, frequencies(grid)[chosen]), atol=SINGLE)


def test_a_grid_that_ends_earlier_has_the_same_bytes(curve):
    whole = periodogram.power(*curve, Grid(0.013, 7e-5, 2 * BLOCK + 5))
    for count in (1, 100, HALF + 1, BLOCK, BLOCK + 1):
        np.testing.assert_array_equal(periodogram.power(*curve, Grid(0.013, 7e-5, count)), whole[:count])


def test_many_blocks_do_not_wear_out_the_phases():
    """Ten years up to 20 per day at an oversampling of 20: 120 blocks, through which the phases are turned."""
    curve = simulate(6, 100, baseline=3650.0)
    grid = periodogram.grid(np.ptp(curve[0]), 0.05, 1000.0, 20.0)
    assert grid.count > 100 * LANES * MODES
    spectrum = periodogram.power(*curve, grid)
    np.testing.assert_allclose(spectrum[-300:], exact(curve, frequencies(grid)[-300:]), atol=SINGLE)


def test_nifty_ls_agrees_everywhere(curve):
    time, mag, error = curve
    grid = periodogram.grid(np.ptp(time), 0.2, 1000.0, 5.0)
    end = grid.low + grid.step * (grid.count - 1)
    expected = nifty_ls.lombscargle(
        time - time.min(), mag, error, fmin=grid.low, fmax=end, Nf=grid.count, backend="finufft", nthreads=1
    )
    np.testing.assert_allclose(periodogram.power(*curve, grid), expected.power, atol=SINGLE)


def test_the_three_sums_by_finufft_give_the_same_power(curve):
    """Zechmeister & Kuerster 2009, eq. 4-15, from sums of double precision."""
    grid = periodogram.grid(np.ptp(curve[0]), 0.5, 100.0, 5.0)
    since, weight, residual, _ = parts(curve)

    def sums(strengths, harmonic):
        centre = grid.low + grid.step * (grid.count // 2)
        turned = strengths * np.exp(2j * np.pi * harmonic * centre * since)
        turns = (harmonic * grid.step * since + 0.5) % 1 - 0.5
        return finufft.nufft1d1(2 * np.pi * turns, turned, grid.count, isign=1, eps=1e-12, nthreads=1)

    at_f, data, at_2f = sums(weight, 1), sums(weight * residual, 1), sums(weight, 2)
    c, s, yc, ys = at_f.real, at_f.imag, data.real, data.imag
    cc, ss, cs = (1 + at_2f.real) / 2 - c * c, (1 - at_2f.real) / 2 - s * s, at_2f.imag / 2 - c * s
    explained = (ss * yc**2 + cc * ys**2 - 2 * cs * yc * ys) / (cc * ss - cs**2)
    expected = explained / (weight * residual**2).sum()
    np.testing.assert_allclose(periodogram.power(*curve, grid), expected, atol=SINGLE)


# Properties.


def test_power_lies_between_zero_and_one():
    for n in (3, 4, 6, 20):
        spectrum = periodogram.power(*simulate(n, n), Grid(0.01, 0.0005, 5000))
        assert np.isfinite(spectrum).all()
        assert spectrum.min() >= 0
        assert spectrum.max() <= 1


def test_order_of_the_points_does_not_matter(curve):
    grid = periodogram.grid(np.ptp(curve[0]), 0.5, 100.0, 5.0)
    shuffled = np.random.default_rng(2).permutation(len(curve[0]))
    second = periodogram.power(*(values[shuffled] for values in curve), grid)
    np.testing.assert_allclose(periodogram.power(*curve, grid), second, atol=SINGLE / 10)


def test_zero_point_scale_and_units_of_error_do_not_matter(curve):
    time, mag, error = curve
    grid = periodogram.grid(np.ptp(time), 0.5, 100.0, 5.0)
    first = periodogram.power(time, mag, error, grid)
    for other in ((time, mag + 3, error), (time, -2.5 * mag, error), (time, mag, 10 * error), (time + 512, mag, error)):
        np.testing.assert_allclose(periodogram.power(*other, grid), first, atol=SINGLE / 10)


def test_same_bytes_again(curve):
    grid = periodogram.grid(np.ptp(curve[0]), 0.1, 100.0, 5.0)
    assert periodogram.power(*curve, grid).tobytes() == periodogram.power(*curve, grid).tobytes()


# Several bands.


@pytest.fixture
def three():
    return [simulate(7, 120, 15.0), simulate(8, 60, 14.2), simulate(9, 33, 16.1)]


def together(curves, grid):
    rows = ragged(curves)
    return periodogram.power(rows.time, rows.mag, rows.mag_err, grid, rows.offsets)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_power_of_bands_is_the_sum_weighted_by_their_chi_square(three, n):
    grid = periodogram.grid(2000.0, 0.5, 100.0, 5.0)
    chosen = places(grid.count)
    at, total, whole = frequencies(grid)[chosen], 0, 0
    for curve in three[:n]:
        _, mag, error = curve
        mean = (mag / error**2).sum() / (error**-2.0).sum()
        chi_square = (((mag - mean) / error) ** 2).sum()
        total, whole = total + chi_square * exact(curve, at), whole + chi_square
    np.testing.assert_allclose(together(three[:n], grid)[chosen], total / whole, atol=SINGLE)


def test_power_of_bands_is_that_of_astropy(three):
    """LombScargleMultiband with a mean and a sinusoid for each band; its common terms but the constant switched off."""
    grid = periodogram.grid(2000.0, 0.5, 100.0, 5.0)
    chosen = np.random.default_rng(3).integers(0, grid.count, 100)
    rows = ragged(three)
    band = np.repeat(["g", "r", "i"], np.diff(rows.offsets))
    model = LombScargleMultiband(
        rows.time - rows.time.min(), rows.mag, band, rows.mag_err, nterms_base=0, nterms_band=1, reg_band=None
    )
    expected = model.power(frequencies(grid)[chosen], method="flexible")
    np.testing.assert_allclose(together(three, grid)[chosen], expected, atol=SINGLE)


def test_a_constant_band_adds_nothing(three):
    grid = periodogram.grid(2000.0, 0.5, 100.0, 5.0)
    time, mag, error = three[1]
    constant = (time, np.full(len(mag), 12.5), error)
    with_it = together([three[0], constant], grid)
    np.testing.assert_allclose(with_it, together(three[:1], grid), atol=SINGLE / 10)


def test_order_of_the_bands_does_not_matter(three):
    grid = periodogram.grid(2000.0, 0.5, 100.0, 5.0)
    np.testing.assert_allclose(together(three, grid), together(three[::-1], grid), atol=SINGLE / 10)


def test_zero_points_of_the_bands_do_not_matter(three):
    grid = periodogram.grid(2000.0, 0.5, 100.0, 5.0)
    shifted = [(time, mag + shift, error) for (time, mag, error), shift in zip(three, (1, -2, 5), strict=True)]
    np.testing.assert_allclose(together(shifted, grid), together(three, grid), atol=SINGLE / 10)


# What is read off a spectrum.


def test_signal_to_noise_is_the_height_in_standard_deviations(curve):
    spectrum = periodogram.power(*curve, periodogram.grid(np.ptp(curve[0]), 0.5, 100.0, 5.0))
    values = spectrum.astype(np.float64)
    expected = (values.max() - values.mean()) / values.std()
    assert periodogram.signal_to_noise(spectrum, values.max()) == pytest.approx(expected, rel=1e-6)


def test_signal_to_noise_of_one_line():
    """One 1 among n - 1 zeros is sqrt(n - 1) standard deviations above the mean."""
    spectrum = np.zeros(101, dtype=np.float32)
    spectrum[17] = 1
    assert periodogram.signal_to_noise(spectrum, 1.0) == pytest.approx(10)


def test_peaks_are_local_maxima_highest_first():
    spectrum = np.zeros(100, dtype=np.float32)
    spectrum[[10, 30, 33, 60, 99]] = [0.5, 0.9, 0.8, 0.7, 0.6]
    assert periodogram.peaks(spectrum, 10, 1)[:5].tolist() == [30, 33, 60, 99, 10]
    assert periodogram.peaks(spectrum, 3, 5).tolist() == [30, 60, 99]


def test_a_later_and_higher_peak_replaces_one_that_is_near():
    spectrum = np.zeros(100, dtype=np.float32)
    spectrum[[40, 43, 80]] = [0.5, 0.9, 0.7]
    assert periodogram.peaks(spectrum, 2, 5).tolist() == [43, 80]


def test_the_first_frequency_can_be_a_peak():
    spectrum = np.linspace(1, 0.1, 50).astype(np.float32)
    assert periodogram.peaks(spectrum, 3, 1).tolist() == [0]
    assert periodogram.peaks(spectrum[::-1].copy(), 3, 1).tolist() == [49]


def test_peaks_equal_a_literal_search():
    rng = np.random.default_rng(3)
    for _ in range(50):
        spectrum = rng.random(300).astype(np.float32)
        padded = np.r_[-1, spectrum, -1]
        maxima = [k for k in range(300) if padded[k] <= padded[k + 1] > padded[k + 2]]
        expected = sorted(maxima, key=lambda k: -spectrum[k])[:8]
        assert periodogram.peaks(spectrum, 8, 1).tolist() == expected


@pytest.mark.parametrize("apart", [2, 5, 20])
def test_peaks_are_apart_and_nothing_higher_is_near(apart):
    rng = np.random.default_rng(4)
    for _ in range(50):
        spectrum = rng.random(300).astype(np.float32)
        found = periodogram.peaks(spectrum, 8, apart)
        assert found[0] == spectrum.argmax()
        assert (np.diff(spectrum[found]) <= 0).all()
        assert np.diff(np.sort(found)).min(initial=300) >= apart
        for k in found:
            assert spectrum[k] == spectrum[max(k - 1, 0) : k + 2].max()


def test_highest_of_the_peaks_is_the_highest_of_the_spectrum(curve):
    """What signal_to_noise is given: a maximum anywhere, at the ends and on a plateau too, is among the peaks."""
    spectrum = periodogram.power(*curve, periodogram.grid(np.ptp(curve[0]), 0.5, 100.0, 5.0))
    for place in (0, 1, 1000, spectrum.size - 1):
        one = spectrum.copy()
        one[place] = one.max() + np.float32(0.01)
        assert periodogram.peaks(one, 10, 5)[0] == place
    flat = np.ones(50, dtype=np.float32)
    assert flat[periodogram.peaks(flat, 10, 5)[0]] == 1
