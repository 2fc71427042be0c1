"""Stetson's indices of a light curve of one band: neighbours in time stand for the two bands of the originals.

Pairs do not overlap. They are formed from the first point on and from the last point back, and the two values of an
index are averaged (Sokolovsky et al. 2017, sect. 2.9).
"""

import math
from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_sum
from workflow_scripts.features.numerics import middle_of
from workflow_scripts.features.registry import feature, ingredient

_SOKOLOVSKY = "Sokolovsky et al. 2017"
_CLOSE_D = 2.0  # longest time between the points of a pair (sect. 2.9)
_CLIP = 5.0  # largest difference of the points of a pair, in combined errors (sect. 2.12)
_GAUSSIAN = math.sqrt(0.5 * math.pi)  # 1 / K of Gaussian noise
# ASSUME the robust mean has converged when it moves by less than 1e-3 of the typical error (1e-5 mag for 0.01 mag, as
# in the authors' code), or after 50 rounds; the paper gives no criterion, and its cumulative weights have no other end
# than the densest magnitude.
_CONVERGED, _MOST_ROUNDS = 1e-3, 50


@ingredient
def robust_mean(mag: Any, inverse_error: Any) -> float:
    """Mean with weights multiplied by f = 1 / (1 + (delta / 2)^2) until it stays; Sokolovsky 2017, eq. 14."""
    # ASSUME a = b = 2 in Sokolovsky 2017, eq. 14, which gives no values.
    n = mag.size
    offset, weight = mag - mag[0], inverse_error * inverse_error
    scale = 0.5 * math.sqrt(n / (n - 1)) * inverse_error
    total = weight.sum()
    centre, limit = (weight * offset).sum() / total, _CONVERGED * math.sqrt(n / total)
    for _ in range(_MOST_ROUNDS):
        last, total, moment = total, 0.0, 0.0  # weights are kept at a sum near 1: products of many would vanish
        for i in range(n):
            half_delta = (offset[i] - centre) * scale[i]
            weight[i] /= last * (1 + half_delta * half_delta)
            total += weight[i]
            moment += weight[i] * offset[i]
        before, centre = centre, moment / total
        if abs(centre - before) < limit:
            break
    return mag[0] + centre


@ingredient
def robust_delta(mag: Any, inverse_error: Any, robust_mean: float) -> Any:
    """Residuals from the robust mean in units of their errors, times sqrt(N / (N - 1))."""
    return math.sqrt(mag.size / (mag.size - 1)) * (mag - robust_mean) * inverse_error


@ingredient
def alone(robust_delta: Any) -> Any:
    """Term sgn(P) sqrt|P| of each point by itself, P = delta^2 - 1; Sokolovsky 2017, eq. 12-13."""
    # ASSUME n of Stetson's J is the number of all points, as the mean is of all points, and a single point weighs as
    # much as a pair.
    product = robust_delta * robust_delta - 1
    return np.sign(product) * np.sqrt(np.abs(product))


@ingredient
def together(robust_delta: Any) -> Any:
    """Term sgn(P) sqrt|P| of each point and the next, P the product of their deltas; Sokolovsky 2017, eq. 12-13."""
    product = robust_delta[1:] * robust_delta[:-1]
    return np.sign(product) * np.sqrt(np.abs(product))


@ingredient
def pairs_close(interval: Any) -> Any:
    """Pairs of points within 2 d (see `pairing`)."""
    return pairing(interval <= _CLOSE_D)


@ingredient
def k_robust(robust_delta: Any) -> float:
    """Stetson's K of the residuals from the robust mean."""
    return kurtosis_of(robust_delta)


@ingredient
def j_close(together: Any, alone: Any, pairs_close: Any) -> float:
    """Stetson's J of pairs within 2 d."""
    return _index_j(together, alone, pairs_close)


@ingredient
def j_timed(interval: Any, together: Any, alone: Any) -> float:
    """Stetson's J of all pairs, weighted by exp(-interval / median interval)."""
    # ASSUME the time scale of J(time) is the median of all intervals between successive points.
    n, scale, result = alone.size, middle_of(interval), 0.0
    ways = 1 + n % 2
    for way in range(ways):  # an odd number leaves the last point alone, or from the last point back the first
        total, weights = (0.0, 0.0) if ways == 1 else (alone[(1 - way) * (n - 1)], 1.0)
        for i in range(way, n - 1, 2):
            weight = math.exp(-interval[i] / scale) if interval[i] > 0 else 1.0
            total += weight * together[i]
            weights += weight
        result += total / (weights * ways)
    return result


@ingredient
def j_clipped(interval: Any, mag: Any, mag_err: Any, together: Any, alone: Any) -> float:
    """Stetson's J of pairs within 2 d whose points differ by no more than five combined errors."""
    alike = (mag[1:] - mag[:-1]) ** 2 <= _CLIP**2 * (mag_err[1:] ** 2 + mag_err[:-1] ** 2)
    pairs = pairing(alike & (interval <= _CLOSE_D))
    return _index_j(together, alone, pairs)


