"""Generalised Lomb-Scargle periodogram on a fine frequency grid, by non-uniform fast Fourier transform.

Zechmeister & Kuerster 2009, A&A 496, 577: weights from the errors, floating mean. Three sums over the light curve
at every frequency (weights at f and 2f, weighted magnitudes at f) come from FINUFFT (Barnett et al. 2019) in
single precision, good to about 1e-3 in power: enough to find the peaks, which are then refined in double precision.
False-alarm probability: Baluev 2008, MNRAS 385, 1279.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.compiled import compile_kernel

Reals = NDArray[np.float64]

_PRECISION = 1e-4  # of the transform; the power is then good to about 1e-3


@dataclass(frozen=True)
class Grid:
    """Frequencies low + step * (0 ... count - 1) [1/d]."""

    low: float
    step: float
    count: int


def grid(baseline_d: float, min_period_d: float, max_period_d: float, oversampling: float) -> Grid:
    """Frequency grid for a light curve: oversampling points per 1/baseline from 1/max_period to 1/min_period."""
    low, high, step = 1 / max_period_d, 1 / min_period_d, 1 / (oversampling * float(baseline_d))
    return Grid(low, step, math.ceil((high - low) / step) + 1)


def power(time: Reals, mag: Reals, mag_err: Reals, frequencies: Grid) -> NDArray[np.float32]:
    """Normalised power (0 to 1) at each frequency of the grid, shape (count,), in single precision.

    time [d], mag and mag_err [mag] have shape (n,); time may be in any order.
    """
    weight, residual, scatter = _weighted(mag, mag_err)
    if scatter == 0:
        return np.zeros(frequencies.count, dtype=np.float32)
    size = _friendly(frequencies.count)
    centre = frequencies.low + (size // 2) * frequencies.step
    since = time - time.min()
    at_f, phase = _angles(since, frequencies.step), _carrier(since, centre)
    sums = _transform(size, 2, at_f, np.stack([weight * phase, weight * residual * phase]))
    doubled = _transform(size, 1, _angles(2 * since, frequencies.step), weight * _carrier(2 * since, centre))
    spectrum: NDArray[np.float32] = _power(sums[0], sums[1], doubled, scatter, frequencies.count)
    return spectrum


def false_alarm_probability(peak: float, time: Reals, mag_err: Reals, max_frequency: float) -> float:
    """Probability that noise gives a peak this high anywhere below max_frequency [1/d]; Baluev 2008 eq. 4-6.

    peak is the normalised power of the highest peak (0 to 1).
    """
    n_mean, n_model = len(time) - 1, len(time) - 3
    if not 0 < peak < 1:
        return float(peak <= 0)
    weight = mag_err**-2.0
    mean = np.average(time, weights=weight)
    spread = np.average((time - mean) ** 2, weights=weight)
    bandwidth = max_frequency * math.sqrt(4 * math.pi * spread)
    gamma = math.sqrt(2 / n_mean) * math.exp(math.lgamma(n_mean / 2) - math.lgamma((n_mean - 1) / 2))
    single = (1 - peak) ** (0.5 * n_model)
    crossings = gamma * bandwidth * (1 - peak) ** (0.5 * (n_model - 1)) * math.sqrt(0.5 * n_mean * peak)
    return -math.expm1(math.log1p(-single) - crossings) if single < 1 else 1.0


def peaks(spectrum: NDArray[np.float32], count: int, apart: int) -> NDArray[np.int64]:
    """Positions of the highest local maxima, highest first, at least `apart` steps from a higher one."""
    places: NDArray[np.int64] = _peaks(spectrum, count, apart)
    return places


def _weighted(mag: Reals, mag_err: Reals) -> tuple[Reals, Reals, float]:
    weight = mag_err**-2.0
    weight /= weight.sum()
    residual = mag - np.dot(weight, mag)
    return weight, residual, float(np.dot(weight, residual**2))


def _angles(since: Reals, step: float) -> NDArray[np.float32]:
    """Angle of each epoch per grid step, reduced to [-pi, pi) in double precision."""
    return (2 * np.pi * (((since * step) + 0.5) % 1.0 - 0.5)).astype(np.float32)


def _carrier(since: Reals, frequency: float) -> NDArray[np.complex128]:
    carrier: NDArray[np.complex128] = np.exp(2j * np.pi * ((since * frequency) % 1.0))
    return carrier


@functools.lru_cache(maxsize=128)
def _plan(size: int, transforms: int) -> Any:
    """Keep the plan for grids of one size: planning costs more than a transform."""
    import finufft

    return finufft.Plan(1, (size,), transforms, eps=_PRECISION, isign=1, dtype="complex64", nthreads=1, upsampfac=1.25)


def _transform(size: int, transforms: int, angles: NDArray[np.float32], strengths: Any) -> NDArray[np.complex64]:
    plan = _plan(size, transforms)
    plan.setpts(angles)
    result: NDArray[np.complex64] = plan.execute(np.ascontiguousarray(strengths, dtype=np.complex64))
    return result


def _friendly(count: int) -> int:
    """Round up to 2^a times 8 ... 15: few sizes, so that plans are shared, and fast transforms."""
    unit = 1 << max(count.bit_length() - 4, 1)
    return -(-count // unit) * unit


@compile_kernel
def _power(at_f: Any, data: Any, doubled: Any, scatter: float, count: int) -> Any:
    result = np.empty(count, dtype=np.float32)
    half, total = np.float32(0.5), np.float32(scatter)
    for k in range(count):
        c, s = at_f[k].real, at_f[k].imag
        yc, ys = data[k].real, data[k].imag
        cc = half * (1 + doubled[k].real) - c * c
        ss = half * (1 - doubled[k].real) - s * s
        cs = half * doubled[k].imag - c * s
        determinant = cc * ss - cs * cs
        # Near-singular where all epochs share one phase: no information there.
        if determinant > np.float32(1e-4):
            p = (ss * yc * yc + cc * ys * ys - 2 * cs * yc * ys) / (total * determinant)
            result[k] = min(max(p, np.float32(0)), np.float32(1))
        else:
            result[k] = np.float32(0)
    return result


@compile_kernel
def _peaks(spectrum: Any, count: int, apart: int) -> Any:
    best = np.full(count, -1, dtype=np.int64)
    height = np.full(count, np.float32(-1))
    last = spectrum.size - 1
    for k in range(spectrum.size):
        value = spectrum[k]
        if value <= height[count - 1]:
            continue
        if (k > 0 and spectrum[k - 1] > value) or (k < last and spectrum[k + 1] >= value):
            continue
        _insert(best, height, k, value, apart)
    return best[best >= 0]


@compile_kernel
def _insert(best: Any, height: Any, k: int, value: float, apart: int) -> None:
    """Put a peak into the list, highest first, unless a higher one is near; it replaces a lower one that is near."""
    place = best.size - 1
    for i in range(best.size):
        if best[i] >= 0 and abs(best[i] - k) < apart:
            if height[i] >= value:
                return
            place = i
            break
    while place > 0 and height[place - 1] < value:
        best[place], height[place] = best[place - 1], height[place - 1]
        place -= 1
    best[place], height[place] = k, value
