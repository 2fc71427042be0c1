"""The light curve folded at its period: scatter, smoothness, eclipses, and the profile itself."""

import math
from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_sum
from workflow_scripts.features.numerics import middle_of
from workflow_scripts.features.registry import feature

_BINS = 10
_ECLIPSE = 0.05  # half the width of the window on an eclipse, in cycles


@feature(reference="von Neumann statistic of the folded light curve", min_obs=12)
def folded_eta(mag: Any, phase_order: Any, scatter: float) -> float:
    """Mean square successive difference in phase over variance, best period."""
    return _successive(mag, phase_order) / scatter**2


@feature(reference="von Neumann statistic of the folded light curve", min_obs=12)
def folded_eta_double(mag: Any, phase_order: Any, double_phase_order: Any) -> float:
    """Smoothness at twice the best period relative to the best: below 1 if minima alternate."""
    return _successive(mag, double_phase_order) / _successive(mag, phase_order)


@feature(reference="chi square per point of the Fourier fit", min_obs=14)
def fit_chi_square(fit_residual: Any, mag_err: Any) -> float:
    """Chi square per point about the Fourier series at the best period."""
    return ((fit_residual / mag_err) ** 2).sum() / fit_residual.size


@feature(reference="scatter about the Fourier fit", min_obs=14)
def fit_scatter_ratio(fit_residual: Any, scatter: float) -> float:
    """Median absolute residual from the Fourier series over the standard deviation."""
    return middle_of(np.abs(fit_residual)) / scatter


@feature(reference="skewness of the residuals", min_obs=14)
def fit_residual_skewness(fit_residual: Any) -> float:
    """Skewness of the residuals: positive where narrow eclipses are deeper than the Fourier series."""
    centred = fit_residual - fit_residual.mean()
    return math.sqrt(centred.size) * (centred**3).sum() / (centred**2).sum() ** 1.5


@feature(reference="depth of the second minimum of the Fourier series", min_obs=12)
def secondary_depth(profile: Any) -> float:
    """Depth of the second-faintest minimum over that of the faintest, best period; 0 if there is one minimum."""
    first, second = _two_minima(profile)
    brightest = profile.min()
    return (second - brightest) / (first - brightest)


@feature(reference="depths of the folded light curve half a cycle apart", min_obs=30)
def eclipse_ratio(time: Any, mag: Any, first_epoch: float, period_d: float, profile: Any) -> float:
    """Depth half a cycle after the faintest phase over the depth there: 1 for equal eclipses, 0 without a second."""
    phase = ((time - first_epoch) / period_d - profile.argmax() / profile.size) % 1.0
    apart = np.abs(phase - 0.5)
    primary, secondary = mag[apart > 0.5 - _ECLIPSE], mag[apart < _ECLIPSE]
    between = mag[(apart > 2 * _ECLIPSE) & (apart < 0.5 - 2 * _ECLIPSE)]
    if primary.size < 3 or secondary.size < 3 or between.size < 3:
        return np.nan
    level = middle_of(between)
    return (middle_of(secondary) - level) / (middle_of(primary) - level)


@feature(reference="time spent faint in the Fourier series", min_obs=12)
def faint_fraction(profile: Any) -> float:
    """Share of the cycle fainter than half-way between the extremes: small for eclipses."""
    half = 0.5 * (profile.max() + profile.min())
    return (profile > half).sum() / profile.size


@feature(reference="steepness of the rise", min_obs=12)
def rise_fraction(profile: Any) -> float:
    """Share of the cycle in which the Fourier series brightens: small for saw-tooth pulsators."""
    count = 0
    for i in range(profile.size):
        if profile[i] < profile[i - 1]:
            count += 1
    return count / profile.size


@feature(reference="binned medians of the folded light curve", min_obs=30, parts=_BINS)
def folded_bin(
    time: Any, mag: Any, first_epoch: float, period_d: float, profile: Any, median: float, scatter: float
) -> Any:
    """Median magnitude in a tenth of the cycle (numbered from the faintest), in standard deviations."""
    phase = ((time - first_epoch) / period_d - profile.argmax() / profile.size + 0.5 / _BINS) % 1.0
    bins = np.minimum((phase * _BINS).astype(np.int64), _BINS - 1)
    place, inside, result = np.zeros(_BINS + 1, dtype=np.int64), np.empty(mag.size), np.empty(_BINS)
    for k in bins:
        place[k + 1] += 1
    place = np.cumsum(place)
    for i in range(mag.size):
        inside[place[bins[i]]] = mag[i]
        place[bins[i]] += 1
    for k in range(_BINS):
        start, stop = place[k - 1] if k > 0 else 0, place[k]
        result[k] = (middle_of(inside[start:stop]) - median) / scatter
    return result


@compile_sum
def _successive(mag: Any, order: Any) -> float:
    """Mean square difference of neighbours in the order given, the last and first included."""
    total = 0.0
    for i in range(order.size):
        total += (mag[order[i]] - mag[order[i - 1]]) ** 2
    return total / order.size


@compile_sum
def _two_minima(profile: Any) -> Any:
    """Magnitudes of the two faintest local extremes; the brightest point if there is no second."""
    first, second = profile.max(), profile.min()
    peak = profile.argmax()
    n = profile.size
    for i in range(n):
        here = profile[i]
        if i != peak and here >= profile[i - 1] and here > profile[(i + 1) % n]:
            second = max(second, here)
    return first, second