@feature(reference="Qiao 2024, Table 1; Stetson 1996, PASP 108, 851", qiao_2024=14)
def stetson_k(delta: Any) -> float:
    """Kurtosis of the residuals relative to their errors: 0.798 for Gaussian noise, 0.9 for a sinusoid."""
    return kurtosis_of(delta)


# The last three follow Table 1, which does not list them: L(time), L(clip) and K of sect. 2.10-2.12.
@feature(reference=f"{_SOKOLOVSKY}, eq. 15", sokolovsky_2017=22)
def stetson_k_robust(k_robust: float) -> float:
    """Kurtosis of the residuals from the robust mean relative to their errors: 0.798 for Gaussian noise."""
    return k_robust


@feature(reference=f"{_SOKOLOVSKY}, eq. 11; Welch & Stetson 1993", ordered=True, sokolovsky_2017=10)
def welch_stetson_i(delta: Any, pairs_close: Any) -> float:
    """Correlation of the residuals of pairs of points within 2 d: 0 for noise."""
    # DEVIATES Sokolovsky 2017 eq. 11: the root is taken of the normalisation alone, as in the original and in the
    # authors' code; a root of the whole is undefined where the sum is negative.
    # ASSUME the mean magnitude of Sokolovsky 2017, eq. 11, is the weighted mean (eq. 2).
    product = (delta[1:] * delta[:-1]) * (delta.size - 1) / delta.size
    result = 0.0
    for way in range(2):
        used = pairs_close[way]
        result += 0.5 * (used * product).sum() / math.sqrt(used.sum() * (used.sum() - 1))
    return result


@feature(reference=f"{_SOKOLOVSKY}, eq. 12-14; Stetson 1996", ordered=True, sokolovsky_2017=11)
def stetson_j(j_close: float) -> float:
    """Robust correlation of the residuals of pairs of points within 2 d: 0 for noise."""
    return j_close


@feature(reference=f"{_SOKOLOVSKY}, eq. 17; Zhang et al. 2003", ordered=True, sokolovsky_2017=12)
def stetson_j_time(j_timed: float) -> float:
    """Robust correlation of the residuals of all pairs of points, weighted by their closeness in time."""
    return j_timed


@feature(reference=f"{_SOKOLOVSKY}, sect. 2.12", ordered=True, sokolovsky_2017=13)
def stetson_j_clip(j_clipped: float) -> float:
    """Robust correlation of the residuals of pairs within 2 d that differ by no more than five combined errors."""
    return j_clipped


@feature(reference=f"{_SOKOLOVSKY}, eq. 16", ordered=True, sokolovsky_2017=14)
def stetson_l(j_close: float, k_robust: float) -> float:
    """Stetson's J times K over K of Gaussian noise: large for continuous variability."""
    # DEVIATES Sokolovsky 2017 eq. 16: the ratio of weights is taken as 1 in every L; a single light curve does not
    # know how many images there are.
    return _GAUSSIAN * j_close * k_robust


@feature(reference=f"{_SOKOLOVSKY}, sect. 2.11", ordered=True, sokolovsky_2017=20)
def stetson_l_time(j_timed: float, k_robust: float) -> float:
    """Stetson's J of all pairs, weighted by their closeness in time, times K over K of Gaussian noise."""
    return _GAUSSIAN * j_timed * k_robust


@feature(reference=f"{_SOKOLOVSKY}, sect. 2.12", ordered=True, sokolovsky_2017=21)
def stetson_l_clip(j_clipped: float, k_robust: float) -> float:
    """Stetson's J of pairs that differ by no more than five combined errors, times K over K of Gaussian noise."""
    return _GAUSSIAN * j_clipped * k_robust


@compile_sum
def kurtosis_of(delta: Any) -> float:
    """Stetson's K: mean of the absolute values over the root mean square."""
    return np.abs(delta).sum() / math.sqrt(delta.size * (delta * delta).sum())


@compile_sum
def pairing(allowed: Any) -> Any:
    """Pairs of each point and the next that do not overlap, from the first point on and from the last point back.

    allowed, shape (N - 1,): whether the point and the next may be a pair. Gives 1 where they are and 0 where not,
    shape (2, N - 1).
    """
    n, result = allowed.size, np.zeros((2, allowed.size))
    taken = 0
    for i in range(n):
        taken = (1 - taken) * (1 if allowed[i] else 0)
        result[0, i] = taken
    taken = 0
    for i in range(n - 1, -1, -1):
        taken = (1 - taken) * (1 if allowed[i] else 0)
        result[1, i] = taken
    return result


@compile_sum
def _index_j(together: Any, alone: Any, pairs: Any) -> float:
    """Mean of the terms of pairs and of single points, averaged over both ways to form pairs."""
    forward, backward, gain_forward, gain_backward = 0.0, 0.0, 0.0, 0.0
    for i in range(together.size):
        gain = together[i] - alone[i] - alone[i + 1]
        forward += pairs[0, i]
        backward += pairs[1, i]
        gain_forward += pairs[0, i] * gain
        gain_backward += pairs[1, i] * gain
    n, total = alone.size, alone.sum()
    return 0.5 * ((total + gain_forward) / (n - forward) + (total + gain_backward) / (n - backward))
