"""Literal transcriptions of features of the magnitudes' distribution, level and photometry."""

import math

import numpy as np
from scipy import stats


def n_obs(c):
    return len(c["mag"])


def time_span(c):
    return max(c["time"]) - min(c["time"])


def mean_mag(c):
    return np.average(c["mag"], weights=1 / c["mag_err"] ** 2)


def mean_mag_err(c):
    return np.mean(c["mag_err"])


def std(c):
    return np.std(c["mag"], ddof=1)


def weighted_std(c):
    w = 1 / c["mag_err"] ** 2
    total = (w * (c["mag"] - mean_mag(c)) ** 2).sum()
    return math.sqrt(w.sum() / (w.sum() ** 2 - (w**2).sum()) * total)


def mad(c):
    return np.median([abs(m - np.median(c["mag"])) for m in c["mag"]])


def iqr(c):
    mag = sorted(c["mag"])
    half = len(mag) // 2
    return np.median(mag[-half:]) - np.median(mag[:half])


def amplitude(c):
    mag = sorted(c["mag"])
    tail = math.ceil(0.05 * len(mag))
    return (np.median(mag[-tail:]) - np.median(mag[:tail])) / 2


def _mean_square_error(c):
    return np.mean(c["mag_err"] ** 2)


def amplitude_snr(c):
    return amplitude(c) / math.sqrt(_mean_square_error(c))


def intrinsic_std(c):
    return math.sqrt(max(0, np.var(c["mag"], ddof=1) - _mean_square_error(c)))


def percent_amplitude(c):
    flux = [10 ** (-0.4 * m) for m in c["mag"]]
    median = 10 ** (-0.4 * np.median(c["mag"]))
    return max(abs(f - median) / median for f in flux)


def iter_std(c):
    median, sigma = np.median(c["mag"]), np.std(c["mag"], ddof=1)
    return np.std([m for m in c["mag"] if abs(m - median) <= 2 * sigma], ddof=1)


def chi_square(c):
    weights = [1 / e**2 for e in c["mag_err"]]
    mean = sum(w * m for w, m in zip(weights, c["mag"], strict=True)) / sum(weights)
    return sum((m - mean) ** 2 / e**2 for m, e in zip(c["mag"], c["mag_err"], strict=True))


def reduced_chi_square(c):
    return chi_square(c) / (len(c["mag"]) - 1)


def roms(c):
    median = np.median(c["mag"])
    return sum(abs(m - median) / e for m, e in zip(c["mag"], c["mag_err"], strict=True)) / (len(c["mag"]) - 1)


def excess_variance(c):
    mean, n = np.mean(c["mag"]), len(c["mag"])
    return sum((m - mean) ** 2 - e**2 for m, e in zip(c["mag"], c["mag_err"], strict=True)) / (n * mean**2)


def peak_to_peak(c):
    most, least = max(c["mag"] - c["mag_err"]), min(c["mag"] + c["mag_err"])
    return (most - least) / (most + least)


def sigma_over_mean(c):
    return np.std(c["mag"], ddof=1) / np.mean(c["mag"])


def median_brp(c):
    median = np.median(c["mag"])
    return sum(1 for m in c["mag"] if abs(m - median) < amplitude(c) / 10) / len(c["mag"])


def beyond_1std(c):
    mean, sigma = np.mean(c["mag"]), np.std(c["mag"], ddof=1)
    return sum(1 for m in c["mag"] if abs(m - mean) > sigma) / len(c["mag"])


def kurtosis(c):
    return stats.kurtosis(c["mag"], bias=True)


def small_kurtosis(c):
    return stats.kurtosis(c["mag"], bias=False)


def skewness(c):
    return stats.skew(c["mag"], bias=True)


def gskew(c):
    mag = sorted(c["mag"])
    tail = math.ceil(0.03 * len(mag))
    return np.median(mag[:tail]) + np.median(mag[-tail:]) - 2 * np.median(mag)


def half_mag_amplitude_ratio(c):
    mean = np.mean(c["mag"])

    def spread(points):
        weights = [1 / e for _, e in points]
        return sum(w * (m - mean) ** 2 for w, (m, _) in zip(weights, points, strict=True)) / sum(weights)

    pairs = list(zip(c["mag"], c["mag_err"], strict=True))
    return math.sqrt(spread([p for p in pairs if p[0] > mean]) / spread([p for p in pairs if p[0] <= mean]))


def shapiro_wilk(c):
    return stats.shapiro(c["mag"]).statistic


def parallax(c):
    return c["parallax_mas"]


def bp_rp(c):
    return c["bp_mag"] - c["rp_mag"]


def g_bp(c):
    return c["g_mag"] - c["bp_mag"]


def g_rp(c):
    return c["g_mag"] - c["rp_mag"]


def j_k(c):
    return c["j_mag"] - c["k_mag"]


def j_h(c):
    return c["j_mag"] - c["h_mag"]


def h_k(c):
    return c["h_mag"] - c["k_mag"]


def w1_w2(c):
    return c["w1_mag"] - c["w2_mag"]


def w1_w3(c):
    return c["w1_mag"] - c["w3_mag"]


def w2_w3(c):
    return c["w2_mag"] - c["w3_mag"]
