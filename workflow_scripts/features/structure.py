"""How variability grows with time: structure function and autocorrelation in slots of lag between pairs of points.

Lags are counted in whole days. The sums over the pairs of a slot then follow from sums over days, in one pass over
the days with points per slot instead of one over all pairs.
"""

import math
from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_sum
from workflow_scripts.features.registry import feature, ingredient

# ASSUME the structure function and the slotted autocorrelation have slots of lag of half a decade between 1 d and
# 1000 d; a slot needs 10 pairs of points, a slope 3 slots.
_EDGES = np.array([1, 3, 10, 32, 100, 316, 1000])
_FEWEST_PAIRS, _FEWEST_SLOTS = 10, 3
_CENTRES = np.sqrt(_EDGES[1:] * _EDGES[:-1])
_YEAR_D = 365.25


@ingredient
def slots(time: Any, deviation: Any, first_epoch: float, last_epoch: float) -> Any:
    """Sums over the pairs of points in each slot of lag, shape (slots, 3).

    Columns: number of pairs, sum of the products of their deviations, sum of the squares of their differences. The
    lag is the difference of the whole days since the first epoch.
    """
    day = (time - first_epoch).astype(np.int64)
    place = _place(day, int(last_epoch - first_epoch) + 1)
    date, number, level, square = _by_day(day, place, deviation)
    later_number, later_level, later_square = _from_day_on(number, level, square)
    beyond = np.zeros((_EDGES.size, 3))
    for k in range(_EDGES.size):
        count, product, squares = 0.0, 0.0, 0.0
        for i in range(date.size):
            later = place[min(date[i] + _EDGES[k], place.size - 1)]
            count += number[i] * later_number[later]
            product += level[i] * later_level[later]
            squares += square[i] * later_number[later] + number[i] * later_square[later]
        beyond[k] = count, product, squares - 2 * product
    return beyond[:-1] - beyond[1:]


@ingredient
def growth(slots: Any, mean_square_error: float) -> Any:
    """Intercept and slope of log structure function against log lag [d] (least squares), nan without three slots."""
    lags, values, count = np.empty(_CENTRES.size), np.empty(_CENTRES.size), 0
    for k in range(_CENTRES.size):
        excess = slots[k, 2] / slots[k, 0] - 2 * mean_square_error
        if slots[k, 0] >= _FEWEST_PAIRS and excess > 0:
            lags[count], values[count] = math.log10(_CENTRES[k]), 0.5 * math.log10(excess)
            count += 1
    if count < _FEWEST_SLOTS:
        return np.nan, np.nan
    x, y = lags[:count], values[:count]
    centred = x - x.sum() / count
    slope = (centred * y).sum() / (centred * centred).sum()
    return (y - slope * x).sum() / count, slope


@feature(reference="noise-subtracted structure function, e.g. Kozlowski 2016, ApJ 826, 118", min_obs=10)
def sf_slope(growth: Any) -> float:
    """Logarithmic slope of the structure function, errors subtracted: 0 for fast changes, 0.5 for a random walk."""
    return growth[1]


@feature(unit="mag", reference="noise-subtracted structure function, e.g. Kozlowski 2016", min_obs=10)
def sf_amplitude(growth: Any) -> float:
    """Structure function at a lag of one year, errors subtracted, from its power law."""
    return 10 ** (growth[0] + growth[1] * math.log10(_YEAR_D))


@feature(unit="d", reference="slotted autocorrelation, Edelson & Krolik 1988; Huijse et al. 2012", min_obs=10)
def autocorrelation_length(slots: Any, square_sum: float, mag: Any) -> float:
    """Lag at which the slotted autocorrelation falls below 1/e; 1 d if it does at once, the longest lag if never."""
    if square_sum == 0:
        return math.nan
    level, before, last = math.exp(-1.0), 1.0, float(_EDGES[0])
    for k in range(_CENTRES.size):
        if slots[k, 0] >= _FEWEST_PAIRS:
            here = slots[k, 1] / slots[k, 0] * mag.size / square_sum
            if here < level:
                # Between the two slots the autocorrelation is taken as linear in the logarithm of the lag.
                share = (before - level) / (before - here)
                return last * (_CENTRES[k] / last) ** share if k > 0 else last
            before, last = here, _CENTRES[k]
    return last


@compile_sum
def _place(day: Any, days: int) -> Any:
    """For each day how many days with points are before it: the place of that day, or of the next, among these."""
    place, count = np.zeros(days + 1, dtype=np.int64), 0
    for i in range(day.size):
        place[day[i] + 1] = 1
    for i in range(days + 1):
        count += place[i]
        place[i] = count
    return place


@compile_sum
def _by_day(day: Any, place: Any, deviation: Any) -> Any:
    """Days with points, and of each the number of points, the sum of deviations, and that of their squares."""
    days = place[-1]
    date, number, level, square = np.zeros(days, dtype=np.int64), np.zeros(days), np.zeros(days), np.zeros(days)
    for i in range(day.size):
        k = place[day[i]]
        date[k] = day[i]
        number[k] += 1
        level[k] += deviation[i]
        square[k] += deviation[i] ** 2
    return date, number, level, square


@compile_sum
def _from_day_on(number: Any, level: Any, square: Any) -> Any:
    """Sums over each day and all later days, and 0 behind the last."""
    size = number.size + 1
    later_number, later_level, later_square = np.zeros(size), np.zeros(size), np.zeros(size)
    numbers, levels, squares = 0.0, 0.0, 0.0
    for k in range(number.size - 1, -1, -1):
        numbers += number[k]
        levels += level[k]
        squares += square[k]
        later_number[k], later_level[k], later_square[k] = numbers, levels, squares
    return later_number, later_level, later_square
