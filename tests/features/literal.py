"""Literal, slow transcriptions of the features' formulae: their specification. One function per feature column."""

import itertools
import math

import numpy as np
from scipy import stats


def period_d(c):
    return c["period_d"]


def kurtosis(c):
    return stats.kurtosis(c["mag"], bias=True)


def gskew(c):
    mag = sorted(c["mag"])
    tail = math.ceil(0.03 * len(mag))
    return np.median(mag[:tail]) + np.median(mag[-tail:]) - 2 * np.median(mag)


def n_obs(c):
    return len(c["mag"])


def amplitude(c):
    mag = sorted(c["mag"])
    tail = math.ceil(0.05 * len(mag))
    return (np.median(mag[-tail:]) - np.median(mag[:tail])) / 2


def shapiro_wilk(c):
    return stats.shapiro(c["mag"]).statistic


def median_brp(c):
    median = np.median(c["mag"])
    return sum(1 for m in c["mag"] if abs(m - median) < amplitude(c) / 10) / len(c["mag"])


def small_kurtosis(c):
    return stats.kurtosis(c["mag"], bias=False)


def chi_square(c):
    weights = [1 / e**2 for e in c["mag_err"]]
    mean = sum(w * m for w, m in zip(weights, c["mag"], strict=True)) / sum(weights)
    return sum((m - mean) ** 2 / e**2 for m, e in zip(c["mag"], c["mag_err"], strict=True))


def reduced_chi_square(c):
    return chi_square(c) / (len(c["mag"]) - 1)


def cusum(c):
    n, mean, sigma = len(c["mag"]), np.mean(c["mag"]), np.std(c["mag"], ddof=1)
    sums = [sum(m - mean for m in c["mag"][: i + 1]) / (n * sigma) for i in range(n)]
    return max(sums) - min(sums)


def iter_std(c):
    median, sigma = np.median(c["mag"]), np.std(c["mag"], ddof=1)
    return np.std([m for m in c["mag"] if abs(m - median) <= 2 * sigma], ddof=1)


def mad(c):
    return np.median([abs(m - np.median(c["mag"])) for m in c["mag"]])


def eta(c):
    mag = c["mag"]
    return sum((b - a) ** 2 for a, b in itertools.pairwise(mag)) / (len(mag) - 1) / np.var(mag, ddof=1)


def _delta(c):
    weights = 1 / c["mag_err"] ** 2
    n, mean = len(c["mag"]), np.average(c["mag"], weights=weights)
    return [math.sqrt(n / (n - 1)) * (m - mean) / e for m, e in zip(c["mag"], c["mag_err"], strict=True)]


def stetson_k(c):
    delta, n = _delta(c), len(c["mag"])
    return (sum(abs(d) for d in delta) / n) / math.sqrt(sum(d**2 for d in delta) / n)


def half_mag_amplitude_ratio(c):
    mean = np.mean(c["mag"])

    def spread(points):
        weights = [1 / e for _, e in points]
        return sum(w * (m - mean) ** 2 for w, (m, _) in zip(weights, points, strict=True)) / sum(weights)

    pairs = list(zip(c["mag"], c["mag_err"], strict=True))
    return math.sqrt(spread([p for p in pairs if p[0] > mean]) / spread([p for p in pairs if p[0] <= mean]))


def beyond_1std(c):
    mean, sigma = np.mean(c["mag"]), np.std(c["mag"], ddof=1)
    return sum(1 for m in c["mag"] if abs(m - mean) > sigma) / len(c["mag"])


def percent_amplitude(c):
    flux = [10 ** (-0.4 * m) for m in c["mag"]]
    median = 10 ** (-0.4 * np.median(c["mag"]))
    return max(abs(f - median) / median for f in flux)


def std(c):
    return np.std(c["mag"], ddof=1)


def skewness(c):
    return stats.skew(c["mag"], bias=True)


def f1_power(c):
    return c["fit_power"]


def time_span(c):
    return max(c["time"]) - min(c["time"])


def mean_mag(c):
    return np.average(c["mag"], weights=1 / c["mag_err"] ** 2)


def mean_mag_err(c):
    return np.mean(c["mag_err"])


def _pairs(c, limit):
    t = c["time"]
    return [(i, i + 1) for i in range(len(t) - 1) if t[i + 1] - t[i] < limit]


def stetson_j(c):
    delta, pairs = _delta(c), _pairs(c, 0.5)
    products = [delta[i] * delta[j] for i, j in pairs]
    return sum(math.copysign(math.sqrt(abs(p)), p) for p in products) / len(products)


def night_eta(c):
    pairs = _pairs(c, 0.25)
    return np.mean([(c["mag"][i] - c["mag"][j]) ** 2 for i, j in pairs]) / np.var(c["mag"], ddof=1)


def consecutive(c):
    mean, sigma, mag = np.mean(c["mag"]), np.std(c["mag"], ddof=1), c["mag"]
    triples = [mag[i : i + 3] - mean for i in range(len(mag) - 2)]
    count = sum(1 for t in triples if all(x > 2 * sigma for x in t) or all(x < -2 * sigma for x in t))
    return count / (len(mag) - 2)


def _folded(c, period):
    phase = (c["time"] / period) % 1.0
    mag = [m for _, m in sorted(zip(phase, c["mag"], strict=True), key=lambda pair: pair[0])]
    return np.mean([(a - b) ** 2 for a, b in zip(mag, [mag[-1], *mag[:-1]], strict=True)])


def folded_eta(c):
    return _folded(c, c["period_d"]) / np.var(c["mag"], ddof=1)


def folded_eta_double(c):
    return _folded(c, 2 * c["period_d"]) / _folded(c, c["period_d"])


def _series(c, phase):
    a = c["series"]
    terms = (
        a[2 * k - 1] * np.cos(2 * np.pi * k * phase) + a[2 * k] * np.sin(2 * np.pi * k * phase) for k in range(1, 6)
    )
    return sum(terms)


def _residual(c):
    return c["mag"] - c["series"][0] - _series(c, (c["time"] - min(c["time"])) / c["period_d"])


def fit_chi_square(c):
    return np.mean((_residual(c) / c["mag_err"]) ** 2)


def fit_scatter_ratio(c):
    return np.median(np.abs(_residual(c))) / np.std(c["mag"], ddof=1)


def fit_residual_skewness(c):
    return stats.skew(_residual(c), bias=True)


def _profile(c):
    return _series(c, np.arange(200) / 200)


def model_amplitude(c):
    return np.ptp(_profile(c))


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


def folded_bin_01(c):
    return _bin(c, 0)


def folded_bin_04(c):
    return _bin(c, 3)


def _bin(c, k):
    phase = (_phase_from_minimum(c) + 0.05) % 1.0
    inside = [m for p, m in zip(phase, c["mag"], strict=True) if k / 10 <= p < (k + 1) / 10]
    return (np.median(inside) - np.median(c["mag"])) / np.std(c["mag"], ddof=1)


def fourier_amplitude_02(c):
    return math.hypot(c["series"][3], c["series"][4])


def fourier_phase_01(c):
    return math.atan2(c["series"][2], c["series"][1])


def amplitude_ratio_02(c):
    return math.hypot(c["series"][5], c["series"][6]) / math.hypot(c["series"][1], c["series"][2])


def phase_difference_01(c):
    first = math.atan2(c["series"][2], c["series"][1])
    return (math.atan2(c["series"][4], c["series"][3]) - 2 * first) % (2 * math.pi)


def period_ratio(c):
    return c["period_d"] / c["period_ls_d"]


def bp_rp(c):
    return c["bp_mag"] - c["rp_mag"]
