"""Narrow eclipses: boxes against a slow literal search, and what they prefer and refuse."""

import itertools
import math

import numpy as np
import pytest
from simulated import binary, noisy, parts, sawtooth, sine

from workflow_scripts.lightcurve import eclipses

BINS, WIDTHS, FEWEST = eclipses._COARSE_BINS, eclipses._COARSE_WIDTHS, eclipses._FEWEST


def eclipsed(seed, shape, period, *sizes, errors=(0.01, 0.05)):
    """Light curves at random times over 500 d, one for each number of points: since, weight, mag, bands."""
    rng = np.random.default_rng(seed)
    curves = []
    for n in sizes:
        time, error = np.sort(rng.uniform(0, 500, n)), rng.uniform(*errors, n)
        curves.append((time, 15 + shape(time / period % 1) + rng.normal(0, error), error))
    return parts(*curves)


def single(phase):
    """One eclipse of 3 % of the cycle."""
    return np.where(phase < 0.03, 0.6, 0)


def unequal(phase):
    return np.where(phase < 0.03, 0.8, 0) + np.where((phase + 0.5) % 1 < 0.03, 0.3, 0)


def penalty(star):
    return 1.5 * math.log(len(star[0]))


def gains(star, frequency, bins=BINS, widths=WIDTHS):
    sums = np.empty((3, len(star[3]) - 1, 2 * bins + 1))
    eclipses._fold(*star, frequency, sums)
    return eclipses._boxes(sums, widths)


def criterion_of(star, frequency):
    sums, square = np.empty((3, len(star[3]) - 1, 2 * BINS + 1)), (star[1] * star[2] ** 2).sum()
    return eclipses._criterion(*star, frequency, penalty(star), square, sums, WIDTHS)


def best(star, *frequencies):
    return eclipses.best_frequency(*star, np.array(frequencies), penalty(star))


# Closed form.


def comb(depths):
    """Ten points in the middle of every bin, on a period of 1 d: magnitudes of the bins are known."""
    time = (np.arange(BINS) + 0.5) / BINS + 10 * np.arange(10)[:, None]
    mag = np.zeros(BINS)
    for (start, width), depth in depths.items():
        mag[(start + np.arange(width)) % BINS] = depth
    # The first epoch is the zero of the phase: one point at zero, of next to no weight.
    error = np.r_[1e3, np.ones(10 * BINS)]
    return parts((np.r_[0, time.ravel()], np.r_[0, np.tile(mag, 10)], error))


@pytest.mark.parametrize("start", [0, 17, BINS - 2])
@pytest.mark.parametrize("width", [WIDTHS[0], WIDTHS[3], WIDTHS[-1]])
def test_one_box_explains_the_whole_scatter(start, width):
    """A part p of the cycle is eclipsed by d: the mean square about the mean is p (1 - p) d^2."""
    star = comb({(start, width): 0.5})
    part = width / BINS
    one, two = gains(star, 1.0)
    assert one == pytest.approx(part * (1 - part) * 0.25, rel=1e-5)
    assert two == pytest.approx(one, rel=1e-5)


