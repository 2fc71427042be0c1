"""Simulated light curves for the tests of the period search, and the arrays that its parts take."""

import numpy as np

from workflow_scripts.lightcurve import periodogram
from workflow_scripts.lightcurve.ragged import LightCurves


def epochs(rng, n=200):
    """Nights about a fortnight apart, four points a night, from one site."""
    nights = np.sort(rng.choice(2000, n // 4, replace=False))
    return np.sort((53000 + nights[:, None] + rng.uniform(0.2, 0.45, (n // 4, 1)) + 0.007 * np.arange(4)).ravel())


def noisy(rng, shape, period, error=0.03, n=200):
    """Time, magnitude and error of a star of the given shape over the phase."""
    time = epochs(rng, n)
    return time, 15 + shape((time / period) % 1.0) + rng.normal(0, error, len(time)), np.full(len(time), error)


def ragged(curves):
    """LightCurves of (time, magnitude, error) triples."""
    lengths = [len(time) for time, _, _ in curves]
    columns = [np.concatenate(parts) for parts in zip(*curves, strict=True)]
    return LightCurves(np.r_[0, np.cumsum(lengths)].astype(np.int64), *columns)


def parts(*curves):
    """Arguments since, weight, mag, bands of the compiled functions, for one star in as many bands as curves."""
    rows = ragged(curves)
    weight, residual, _ = periodogram.centred(rows.mag, rows.mag_err, rows.offsets)
    return rows.time - rows.time.min(), weight, residual, rows.offsets


def sine(phase):
    return 0.3 * np.sin(2 * np.pi * phase)


def sawtooth(phase):
    return 0.8 * phase


def binary(phase):
    """Two minima of unequal depth: the highest Lomb-Scargle peak is at half the period."""
    return 0.8 * np.exp(-(((phase - 0.25) / 0.06) ** 2)) + 0.5 * np.exp(-(((phase - 0.75) / 0.06) ** 2))


def narrow(phase):
    """Two eclipses of 3 % of the cycle each, of unequal depth."""
    return np.where(phase % 1 < 0.03, 0.6, 0) + np.where((phase + 0.5) % 1 < 0.03, 0.35, 0)


def simulate_series(n, seed=1):
    """Times of about 900 d and magnitudes of a sinusoid and its first harmonic with noise, n points."""
    rng = np.random.default_rng(seed)
    since = np.sort(rng.uniform(0, 900, n))
    angle = 2 * np.pi * 0.73 * since
    return since, 14 + 0.3 * np.sin(angle) + 0.1 * np.cos(2 * angle) + rng.normal(0, 0.02, n)


def noise(rng, n, baseline, mean=15.0, errors=(0.05, 0.2)):
    """Noise of the size of its errors at random times within the baseline."""
    time = np.sort(rng.uniform(53000, 53000 + baseline, n))
    error = rng.uniform(*errors, n)
    return time, mean + rng.normal(0, error), error


def double_mode(rng, n=200, period=0.48, error=0.02):
    """A star in its first overtone, at 0.744 of the period of the fundamental mode, which is there at half of that."""
    time = epochs(rng, n)
    slow, fast = 2 * np.pi * time / period, 2 * np.pi * time / (0.744 * period)
    mag = 15 + 0.3 * np.sin(fast) + 0.06 * np.sin(2 * fast + 1) + 0.15 * np.sin(slow) + 0.045 * np.cos(slow + fast)
    return time, mag + rng.normal(0, error, len(time)), np.full(len(time), error)


def irregular(rng, period, n=200, error=0.03):
    """A slow variable whose maxima differ from cycle to cycle, every second one by a third and more."""
    time = epochs(rng, n)
    cycle = np.floor(time / period + 0.25).astype(int)
    size = np.where(cycle % 2 == 0, 0.5, 0.3) * rng.uniform(0.85, 1.15, 200)[cycle % 200]
    return time, 15 + size * np.sin(2 * np.pi * time / period) + rng.normal(0, error, n), np.full(n, error)
