"""How far the magnitudes spread, whatever their order in time."""

import math
from typing import Any

import numpy as np

from workflow_scripts.features.numerics import middle
from workflow_scripts.features.registry import feature

_SOKOLOVSKY = "Sokolovsky et al. 2017"


@feature(unit="mag", reference=f"Qiao 2024, Table 1; {_SOKOLOVSKY}, eq. 3", qiao_2024=18, sokolovsky_2017=2)
def std(scatter: float) -> float:
    """Standard deviation of the magnitudes (divisor N - 1)."""
    return scatter


@feature(unit="mag", reference=f"{_SOKOLOVSKY}, eq. 4", sokolovsky_2017=3)
def weighted_std(mag: Any, weight: Any, weighted_mean: float) -> float:
    """Standard deviation of the magnitudes weighted by the inverse squares of their errors."""
    return math.sqrt((weight * (mag - weighted_mean) ** 2).sum() / (1 - (weight * weight).sum()))


@feature(unit="mag", reference=f"Qiao 2024, Table 1; {_SOKOLOVSKY}, eq. 5", qiao_2024=12, sokolovsky_2017=4)
def mad(median_deviation: float) -> float:
    """Median absolute deviation from the median."""
    return median_deviation


@feature(unit="mag", reference=f"{_SOKOLOVSKY}, sect. 2.4", min_obs=4, sokolovsky_2017=5)
def iqr(sorted_mag: Any) -> float:
    """Interquartile range: median of the fainter half of the magnitudes minus that of the brighter half."""
    # ASSUME the median of an odd number of points belongs to neither half of the interquartile range.
    n = sorted_mag.size
    return middle(sorted_mag, n - n // 2, n) - middle(sorted_mag, 0, n // 2)


@feature(unit="mag", reference="Qiao 2024, Table 1", qiao_2024=5)
def amplitude(half_range: float) -> float:
    """Half of the difference between the medians of the faintest and the brightest 5 % of the magnitudes."""
    return half_range


@feature(reference="amplitude over the root mean square error")
def amplitude_snr(half_range: float, mean_square_error: float) -> float:
    """Amplitude over the root mean square error of the magnitudes."""
    return half_range / math.sqrt(mean_square_error)


@feature(reference="Qiao 2024, Table 1; Richards et al. 2011, ApJ 733, 10", qiao_2024=17)
def percent_amplitude(sorted_mag: Any, median: float) -> float:
    """Largest relative difference in flux between the brightest or faintest magnitude and the median."""
    # ASSUME a percentage is of flux, as in the code of Richards et al. 2011; differences of magnitudes have none.
    brightest, faintest = sorted_mag[0], sorted_mag[-1]
    return max(10 ** (-0.4 * (brightest - median)) - 1, 1 - 10 ** (-0.4 * (faintest - median)))


@feature(unit="mag", reference="Qiao 2024, Table 1; Xu et al. 2022", qiao_2024=11)
def iter_std(sorted_mag: Any, median: float, scatter: float) -> float:
    """Standard deviation after removal of data further than two standard deviations from the median."""
    first, last = 0, sorted_mag.size
    while first < last and median - sorted_mag[first] > 2 * scatter:
        first += 1
    while last > first and sorted_mag[last - 1] - median > 2 * scatter:
        last -= 1
    kept = sorted_mag[first:last] - median
    return math.sqrt(((kept - kept.sum() / kept.size) ** 2).sum() / (kept.size - 1)) if kept.size > 1 else np.nan


@feature(reference="Qiao 2024, Table 1", leaks_survey=True, qiao_2024=9)
def chi_square(residual_square_sum: float) -> float:
    """Chi square of a constant brightness; grows with the number of epochs."""
    return residual_square_sum


@feature(reference=f"{_SOKOLOVSKY}, eq. 2", sokolovsky_2017=1)
def reduced_chi_square(residual_square_sum: float, mag: Any) -> float:
    """Chi square of a constant brightness per degree of freedom: 1 for noise that the errors describe."""
    return residual_square_sum / (mag.size - 1)


@feature(reference=f"{_SOKOLOVSKY}, eq. 7; Enoch et al. 2003", sokolovsky_2017=6)
def roms(mag: Any, inverse_error: Any, median: float) -> float:
    """Robust median statistic: mean distance from the median in errors, 0.798 for noise that the errors describe."""
    return (np.abs(mag - median) * inverse_error).sum() / (mag.size - 1)


@feature(reference=f"{_SOKOLOVSKY}, eq. 8", leaks_survey=True, sokolovsky_2017=7)
def excess_variance(square_sum: float, mean_square_error: float, mean: float, mag: Any) -> float:
    """Normalised excess variance: variance minus mean square error over the squared mean magnitude; may be negative."""
    return (square_sum / mag.size - mean_square_error) / mean**2


@feature(reference=f"{_SOKOLOVSKY}, eq. 9", leaks_survey=True, sokolovsky_2017=8)
def peak_to_peak(mag: Any, mag_err: Any) -> float:
    """Peak-to-peak variability: range less the errors of its ends over twice their mean; negative for large errors."""
    highest, lowest = -np.inf, np.inf
    for i in range(mag.size):
        highest = max(highest, mag[i] - mag_err[i])
        lowest = min(lowest, mag[i] + mag_err[i])
    return (highest - lowest) / (highest + lowest)


@feature(reference="Kim et al. 2011, Table 1", leaks_survey=True, kim_2011=5)
def sigma_over_mean(scatter: float, mean: float) -> float:
    """Standard deviation over the mean magnitude."""
    return scatter / mean


@feature(unit="mag", reference="variance minus the mean square error")
def intrinsic_std(scatter: float, mean_square_error: float) -> float:
    """Standard deviation that the errors do not explain; 0 where they explain all."""
    return math.sqrt(max(0.0, scatter**2 - mean_square_error))


@feature(reference="Qiao 2024, Table 1; Richards et al. 2011, ApJ 733, 10", qiao_2024=7)
def median_brp(sorted_mag: Any, median: float, half_range: float) -> float:
    """Fraction of points within amplitude / 10 of the median magnitude."""
    # ASSUME the amplitude is that of row 5 of the same table (`amplitude`), not half the full range.
    return (np.abs(sorted_mag - median) < half_range / 10).sum() / sorted_mag.size


@feature(reference="Qiao 2024, Table 1; D'Isanto et al. 2016, MNRAS 457, 3119", qiao_2024=16)
def beyond_1std(deviation: Any, scatter: float) -> float:
    """Fraction of observations beyond one standard deviation from the mean: 0.317 for Gaussian noise."""
    return (np.abs(deviation) > scatter).sum() / deviation.size
