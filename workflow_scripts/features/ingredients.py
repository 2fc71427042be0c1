"""Quantities that several features share, each computed once per light curve."""

import math
from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_kernel
from workflow_scripts.features.registry import ingredient
from workflow_scripts.lightcurve import harmonics

PROFILE_POINTS = 200  # phases at which the Fourier series is evaluated


@ingredient
def sorted_mag(mag: Any) -> Any:
    """Magnitudes from bright to faint."""
    return np.sort(mag)


@ingredient
def mean(mag: Any) -> float:
    """Arithmetic mean of the magnitudes."""
    return mag.sum() / mag.size


@ingredient
def deviation(mag: Any, mean: float) -> Any:
    """Magnitudes minus their mean."""
    return mag - mean


@ingredient
def square_sum(deviation: Any) -> float:
    """Sum of the squared deviations from the mean."""
    return (deviation * deviation).sum()


@ingredient
def scatter(square_sum: float, mag: Any) -> float:
    """Sample standard deviation (divisor N - 1)."""
    return math.sqrt(square_sum / (mag.size - 1)) if mag.size > 1 else np.nan


@ingredient
def median(sorted_mag: Any) -> float:
    """Median of the magnitudes."""
    return middle(sorted_mag, 0, sorted_mag.size)


@ingredient
def half_range(sorted_mag: Any) -> float:
    """Half the difference of the medians of the faintest and the brightest 5 % of the magnitudes."""
    n = sorted_mag.size
    tail = math.ceil(0.05 * n)
    return 0.5 * (middle(sorted_mag, n - tail, n) - middle(sorted_mag, 0, tail))


@ingredient
def weight(mag_err: Any) -> Any:
    """Inverse variances, normalised to sum 1."""
    inverse = 1 / (mag_err * mag_err)
    return inverse / inverse.sum()


@ingredient
def weighted_mean(mag: Any, weight: Any) -> float:
    """Mean weighted by inverse variances."""
    return (weight * mag).sum()


@ingredient
def delta(mag: Any, mag_err: Any, weighted_mean: float) -> Any:
    """Residuals from the weighted mean in units of their errors, times sqrt(N / (N - 1)); Stetson 1996, eq. 2."""
    return math.sqrt(mag.size / (mag.size - 1)) * (mag - weighted_mean) / mag_err


@ingredient
def profile(series: Any) -> Any:
    """Fourier series of period_d at PROFILE_POINTS phases, mean subtracted."""
    return evaluate(series)


@ingredient
def profile_ls(series_ls: Any) -> Any:
    """Fourier series of period_ls_d at PROFILE_POINTS phases, mean subtracted."""
    return evaluate(series_ls)


@ingredient
def fit_residual(time: Any, mag: Any, period_d: float, series: Any) -> Any:
    """Magnitudes minus the Fourier series at period_d."""
    return mag - harmonics.model(time - time.min(), 1 / period_d, series)


@ingredient
def phase_order(time: Any, period_d: float) -> Any:
    """Order of the points by phase at period_d."""
    return np.argsort((time / period_d) % 1.0, kind="mergesort")


@ingredient
def double_phase_order(time: Any, period_d: float) -> Any:
    """Order of the points by phase at twice period_d."""
    return np.argsort((time / (2 * period_d)) % 1.0, kind="mergesort")


@compile_kernel
def middle(ordered: Any, start: int, stop: int) -> float:
    """Median of ordered[start:stop]."""
    centre = (start + stop) // 2
    if (stop - start) % 2:
        return ordered[centre]
    return 0.5 * (ordered[centre - 1] + ordered[centre])


@compile_kernel
def evaluate(series: Any) -> Any:
    """Fourier series without its mean at PROFILE_POINTS phases of one cycle."""
    result = np.zeros(PROFILE_POINTS)
    for i in range(PROFILE_POINTS):
        angle = 2 * math.pi * i / PROFILE_POINTS
        for k in range(1, (series.size + 1) // 2):
            result[i] += series[2 * k - 1] * math.cos(k * angle) + series[2 * k] * math.sin(k * angle)
    return result
