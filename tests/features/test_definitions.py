"""Each feature equals the literal transcription of its formula, and has the values that need no computer."""

import literal
import numpy as np
import pytest
from scipy import stats
from star import measure, one_curve, shortened

from workflow_scripts import features

# Sums over a few hundred values in another order: a few units of rounding times the cancellation in the moments.
ROUNDING = 1e-9
# scipy's weights of Shapiro-Wilk are good to about 1e-9; these sums over pairs are made in single precision.
COARSER = {"shapiro_wilk": 1e-7, "excursions": 1e-6, "stetson_k_ac": 1e-6}


@pytest.fixture(scope="module")
def stars():
    return [one_curve(seed, n, period) for seed, n, period in ((1, 120, 0.7321), (2, 60, 3.3), (3, 301, 0.081))]


@pytest.fixture(scope="module")
def measured(stars):
    return measure(stars)


@pytest.mark.parametrize("column", features.names("all"))
def test_feature_equals_its_formula(column, stars, measured):
    expected = [literal.COLUMNS[column](c) for c in stars]
    assert np.isfinite(expected).any()
    np.testing.assert_allclose(measured[column], expected, rtol=COARSER.get(column, ROUNDING))


def test_every_column_has_a_transcription_and_every_transcription_a_column():
    assert set(literal.COLUMNS) == set(features.names("all"))


@pytest.mark.parametrize("n", [3, 4, 5, 6, 7, 11, 12, 13, 50, 51, 1000])
def test_shapiro_wilk_at_the_sizes_where_its_formula_changes(n):
    rng = np.random.default_rng(n)
    curve = shortened(one_curve(1), 60) | {name: rng.normal(15, 1, n) for name in ("time", "mag", "mag_err")}
    found = measure([curve], ["shapiro_wilk"])["shapiro_wilk"][0]
    assert found == pytest.approx(stats.shapiro(curve["mag"]).statistic, rel=1e-6)


def long_curve(mag, mag_err=1.0, cadence_d=1.0):
    """A star with these magnitudes at equal steps of time."""
    n = len(mag)
    return one_curve(1) | {"time": np.arange(n) * cadence_d, "mag": mag, "mag_err": np.full(n, mag_err)}


N = 4000
SINE = long_curve(15 + np.sin(2 * np.pi * (np.arange(N) + 0.5) / N * 40))  # 40 cycles of 100 points
NOISE = long_curve(15 + np.random.default_rng(2).normal(size=N))
WALK = long_curve(15 + np.random.default_rng(3).normal(0, 1, N).cumsum(), 1e-3)

# name: values for a sine of amplitude 1 and for white noise, both with errors of 1 mag; None = no closed form.
ANCHORS = {
    "stetson_k": (np.sqrt(8) / np.pi, np.sqrt(2 / np.pi)),
    "stetson_k_robust": (np.sqrt(8) / np.pi, np.sqrt(2 / np.pi)),
    "kurtosis": (-1.5, 0),
    "small_kurtosis": (-1.5, 0),
    "skewness": (0, 0),
    "gskew": (0, 0),
    "beyond_1std": (0.5, 0.3173),  # |sin| > 1/sqrt(2) half of the time
    "std": (np.sqrt(0.5), 1),
    "weighted_std": (np.sqrt(0.5), 1),
    "mad": (np.sin(np.pi / 4), 0.6745),
    "iqr": (2 * np.sin(np.pi / 4), 1.349),
    "percent_amplitude": (10**0.4 - 1, None),
    "reduced_chi_square": (0.5, 1),
    "roms": (2 / np.pi, np.sqrt(2 / np.pi)),
    "excess_variance": (-0.5 / 15**2, 0),
    "peak_to_peak": (0, None),  # the errors of the ends are as large as the amplitude
    "half_mag_amplitude_ratio": (1, 1),
    "intrinsic_std": (0, None),
    "eta": (2 * (1 - np.cos(2 * np.pi / 100)), 2),
    "inverse_eta": (0.5 / (1 - np.cos(2 * np.pi / 100)), 0.5),
    "lag1_autocorrelation": (np.cos(2 * np.pi / 100), 0),
    "cusum": (np.sqrt(2) / 40 / np.pi, None),
    "stetson_k_ac": (np.sqrt(8) / np.pi, None),
    "s_b": (2 * (50 * 2 / np.pi) ** 2 / 100 / 80, None),
    "consecutive": (0, None),
    "shapiro_wilk": (None, 1),
    "excess_abbe": (None, 0),
    "welch_stetson_i": (np.cos(2 * np.pi / 100) / 2, 0),
    "autocorrelation_length": (None, 1),
}
# Standard errors of a statistic of 4000 normal deviates are 1 to 4 %; of a sine, the steps of 100 points a cycle.
TOLERANCE = {"kurtosis": 0.25, "small_kurtosis": 0.25, "skewness": 0.12, "gskew": 0.2, "s_b": 0.02}


@pytest.fixture(scope="module")
def anchored():
    return measure([SINE, NOISE, WALK])


@pytest.mark.parametrize("name", sorted(ANCHORS))
def test_anchors(name, anchored):
    """Values that can be had without a computer, of a pure sine and of pure noise."""
    for found, expected in zip(anchored[name], ANCHORS[name], strict=False):
        if expected is not None:
            assert found == pytest.approx(expected, rel=0.05, abs=TOLERANCE.get(name, 0.05))


def test_structure_function_of_a_random_walk(anchored):
    """A walk of 1 mag a day: structure function sqrt(lag), so slope 1/2 and sqrt(365.25) mag in a year."""
    assert anchored["sf_slope"][2] == pytest.approx(0.5, abs=0.06)
    # The first slot's lags 1 and 2 have the centre 1.7, and the longest lags few independent pairs.
    assert anchored["sf_amplitude"][2] == pytest.approx(np.sqrt(365.25), rel=0.4)
    assert anchored["autocorrelation_length"][2] > 100


def test_structure_function_is_undefined_where_the_errors_explain_all():
    assert np.isnan(measure([NOISE | {"mag_err": np.full(N, 1.5)}])["sf_slope"][0])


def test_window_power_and_alias_of_nightly_observations():
    nightly = long_curve(NOISE["mag"][:300])
    day, third, irrational = (nightly | {"period_d": p} for p in (1.0, 1 / 3, 0.7321))
    found = measure([day, third, irrational])
    np.testing.assert_allclose(found["window_power"], [1, 1, 0], atol=0.01)
    np.testing.assert_array_equal(found["daily_alias"], [1, 1, 0])
    slow = measure([nightly | {"period_d": 250.0}, nightly | {"period_d": 1 / 0.50137}])
    np.testing.assert_array_equal(slow["daily_alias"], [0, 1])


def test_table_2_of_sokolovsky_2017():
    """The pairs of the paper's example, from its first point on (b v) and from its last point back (B V)."""
    from workflow_scripts.features.stetson import pairing

    days = np.array([1.5, 1.7, 2.4, 2.6, 4.6, 6.4, 6.5, 6.6, 8.3, 8.4, 9.3])
    forward, backward = pairing(np.diff(days) <= 1.0)  # the example's longest time between two points
    assert [i for i in range(10) if forward[i]] == [0, 2, 5, 8]
    assert [i for i in range(10) if backward[i]] == [0, 2, 6, 9]
