"""Candidate frequencies and the choice between them."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from simulated import binary, double_mode, epochs, noisy, parts, sawtooth, sine

from workflow_scripts.lightcurve import candidates, eclipses, harmonics, periodogram
from workflow_scripts.lightcurve.candidates import SIDEREAL_DAY

LOW, HIGH = 1 / 200, 10.0  # frequencies of the search [1/d]


def grid_step(since):
    return 1 / (5 * since.max())


def refined_peaks(*curves):
    """Ten highest peaks of a star, one light curve per band, as the search has them."""
    since, weight, residual, bands = star = parts(*curves)
    step = grid_step(since)
    spectrum = np.zeros(periodogram.count(LOW, HIGH, step), dtype=np.float32)
    periodogram.add_bands(since, weight, residual, bands, LOW, step, spectrum)
    return candidates.refine_peaks(*star, LOW + step * periodogram.peaks(spectrum, 10, 5), step, LOW, HIGH)


def choose(star, options, narrow):
    return candidates.choose(*star, options, narrow, 5, LOW)


def chosen(peaks, *curves):
    options, narrow = candidates.multiples(peaks, LOW, HIGH), candidates.eclipsing(peaks, LOW, HIGH)
    return choose(parts(*curves), options, narrow)


def least_squares(since, weight, mag, frequency, terms):
    """Weighted mean square residual of a Fourier series by numpy."""
    columns = [np.ones_like(since)]
    for k in range(1, terms + 1):
        columns += [np.cos(2 * np.pi * k * frequency * since), np.sin(2 * np.pi * k * frequency * since)]
    matrix, root = np.column_stack(columns), np.sqrt(weight)
    fit = np.linalg.lstsq(matrix * root[:, None], mag * root, rcond=None)[0]
    return float((weight * (mag - matrix @ fit) ** 2).sum())


# Refinement of the peaks.


@pytest.mark.parametrize("off", [-1.0, -0.4, 0.0, 0.1, 0.5, 1.0])
def test_the_frequency_of_a_pure_sinusoid_is_found_from_nearby(off):
    since = np.sort(np.random.default_rng(1).uniform(0, 1000, 200))
    since -= since[0]
    star = parts((since, np.sin(2 * np.pi * 1.7321 * since), np.full(200, 0.1)))
    step = grid_step(since)
    found = candidates.refine_peaks(*star, np.array([1.7321 + off * step]), step, LOW, HIGH)
    assert found[0] == pytest.approx(1.7321, abs=0.01 * step)


def test_refined_frequencies_are_minima_of_least_squares():
    curve = noisy(np.random.default_rng(2), sawtooth, 0.61)
    since, weight, residual, _ = parts(curve)
    step = grid_step(since)
    for found in refined_peaks(curve):
        # In grid steps from what was found, as the tolerance of the search is relative.
        best = minimize_scalar(
            lambda x, found=found: least_squares(since, weight, residual, found + x * step, 1),
            bounds=(-0.5, 0.5),
            method="bounded",
            options={"xatol": 1e-6},
        )
        # A hundredth of a cycle over the baseline: one parabola through points half a step apart.
        assert abs(best.x) < 0.05


def test_refined_frequencies_are_sorted_by_quality():
    star = parts(noisy(np.random.default_rng(3), sine, 0.8))
    starts = np.array([3.3, 1 / 0.8, 1 / 0.8 + SIDEREAL_DAY, 0.123])
    found = candidates.refine_peaks(*star, starts, grid_step(star[0]), LOW, HIGH)
    rests = [candidates.rest(*star, f, 1) for f in found]
    assert rests == sorted(rests)
    assert found[0] == pytest.approx(1 / 0.8, rel=1e-4)


@pytest.mark.parametrize("bands", [1, 2])
def test_rest_is_the_residual_of_so_many_harmonics(bands):
    rng = np.random.default_rng(4)
    star = parts(*(noisy(rng, sawtooth, 0.61) for _ in range(bands)))
    rests = np.empty(6)
    harmonics.residuals(*star, 1.5, 5, rests)
    assert [candidates.rest(*star, 1.5, terms) for terms in range(6)] == pytest.approx(rests, rel=1e-9)


# Lists of candidates.


def test_multiples_and_aliases_of_the_five_highest_and_halves_of_all():
    peaks = np.array([1.1, 1.3, 1.7, 1.9, 2.3, 2.9, 3.1])
    expected = []
    for i, f in enumerate(peaks):
        expected += [f, f / 2]
        if i < 5:
            expected += [f / 3, 2 * f, f + SIDEREAL_DAY, abs(f - SIDEREAL_DAY)]
    assert sorted(candidates.multiples(peaks, 0.001, 100.0)) == pytest.approx(sorted(expected))


def test_slow_peaks_have_aliases_alone():
    """Minima of irregular stars differ from cycle to cycle: twice the period would fit better without being true."""
    for f in (1 / 50.1, 1 / 300):
        found = candidates.multiples(np.array([f]), 0.001, 10.0)
        assert sorted(found) == pytest.approx(sorted([f, f + SIDEREAL_DAY, SIDEREAL_DAY - f]))
    assert len(candidates.multiples(np.array([1 / 49.9]), 0.001, 10.0)) == 6


def test_candidates_stay_within_the_limits():
    found = candidates.multiples(np.array([0.9, 3.0]), 0.5, 4.0)
    assert found.min() >= 0.5
    assert found.max() <= 4.0
    for wanted in (0.9, 3.0, 1.5, 1.0, 1.8):
        assert np.isclose(found, wanted).any()


def test_limits_belong_to_the_range():
    for make in (candidates.multiples, candidates.eclipsing):
        assert {0.5, 4.0} <= set(make(np.array([0.5, 4.0]), 0.5, 4.0))


def test_narrow_eclipses_are_tried_at_all_peaks_their_halves_and_doubles():
    peaks = np.linspace(1, 2, 10)
    expected = np.sort(np.concatenate([peaks, peaks / 2, 2 * peaks]))
    np.testing.assert_allclose(np.sort(candidates.eclipsing(peaks, 0.1, 10.0)), expected)
    within = expected[(expected >= 0.7) & (expected <= 3.0)]
    np.testing.assert_allclose(np.sort(candidates.eclipsing(peaks, 0.7, 3.0)), within)


def test_a_peak_at_the_edge_of_the_grid_stays_within_it_and_a_candidate():
    """A trend: the sinusoid that fits best is slower than the slowest that is asked for."""
    time = np.sort(np.random.default_rng(5).uniform(0, 100, 200))
    star = parts((time, 15 + time / 100, np.full(200, 0.02)))
    peaks = candidates.refine_peaks(*star, np.array([LOW, 3 * LOW]), grid_step(star[0]), LOW, HIGH)
    assert peaks[0] == peaks.min() == LOW
    assert candidates.multiples(peaks, LOW, HIGH)[0] == LOW
    slow = candidates.refine_peaks(*star, np.array([3 * LOW]), grid_step(star[0]), LOW, 2.9 * LOW)
    assert slow[0] <= 2.9 * LOW


def test_half_the_frequency_is_not_tried_below_the_lowest():
    star = parts(noisy(np.random.default_rng(15), binary, 2.2))
    options, narrow = np.array([2 / 2.2]), np.array([2 / 2.2])
    assert candidates.choose(*star, options, narrow, 5, 0.9 / 2.2)[0] == pytest.approx(1 / 2.2, rel=1e-3)
    assert candidates.choose(*star, options, narrow, 5, 1.1 / 2.2)[0] == pytest.approx(2 / 2.2, rel=1e-3)


# The choice.


def only(*frequencies):
    return np.array(frequencies), np.array(frequencies[:1])


@pytest.mark.parametrize("period", [0.3217, 0.8, 3.1417])
def test_a_sinusoid_needs_one_harmonic(period):
    star = parts(noisy(np.random.default_rng(13), sine, period))
    frequency, terms, _ = choose(star, *only(0.5 / period, 1 / period, 2 / period, 1 / (3 * period)))
    assert terms == 1
    assert 1 / frequency == pytest.approx(period, rel=1e-3)


@pytest.mark.parametrize("period", [0.3217, 0.8, 3.1417])
def test_a_sawtooth_needs_all_harmonics(period):
    star = parts(noisy(np.random.default_rng(14), sawtooth, period))
    frequency, terms, _ = choose(star, *only(2 / period, 1 / period, 0.5 / period, 1 / (3 * period)))
    assert terms == 5
    assert 1 / frequency == pytest.approx(period, rel=1e-3)


@pytest.mark.parametrize("period", [0.3217, 0.987, 3.1417])
def test_unequal_eclipses_are_found_from_half_the_period(period):
    """Even where the whole period is not among the candidates: its half is always tried."""
    star = parts(noisy(np.random.default_rng(15), binary, period))
    for given in (only(2 / period), only(2 / period, 1 / period)):
        frequency, terms, _ = choose(star, *given)
        assert 1 / frequency == pytest.approx(period, rel=1e-3)
        assert terms >= 4


def test_equal_eclipses_are_one_variation_of_half_the_period():
    def equal(phase):
        return binary(phase) + 0.3 * np.exp(-(((phase - 0.75) / 0.06) ** 2))

    star = parts(noisy(np.random.default_rng(16), equal, 2.2))
    frequency, _, _ = choose(star, *only(1 / 2.2, 2 / 2.2))
    assert 1 / frequency == pytest.approx(1.1, rel=1e-3)


@pytest.mark.parametrize("bands", [1, 2])
@pytest.mark.parametrize("shape", [sine, sawtooth, binary])
def test_the_criterion_is_that_of_numpy(bands, shape):
    """n log(mean square residual) + 1.5 log n for each coefficient of each band, least over the harmonics."""
    rng = np.random.default_rng(17)
    since, weight, mag, limits = star = parts(*(noisy(rng, shape, 0.987) for _ in range(bands)))
    frequency, terms, criterion = choose(star, *only(1 / 0.987))
    expected = []
    for h in range(1, 6):
        rest = sum(
            least_squares(since[a:b], weight[a:b], mag[a:b], frequency, h) for a, b in itertools.pairwise(limits)
        )
        expected.append(len(since) * math.log(rest) + 1.5 * math.log(len(since)) * bands * (2 * h + 1))
    assert terms == 1 + np.argmin(expected)
    # The criterion is of before the last refinement of the frequency.
    assert criterion == pytest.approx(min(expected), abs=3)


@pytest.mark.parametrize(("n", "most"), [(4, 1), (9, 2), (12, 2), (13, 3), (21, 5), (200, 5)])
def test_few_points_have_few_harmonics(n, most):
    """A sawtooth without noise wants them all; a series of h harmonics needs 4 h + 1 points."""
    time = np.sort(np.random.default_rng(18).uniform(0, 100, n))
    star = parts((time, sawtooth(time / 0.7 % 1), np.full(n, 0.01)))
    assert candidates._allowed(1 / 0.7, star[3], 5) == most
    assert choose(star, *only(1 / 0.7))[1] <= 2 * most


def test_the_band_of_the_fewest_points_sets_the_limit():
    assert candidates._allowed(1.0, np.array([0, 100, 113, 300]), 5) == 3


def test_slow_stars_have_two_harmonics():
    assert candidates._allowed(0.099, np.array([0, 100]), 5) == 2
    assert candidates._allowed(0.101, np.array([0, 100]), 5) == 5
    assert candidates._allowed(0.099, np.array([0, 100]), 1) == 1
    star = parts(noisy(np.random.default_rng(19), sawtooth, 24.7))
    assert choose(star, *only(1 / 24.7))[1] == 2


def test_boxes_win_over_series_where_eclipses_are_narrow():
    def single(phase):
        return np.where(phase % 1 < 0.03, 0.6, 0)

    star = parts(noisy(np.random.default_rng(20), single, 2.2, n=800))
    options = np.array([3.21])  # no series fits at the right frequency, as it is not among the candidates
    frequency, _, criterion = choose(star, options, np.array([2 / 2.2, 1 / 2.2, 0.5 / 2.2]))
    assert 1 / frequency == pytest.approx(2.2, rel=1e-3)
    best, expected = eclipses.best_frequency(*star, np.array([1 / 2.2]), 1.5 * math.log(800))
    assert (best, criterion) == (1 / 2.2, expected)


def test_order_of_the_candidates_does_not_matter():
    star = parts(noisy(np.random.default_rng(21), sawtooth, 0.61))
    options = np.array([1 / 0.61, 0.5 / 0.61, 2 / 0.61, 1 / 0.61 + SIDEREAL_DAY, 3.3])
    results = {choose(star, np.roll(options, k), options[:1]) for k in range(5)}
    assert len(results) == 1


# Two modes.


def second_mode(peak, *curves):
    """Highest peak of what the series at the peak leaves, between half and twice its frequency: frequency, power."""
    rest, weights = [], []
    for time, mag, error in curves:
        weight = error**-2 / (error**-2).sum()
        series = harmonics.coefficients(time - time[0], weight, mag, peak, 5)
        rest.append((time, mag - harmonics.model(time - time[0], peak, series), error))
        weights.append(weight)
    since, weight, residual, bands = parts(*rest)
    spectrum = np.zeros(int(1.5 * peak / grid_step(since)), dtype=np.float32)
    periodogram.add_bands(since, weight, residual, bands, peak / 2, grid_step(since), spectrum)
    return peak / 2 + grid_step(since) * int(spectrum.argmax()), float(spectrum.max())


def one_or_two(*curves):
    """Periods of the highest peak, of the plain choice, and after two modes have been tried."""
    peaks = refined_peaks(*curves)
    plain = chosen(peaks, *curves)
    second, power = second_mode(peaks[0], *curves)
    best, _ = candidates.two_modes(*parts(*curves), peaks[0], second, power, plain, 5)
    return 1 / peaks[0], 1 / plain[0], 1 / best


# In 20 of 60 such stars a series at a subharmonic beats the overtone alone (18 of them are put right): some for each.
@pytest.mark.parametrize(("seed", "multiple"), [(2, 2), (12, 2), (25, 3), (26, 3), (6, 4)])
def test_a_star_of_two_modes_keeps_the_period_of_the_higher_one(seed, multiple):
    overtone = 0.744 * 0.48
    highest, plain, best = one_or_two(double_mode(np.random.default_rng(seed)))
    assert highest == pytest.approx(overtone, rel=1e-4)
    assert plain == pytest.approx(multiple * overtone, rel=1e-3)
    assert best == pytest.approx(overtone, rel=1e-4)


def test_the_second_mode_of_such_a_star_is_at_its_ratio():
    curve = double_mode(np.random.default_rng(2))
    second, power = second_mode(refined_peaks(curve)[0], curve)
    assert second == pytest.approx(1 / 0.48, rel=1e-4)
    assert power > 0.6


@pytest.mark.parametrize("period", [0.3217, 0.987, 2.2, 3.1417])
@pytest.mark.parametrize("seed", range(3))
def test_a_binary_of_unequal_minima_is_no_star_of_two_modes(period, seed):
    """What the series at half the period leaves lies at its subharmonic, which two modes of a star do not."""
    highest, plain, best = one_or_two(noisy(np.random.default_rng(seed), binary, period))
    assert highest == pytest.approx(period / 2, rel=1e-3)
    assert plain == pytest.approx(period, rel=1e-3)
    assert best == plain


def test_two_modes_are_tried_at_a_part_of_the_frequency_of_the_peak_alone():
    curve = double_mode(np.random.default_rng(2))
    star, peak = parts(curve), refined_peaks(curve)[0]
    second, power = second_mode(peak, curve)
    for other in (peak, 2 * peak, peak / 2 + 3 / star[0].max(), 0.77 * peak):
        assert candidates.two_modes(*star, peak, second, power, (other, 3, 1e9), 5) == (other, 3)
    # At half the frequency, and with the worst of criteria, the peak takes its place: unless the second mode is a part.
    half = peak / 2
    assert candidates.two_modes(*star, peak, second, power, (half, 3, 1e9), 5)[0] == pytest.approx(peak, rel=1e-5)
    assert candidates.two_modes(*star, peak, 3 * half, power, (half, 3, 1e9), 5) == (half, 3)


@pytest.mark.parametrize(("n", "tried"), [(11, False), (12, True)])
def test_two_modes_are_not_tried_in_fewer_than_twelve_points(n, tried):
    curve = double_mode(np.random.default_rng(2))
    peak = refined_peaks(curve)[0]
    second, power = second_mode(peak, curve)
    few = parts(tuple(column[:: len(column) // n][:n] for column in curve))
    chosen_before = (peak / 2, 2, 1e9)
    assert len(few[0]) == n
    assert (candidates.two_modes(*few, peak, second, power, chosen_before, 5) != chosen_before[:2]) == tried


def test_a_second_mode_has_to_be_worth_three_parameters_and_the_choice_of_its_frequency():
    """The criterion with two modes literally: n log of what both leave, and the price."""
    curve = double_mode(np.random.default_rng(2))
    since, weight, mag, _ = star = parts(curve)
    peak = refined_peaks(curve)[0]
    second, power = second_mode(peak, curve)
    n = len(since)
    price = 1.5 * math.log(n)
    one = min(n * math.log(least_squares(since, weight, mag, peak, h)) + price * (2 * h + 1) for h in range(1, 6))
    both = one + n * math.log(1 - power) + 3 * price + 2 * math.log(1.5 * peak * since.max())
    assert candidates.two_modes(*star, peak, second, power, (peak / 2, 3, both - 0.1), 5)[0] == peak / 2
    assert candidates.two_modes(*star, peak, second, power, (peak / 2, 3, both + 0.1), 5)[0] != peak / 2


def test_noise_as_a_second_mode_does_not_take_a_binary_apart():
    """A faint binary observed 60 times: the highest peak of the rest is high by chance."""
    time = epochs(np.random.default_rng(22), 60)
    mag = 15 + binary(time / 2.2 % 1) + np.random.default_rng(23).normal(0, 0.1, 60)
    _, plain, best = one_or_two((time, mag, np.full(60, 0.1)))
    assert best == plain
