"""Numerical helpers of the features: medians, order, Fourier series on a grid of phases."""

import math
from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_kernel, compile_sum

PROFILE_POINTS = 200  # phases at which a Fourier series is evaluated
_FEW = 16  # values up to which exchanges sort faster than np.sort

_ANGLES = 2 * np.pi * np.arange(PROFILE_POINTS) / PROFILE_POINTS
_COSINES, _SINES = np.cos(_ANGLES), np.sin(_ANGLES)


@compile_sum
def evaluate(series: Any) -> Any:
    """Fourier series without its mean at PROFILE_POINTS phases of one cycle."""
    result = np.zeros(PROFILE_POINTS)
    for k in range(1, (series.size + 1) // 2):
        for i in range(PROFILE_POINTS):
            turn = k * i % PROFILE_POINTS
            result[i] += series[2 * k - 1] * _COSINES[turn] + series[2 * k] * _SINES[turn]
    return result


@compile_kernel
def middle(ordered: Any, start: int, stop: int) -> float:
    """Median of ordered[start:stop]."""
    centre = (start + stop) // 2
    if (stop - start) % 2:
        return ordered[centre]
    return 0.5 * (ordered[centre - 1] + ordered[centre])


@compile_kernel
def middle_distance(ordered: Any) -> float:
    """Median of the distances of ordered values from their median, by bisection for the values closest to it."""
    n = ordered.size
    centre, closest = middle(ordered, 0, n), n // 2 + 1
    first, last = 0, n - closest
    while first < last:
        trial = (first + last) // 2
        if centre - ordered[trial] > ordered[trial + closest] - centre:
            first = trial + 1
        else:
            last = trial
    to_left, to_right = centre - ordered[first], ordered[first + closest - 1] - centre
    if n % 2:
        return max(to_left, to_right)
    if to_left > to_right:
        return 0.5 * (to_left + max(centre - ordered[first + 1], to_right))
    return 0.5 * (to_right + max(to_left, ordered[first + closest - 2] - centre))


@compile_sum
def extremes(values: Any) -> tuple[float, float]:
    """Smallest and largest of finite values; numba's own minimum and maximum take twice as long each."""
    low, high = values[0], values[0]
    for i in range(values.size):
        low, high = min(low, values[i]), max(high, values[i])
    return low, high


@compile_sum
def middle_of(values: Any) -> float:
    """Median of values in any order, nan if there are none or one is nan; the values stay as they are."""
    n = values.size
    if n == 0 or math.isnan(values.sum()):
        return np.nan
    low = _smallest(values, (n - 1) // 2)
    if n % 2 or _count(values, low) > n // 2:
        return low
    above = np.inf
    for i in range(n):
        above = min(above, values[i] if values[i] > low else np.inf)
    return 0.5 * (low + above)


@compile_sum
def _smallest(values: Any, rank: int) -> float:
    """Value that has `rank` values before it in order: bisection of the range (of its logarithm where it has one)."""
    low, high = extremes(values)
    below, up_to = 0, values.size
    if low < high:
        below = _count(values, low)
    if below > rank or low == high:
        return low
    while up_to - below > _FEW:
        centre = math.sqrt(low) * math.sqrt(high) if low > 0 else 0.0
        if not low < centre < high:
            centre = 0.5 * low + 0.5 * high
        if not low < centre < high:
            return high
        found = _count(values, centre)
        if found > rank:
            high, up_to = centre, found
        else:
            low, below = centre, found
    left, n = np.empty(up_to - below + 1), 0
    for i in range(values.size):
        left[n] = values[i]  # without a branch: the next one takes its place if it is not between the two
        n += 1 if (values[i] > low) & (values[i] <= high) else 0
    sort_few(left[:n])
    return left[rank - below]


@compile_sum
def _count(values: Any, limit: float) -> int:
    """How many values are not above the limit."""
    count = 0
    for i in range(values.size):
        count += 1 if values[i] <= limit else 0
    return count


@compile_sum
def sort_few(values: Any) -> None:
    """Sort in place: few values by exchanges without branches, many as numba does."""
    if values.size > _FEW:
        values[:] = np.sort(values)
        return
    for i in range(1, values.size):
        smaller = values[i]
        for j in range(i, 0, -1):
            before = values[j - 1]
            smaller, values[j] = min(before, smaller), max(before, smaller)
        values[0] = smaller


@compile_kernel
def order(phase: Any) -> Any:
    """Order of values between 0 and 1, ties as they stand: into one slot per value, then insertion within the slots."""
    n = phase.size
    place = np.zeros(n + 1, dtype=np.int64)
    for value in phase:
        place[min(int(value * n), n - 1) + 1] += 1
    for slot in range(n):
        place[slot + 1] += place[slot]
    result = np.empty(n, dtype=np.int64)
    for i in range(n):
        slot = min(int(phase[i] * n), n - 1)
        result[place[slot]] = i
        place[slot] += 1
    for i in range(1, n):
        point, j = result[i], i
        while j > 0 and phase[result[j - 1]] > phase[point]:
            result[j] = result[j - 1]
            j -= 1
        result[j] = point
    return result
