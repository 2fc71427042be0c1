"""Literal transcriptions of features of the order and time of the points, and of two bands."""

import itertools
import math

import numpy as np
from literal_statistics import mean_mag


def cusum(c):
    n, mean, sigma = len(c["mag"]), np.mean(c["mag"]), np.std(c["mag"], ddof=1)
    sums = [sum(m - mean for m in c["mag"][: i + 1]) / (n * sigma) for i in range(n)]
    return max(sums) - min(sums)


def eta(c):
    mag = c["mag"]
    return sum((b - a) ** 2 for a, b in itertools.pairwise(mag)) / (len(mag) - 1) / np.var(mag, ddof=1)


def inverse_eta(c):
    return 1 / eta(c)


def lag1_autocorrelation(c):
    residual = c["mag"] - np.mean(c["mag"])
    return sum(a * b for a, b in itertools.pairwise(residual)) / sum(residual**2)


def _triples(residual, limit):
    triples = [residual[i : i + 3] for i in range(len(residual) - 2)]
    count = sum(1 for t in triples if all(x > limit for x in t) or all(x < -limit for x in t))
    return count / (len(residual) - 2)


def consecutive(c):
    return _triples(c["mag"] - np.mean(c["mag"]), 2 * np.std(c["mag"], ddof=1))


def cssd(c):
    residual = c["mag"] - np.median(c["mag"])
    return _triples(residual, 3 * 1.4826 * np.median(np.abs(residual)))


def night_eta(c):
    t, mag = c["time"], c["mag"]
    steps = [(mag[i + 1] - mag[i]) ** 2 for i in range(len(t) - 1) if t[i + 1] - t[i] < 0.25]
    return np.mean(steps) / np.var(mag, ddof=1)


def s_b(c):
    residual = (c["mag"] - mean_mag(c)) / c["mag_err"]
    runs = [sum(abs(r) for r in run) for _, run in itertools.groupby(residual, key=np.sign)]
    return sum(run**2 for run in runs) / (len(residual) * len(runs))


def _abbe(mag):
    return eta({"mag": mag}) / 2


def excess_abbe(c):
    t, mag, n = c["time"], c["mag"], len(c["mag"])
    span = max(t) - min(t)
    half = 0.5 * min(10 * span / n, span / 3)
    around = [mag[(t >= here - half) & (t <= here + half)] for here in t]
    return np.mean([_abbe(m) for m in around if len(m) > 5]) - _abbe(mag)


def excursions(c):
    scans, mag_err = [[0]], c["mag_err"]
    for i in range(1, len(c["time"])):
        if c["time"][i] - c["time"][scans[-1][0]] <= 5:
            scans[-1].append(i)
        else:
            scans.append([i])
    centres = [np.median(c["mag"][scan]) for scan in scans]
    spreads = [1.4826 * np.median(abs(c["mag"][s] - m)) for s, m in zip(scans, centres, strict=True)]
    sigmas = [max(s, max(mag_err[scan])) for s, scan in zip(spreads, scans, strict=True)]
    pairs = list(itertools.combinations(zip(centres, sigmas, strict=True), 2))
    return sum(abs(a - b) / math.hypot(s, r) for (a, s), (b, r) in pairs) / len(pairs)


# Stetson's indices


def _kurtosis(delta):
    n = len(delta)
    return (sum(abs(d) for d in delta) / n) / math.sqrt(sum(d**2 for d in delta) / n)


def _delta(c, mean):
    n = len(c["mag"])
    return [math.sqrt(n / (n - 1)) * (m - mean) / e for m, e in zip(c["mag"], c["mag_err"], strict=True)]


def stetson_k(c):
    return _kurtosis(_delta(c, mean_mag(c)))


def _robust_delta(c):
    weight, mean = 1 / c["mag_err"] ** 2, mean_mag(c)
    limit = 1e-3 * np.mean(weight) ** -0.5
    for _ in range(50):
        weight = weight / (1 + np.abs(np.array(_delta(c, mean)) / 2) ** 2)
        before, mean = mean, np.average(c["mag"], weights=weight)
        if abs(mean - before) < limit:
            break
    return _delta(c, mean)


def stetson_k_robust(c):
    return _kurtosis(_robust_delta(c))


def _groups(c, close):
    """Pairs and single points, from the first point on."""
    i, groups = 0, []
    while i < len(c["time"]):
        pair = i + 1 < len(c["time"]) and close(c, i, i + 1)
        groups.append((i, i + 1) if pair else (i,))
        i += len(groups[-1])
    return groups


def _both_ways(c, close, index):
    """Mean of an index of groups formed from the first point on and from the last one back."""
    forward = _groups(c, close)
    back = {name: c[name][::-1] for name in ("time", "mag", "mag_err")}
    last = len(c["time"]) - 1
    backward = [tuple(last - i for i in group) for group in _groups(back, close)]
    return (index(forward) + index(backward)) / 2


def _near(c, i, j):
    return abs(c["time"][j] - c["time"][i]) <= 2


def _near_and_alike(c, i, j):
    combined = math.hypot(c["mag_err"][i], c["mag_err"][j])
    return _near(c, i, j) and abs(c["mag"][j] - c["mag"][i]) <= 5 * combined


