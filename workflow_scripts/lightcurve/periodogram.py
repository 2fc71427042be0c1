"""Generalised Lomb-Scargle periodogram on a fine frequency grid, by non-uniform fast Fourier transform.

Zechmeister & Kuerster 2009, A&A 496, 577: weights from the errors, floating mean. Three sums over the light curve
at every frequency (weights at f and 2f, weighted magnitudes at f) come from nufft.py in single precision, good to
about 1e-4 in power: enough to find the peaks, which are then refined in double precision.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.compiled import compile_kernel, compile_sum
from workflow_scripts.lightcurve import nufft
from workflow_scripts.lightcurve.nufft import BLOCK, CORRECTION, LANES, MODES, SIZE
from workflow_scripts.lightcurve.trigonometry import cosine_sine

Reals = NDArray[np.float64]

_STRETCH = 256  # frequencies that the search for peaks passes over at once if none is high enough


@dataclass(frozen=True)
class Grid:
    """Frequencies low + step * (0 ... count - 1) [1/d]."""

    low: float
    step: float
    count: int


def grid(baseline_d: float, min_period_d: float, max_period_d: float, oversampling: float) -> Grid:
    """Frequency grid for a light curve: oversampling points per 1/baseline from 1/max_period to 1/min_period."""
    low, high, step = 1 / max_period_d, 1 / min_period_d, 1 / (oversampling * float(baseline_d))
    return Grid(low, step, count(low, high, step))


@compile_kernel
def count(low: float, high: float, step: float) -> int:
    """Count the frequencies from low until high is reached or passed."""
    return math.ceil((high - low) / step) + 1


def power(
    time: Reals, mag: Reals, mag_err: Reals, frequencies: Grid, bands: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Normalised power (0 to 1) at each frequency of the grid, shape (count,), in single precision.

    time [d], mag and mag_err [mag] have shape (n,). With several bands (band b holds points bands[b] to bands[b + 1],
    by default all are one) each has its own mean and sinusoid, and the power is the share of the whole chi square
    that they explain; VanderPlas & Ivezic 2015, ApJ 812, 18, sect. 5, the model with independent bands.
    """
    limits = np.array([0, len(time)]) if bands is None else bands
    weight, residual = centred(mag, mag_err, limits)[:2]
    spectrum = np.zeros(frequencies.count, dtype=np.float32)
    add_bands(time - time.min(), weight, residual, limits, frequencies.low, frequencies.step, spectrum)
    return spectrum


@compile_kernel
def centred(mag: Any, mag_err: Any, bands: Any) -> Any:
    """Weights (sum 1) and magnitudes minus the weighted mean of their band, shape (n,), and the means, (bands,)."""
    weight, residual, means = 1 / (mag_err * mag_err), np.empty_like(mag), np.empty(bands.size - 1)
    weight /= weight.sum()
    for b in range(bands.size - 1):
        points = slice(bands[b], bands[b + 1])
        first = mag[bands[b]]  # the mean is taken about it: exact for constant magnitudes
        means[b] = first + (weight[points] * (mag[points] - first)).sum() / weight[points].sum()
        residual[points] = mag[points] - means[b]
    return weight, residual, means


@compile_kernel
def add_bands(since: Any, weight: Any, residual: Any, bands: Any, low: float, step: float, spectrum: Any) -> None:
    """Add the power of all bands at low + step * (0 ... count - 1) [1/d] to spectrum; arguments as from centred."""
    whole = (weight * residual * residual).sum()
    for b in range(bands.size - 1):
        first, last = bands[b], bands[b + 1]
        its_weight = weight[first:last] / weight[first:last].sum()
        scatter = (weight[first:last] * residual[first:last] ** 2).sum()
        if scatter > 0:
            add_power(since[first:last], its_weight, residual[first:last], low, step, scatter / whole, spectrum)


