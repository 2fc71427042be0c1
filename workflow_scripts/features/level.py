"""Quantities that describe the observations more than the star: they leak the survey into a classifier."""

from typing import Any

from workflow_scripts.features.registry import feature


@feature(reference="Qiao 2024, Table 1", min_obs=1, leaks_survey=True, qiao=4)
def n_obs(mag: Any) -> float:
    """Number of epochs in the light curve."""
    return mag.size


@feature(unit="d", reference="time of the last minus the first epoch", min_obs=2, leaks_survey=True)
def time_span(time: Any) -> float:
    """Time between the first and the last epoch."""
    return time.max() - time.min()


@feature(unit="mag", reference="inverse-variance weighted mean", leaks_survey=True)
def mean_mag(weighted_mean: float) -> float:
    """Mean magnitude weighted by the errors."""
    return weighted_mean


@feature(unit="mag", reference="arithmetic mean", leaks_survey=True)
def mean_mag_err(mag_err: Any) -> float:
    """Mean of the magnitude errors."""
    return mag_err.sum() / mag_err.size
