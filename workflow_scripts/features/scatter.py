"""How far the magnitudes spread, whatever their order in time."""

import math
from typing import Any

import numpy as np

from workflow_scripts.features.ingredients import middle
from workflow_scripts.features.registry import feature


@feature(unit="mag", reference="Qiao 2024, Table 1", qiao=18)
def std(scatter: float) -> float:
    """Standard deviation of the magnitudes (divisor N - 1)."""
    return scatter


@feature(unit="mag", reference="Qiao 2024, Table 1", qiao=12)
def mad(sorted_mag: Any, median: float) -> float:
    """Median absolute deviation from the median."""
    return middle(np.sort(np.abs(sorted_mag - median)), 0, sorted_mag.size)


@feature(unit="mag", reference="Qiao 2024, Table 1", qiao=5)
def amplitude(half_range: float) -> float:
    """Half of the difference between the medians of the faintest and the brightest 5 % of the magnitudes."""
    return half_range


@feature(reference="Qiao 2024, Table 1; Richards et al. 2011, ApJ 733, 10", qiao=17)
def percent_amplitude(sorted_mag: Any, median: float) -> float:
    """Largest relative difference in flux between the brightest or faintest magnitude and the median."""
    # ASSUME a percentage is of flux, as in the code of Richards et al. 2011; differences of magnitudes have none.
    brightest, faintest = sorted_mag[0], sorted_mag[-1]
    return max(10 ** (-0.4 * (brightest - median)) - 1, 1 - 10 ** (-0.4 * (faintest - median)))


@feature(unit="mag", reference="Qiao 2024, Table 1; Xu et al. 2022", qiao=11)
def iter_std(sorted_mag: Any, median: float, scatter: float) -> float:
    """Standard deviation after removal of data further than two standard deviations from the median."""
    kept = sorted_mag[np.abs(sorted_mag - median) <= 2 * scatter]
    return math.sqrt(((kept - kept.mean()) ** 2).sum() / (kept.size - 1)) if kept.size > 1 else np.nan


@feature(reference="Qiao 2024, Table 1", leaks_survey=True, qiao=9)
def chi_square(mag: Any, mag_err: Any, weighted_mean: float) -> float:
    """Chi square of a constant brightness; grows with the number of epochs."""
    return (((mag - weighted_mean) / mag_err) ** 2).sum()


@feature(reference="Sokolovsky et al. 2017, eq. 2")
def reduced_chi_square(mag: Any, mag_err: Any, weighted_mean: float) -> float:
    """Chi square of a constant brightness per degree of freedom: 1 for noise that the errors describe."""
    return (((mag - weighted_mean) / mag_err) ** 2).sum() / (mag.size - 1)


@feature(reference="Qiao 2024, Table 1; Richards et al. 2011, ApJ 733, 10", qiao=7)
def median_brp(sorted_mag: Any, median: float, half_range: float) -> float:
    """Fraction of points within amplitude / 10 of the median magnitude."""
    # ASSUME the amplitude is that of row 5 of the same table (`amplitude`), not half the full range.
    return (np.abs(sorted_mag - median) < half_range / 10).sum() / sorted_mag.size


@feature(reference="Qiao 2024, Table 1; D'Isanto et al. 2016, MNRAS 457, 3119", qiao=16)
def beyond_1std(deviation: Any, scatter: float) -> float:
    """Fraction of observations beyond one standard deviation from the mean: 0.317 for Gaussian noise."""
    return (np.abs(deviation) > scatter).sum() / deviation.size
