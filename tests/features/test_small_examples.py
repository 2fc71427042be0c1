"""Features of a handful of points, worked out by hand, and of any points at all."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from star import given as given_by_search
from star import measure, one_curve, value

from workflow_scripts import features
from workflow_scripts.features.registry import POINTS
from workflow_scripts.features.stetson import robust_mean


def star_of(time, mag, mag_err=0.1):
    """A star with these points."""
    time, mag = np.array(time, dtype=float), np.array(mag, dtype=float)
    return one_curve(1) | {"time": time, "mag": mag, "mag_err": np.broadcast_to(np.float64(mag_err), mag.shape).copy()}


def one(star, name):
    return value(star, name)[0]


def test_excursions_of_two_scans():
    """Scans of three points: medians 10 and 11, median deviations 0.2 and 0: the second sigma is the largest error."""
    star = star_of([0, 1, 2, 100, 101, 102], [9.8, 10.0, 10.3, 11.0, 11.0, 11.0], [0.1, 0.1, 0.1, 0.05, 0.3, 0.1])
    assert one(star, "excursions") == pytest.approx(1 / math.hypot(1.4826 * 0.2, 0.3), rel=1e-6)


@pytest.mark.parametrize(("last", "scans"), [(5.0, 1), (5.01, 2)])
def test_a_scan_ends_five_days_after_its_first_point(last, scans):
    star = star_of([0, 4, last], [10.0, 10.0, 11.0])
    assert np.isnan(one(star, "excursions")) == (scans == 1)


def test_excursions_of_single_points_use_their_errors():
    star = star_of([0, 10, 20], [10.0, 10.5, 10.0], [0.3, 0.4, 0.3])
    assert one(star, "excursions") == pytest.approx((1 + 1 + 0) / 3, rel=1e-6)


def test_cssd_counts_triples_beyond_three_sigma_on_one_side():
    """Median 0 and median deviation 1: of two triples beyond 4.4 only the one on one side counts."""
    quiet = [-1, 0, 1] * 3
    mag = [*quiet, 5, 5, 5, *quiet, -5, 5, -5, 0]
    assert one(star_of(range(25), mag), "cssd") == pytest.approx(1 / 23)


def test_consecutive_needs_two_standard_deviations_from_the_mean():
    mag = [0.0] * 30 + [3.0] * 4 + [0.0] * 30
    assert one(star_of(range(64), mag), "consecutive") == pytest.approx(2 / 62)


def test_s_b_of_two_runs():
    """Residuals -1 -1 +2 in errors of 0.5: runs of sums -4 and 4, so 2 * 16 over N M = 6."""
    assert one(star_of(range(3), [9.0, 9.0, 12.0], 0.5), "s_b") == pytest.approx(32 / 6)


def test_iqr_leaves_the_median_of_an_odd_number_out():
    assert one(star_of(range(5), [5, 1, 3, 2, 4]), "iqr") == pytest.approx(4.5 - 1.5)
    assert one(star_of(range(4), [4, 1, 3, 2]), "iqr") == pytest.approx(3.5 - 1.5)


def test_peak_to_peak_of_two_ends():
    assert one(star_of(range(3), [14.0, 15.0, 16.0], [0.1, 5.0, 0.2]), "peak_to_peak") == pytest.approx(
        (15.8 - 14.1) / (15.8 + 14.1)
    )


def test_intrinsic_scatter_is_what_the_errors_leave():
    noisy, quiet = star_of(range(3), [10, 13, 16], 1.0), star_of(range(3), [10, 13, 16], 5.0)
    assert one(noisy, "intrinsic_std") == pytest.approx(math.sqrt(9 - 1))
    assert one(quiet, "intrinsic_std") == 0


# Stetson's indices: residuals -1 and +1 in pairs, errors 1, so delta = -+ sqrt(N / (N - 1)) whatever the mean


def test_indices_of_two_agreeing_pairs():
    star = star_of([0, 1, 30, 31], [9.0, 9.0, 11.0, 11.0], 1.0)
    delta = math.sqrt(4 / 3)
    for name in ("stetson_j", "stetson_j_time", "stetson_j_clip"):
        assert one(star, name) == pytest.approx(delta)
    assert one(star, "stetson_k") == pytest.approx(1)
    assert one(star, "stetson_l") == pytest.approx(math.sqrt(math.pi / 2) * delta)
    assert one(star, "welch_stetson_i") == pytest.approx(2 / math.sqrt(2))


def test_points_that_differ_much_are_no_pair_for_the_clipped_index():
    """Pairs of 9 and 17 in errors of 1: 8 is more than 5 times sqrt 2, so each point stands alone."""
    star = star_of([0, 1, 30, 31], [9.0, 17.0, 9.0, 17.0], 1.0)
    delta = 4 * math.sqrt(4 / 3)
    assert one(star, "stetson_j") == pytest.approx(-delta)
    assert one(star, "stetson_j_clip") == pytest.approx(math.sqrt(delta**2 - 1))


@pytest.mark.parametrize(("apart", "paired"), [(2.0, True), (2.1, False)])
def test_points_further_apart_than_two_days_are_no_pair(apart, paired):
    star = star_of([0, apart, 30, 30 + apart], [9.0, 11.0, 9.0, 11.0], 1.0)
    expected = -math.sqrt(4 / 3) if paired else math.sqrt(4 / 3 - 1)
    assert one(star, "stetson_j") == pytest.approx(expected)
    assert np.isnan(one(star, "welch_stetson_i")) == (not paired)


def test_weights_by_time_of_an_even_and_an_odd_number_of_points():
    """Pairs 1 d and 3 d apart, intervals 1, 8, 3: the time scale is 3 d."""
    star = star_of([0, 1, 9, 12], [9.0, 9.0, 9.0, 15.0], 1.0)
    mean, n = robust_mean(star["mag"], 1 / star["mag_err"]), 4
    delta = math.sqrt(n / (n - 1)) * (star["mag"] - mean)
    first, second = math.exp(-1 / 3), math.exp(-1)
    terms = delta[0], -math.sqrt(-delta[2] * delta[3])
    expected = (first * abs(terms[0]) + second * terms[1]) / (first + second)
    assert one(star, "stetson_j_time") == pytest.approx(expected)


def test_robust_mean_forgets_an_outlier():
    mag = np.r_[np.linspace(9.9, 10.1, 21), 14.0]
    found = robust_mean(mag, 1 / np.full(22, 0.1))
    assert abs(found - 10) < 0.05 < 0.15 < abs(mag.mean() - 10)


def test_robust_mean_of_large_variations_in_tiny_errors():
    """Distances of a million errors: the magnitude nearest to the mean of 12.9 outweighs the others by 1e12 at once."""
    mag = np.array([10.0, 10.1, 12.0, 13.0, 13.1, 15.0, 17.0])
    found = robust_mean(mag, 1 / np.full(7, 1e-6))
    assert found == pytest.approx(13.0, abs=1e-6)


# Slow variability


def test_excess_abbe_is_large_for_slow_changes_alone():
    """A slow sine with noise is smooth over all its length and rough within an interval."""
    time, rng = np.arange(400.0), np.random.default_rng(4)
    slow = star_of(time, 15 + np.sin(2 * np.pi * time / 400) + rng.normal(0, 0.1, 400))
    fast = star_of(time, 15 + (time % 2) + rng.normal(0, 0.1, 400))
    assert one(slow, "excess_abbe") > 0.5
    assert one(fast, "excess_abbe") == pytest.approx(0, abs=0.2)


def test_autocorrelation_length_of_a_slow_sine():
    """The cosine of one turn in 400 d falls to 1/e after 0.19 turns; the slots are half a decade wide."""
    time = np.arange(4000.0)
    star = star_of(time, 15 + np.sin(2 * np.pi * time / 400))
    assert one(star, "autocorrelation_length") == pytest.approx(400 * math.acos(1 / math.e) / (2 * math.pi), rel=0.3)


def test_lags_of_an_alternating_light_curve():
    """Autocorrelation -1 and +1 in turns: K of such values is 1, and half of the lags lie outside narrow lines."""
    star = star_of(np.arange(200.0), 15 + (np.arange(200) % 2)) | {
        "ac_lower": np.full(100, -0.5),
        "ac_upper": np.full(100, 0.5),
    }
    measured = measure([star])
    assert measured["stetson_k_ac"][0] == pytest.approx(1, abs=1e-3)
    assert measured["n_above"][0] == measured["n_below"][0] == 50
    assert measured["lag1_autocorrelation"][0] == pytest.approx(-199 / 200)


# Fourier series


def test_phases_and_amplitudes_of_a_sum_of_cosines():
    """Simon & Lee 1981: m = A_0 + sum A_k cos(k omega t + phi_k), phi_k1 = phi_k - k phi_1 between 0 and 2 pi."""
    sizes, phases = np.array([0.4, 0.2, 0.1, 0.05]), np.array([0.5, -2.0, 2.5, 1.0])
    star, k = one_curve(1), np.arange(1, 5)[:, None]
    angle = 2 * np.pi * (star["time"] - star["time"].min()) / star["period_d"]
    cosines = {"mag": 15 + sizes @ np.cos(k * angle + phases[:, None])}
    star |= cosines | given_by_search(star | cosines, star["period_d"])
    np.testing.assert_allclose(value(star, "fourier_amplitude"), sizes, rtol=1e-5)
    np.testing.assert_allclose(value(star, "fourier_phase"), phases, atol=1e-4)
    np.testing.assert_allclose(value(star, "amplitude_ratio"), [0.5, 0.25, 0.125], rtol=1e-5)
    np.testing.assert_allclose(value(star, "phase_difference"), [2 * np.pi - 3.0, 1.0, 2 * np.pi - 1.0], atol=1e-4)


# Any points at all

NUMBERS = {"time": st.floats(0, 5000), "mag": st.floats(5, 25), "mag_err": st.floats(1e-3, 3)}


@st.composite
def points(draw):
    """Light curves with ties in time and magnitude."""
    n = draw(st.integers(1, 40))
    columns = {name: draw(st.lists(NUMBERS[name], min_size=n, max_size=n)) for name in POINTS}
    step = draw(st.sampled_from([1e-6, 0.01, 1.0]))
    columns["time"] = np.sort(np.round(np.array(columns["time"]) / step) * step)
    return columns | {"mag": np.round(np.array(columns["mag"]) / step) * step, "mag_err": np.array(columns["mag_err"])}


@given(points())
@settings(deadline=None, max_examples=150)
def test_no_light_curve_gives_an_infinity_or_values_below_the_least_number_of_points(columns):
    found = measure([one_curve(1) | columns])
    n = len(columns["time"])
    for feature in features.members("all"):
        for column in feature.columns:
            assert not np.isinf(found[column][0])
            assert n >= feature.min_obs or np.isnan(found[column][0])
    for name in ("stetson_k", "stetson_k_robust", "beyond_1std", "median_brp", "window_power", "shapiro_wilk"):
        assert np.isnan(found[name][0]) or -1e-9 <= found[name][0] <= 1 + 1e-6, name
