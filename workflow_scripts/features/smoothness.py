"""How the magnitudes follow each other in time: sums and runs of deviations, differences of neighbours."""

from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_sum
from workflow_scripts.features.registry import feature

_KIM, _SOKOLOVSKY = "Kim et al. 2011", "Sokolovsky et al. 2017"
_MAD_TO_SIGMA = 1.4826


@feature(reference=f"Qiao 2024, Table 1; {_KIM}, eq. A2", ordered=True, qiao_2024=10, kim_2011=4)
def cusum(deviation: Any, scatter: float) -> float:
    """Range of the cumulative sum of the magnitudes' deviations, in units of N standard deviations."""
    total, highest, lowest = 0.0, -np.inf, np.inf
    for i in range(deviation.size):
        total += deviation[i]
        highest, lowest = max(highest, total), min(lowest, total)
    return (highest - lowest) / (deviation.size * scatter)


@feature(
    reference=f"Qiao 2024, Table 1; von Neumann 1941; {_KIM}, eq. A6; Kim et al. 2014",
    ordered=True,
    qiao_2024=13,
    kim_2011=9,
)
def eta(von_neumann: float) -> float:
    """Mean square successive difference over variance: 2 for white noise, small for smooth light curves."""
    return von_neumann


@feature(reference=f"{_SOKOLOVSKY}, eq. 19", ordered=True, sokolovsky_2017=17)
def inverse_eta(von_neumann: float) -> float:
    """Variance over mean square successive difference: 0.5 for white noise, large for smooth light curves."""
    return 1 / von_neumann


@feature(reference=f"{_SOKOLOVSKY}, eq. 10", ordered=True, sokolovsky_2017=9)
def lag1_autocorrelation(deviation: Any, square_sum: float) -> float:
    """Autocorrelation of successive points: -1/N for white noise, up to 1 for smooth light curves."""
    return (deviation[1:] * deviation[:-1]).sum() / square_sum


@feature(reference=f"{_KIM}, appendix; Wozniak 2000", ordered=True, kim_2011=11)
def consecutive(deviation: Any, scatter: float) -> float:
    """Share of triples of successive points that are all brighter or all fainter than the mean by 2 sigma."""
    return _triples(deviation, 2 * scatter) / (deviation.size - 2)


@feature(reference=f"{_SOKOLOVSKY}, sect. 2.13; Shin et al. 2009", ordered=True, sokolovsky_2017=15)
def cssd(mag: Any, median: float, median_deviation: float) -> float:
    """Share of triples of successive points on one side of the median by 3 sigma, sigma from the median deviation."""
    return _triples(mag - median, 3 * _MAD_TO_SIGMA * median_deviation) / (mag.size - 2)


@feature(reference=f"{_KIM}, eq. A6, on nights instead of points", ordered=True)
def night_eta(interval: Any, mag: Any, scatter: float) -> float:
    """Mean square difference of points of one night over variance: small if the star is slow or constant."""
    total, pairs = 0.0, 0.0
    for i in range(mag.size - 1):
        same = 1.0 if interval[i] < 0.25 else 0.0
        total += same * (mag[i + 1] - mag[i]) ** 2
        pairs += same
    return total / (pairs * scatter**2)


@feature(reference=f"{_SOKOLOVSKY}, eq. 21; Figuera Jaimes et al. 2013", ordered=True, sokolovsky_2017=19)
def s_b(residual: Any) -> float:
    """Mean over runs of residuals of one sign of the squared sum of residuals in errors, over N: long runs count."""
    # ASSUME the constant brightness of S_B is the weighted mean (Sokolovsky 2017, eq. 2).
    total, run, runs, before = 0.0, 0.0, 1, residual[0] > 0
    for i in range(residual.size):
        side = residual[i] > 0
        kept = 1.0 if side == before else 0.0
        total += (1 - kept) * run * run
        runs += 1 if side != before else 0
        run = kept * run + residual[i]
        before = side
    return (total + run * run) / (residual.size * runs)


@feature(reference=f"{_SOKOLOVSKY}, eq. 20; Mowlavi 2014, A&A 568, A78", min_obs=6, ordered=True, sokolovsky_2017=18)
def excess_abbe(time: Any, deviation: Any, square_sum: float, von_neumann: float) -> float:
    """Mean of half of eta in short intervals around each point, minus half of eta: large for slow changes."""
    # ASSUME the intervals of the excess Abbe value are as long as ten points take on average, a third of the time span
    # at most, and count if they hold more than five points, not all of one magnitude.
    n = time.size
    span = time[n - 1] - time[0]
    start, stop = _neighbours(time, 0.5 * min(10 * span / n, span / 3))
    level, square, step = _running_sums(deviation)
    total, used = 0.0, 0
    for i in range(n):
        first, last = start[i], stop[i]
        if last - first > 5:
            spread = square[last] - square[first] - (level[last] - level[first]) ** 2 / (last - first)
            if spread > 1e-12 * square_sum:
                total += 0.5 * (step[last - 1] - step[first]) / spread
                used += 1
    return total / used - 0.5 * von_neumann if used else np.nan


@compile_sum
def _neighbours(time: Any, distance: float) -> Any:
    """First point within the distance of each point, and the one behind the last: as many points end before it."""
    n, last = time.size, 0
    start, stop = np.zeros(n + 1, dtype=np.int64), np.empty(n, dtype=np.int64)
    for i in range(n):
        while last < n and time[last] <= time[i] + distance:
            last += 1
        stop[i] = last
        start[last] += 1
    for i in range(n):
        start[i + 1] += start[i]
    return start, stop


@compile_sum
def _running_sums(deviation: Any) -> Any:
    """Sums of the deviations, their squares, and the squared differences of neighbours, before each point."""
    n = deviation.size
    level, square, step = np.zeros(n + 1), np.zeros(n + 1), np.zeros(n + 1)
    for i in range(n):
        level[i + 1] = level[i] + deviation[i]
        square[i + 1] = square[i] + deviation[i] ** 2
        step[i + 1] = step[i] + ((deviation[i + 1] - deviation[i]) ** 2 if i + 1 < n else 0.0)
    return level, square, step


@compile_sum
def _triples(deviation: Any, limit: float) -> int:
    """Count triples of successive deviations that are all above the limit or all below its negative."""
    count = 0
    for i in range(deviation.size - 2):
        a, b, c = deviation[i], deviation[i + 1], deviation[i + 2]
        count += 1 if min(a, b, c) > limit or max(a, b, c) < -limit else 0
    return count
