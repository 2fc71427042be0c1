"""How the magnitudes follow each other in time, and how the residuals behave relative to their errors."""

import math
from typing import Any

import numpy as np

from workflow_scripts.features.registry import feature


@feature(reference="Qiao 2024, Table 1; Kim et al. 2011, eq. A2", qiao=10)
def cusum(deviation: Any, scatter: float) -> float:
    """Range of the cumulative sum of the magnitudes' deviations, in units of N standard deviations."""
    total = np.cumsum(deviation) / (deviation.size * scatter)
    return total.max() - total.min()


@feature(reference="Qiao 2024, Table 1; von Neumann 1941; Kim et al. 2014", qiao=13)
def eta(mag: Any, scatter: float) -> float:
    """Mean square successive difference over variance: 2 for white noise, small for smooth light curves."""
    return (np.diff(mag) ** 2).sum() / ((mag.size - 1) * scatter**2)


@feature(reference="Qiao 2024, Table 1; Stetson 1996, PASP 108, 851", qiao=14)
def stetson_k(delta: Any) -> float:
    """Kurtosis of the residuals relative to their errors: 0.798 for Gaussian noise, 0.9 for a sinusoid."""
    return np.abs(delta).sum() / math.sqrt(delta.size * (delta**2).sum())


@feature(reference="Stetson 1996, PASP 108, 851; consecutive pairs within 0.5 d")
def stetson_j(time: Any, delta: Any) -> float:
    """Correlation of the residuals of neighbouring observations: 0 for noise."""
    total, pairs = 0.0, 0
    for i in range(delta.size - 1):
        if time[i + 1] - time[i] < 0.5:
            product = delta[i] * delta[i + 1]
            total += math.copysign(math.sqrt(abs(product)), product)
            pairs += 1
    return total / pairs if pairs else np.nan


@feature(reference="Kim et al. 2011, sect. 3; Wozniak 2000")
def consecutive(deviation: Any, scatter: float) -> float:
    """Share of triples of successive points that are all brighter or all fainter than the mean by 2 sigma."""
    count = 0
    for i in range(deviation.size - 2):
        triple = deviation[i : i + 3]
        if (triple > 2 * scatter).all() or (triple < -2 * scatter).all():
            count += 1
    return count / (deviation.size - 2)


@feature(reference="Kim et al. 2011, eq. A6, on nights instead of points")
def night_eta(time: Any, mag: Any, scatter: float) -> float:
    """Mean square difference of points of one night over variance: small if the star is slow or constant."""
    total, pairs = 0.0, 0
    for i in range(mag.size - 1):
        if time[i + 1] - time[i] < 0.25:
            total += (mag[i + 1] - mag[i]) ** 2
            pairs += 1
    return total / (pairs * scatter**2) if pairs else np.nan
