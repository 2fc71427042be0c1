"""Simulated stars with everything that a feature may ask for."""

import numpy as np

from workflow_scripts.features.registry import PERIODS, PHOTOMETRY, SERIES
from workflow_scripts.lightcurve import harmonics
from workflow_scripts.lightcurve.ragged import LightCurves


def one_curve(seed, n=120, period=0.7321):
    """Everything a feature may ask for, of one simulated star with harmonics, noise and pairs of epochs."""
    rng = np.random.default_rng(seed)
    nights = np.sort(rng.choice(900, n // 2, replace=False)) + 53000.0
    time = np.sort((nights[:, None] + rng.uniform(0.2, 0.4, (n // 2, 1)) + [0, 0.02]).ravel())[:n]
    error = rng.uniform(0.02, 0.1, len(time))
    angle = 2 * np.pi * time / period
    mag = 15 + 0.4 * np.sin(angle) + 0.2 * np.cos(2 * angle) + 0.1 * np.sin(3 * angle) + rng.normal(0, error)
    mag[10:14] += 1.5  # an eclipse: successive points beyond two sigma
    weight = error**-2 / (error**-2).sum()
    since = time - time.min()
    curve = {"time": time, "mag": mag, "mag_err": error, "period_d": period, "period_ls_d": 2 * period}
    curve |= dict.fromkeys(PERIODS[2:], 0.5) | {"false_alarm_probability": 1e-9, "fit_power": 0.81}
    curve["series"] = harmonics.coefficients(since, weight, mag, 1 / period, 5)
    curve["series_ls"] = harmonics.coefficients(since, weight, mag, 0.5 / period, 5)
    return curve | {name: 14.0 + i / 7 for i, name in enumerate(PHOTOMETRY)}


def ragged(curves):
    """LightCurves and per-curve columns of such records."""
    lengths = [len(c["time"]) for c in curves]
    points = [np.concatenate([c[name] for c in curves]) for name in ("time", "mag", "mag_err")]
    per_curve = {name: np.array([c[name] for c in curves]) for name in (*PERIODS, *SERIES, *PHOTOMETRY)}
    return LightCurves(np.r_[0, np.cumsum(lengths)].astype(np.int64), *points), per_curve