def _any(*_):
    return True


def welch_stetson_i(c):
    residual = (c["mag"] - mean_mag(c)) / c["mag_err"]

    def index(groups):
        products = [residual[g[0]] * residual[g[1]] for g in groups if len(g) == 2]
        n = len(products)
        return math.sqrt(1 / (n * (n - 1))) * sum(products)

    return _both_ways(c, _near, index)


def _j(c, close, weight=lambda *_: 1.0):
    delta = _robust_delta(c)

    def index(groups):
        products = [delta[g[0]] * delta[g[1]] if len(g) == 2 else delta[g[0]] ** 2 - 1 for g in groups]
        weights = [weight(*g) if len(g) == 2 else 1.0 for g in groups]
        return np.average([math.copysign(math.sqrt(abs(p)), p) for p in products], weights=weights)

    return _both_ways(c, close, index)


def stetson_j(c):
    return _j(c, _near)


def stetson_j_clip(c):
    return _j(c, _near_and_alike)


def stetson_j_time(c):
    scale = np.median(np.diff(c["time"]))
    return _j(c, _any, lambda i, j: math.exp(-abs(c["time"][j] - c["time"][i]) / scale))


def stetson_l(c):
    return math.sqrt(math.pi / 2) * stetson_j(c) * stetson_k_robust(c)


def stetson_l_time(c):
    return math.sqrt(math.pi / 2) * stetson_j_time(c) * stetson_k_robust(c)


def stetson_l_clip(c):
    return math.sqrt(math.pi / 2) * stetson_j_clip(c) * stetson_k_robust(c)


# Autocorrelation and structure function


def autocorrelation(mag):
    residual, n = mag - np.mean(mag), len(mag)
    sums = [sum(residual[i] * residual[i + lag] for i in range(n - lag)) / (n - lag) for lag in range(1, n)]
    return np.array(sums) / np.var(mag, ddof=1)


def n_above(c):
    return sum(1 for a, line in zip(autocorrelation(c["mag"]), c["ac_upper"], strict=False) if a > line)


def n_below(c):
    return sum(1 for a, line in zip(autocorrelation(c["mag"]), c["ac_lower"], strict=False) if a < line)


def stetson_k_ac(c):
    values = autocorrelation(c["mag"])
    return _kurtosis(values - np.mean(values))


_EDGES = (1, 3, 10, 32, 100, 316, 1000)


def _slots(c):
    """Centre [d] of each slot of lag with 10 pairs or more, and the pairs' residuals."""
    day = np.floor(c["time"] - min(c["time"]))
    residual = c["mag"] - np.mean(c["mag"])
    pairs = list(itertools.combinations(range(len(day)), 2))
    for low, high in itertools.pairwise(_EDGES):
        inside = [(residual[i], residual[j]) for i, j in pairs if low <= abs(day[j] - day[i]) < high]
        if len(inside) >= 10:
            yield math.sqrt(low * high), inside


def _structure(c):
    noise = 2 * np.mean(c["mag_err"] ** 2)
    points = [(lag, np.mean([(a - b) ** 2 for a, b in pairs]) - noise) for lag, pairs in _slots(c)]
    points = [(math.log10(lag), math.log10(excess) / 2) for lag, excess in points if excess > 0]
    return np.polyfit(*zip(*points, strict=True), 1) if len(points) >= 3 else (np.nan, np.nan)


def sf_slope(c):
    return _structure(c)[0]


def sf_amplitude(c):
    slope, intercept = _structure(c)
    return 10 ** (intercept + slope * math.log10(365.25))


def autocorrelation_length(c):
    variance, before, last = np.var(c["mag"]), 1.0, 1.0
    for lag, pairs in _slots(c):
        here = np.mean([a * b for a, b in pairs]) / variance
        if here < 1 / math.e:
            share = (before - 1 / math.e) / (before - here)
            return 1.0 if lag < 3 else last * (lag / last) ** share
        before, last = here, lag
    return last


# Two bands


def band_color(c):
    return np.mean(c["mag_a"]) - np.mean(c["mag_b"])


def stetson_l_bands(c):
    apart = np.abs(np.subtract.outer(c["time_a"], c["time_b"]))
    last = apart.shape[1] - 1
    nearest_b = [last - int(np.argmin(row[::-1])) for row in apart]  # of two as near the later one
    nearest_a = [int(np.argmin(column)) for column in apart.T]  # and here the earlier
    pairs = [(i, j) for i, j in enumerate(nearest_b) if nearest_a[j] == i and apart[i, j] <= 0.25]
    first, second = np.array(pairs).T
    n = len(pairs)

    def delta(mag, error):
        return math.sqrt(n / (n - 1)) * (mag - np.mean(mag)) / error

    products = delta(c["mag_a"][first], c["mag_err_a"][first]) * delta(c["mag_b"][second], c["mag_err_b"][second])
    index_j = np.mean([math.copysign(math.sqrt(abs(p)), p) for p in products])
    return index_j * _kurtosis(_delta(c, np.mean(c["mag"]))) / 0.798
