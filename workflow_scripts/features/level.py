"""Quantities that describe the observations more than the star: they leak the survey into a classifier."""

import math
from typing import Any

from workflow_scripts.features.registry import feature
from workflow_scripts.lightcurve.candidates import SIDEREAL_DAY


@feature(reference="Qiao 2024, Table 1", min_obs=1, leaks_survey=True, qiao_2024=4)
def n_obs(mag: Any) -> float:
    """Number of epochs in the light curve."""
    return mag.size


@feature(unit="d", reference="time of the last minus the first epoch", min_obs=2, leaks_survey=True)
def time_span(first_epoch: float, last_epoch: float) -> float:
    """Time between the first and the last epoch."""
    return last_epoch - first_epoch


@feature(unit="mag", reference="inverse-variance weighted mean", leaks_survey=True)
def mean_mag(weighted_mean: float) -> float:
    """Mean magnitude weighted by the errors."""
    return weighted_mean


@feature(unit="mag", reference="arithmetic mean", leaks_survey=True)
def mean_mag_err(mag_err: Any) -> float:
    """Mean of the magnitude errors."""
    return mag_err.sum() / mag_err.size


@feature(reference="spectral window, Deeming 1975, Ap&SS 36, 137", min_obs=5, leaks_survey=True)
def window_power(time: Any, weight: Any, period_d: float) -> float:
    """Power of the spectral window at the best period: 1 if all epochs have one phase, 1/N without aliases."""
    cosine, sine = 0.0, 0.0
    for i in range(time.size):
        angle = 2 * math.pi * ((time[i] / period_d) % 1.0)
        cosine += weight[i] * math.cos(angle)
        sine += weight[i] * math.sin(angle)
    return cosine**2 + sine**2


@feature(reference="frequencies of observations from one site", min_obs=5, leaks_survey=True)
def daily_alias(first_epoch: float, last_epoch: float, period_d: float) -> float:
    """1 if the best period is a daily alias, else 0."""
    # ASSUME an alias is a frequency within 1 / time span of an integer or half-integer number of cycles per day,
    # solar or sidereal or between the two, and at least half a cycle.
    frequency, width = 1 / period_d, 1 / (last_epoch - first_epoch)
    near = max(1.0, math.floor(2 * frequency / SIDEREAL_DAY + 0.5)) / 2
    return 1.0 if near - width <= frequency <= near * SIDEREAL_DAY + width else 0.0
