"""Autocorrelation of a light curve by the number of points, not days (Kim et al. 2011, appendix)."""

from typing import Any

import numpy as np

from workflow_scripts.features.registry import feature, ingredient
from workflow_scripts.features.stetson import kurtosis_of

_BLOCK = 32  # points are added in blocks of this size, the last one filled up with zeros


@ingredient
def autocorrelation(deviation: Any, square_sum: float) -> Any:
    """Autocorrelation at lags of 1 ... N - 1 points, shape (N - 1,); Kim et al. 2011, eq. A1.

    Single precision (relative to sigma 1e-7), and four lags at a time: the sum over all pairs takes longest of all.
    """
    n = deviation.size
    scale = np.sqrt((n - 1) / square_sum)
    padded, result = np.zeros(n + _BLOCK + 4, dtype=np.float32), np.empty(n + 3)
    for i in range(n):
        padded[i] = deviation[i] * scale
    for lag in range(1, n, 4):
        zero = np.float32(0.0)
        a, b, c, d = zero, zero, zero, zero
        first, second, third, fourth = padded[lag:], padded[lag + 1 :], padded[lag + 2 :], padded[lag + 3 :]
        for i in range((n - lag + _BLOCK - 1) // _BLOCK * _BLOCK):
            a += padded[i] * first[i]
            b += padded[i] * second[i]
            c += padded[i] * third[i]
            d += padded[i] * fourth[i]
        result[lag - 1], result[lag], result[lag + 1], result[lag + 2] = a, b, c, d
    for i in range(n - 1):
        result[i] /= n - 1 - i
    return result[: n - 1]


@feature(reference="Kim et al. 2011, Table 1 and eq. A1", leaks_survey=True, ordered=True, kim_2011=1)
def n_above(autocorrelation: Any, ac_upper: Any) -> float:
    """Number of lags whose autocorrelation is above the upper boundary of ordinary stars; grows with the epochs."""
    if ac_upper.size == 0:
        return np.nan
    count = 0
    for i in range(min(autocorrelation.size, ac_upper.size)):
        count += 1 if autocorrelation[i] > ac_upper[i] else 0
    return count


@feature(reference="Kim et al. 2011, Table 1 and eq. A1", leaks_survey=True, ordered=True, kim_2011=2)
def n_below(autocorrelation: Any, ac_lower: Any) -> float:
    """Number of lags whose autocorrelation is below the lower boundary of ordinary stars; grows with the epochs."""
    if ac_lower.size == 0:
        return np.nan
    count = 0
    for i in range(min(autocorrelation.size, ac_lower.size)):
        count += 1 if autocorrelation[i] < ac_lower[i] else 0
    return count


@feature(reference="Kim et al. 2011, Table 1, eq. A1 and A5", min_obs=4, ordered=True, kim_2011=3)
def stetson_k_ac(autocorrelation: Any) -> float:
    """Stetson's K of the autocorrelation function: distinguishes slow variables from others."""
    # ASSUME all values of the autocorrelation have one error in Stetson's K_AC, which then cancels.
    return kurtosis_of(autocorrelation - autocorrelation.sum() / autocorrelation.size)
