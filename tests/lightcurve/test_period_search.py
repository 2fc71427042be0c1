from itertools import product

import numpy as np
import pytest

from workflow_scripts.lightcurve import harmonics
from workflow_scripts.lightcurve.period_search import FOURIER, Search, choose, multiples, search
from workflow_scripts.lightcurve.ragged import LightCurves

SEARCH = Search(min_period_d=0.1, max_period_d=200.0)


def epochs(rng, n=200):
    """Nights about a fortnight apart, four points a night, from one site."""
    nights = np.sort(rng.choice(2000, n // 4, replace=False))
    return np.sort((53000 + nights[:, None] + rng.uniform(0.2, 0.45, (n // 4, 1)) + 0.007 * np.arange(4)).ravel())


def ragged(curves):
    lengths = [len(time) for time, _, _ in curves]
    columns = [np.concatenate(parts) for parts in zip(*curves, strict=True)]
    return LightCurves(np.r_[0, np.cumsum(lengths)].astype(np.int64), *columns)


def noisy(rng, shape, period, error=0.03):
    time = epochs(rng)
    return time, 15 + shape((time / period) % 1.0) + rng.normal(0, error, len(time)), np.full(len(time), error)


def sine(phase):
    return 0.3 * np.sin(2 * np.pi * phase)


def sawtooth(phase):
    return 0.8 * phase


def eclipses(phase):
    """Two minima of unequal depth: the highest Lomb-Scargle peak is at half the period."""
    return 0.8 * np.exp(-(((phase - 0.25) / 0.06) ** 2)) + 0.5 * np.exp(-(((phase - 0.75) / 0.06) ** 2))


# Slow stars are fitted with two harmonics, which do not resolve the narrow eclipses of slow binaries.
FAST, SLOW = [0.3217, 0.987, 3.1417], [24.7]


@pytest.mark.parametrize(
    ("shape", "period"),
    [*product([sine, sawtooth, eclipses], FAST), *product([sine, sawtooth], SLOW)],
)
def test_the_period_is_found(shape, period):
    rng = np.random.default_rng(int(1000 * period))
    result = search(ragged([noisy(rng, shape, period)]), SEARCH)
    assert result.period_d[0] == pytest.approx(period, rel=1e-3)
    assert result.false_alarm_probability[0] < 1e-6


def test_lomb_scargle_period_of_a_binary_is_half_and_is_kept():
    rng = np.random.default_rng(4)
    result = search(ragged([noisy(rng, eclipses, 3.1417)]), SEARCH)
    assert result.period_ls_d[0] == pytest.approx(3.1417 / 2, rel=1e-3)
    assert result.n_harmonics[0] >= 4


def test_second_mode_is_found_after_prewhitening():
    rng = np.random.default_rng(8)
    time = epochs(rng, 300)
    mag = 15 + 0.3 * np.sin(2 * np.pi * time / 0.4) + 0.15 * np.sin(2 * np.pi * time / (0.4 * 0.744))
    error = np.full(len(time), 0.02)
    result = search(ragged([(time, mag + rng.normal(0, error), error)]), SEARCH)
    assert result.second_ratio[0] == pytest.approx(1 / 0.744, rel=1e-3)
    assert result.second_power[0] > 0.8


def test_each_result_depends_on_its_own_light_curve_alone():
    rng = np.random.default_rng(9)
    curves = [noisy(rng, shape, period) for shape, period in ((sine, 0.7), (eclipses, 2.2), (sawtooth, 0.55))]
    together = search(ragged(curves), SEARCH)
    for i, curve in enumerate(curves):
        alone = search(ragged([curve]), SEARCH)
        for name, values in vars(together).items():
            np.testing.assert_array_equal(getattr(alone, name)[0], values[i], err_msg=name)


def test_shift_of_the_magnitudes_changes_nothing_but_the_mean():
    rng = np.random.default_rng(10)
    time, mag, error = noisy(rng, eclipses, 2.2)
    first, second = search(ragged([(time, mag, error)]), SEARCH), search(ragged([(time, mag + 2, error)]), SEARCH)
    assert second.period_d[0] == pytest.approx(first.period_d[0], rel=1e-6)
    assert second.ls_power[0] == pytest.approx(first.ls_power[0], rel=1e-6)
    assert second.series[0, 0] - first.series[0, 0] == pytest.approx(2, abs=1e-4)


def test_powers_are_shares_of_the_weighted_scatter():
    rng = np.random.default_rng(12)
    time, mag, error = noisy(rng, sawtooth, 0.61)
    result = search(ragged([(time, mag, error)]), SEARCH)
    weight = np.full(len(time), 1 / len(time))
    for frequency, terms, power in (
        (1 / result.period_ls_d[0], 1, result.ls_power[0]),
        (1 / result.period_d[0], int(result.n_harmonics[0]), result.fit_power[0]),
    ):
        series = harmonics.coefficients(time - time.min(), weight, mag, frequency, terms)
        rest = np.mean((mag - harmonics.model(time - time.min(), frequency, series)) ** 2)
        assert power == pytest.approx(1 - rest / np.mean((mag - mag.mean()) ** 2), abs=1e-4)


def test_no_light_curves_give_empty_results():
    empty = np.empty(0)
    result = search(LightCurves(np.zeros(1, dtype=np.int64), empty, empty, empty), SEARCH)
    assert result.period_d.shape == (0,)
    assert result.series.shape == (0, 2 * FOURIER + 1)


def test_candidates_stay_within_the_limits():
    found = multiples(np.array([0.9, 3.0]), 0.5, 4.0)
    assert found.min() >= 0.5
    assert found.max() <= 4.0
    for wanted in (0.9, 3.0, 1.5, 1.0, 1.8):
        assert np.isclose(found, wanted).any()


def test_a_sinusoid_needs_one_harmonic():
    rng = np.random.default_rng(13)
    time, mag, _ = noisy(rng, sine, 0.8)
    weight = np.full(len(time), 1 / len(time))
    frequency, terms = choose(time - time.min(), weight, mag, np.array([1 / 0.8, 1 / 1.6, 1 / 2.4]), 5)
    assert terms == 1
    assert 1 / frequency == pytest.approx(0.8, rel=1e-3)
