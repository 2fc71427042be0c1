"""Shape of the distribution of the magnitudes: skewness and kurtosis (normality: shapiro.py)."""

import math
from typing import Any

from workflow_scripts.features.numerics import middle
from workflow_scripts.features.registry import feature


@feature(reference="Qiao 2024, Table 1", min_obs=4, qiao_2024=2)
def kurtosis(deviation: Any, square_sum: float) -> float:
    """Excess kurtosis of the magnitude distribution (population): 0 for a Gaussian."""
    return deviation.size * (deviation**4).sum() / square_sum**2 - 3


@feature(reference="Qiao 2024, Table 1; Joanes & Gill 1998, G2", min_obs=4, qiao_2024=8)
def small_kurtosis(deviation: Any, square_sum: float) -> float:
    """Small-sample kurtosis of the magnitudes: excess kurtosis corrected for bias."""
    n = deviation.size
    fourth = n * (deviation**4).sum() / square_sum**2 - 3
    return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * fourth + 6)


@feature(reference="Qiao 2024, Table 1; Joanes & Gill 1998, g1", qiao_2024=19)
def skewness(deviation: Any, square_sum: float) -> float:
    """Skewness of the magnitudes (population): positive if the star is mostly bright."""
    return math.sqrt(deviation.size) * (deviation**3).sum() / square_sum**1.5


@feature(unit="mag", reference="Qiao 2024, Table 1; median-based skew of FATS (Nun et al. 2015)", qiao_2024=3)
def gskew(sorted_mag: Any, median: float) -> float:
    """Skew from medians: of the brightest 3 % and of the faintest 3 %, relative to twice the median of all."""
    n = sorted_mag.size
    tail = math.ceil(0.03 * n)
    return middle(sorted_mag, 0, tail) + middle(sorted_mag, n - tail, n) - 2 * median


@feature(reference="Qiao 2024, Table 1; Kim & Bailer-Jones 2016, A&A 587, A18, sect. 2.2", qiao_2024=15)
def half_mag_amplitude_ratio(mag: Any, inverse_error: Any, mean: float) -> float:
    """Ratio of the spreads of the magnitudes fainter and brighter than the average, weighted by 1 / error."""
    # ASSUME the average of the table is the mean; the published code of the authors cited passes the median.
    above, below, fainter, brighter = 0.0, 0.0, 0.0, 0.0
    for i in range(mag.size):
        weight, square = inverse_error[i], (mag[i] - mean) ** 2 * inverse_error[i]
        side = 1.0 if mag[i] > mean else 0.0
        fainter += side * weight
        above += side * square
        brighter += (1 - side) * weight
        below += (1 - side) * square
    return math.sqrt(above / fainter / (below / brighter))