@pytest.mark.parametrize("second", [0.3, 0.6, 0.85])
def test_two_boxes_of_their_own_widths_and_depths(second):
    wide, narrow = WIDTHS[3], WIDTHS[1]
    star = comb({(BINS // 10, wide): 0.8, (int(BINS * (0.1 + second)), narrow): 0.5})
    one, two = gains(star, 1.0)
    square = (star[1] * star[2] ** 2).sum()
    assert two == pytest.approx(square, rel=1e-5)
    # The deeper one is the first; the other is left to the mean outside.
    outside = np.r_[np.full(narrow, 0.5), np.zeros(BINS - wide - narrow)]
    assert one == pytest.approx(square - outside.var() * (1 - wide / BINS), rel=1e-4)


def test_the_criterion_is_that_of_the_box():
    star = eclipsed(1, single, 2.2, 300)
    one, two = gains(star, 1 / 2.2)
    square = (star[1] * star[2] ** 2).sum()
    criteria = [300 * math.log(square - one) + 4 * penalty(star), 300 * math.log(square - two) + 7 * penalty(star)]
    assert criterion_of(star, 1 / 2.2) == pytest.approx(min(criteria))


def test_the_second_look_is_finer_and_beside_the_frequencies_given():
    """It finds what the first one has, at least, within a tenth of a cycle over the baseline."""
    star, off = eclipsed(1, single, 2.2, 300), 0.08 / 500
    frequency, criterion = best(star, 1 / 2.2 + off, 2 / 2.2, 0.77)
    assert abs(frequency - 1 / 2.2) < off
    assert criterion < criterion_of(star, 1 / 2.2 + off)
    fine = gains(star, frequency, eclipses._FINE_BINS, eclipses._FINE_WIDTHS)
    square = (star[1] * star[2] ** 2).sum()
    expected = min(300 * math.log(square - gain) + k * penalty(star) for gain, k in zip(fine, (4, 7), strict=True))
    assert criterion == pytest.approx(expected)


def test_two_bands_have_a_level_and_a_depth_each():
    star = eclipsed(1, single, 2.2, 300, 200)
    one, two = gains(star, 1 / 2.2)
    square = (star[1] * star[2] ** 2).sum()
    criteria = [500 * math.log(square - one) + 6 * penalty(star), 500 * math.log(square - two) + 10 * penalty(star)]
    assert criterion_of(star, 1 / 2.2) == pytest.approx(min(criteria))


# A slow literal search.


def literal_gain(star, bins, boxes):
    """Mean square less the mean square about the levels inside and outside the boxes; none where a rule is broken."""
    _, weight, mag, bands = star
    inside = [((bins - start) % BINS) < width for start, width in boxes]
    if min(mask.sum() for mask in inside) < FEWEST:
        return 0.0
    gain = 0.0
    for first, last in itertools.pairwise(bands):
        w, m = weight[first:last], mag[first:last]
        left = np.ones(last - first, dtype=bool)
        for mask in inside:
            box = mask[first:last]
            left &= ~box
            brighter = box.any() and (w[box] * m[box]).sum() <= 0  # the mean of the band is zero
            if brighter or w[left].sum() < w[box].sum() * (1 - 1e-12):
                return 0.0
        gain += (w * m**2).sum()
        for group in (group for group in (*(mask[first:last] for mask in inside), left) if group.any()):
            gain -= (w[group] * (m[group] - np.average(m[group], weights=w[group])) ** 2).sum()
    return gain


def literal_boxes(star, frequency):
    """Best box among all widths and places; then the best second one that does not touch it from behind."""
    bins = (star[0] * frequency % 1 * BINS).astype(int) % BINS
    one, first = 0.0, None
    for width in WIDTHS:
        for start in range(BINS):
            gain = literal_gain(star, bins, [(start, width)])
            if gain > one:
                one, first = gain, (start, width)
    two = one
    if first:
        after = first[0] + first[1]
        for width in WIDTHS:
            for start in range(after, first[0] + BINS - width + 1):
                two = max(two, literal_gain(star, bins, [first, (start % BINS, width)]))
    return one, two


# Rounding: sums of weights of 1, of differences of cumulative sums.
EXACT = 1e-9


@pytest.mark.parametrize("sizes", [(120,), (60, 50), (150, 30)])
@pytest.mark.parametrize("shape", [single, unequal, binary, sawtooth])
@pytest.mark.parametrize("frequency", [1 / 3.3, 2 / 3.3, 0.5 / 3.3])
def test_boxes_are_those_of_a_literal_search(sizes, shape, frequency):
    star = eclipsed(int(1000 * frequency) + sum(sizes), shape, 3.3, *sizes)
    np.testing.assert_allclose(gains(star, frequency), literal_boxes(star, frequency), rtol=EXACT, atol=1e-15)


def test_boxes_of_noise_are_those_of_a_literal_search():
    for seed in range(6):
        star = eclipsed(seed, lambda phase: 0 * phase, 3.3, 40 + 5 * seed)
        np.testing.assert_allclose(gains(star, 0.77), literal_boxes(star, 0.77), rtol=EXACT, atol=1e-15)


# What is preferred.


def counted(shape, period, seeds, n=800):
    """How often the period, its half and its double are preferred, given exactly, and how often none is."""
    count = dict.fromkeys((1, 0.5, 2, None), 0)
    for seed in range(seeds):
        star = parts(noisy(np.random.default_rng(seed), shape, period, n=n))
        frequency, criterion = best(star, 2 / period, 1 / period, 0.5 / period)
        count[round(1 / frequency / period, 2) if math.isfinite(criterion) else None] += 1
    return count


@pytest.mark.parametrize("period", [1.234, 2.345])
def test_one_narrow_eclipse_is_preferred_to_half_and_double(period):
    """Measured: 20 and 19 of 20 with four points in each of 200 nights."""
    assert counted(single, period, 20)[1] >= 18


@pytest.mark.parametrize("period", [1.234, 2.345])
def test_two_unequal_eclipses_are_told_from_one_at_half_the_period(period):
    """Measured: 17 and 19 of 20; the edges of the eclipses do not fall on those of the bins."""
    count = counted(unequal, period, 20)
    assert count[1] >= 15
    assert count[2] == 0


def test_equal_eclipses_are_not_given_twice_their_period():
    def equal(phase):
        return single(phase) + single((phase + 0.5) % 1)

    count = counted(equal, 1.234, 20)
    assert count[2] == count[None] == 0


def test_eclipses_in_two_bands():
    period = 2.345
    for seed in range(5):
        star = eclipsed(seed, unequal, period, 400, 300)
        frequency, criterion = best(star, 2 / period, 1 / period, 0.5 / period, 0.77)
        assert frequency == pytest.approx(1 / period, abs=0.1 / 500)
        assert criterion < penalty(star) * 6 + 700 * math.log((star[1] * star[2] ** 2).sum()) - 500


def test_order_of_frequencies_and_points_does_not_matter():
    star = eclipsed(3, unequal, 2.345, 400)
    frequencies = [2 / 2.345, 1 / 2.345, 0.5 / 2.345, 0.77]
    expected = best(star, *frequencies)
    assert best(star, *frequencies[::-1]) == pytest.approx(expected, rel=1e-9)
    mixed = np.random.default_rng(4).permutation(400)
    found = best((*(values[mixed] for values in star[:3]), star[3]), *frequencies)
    assert found == pytest.approx(expected, rel=1e-9)


def test_a_shift_of_the_epoch_by_whole_cycles_changes_nothing():
    """Not by parts of a cycle: the bins begin at the first epoch."""
    since, *others = eclipsed(5, single, 2.0, 300)
    assert gains((since + 64.0, *others), 0.5) == pytest.approx(gains((since, *others), 0.5), rel=1e-9)


# What is refused.


@pytest.mark.parametrize("shape", [sine, lambda phase: -single(phase), lambda phase: -unequal(phase)])
@pytest.mark.parametrize("sizes", [(300,), (200, 100)])
def test_sinusoids_and_brightenings_are_refused(shape, sizes):
    for seed in range(5):
        assert best(eclipsed(seed, shape, 2.2, *sizes), 1 / 2.2, 2 / 2.2)[1] == math.inf


@pytest.mark.parametrize("sizes", [(300,), (200, 100)])
def test_boxes_in_noise_are_not_worth_their_parameters(sizes):
    """Where they are not refused for want of skewness: a constant has the lower criterion."""
    for seed in range(20):
        star = eclipsed(seed, lambda phase: 0 * phase, 2.2, *sizes)
        constant = sum(sizes) * math.log((star[1] * star[2] ** 2).sum()) + len(sizes) * penalty(star)
        assert best(star, 1 / 2.2, 2 / 2.2)[1] > constant


def test_flares_among_eclipses_are_no_box():
    """A box is fainter in every band: one that is brighter in the other band is none."""
    rng = np.random.default_rng(6)
    times = [np.sort(rng.uniform(0, 500, 300)) for _ in range(2)]
    shapes = (single(times[0] / 2.2 % 1), -0.3 * single(times[1] / 2.2 % 1))
    curves = [(t, 15 + s + rng.normal(0, 0.02, 300), np.full(300, 0.02)) for t, s in zip(times, shapes, strict=True)]
    alone, star = parts(curves[0]), parts(*curves)
    assert gains(alone, 1 / 2.2)[0] > 0.5 * (alone[1] * alone[2] ** 2).sum()
    assert gains(star, 1 / 2.2)[0] < 0.1 * (star[1] * star[2] ** 2).sum()


@pytest.mark.parametrize(("points", "found"), [(FEWEST - 1, False), (FEWEST, True)])
def test_an_eclipse_has_at_least_six_points(points, found):
    rng = np.random.default_rng(7)
    phase = np.r_[0, rng.uniform(0.1, 1, 200), rng.uniform(0.051, 0.069, points)]
    cycle = np.r_[0, rng.integers(0, 200, 200 + points)]
    mag = 15 + np.where((phase > 0.05) & (phase < 0.07), 1.0, 0) + rng.normal(0, 0.001, len(phase))
    star = parts((cycle + phase, mag, np.full(len(phase), 0.02)))
    one, _ = gains(star, 1.0)
    explained = one / (star[1] * star[2] ** 2).sum()
    assert (explained > 0.99) == found, "five points and a neighbour explain less"


def test_fewer_than_six_points_give_nothing():
    star = eclipsed(8, single, 2.2, 5)
    assert gains(star, 1 / 2.2) == (0, 0)
    assert best(star, 1 / 2.2)[1] == math.inf


def test_more_than_half_of_the_time_is_no_eclipse():
    """Weights, not times: a box of a seventh of the cycle in which most of the weight lies is what the star is like."""
    rng = np.random.default_rng(9)
    phase = np.r_[0, rng.uniform(0, 0.12, 200), rng.uniform(0.2, 1, 60)]
    mag = 15 + np.where(phase < 0.12, 0.5, 0) + rng.normal(0, 0.01, 261)
    star = parts((rng.permutation(261) + phase, mag, np.full(261, 0.02)))
    assert gains(star, 1.0)[0] < 0.5 * (star[1] * star[2] ** 2).sum()


def test_eclipses_without_noise_are_found():
    """A perfect fit is the best there is, as with the series of harmonics."""
    for seed in range(20):
        phase = np.r_[0, np.random.default_rng(seed).uniform(0, 1, 200)]
        star = parts((np.arange(201) + phase, np.where((phase > 0.2) & (phase < 0.3), 15.5, 15), np.full(201, 0.02)))
        assert best(star, 1.0)[1] < 0


def test_a_band_without_points_in_the_eclipse_does_not_hide_it():
    rng = np.random.default_rng(10)
    phase = np.r_[0, rng.uniform(0, 1, 400)]
    mag = 15 + single(phase) + rng.normal(0, 0.02, 401)
    well = (np.arange(401) + phase, mag, np.full(401, 0.02))
    sparse_phase = rng.uniform(0.1, 1, 20)
    sparse = (20.0 * np.arange(20) + sparse_phase, 14 + rng.normal(0, 0.02, 20), np.full(20, 0.02))
    assert gains(parts(well), 1.0)[0] > 0
    assert gains(parts(well, sparse), 1.0)[0] > 0.5 * gains(parts(well), 1.0)[0]
