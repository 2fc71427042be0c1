"""Narrow eclipses: box least squares at the candidate frequencies of a light curve, compiled.

Kovacs, Zucker & Mazeh 2002, A&A 391, 369: the star is constant but for one box; here a second one of its own width,
phase and depth may follow, so that the eclipses of a binary are told from one eclipse at half the period. Sinusoids of
five harmonics cannot follow eclipses shorter than a tenth of the cycle.
"""

import math
from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_kernel, compile_sum

# Bins of the phase, and widths of an eclipse in bins: first for all frequencies, then for the best.
_COARSE_BINS, _COARSE_WIDTHS = 100, np.array([2, 3, 4, 5, 7, 10, 14])
_FINE_BINS, _FINE_WIDTHS = 300, np.array([4, 6, 8, 9, 10, 12, 15, 21, 30, 42])
_BEST = 3  # frequencies that are looked at again
_STEPS, _STEP = 5, 0.02  # to either side of a frequency, in cycles over the baseline: a sinusoid's peak is not exact
# ASSUME an eclipse of fewer points is not told from bad points: with three, periods of many times the true one win.
_FEWEST = 6
_NOTHING = 1e-12  # sum of weights of a box without points, by rounding
_SKEWNESS = 0.5  # of the magnitudes, below which nothing is eclipsed for a small part of the time


@compile_kernel
def best_frequency(since: Any, weight: Any, mag: Any, bands: Any, frequencies: Any, penalty: float) -> Any:
    """Frequency [1/d] of the best boxes, and their information criterion (infinite if the star cannot be eclipsed).

    Arguments as in candidates.py; the criterion is n log(mean square residual) + penalty * parameters.
    """
    best, lowest = frequencies[0], np.inf
    square = (weight * mag * mag).sum()
    if not (weight * mag**3).sum() > _SKEWNESS * square**1.5:
        return best, lowest
    coarse = np.empty((3, bands.size - 1, 2 * _COARSE_BINS + 1))
    fine = np.empty((3, bands.size - 1, 2 * _FINE_BINS + 1))
    criteria = np.empty(frequencies.size)
    for i in range(frequencies.size):
        criteria[i] = _criterion(since, weight, mag, bands, frequencies[i], penalty, square, coarse, _COARSE_WIDTHS)
    for i in np.argsort(criteria, kind="mergesort")[:_BEST]:
        for k in range(-_STEPS, _STEPS + 1):
            f = frequencies[i] + k * _STEP / since.max()
            criterion = _criterion(since, weight, mag, bands, f, penalty, square, fine, _FINE_WIDTHS)
            if criterion < lowest:
                best, lowest = f, criterion
    return best, lowest


@compile_kernel
def _criterion(
    since: Any,
    weight: Any,
    mag: Any,
    bands: Any,
    frequency: float,
    penalty: float,
    square: float,
    sums: Any,
    widths: Any,
) -> float:
    """Information criterion of one box or two, whichever is lower; infinite without any; sums is room to work in."""
    _fold(since, weight, mag, bands, frequency, sums)
    one, two = _boxes(sums, widths)
    lowest, n_bands = np.inf, bands.size - 1
    for gain, parameters in ((one, 2 + 2 * n_bands), (two, 4 + 3 * n_bands)):
        if gain > 0:
            rest = max(square - gain, 1e-12 * square)
            lowest = min(lowest, since.size * math.log(rest) + penalty * parameters)
    return lowest


@compile_kernel
def _fold(since: Any, weight: Any, mag: Any, bands: Any, frequency: float, sums: Any) -> None:
    """Cumulative sums of weights, weighted magnitudes and points over the bins of two cycles, for each band."""
    sums[:] = 0
    bins = (sums.shape[2] - 1) // 2
    for b in range(bands.size - 1):
        for i in range(bands[b], bands[b + 1]):
            turns = since[i] * frequency
            place = int((turns - math.floor(turns)) * bins) % bins + 1
            sums[0, b, place] += weight[i]
            sums[1, b, place] += weight[i] * mag[i]
            sums[2, b, place] += 1
    for quantity in range(3):
        for b in range(bands.size - 1):
            row = sums[quantity, b]
            for k in range(bins):
                row[bins + k + 1] = row[k + 1]
            for k in range(2 * bins):
                row[k + 1] += row[k]


@compile_kernel
def _boxes(sums: Any, widths: Any) -> Any:
    """Decrease of the weighted mean square [mag2] by the best box, and by it with the best second one; 0 for none."""
    bins = (sums.shape[2] - 1) // 2
    gains, taken = np.empty(bins), np.zeros((2, sums.shape[1]))
    one, start, width = 0.0, 0, 0
    for w in widths:
        _gains(sums, w, taken, gains)
        highest = gains.max()
        if highest > one:
            one, start, width = highest, int(gains.argmax()), w
    two = one
    if width > 0:
        taken[:] = sums[:2, :, start + width] - sums[:2, :, start]
        for w in widths:
            _gains(sums, w, taken, gains)
            first, last = start + width, start + bins - w + 1  # a second box lies behind the first, around the circle
            if first < bins:
                two = max(two, gains[first : min(last, bins)].max())
            if last > bins:
                two = max(two, gains[max(first - bins, 0) : last - bins].max())
    return one, two


@compile_sum
def _gains(sums: Any, width: int, taken: Any, gains: Any) -> None:
    """Decrease of the mean square by a box at each bin, beside one that has taken weights and magnitudes (2, bands).

    It is 0 where the box is brighter than the rest, holds more than the rest, or too few points.
    """
    bins = gains.size
    gains[:] = 0
    for b in range(sums.shape[1]):
        weights, mags = sums[0, b], sums[1, b]
        whole, known, bright = weights[bins] - taken[0, b], 0.0, -taken[1, b]
        if taken[0, b] > 0:
            known = taken[1, b] * taken[1, b] / taken[0, b]
        for k in range(bins):
            inside, faint = weights[k + width] - weights[k], mags[k + width] - mags[k]
            outside = whole - inside
            gain = known + faint * faint / max(inside, _NOTHING) + (bright - faint) * (bright - faint) / outside
            refused = (inside > _NOTHING) & (faint <= 0) | (outside < inside)
            gains[k] += -np.inf if refused else gain
    counts = sums[2].sum(axis=0) if sums.shape[1] > 1 else sums[2, 0]
    for k in range(bins):
        few = counts[k + width] - counts[k] < _FEWEST
        gains[k] = 0.0 if few else max(gains[k], 0.0)
