"""Excursions: how much the scans of a light curve (its nights or runs) differ from each other."""

from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_estimate, compile_sum
from workflow_scripts.features.numerics import middle, middle_distance, sort_few
from workflow_scripts.features.registry import feature

# ASSUME a scan ends with the last point within 5 d of its first, as in the code of Sokolovsky et al. 2017.
_SCAN_D = 5.0
_MAD_TO_SIGMA = 1.4826
_LANES = 32  # pairs are added in blocks of this size, the last one filled up with scans of immense error
_IMMENSE = 1e30  # mag^2; the CPU's estimate knows no infinity


@feature(reference="Sokolovsky et al. 2017, eq. 18; Parks et al. 2014", min_obs=2, ordered=True, sokolovsky_2017=16)
def excursions(time: Any, mag: Any, mag_err: Any, median: float) -> float:
    """Mean over all pairs of scans of the difference of their medians, in combined errors: large for slow changes."""
    # DEVIATES Sokolovsky 2017 eq. 18: sigma of a scan is not below its largest error, as in the authors' code; the
    # median absolute deviation of few points may be 0, and that of one point is.
    level, variance, scans = _scans(time, mag - median, mag_err)
    total = 0.0
    for i in range(scans - 1):
        total += _differences(level[i], variance[i], level[i + 1 :], variance[i + 1 :], scans - i - 1)
    return 2 * total / (scans * (scans - 1.0))


@compile_estimate
def _differences(level: Any, variance: Any, levels: Any, variances: Any, count: int) -> Any:
    """Sum over later scans of the differences in combined errors, in single precision."""
    total = np.float32(0.0)
    for j in range((count + _LANES - 1) // _LANES * _LANES):
        total += np.abs(level - levels[j]) / np.sqrt(variance + variances[j])
    return total


@compile_sum
def _scans(time: Any, mag: Any, mag_err: Any) -> Any:
    """Median and squared sigma of every scan, filled up with scans of immense sigma, and the number of scans."""
    n = time.size
    level = np.zeros(n + _LANES, dtype=np.float32)
    variance = np.full(n + _LANES, np.float32(_IMMENSE))
    start, scans, ordered = 0, 0, mag.copy()
    while start < n:
        stop, largest = start, 0.0
        while stop < n and time[stop] - time[start] <= _SCAN_D:
            largest = max(largest, mag_err[stop])
            stop += 1
        scan = ordered[start:stop]
        sort_few(scan)
        sigma = max(_MAD_TO_SIGMA * middle_distance(scan), largest)
        level[scans], variance[scans] = middle(scan, 0, scan.size), sigma * sigma
        scans += 1
        start = stop
    return level, variance, scans
