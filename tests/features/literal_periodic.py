"""Literal transcriptions of features of the period, the Fourier series and the folded light curve."""

import math

import numpy as np
from scipy import stats


def period_d(c):
    return c["period_d"]


def period_ls_d(c):
    return c["period_ls_d"]


def period_ratio(c):
    return c["period_d"] / c["period_ls_d"]


def period_snr(c):
    return c["period_snr"]


def false_alarm_probability(c):
    return c["false_alarm_probability"]


def peak_power(c):
    return c["ls_power"]


def f1_power(c):
    return c["fit_power"]


def harmonics_chosen(c):
    return c["n_harmonics"]


def second_frequency_ratio(c):
    return c["second_ratio"]


def second_peak_power(c):
    return c["second_power"]


def window_power(c):
    weight = 1 / c["mag_err"] ** 2
    return abs(sum(w * np.exp(2j * np.pi * t / c["period_d"]) for w, t in zip(weight, c["time"], strict=True))) ** 2 / (
        weight.sum() ** 2
    )


def daily_alias(c):
    frequency, width = 1 / c["period_d"], 1 / np.ptp(c["time"])
    aliases = ((k / 2, k / 2 * 1.00273791) for k in range(1, 1000))
    return float(any(solar - width <= frequency <= sidereal + width for solar, sidereal in aliases))


def _fold(c, period):
    phase = (c["time"] / period) % 1.0
    mag = [m for _, m in sorted(zip(phase, c["mag"], strict=True), key=lambda pair: pair[0])]
    return np.mean([(a - b) ** 2 for a, b in zip(mag, [mag[-1], *mag[:-1]], strict=True)])


def folded_eta(c):
    return _fold(c, c["period_d"]) / np.var(c["mag"], ddof=1)


def folded_eta_double(c):
    return _fold(c, 2 * c["period_d"]) / _fold(c, c["period_d"])


def _series(a, phase):
    terms = (
        a[2 * k - 1] * np.cos(2 * np.pi * k * phase) + a[2 * k] * np.sin(2 * np.pi * k * phase) for k in range(1, 6)
    )
    return sum(terms)


def _residual(c):
    return c["mag"] - c["series"][0] - _series(c["series"], (c["time"] - min(c["time"])) / c["period_d"])


def fit_chi_square(c):
    return np.mean((_residual(c) / c["mag_err"]) ** 2)


def fit_scatter_ratio(c):
    return np.median(np.abs(_residual(c))) / np.std(c["mag"], ddof=1)


def fit_residual_skewness(c):
    return stats.skew(_residual(c), bias=True)


def _profile(c, name="series"):
    return _series(c[name], np.arange(200) / 200)


def model_amplitude(c):
    return np.ptp(_profile(c))


def model_amplitude_ls(c):
    return np.ptp(_profile(c, "series_ls"))


def faint_fraction(c):
    profile = _profile(c)
    return np.mean(profile > (profile.max() + profile.min()) / 2)


def rise_fraction(c):
    profile = list(_profile(c))
    return sum(1 for before, here in zip([profile[-1], *profile[:-1]], profile, strict=True) if here < before) / 200


def secondary_depth(c):
    profile = _profile(c)
    at = [i for i in range(200) if profile[i] >= profile[i - 1] and profile[i] > profile[(i + 1) % 200]]
    minima = sorted((profile[i] for i in at), reverse=True)
    second = minima[1] if len(minima) > 1 else profile.min()
    return (second - profile.min()) / (profile.max() - profile.min())


def _phase_from_minimum(c):
    faintest = _profile(c).argmax() / 200
    return ((c["time"] - min(c["time"])) / c["period_d"] - faintest) % 1.0


def eclipse_ratio(c):
    phase, mag = _phase_from_minimum(c), c["mag"]
    distance = np.minimum(phase, 1 - phase)
    primary, secondary = mag[distance < 0.05], mag[distance > 0.45]
    level = np.median(mag[(distance > 0.1) & (distance < 0.4)])
    return (np.median(secondary) - level) / (np.median(primary) - level)


def _folded_bin(c, k):
    phase = (_phase_from_minimum(c) + 0.05) % 1.0
    inside = [m for p, m in zip(phase, c["mag"], strict=True) if k / 10 <= p < (k + 1) / 10]
    return (np.median(inside) - np.median(c["mag"])) / np.std(c["mag"], ddof=1) if inside else np.nan


def _size(a, k):
    return math.hypot(a[2 * k - 1], a[2 * k])


def _angle(a, k):
    return math.atan2(-a[2 * k], a[2 * k - 1])


def _ratio(a, k):
    return _size(a, k) / _size(a, 1)


def _difference(a, k):
    return (_angle(a, k) - k * _angle(a, 1)) % (2 * math.pi)


# The columns of features with several parts: part 1 is harmonic 1, or harmonic 2 relative to the first.
PARTS = {
    **{f"folded_bin_{k + 1:02d}": lambda c, k=k: _folded_bin(c, k) for k in range(10)},
    **{f"fourier_amplitude_{k:02d}": lambda c, k=k: _size(c["series"], k) for k in range(1, 5)},
    **{f"fourier_phase_{k:02d}": lambda c, k=k: _angle(c["series"], k) for k in range(1, 5)},
    **{f"amplitude_ratio_{k:02d}": lambda c, k=k: _ratio(c["series"], k + 1) for k in range(1, 4)},
    **{f"phase_difference_{k:02d}": lambda c, k=k: _difference(c["series"], k + 1) for k in range(1, 4)},
    **{f"amplitude_ratio_ls_{k:02d}": lambda c, k=k: _ratio(c["series_ls"], k + 1) for k in range(1, 4)},
    **{f"phase_difference_ls_{k:02d}": lambda c, k=k: _difference(c["series_ls"], k + 1) for k in range(1, 4)},
}
