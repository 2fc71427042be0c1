"""Quantities that several features share, each computed once per light curve."""

import math
from typing import Any

import numpy as np

from workflow_scripts.features.numerics import evaluate, extremes, middle, middle_distance, order
from workflow_scripts.features.registry import batched, ingredient


@batched
def sorted_mag(offsets: Any, mag: Any) -> Any:
    """Magnitudes of each light curve from bright to faint; numpy's sort is several times faster than numba's."""
    single = mag.astype(np.float32)
    result = single if (single == mag).all() else mag.copy()  # tables hold single precision, which sorts faster
    for start, stop in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        result[start:stop].sort()
    return result.astype(np.float64)


@ingredient
def first_epoch(time: Any) -> float:
    """Time of the first point."""
    return extremes(time)[0]


@ingredient
def last_epoch(time: Any) -> float:
    """Time of the last point."""
    return extremes(time)[1]


@ingredient
def interval(time: Any) -> Any:
    """Times from each point to the next."""
    return time[1:] - time[:-1]


@ingredient
def mean(mag: Any) -> float:
    """Arithmetic mean of the magnitudes, summed about the first: exact for constant magnitudes."""
    return mag[0] + (mag - mag[0]).sum() / mag.size


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
def median_deviation(sorted_mag: Any) -> float:
    """Median absolute deviation from the median."""
    return middle_distance(sorted_mag)


@ingredient
def half_range(sorted_mag: Any) -> float:
    """Half the difference of the medians of the faintest and the brightest 5 % of the magnitudes."""
    n = sorted_mag.size
    tail = math.ceil(0.05 * n)
    return 0.5 * (middle(sorted_mag, n - tail, n) - middle(sorted_mag, 0, tail))


@ingredient
def mean_square_error(mag_err: Any) -> float:
    """Mean of the squared errors."""
    return (mag_err * mag_err).sum() / mag_err.size


@ingredient
def inverse_error(mag_err: Any) -> Any:
    """Inverses of the errors: divisions take longest of all arithmetic."""
    return 1 / mag_err


@ingredient
def weight(inverse_error: Any) -> Any:
    """Inverse variances, normalised to sum 1."""
    return inverse_error * inverse_error * (1 / (inverse_error * inverse_error).sum())


@ingredient
def weighted_mean(mag: Any, weight: Any) -> float:
    """Mean weighted by inverse variances."""
    return mag[0] + (weight * (mag - mag[0])).sum()


@ingredient
def residual(mag: Any, inverse_error: Any, weighted_mean: float) -> Any:
    """Residuals from the weighted mean in units of their errors."""
    return (mag - weighted_mean) * inverse_error


@ingredient
def residual_square_sum(residual: Any) -> float:
    """Sum of the squared residuals from the weighted mean in units of their errors."""
    return (residual * residual).sum()


@ingredient
def delta(residual: Any) -> Any:
    """Residuals from the weighted mean in units of their errors, times sqrt(N / (N - 1)); Stetson 1996, eq. 2."""
    return math.sqrt(residual.size / (residual.size - 1)) * residual


@ingredient
def von_neumann(mag: Any, square_sum: float) -> float:
    """Mean square successive difference over variance."""
    total = 0.0
    for i in range(mag.size - 1):
        total += (mag[i + 1] - mag[i]) ** 2
    return total / square_sum


@ingredient
def profile(series: Any) -> Any:
    """Fourier series of period_d at numerics.PROFILE_POINTS phases, mean subtracted."""
    return evaluate(series)


@ingredient
def profile_ls(series_ls: Any) -> Any:
    """Fourier series of period_ls_d at numerics.PROFILE_POINTS phases, mean subtracted."""
    return evaluate(series_ls)


@ingredient
def fit_residual(time: Any, mag: Any, first_epoch: float, period_d: float, series: Any) -> Any:
    """Magnitudes minus the Fourier series at period_d; harmonics by cos kx = 2 cos x cos (k-1)x - cos (k-2)x."""
    result = mag - series[0]
    for i in range(mag.size):
        angle = 2 * math.pi * (((time[i] - first_epoch) / period_d) % 1.0)
        cosine, sine, cosine_before, sine_before = math.cos(angle), math.sin(angle), 1.0, 0.0
        twice = 2 * cosine
        for k in range(1, (series.size + 1) // 2):
            result[i] -= series[2 * k - 1] * cosine + series[2 * k] * sine
            cosine, cosine_before = twice * cosine - cosine_before, cosine
            sine, sine_before = twice * sine - sine_before, sine
    return result


@ingredient
def phase_order(time: Any, period_d: float) -> Any:
    """Order of the points by phase at period_d."""
    return order((time / period_d) % 1.0)


@ingredient
def double_phase_order(time: Any, period_d: float, phase_order: Any) -> Any:
    """Order of the points by phase at twice period_d: the points of even cycles, then those of odd ones."""
    cycle = np.floor(time / period_d)
    odd = cycle - 2 * np.floor(0.5 * cycle)
    result, place = np.empty_like(phase_order), np.array([0, time.size - int(odd.sum())])
    for point in phase_order:
        side = int(odd[point])
        result[place[side]] = point
        place[side] += 1
    return result
