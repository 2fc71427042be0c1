"""Simulated stars with everything that a feature may ask for."""

import numpy as np

from workflow_scripts import features
from workflow_scripts.features.registry import LINES, PAIRED, PERIODS, PHOTOMETRY, POINTS, SERIES
from workflow_scripts.lightcurve import harmonics
from workflow_scripts.lightcurve.ragged import LightCurves


def epochs(rng, n):
    """Two or three epochs in each of random nights of two and a half years."""
    nights = np.sort(rng.choice(900, n // 2, replace=False)) + 53000.0
    return np.sort((nights[:, None] + rng.uniform(0.2, 0.4, (n // 2, 1)) + [0, 0.02]).ravel())[:n]


def variation(time, period):
    angle = 2 * np.pi * time / period
    return 0.4 * np.sin(angle) + 0.2 * np.cos(2 * angle) + 0.1 * np.sin(3 * angle)


def one_curve(seed, n=120, period=0.7321):
    """Everything a feature may ask for, of one simulated star with harmonics, noise and pairs of epochs.

    The points of the first two bands are those of other light curves than the star's own: each kind of argument can
    be changed without the others.
    """
    rng = np.random.default_rng(seed)
    time = epochs(rng, n)
    error = rng.uniform(0.02, 0.1, len(time))
    mag = 15 + variation(time, period) + rng.normal(0, error)
    mag[10:14] += 1.5  # an eclipse: successive points beyond two sigma
    curve = {"time": time, "mag": mag, "mag_err": error}
    for band in "ab":
        kept = np.sort(rng.choice(len(time), max(2, int(0.8 * len(time))), replace=False))
        points = time[kept] + rng.uniform(0, 0.01, len(kept))
        noise = rng.uniform(0.02, 0.05, len(kept))
        values = 14.2 + ord(band) / 100 + variation(points, period) + rng.normal(0, noise)
        curve |= {f"time_{band}": points, f"mag_{band}": values, f"mag_err_{band}": noise}
    return curve | given(curve, period)


def given(curve, period):
    """Results of a period search, photometry and boundary lines to go with a light curve."""
    weight = curve["mag_err"] ** -2 / (curve["mag_err"] ** -2).sum()
    since = curve["time"] - curve["time"].min()
    result = {"period_d": period, "period_ls_d": 2 * period}
    result |= dict.fromkeys(PERIODS[2:], 0.5) | {"false_alarm_probability": 1e-9, "fit_power": 0.81}
    result["series"] = harmonics.coefficients(since, weight, curve["mag"], 1 / period, 5)
    result["series_ls"] = harmonics.coefficients(since, weight, curve["mag"], 0.5 / period, 5)
    result |= {"ac_lower": np.full(60, -0.12), "ac_upper": np.full(60, 0.12)}
    return result | {name: 14.0 + i / 7 for i, name in enumerate(PHOTOMETRY)}


def changed(curve, **columns):
    """Copy of a light curve with columns replaced."""
    return curve | columns


def shortened(curve, n):
    """The first n points of the star's own light curve."""
    return curve | {name: curve[name][:n] for name in POINTS}


def ragged(curves):
    """LightCurves of the stars' own points, and the columns of light curves."""
    points = [np.concatenate([c[name] for c in curves]) for name in POINTS]
    lengths = [len(c["time"]) for c in curves]
    per_curve = {name: np.array([c[name] for c in curves]) for name in (*PERIODS, *SERIES, *PHOTOMETRY)}
    return LightCurves(np.r_[0, np.cumsum(lengths)].astype(np.int64), *points), per_curve


def measure(curves, chosen=None):
    """Features of stars, by column. Each star is three rows: its own points and those of its first two bands."""
    rows = []
    for c in curves:
        rows += [c, *(c | {name: c[f"{name}_{band}"] for name in POINTS} for band in "ab")]
    own = np.arange(0, len(rows), 3)
    pairs = np.repeat(np.column_stack([own + 1, own + 2]), 3, axis=0)
    lines = np.array([curves[0][name] for name in LINES])
    measured = features.measure(*ragged(rows), chosen, pairs, lines)
    return {name: values[::3] for name, values in measured.items()}


def value(curve, name):
    """Columns of one feature of one star."""
    measured = measure([curve])
    return np.array([measured[column][0] for column in features.REGISTRY[name].columns])


assert {f"{name}_{band}" for name in POINTS for band in "ab"} == set(PAIRED)
