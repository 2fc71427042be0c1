"""Narrow eclipses: box least squares at the candidate frequencies of a light curve, compiled.

Kovacs, Zucker & Mazeh 2002, A&A 391, 369: the star is constant but for one box; here a second one of its own width,
phase and depth may follow, so that the eclipses of a binary are told from one eclipse at half the period. Sinusoids of
five harmonics cannot follow eclipses shorter than a tenth of the cycle.
"""

import math
from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_kernel

_BINS = 100  # of the phase
_WIDTHS = (2, 3, 4, 5, 7, 10, 14)  # of an eclipse, in bins
# ASSUME an eclipse of fewer points is not told from bad points: with three, periods of many times the true one win.
_FEWEST = 6
_SKEWNESS = 0.5  # of the magnitudes, below which nothing is eclipsed for a small part of the time


@compile_kernel
def best_frequency(since: Any, weight: Any, mag: Any, bands: Any, frequencies: Any, penalty: float) -> Any:
    """Frequency [1/d] of the best boxes, and their information criterion (infinite if the star cannot be eclipsed).

    Arguments as in candidates.py; the criterion is n log(mean square residual) + penalty * parameters.
    """
    best, lowest = frequencies[0], np.inf
    square = (weight * mag * mag).sum()
    if (weight * mag**3).sum() < _SKEWNESS * square**1.5:
        return best, lowest
    n_bands = bands.size - 1
    sums = np.empty((3, n_bands, 2 * _BINS + 1))
    for frequency in frequencies:
        _fold(since, weight, mag, bands, frequency, sums)
        one, two = _boxes(sums)
        for gain, parameters in ((one, 2 + 2 * n_bands), (two, 4 + 3 * n_bands)):
            criterion = since.size * math.log(square - gain) + penalty * parameters
            if gain > 0 and criterion < lowest:
                best, lowest = frequency, criterion
    return best, lowest


@compile_kernel
def _fold(since: Any, weight: Any, mag: Any, bands: Any, frequency: float, sums: Any) -> None:
    """Cumulative sums of weights, weighted magnitudes and points over the bins of two cycles, for each band."""
    sums[:] = 0
    for b in range(bands.size - 1):
        for i in range(bands[b], bands[b + 1]):
            turns = since[i] * frequency
            place = int((turns - math.floor(turns)) * _BINS) % _BINS + 1
            sums[0, b, place] += weight[i]
            sums[1, b, place] += weight[i] * mag[i]
            sums[2, b, place] += 1
    sums[:, :, _BINS + 1 :] = sums[:, :, 1 : _BINS + 1]
    for k in range(2 * _BINS):
        sums[:, :, k + 1] += sums[:, :, k]


@compile_kernel
def _boxes(sums: Any) -> Any:
    """Decrease of the weighted mean square [mag2] by the best box, and by it with the best second one."""
    one, start, width = 0.0, 0, 0
    for w in _WIDTHS:
        for k in range(_BINS):
            gain = _gain(sums, k, w, 0, 0)
            if gain > one:
                one, start, width = gain, k, w
    two = one
    if width > 0:
        for w in _WIDTHS:
            for k in range(start + width, start + _BINS - w):
                two = max(two, _gain(sums, start, width, k % _BINS, w))
    return one, two


@compile_kernel
def _gain(sums: Any, start: int, width: int, start_2: int, width_2: int) -> float:
    """Decrease of the mean square by one box, or by two if the second has a width; 0 for brightenings."""
    gain, points, points_2 = 0.0, 0.0, 0.0
    for b in range(sums.shape[1]):
        inside, faint = sums[0, b, start + width] - sums[0, b, start], sums[1, b, start + width] - sums[1, b, start]
        outside, bright = sums[0, b, _BINS] - inside, -faint
        points += sums[2, b, start + width] - sums[2, b, start]
        if faint <= 0 or outside < inside:
            return 0.0
        gain += faint * faint / inside
        if width_2 > 0:
            inside = sums[0, b, start_2 + width_2] - sums[0, b, start_2]
            faint = sums[1, b, start_2 + width_2] - sums[1, b, start_2]
            outside, bright = outside - inside, bright - faint
            points_2 += sums[2, b, start_2 + width_2] - sums[2, b, start_2]
            if faint <= 0 or outside < inside:
                return 0.0
            gain += faint * faint / inside
        gain += bright * bright / outside
    return gain if points >= _FEWEST and (width_2 == 0 or points_2 >= _FEWEST) else 0.0
