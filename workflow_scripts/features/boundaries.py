"""Boundary lines of the autocorrelation of ordinary stars (Kim et al. 2011, appendix): mean +- 4 sigma at each lag.

`lag_sums` of some light curves, `add` of any such sums, then `boundary_lines`. The sums are whole numbers, so light
curves may be taken in any order and in any number of parts: the lines are the same to the last byte.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts.features.autocorrelation import autocorrelation
from workflow_scripts.features.ingredients import deviation, mean, square_sum
from workflow_scripts.lightcurve.ragged import LightCurves

Reals = NDArray[np.float64]
Sums = NDArray[np.int64]

_UNIT = 2.0**-24  # autocorrelations and their squares are rounded to multiples of this
_SIGMAS = 4.0
_FEWEST = 20  # light curves that a lag needs
# ASSUME the moving average of the boundary lines is over 11 lags, and over fewer at the ends; footnote 17 gives no
# width.
_SMOOTHED = 11


def lag_sums(curves: LightCurves) -> Sums:
    """Sums over light curves at lags of 1, 2, ... points, shape (3, longest lag).

    Rows: number of light curves, sum of autocorrelations, sum of their squares, the last two in units of 2**-24.
    Light curves without two different magnitudes add nothing.
    """
    parts = [_autocorrelation(curves.mag[i:j]) for i, j in zip(curves.offsets[:-1], curves.offsets[1:], strict=True)]
    result = np.zeros((3, max(map(len, parts), default=0)), dtype=np.int64)
    for values in parts:
        result[0, : len(values)] += 1
        result[1, : len(values)] += np.rint(values / _UNIT).astype(np.int64)
        result[2, : len(values)] += np.rint(values**2 / _UNIT).astype(np.int64)
    return result


def add(*parts: Sums) -> Sums:
    """Sums over the light curves of all parts."""
    result = np.zeros((3, max((part.shape[1] for part in parts), default=0)), dtype=np.int64)
    for part in parts:
        result[:, : part.shape[1]] += part
    return result


def boundary_lines(sums: Sums) -> Reals:
    """Lower and upper boundary at lags of 1 ... L points, shape (2, L); 20 light curves or more reach lag L."""
    count, total, square = sums[:, : int((sums[0] >= _FEWEST).sum())].astype(np.float64)
    average = total * _UNIT / count
    variance = (square * _UNIT - count * average**2) / (count - 1)
    width = _SIGMAS * np.sqrt(np.maximum(variance, 0))
    return np.array([_smooth(average - width), _smooth(average + width)])


def from_table(lines: pa.Table) -> Reals:
    """Lower and upper boundary, shape (2, L), of a table of boundary lines (tables.BOUNDARY_LINES)."""
    return np.array([lines[name].to_numpy() for name in ("lower", "upper")], dtype=np.float64)


def _autocorrelation(mag: Any) -> Any:
    if len(mag) < 2 or mag.min() == mag.max():
        return np.empty(0)
    residual = deviation(mag, mean(mag))
    return autocorrelation(residual, square_sum(residual))


def _smooth(values: Reals) -> Reals:
    """Moving average over _SMOOTHED values, over fewer at the ends."""
    sums = np.r_[0.0, np.cumsum(values)]
    half = _SMOOTHED // 2
    first = np.maximum(np.arange(len(values)) - half, 0)
    last = np.minimum(np.arange(len(values)) + half + 1, len(values))
    return (sums[last] - sums[first]) / (last - first)