@compile_sum
def add_power(since: Any, weight: Any, residual: Any, low: float, step: float, share: float, spectrum: Any) -> None:
    """Add share times the normalised power at low + step * (0 ... count - 1) [1/d] to spectrum, shape (count,).

    since [d] is counted from the first epoch; weight sums to 1; residual [mag] has the weighted mean 0.
    """
    n, scatter = since.size, (weight * residual * residual).sum()
    start, taps = np.empty((2, n), dtype=np.int64), np.empty((2, n, nufft.WIDTH), dtype=np.float32)
    nufft.place(since * (LANES * step), start[0], taps[0])
    nufft.place(since * (2 * LANES * step), start[1], taps[1])
    lanes, phase, turn = np.empty((2, n, LANES), dtype=np.float32), np.empty((2, n)), np.empty((2, n))
    _lanes(since, step, turn, lanes)
    cosine_sine(since, low + step * (LANES * (MODES // 2)), phase[0], phase[1])
    cosine_sine(since, BLOCK * step, turn[0], turn[1])
    strengths, planes = np.empty((6, n, LANES), dtype=np.float32), np.empty((8, nufft.PLANE), dtype=np.float32)
    moment, half, middle = weight * residual, BLOCK // 2, (SIZE - MODES // 2) * LANES
    for first in range(0, spectrum.size, BLOCK):
        _strengths(phase, lanes, weight, moment, strengths)
        for i in range(6):
            nufft.spread(strengths[i], start[i // 4], taps[i // 4], planes[i])
        for i in range(0, 6, 2):  # each result takes the planes that the one before has left
            nufft.transform(planes[i], planes[i + 1], planes[(i + 6) % 8], planes[(i + 7) % 8])
        # Frequencies below the centre of the block are negative modes, at the end of the transform.
        _add(planes, middle, CORRECTION[:half], scatter, share, spectrum[first : first + half])
        _add(planes, 0, CORRECTION[half:], scatter, share, spectrum[first + half : first + BLOCK])
        _advance(phase, turn)


@compile_sum
def _lanes(since: Any, step: float, turn: Any, lanes: Any) -> None:
    """Put exp(2 pi i since l step) for each lane l into lanes (2, n, LANES); turn (2, n) is room to work in."""
    cosine_sine(since, step, turn[0], turn[1])
    for j in range(since.size):
        re, im = 1.0, 0.0
        for lane in range(LANES):
            lanes[0, j, lane], lanes[1, j, lane] = re, im
            re, im = re * turn[0, j] - im * turn[1, j], re * turn[1, j] + im * turn[0, j]


@compile_sum
def _advance(phase: Any, turn: Any) -> None:
    """Turn the phases at the centre of a block to the next block."""
    for j in range(phase.shape[1]):
        re, im = phase[0, j], phase[1, j]
        phase[0, j] = re * turn[0, j] - im * turn[1, j]
        phase[1, j] = re * turn[1, j] + im * turn[0, j]


@compile_sum
def _strengths(phase: Any, lanes: Any, weight: Any, moment: Any, strengths: Any) -> None:
    """Strengths of the points in every lane: weights at f, weighted magnitudes at f, weights at 2f."""
    for j in range(weight.size):
        c, s, w, m = np.float32(phase[0, j]), np.float32(phase[1, j]), np.float32(weight[j]), np.float32(moment[j])
        a, b = lanes[0, j], lanes[1, j]
        one, one_im, data = strengths[0, j], strengths[1, j], strengths[2, j]
        data_im, two, two_im = strengths[3, j], strengths[4, j], strengths[5, j]
        for lane in range(LANES):
            re, im = c * a[lane] - s * b[lane], c * b[lane] + s * a[lane]
            one[lane] = w * re
            one_im[lane] = w * im
            data[lane] = m * re
            data_im[lane] = m * im
            two[lane] = w * (re * re - im * im)
            two_im[lane] = w * np.float32(2) * re * im


@compile_sum
def _add(planes: Any, first: int, correction: Any, scatter: float, share: float, spectrum: Any) -> None:
    """Add the power of half a block, which begins at `first` in each plane; Zechmeister & Kuerster 2009, eq. 5."""
    last = first + spectrum.size
    at_f, at_f_im, data, data_im = (
        planes[6, first:last],
        planes[7, first:last],
        planes[0, first:last],
        planes[1, first:last],
    )
    at_2f, at_2f_im = planes[2, first:last], planes[3, first:last]
    half, one, nothing = np.float32(0.5), np.float32(1), np.float32(0)
    factor, inverse = np.float32(share), np.float32(1 / scatter)
    for k in range(spectrum.size):
        c, s = at_f[k] * correction[k], at_f_im[k] * correction[k]
        yc, ys = data[k] * correction[k], data_im[k] * correction[k]
        w, w_im = at_2f[k] * correction[k], at_2f_im[k] * correction[k]
        cc = half * (one + w) - c * c
        ss = half * (one - w) - s * s
        cs = half * w_im - c * s
        determinant = cc * ss - cs * cs
        value = (ss * yc * yc + cc * ys * ys - np.float32(2) * cs * yc * ys) * inverse / determinant
        # Choices between two values, not min, max or a branch: so the loop becomes SIMD, four times faster.
        # Near-singular where all epochs share one phase: no information there.
        value = value if determinant > np.float32(1e-4) else nothing
        value = value if value > nothing else nothing
        spectrum[k] += factor * (value if value < one else one)


@compile_sum
def signal_to_noise(spectrum: Any, highest: float) -> float:
    """Height of the highest peak above the mean of the spectrum, in standard deviations of the spectrum."""
    total, square = 0.0, 0.0
    for i in range(spectrum.size):  # by index: the compiler makes SIMD of it, four times faster
        value = spectrum[i]
        total += value
        square += value * value
    mean = total / spectrum.size
    return (highest - mean) / math.sqrt(square / spectrum.size - mean * mean)


@compile_kernel
def peaks(spectrum: Any, count: int, apart: int) -> Any:
    """Positions of the highest local maxima, highest first, at least `apart` steps from a higher one."""
    best = np.full(count, -1, dtype=np.int64)
    height = np.full(count, np.float32(-1))
    last = spectrum.size - 1
    for start in range(0, spectrum.size, _STRETCH):
        stop = min(start + _STRETCH, spectrum.size)
        if not _above(spectrum[start:stop], height[count - 1]):
            continue
        for k in range(start, stop):
            value = spectrum[k]
            if value <= height[count - 1]:
                continue
            if (k > 0 and spectrum[k - 1] > value) or (k < last and spectrum[k + 1] >= value):
                continue
            _insert(best, height, k, value, apart)
    return best[best >= 0]


@compile_sum
def _above(values: Any, limit: float) -> int:
    """Count the values above the limit; without branches, which is several times faster than to look for one."""
    count = 0
    for i in range(values.size):
        count += 1 if values[i] > limit else 0
    return count


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
