"""Candidate frequencies of a light curve and the choice between them by harmonic fits, compiled.

The highest Lomb-Scargle peak of an eclipsing binary is half its period, and a daily alias may beat the truth. So the
highest peaks, their halves, thirds and doubles, and their daily aliases are fitted with Fourier series, and the
Bayesian information criterion chooses frequency and number of harmonics together.
"""

import math
from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_kernel
from workflow_scripts.lightcurve import eclipses, harmonics

FOURIER = 5  # harmonics of the series that is kept, at either period
_EXPANDED = 5  # of the peaks, the highest whose multiples and aliases are candidates too
SIDEREAL_DAY = 1.00273791  # alias spacing of observations from one site [1/d]
# ASSUME half again the usual penalty of a parameter: points of one night are not independent.
_PENALTY = 1.5
_FEWEST_FOR_TWO = 12  # points: a second mode that leaves nothing of fewer has explained nothing
# ASSUME stars slower than this vary from cycle to cycle: more harmonics would fit the noise of the cycles.
_SLOW_PERIOD_D = 10.0
_SLOW_HARMONICS = 2
# ASSUME stars slower than this are irregular: unequal minima of neighbouring cycles do not make a double period.
_LONG_PERIOD_D = 50.0


@compile_kernel
def refine_peaks(
    since: Any, weight: Any, mag: Any, bands: Any, starts: Any, step: float, low: float, high: float
) -> Any:
    """Frequencies between low and high of the sinusoids that fit best near the starts, best first."""
    found, quality = np.empty(starts.size), np.empty(starts.size)
    for i in range(starts.size):
        f, quality[i] = _minimise(since, weight, mag, bands, starts[i], 0.5 * step, 1, 1)
        found[i] = min(max(f, low), high)
    return found[np.argsort(quality, kind="mergesort")]


@compile_kernel
def multiples(peaks: Any, low: float, high: float) -> Any:
    """Candidate frequencies between low and high: the peaks; halves, thirds, doubles and aliases of the highest."""
    result = []
    for i in range(peaks.size):
        f = peaks[i]
        if f * _LONG_PERIOD_D < 1:
            options = np.array([f, f + SIDEREAL_DAY, abs(f - SIDEREAL_DAY)])
        elif i < _EXPANDED:
            options = np.array([f, f / 2, f / 3, 2 * f, f + SIDEREAL_DAY, abs(f - SIDEREAL_DAY)])
        else:
            options = np.array([f, f / 2])
        for option in options:
            if low <= option <= high:
                result.append(option)
    return np.array(result)


@compile_kernel
def eclipsing(peaks: Any, low: float, high: float) -> Any:
    """Frequencies between low and high at which narrow eclipses are tried: the peaks, their halves and doubles."""
    result = []
    for f in peaks:
        for option in (f, f / 2, 2 * f):
            if low <= option <= high:
                result.append(option)
    return np.array(result)


@compile_kernel
def choose(
    since: Any, weight: Any, mag: Any, bands: Any, candidates: Any, eclipsing: Any, max_harmonics: int, low: float
) -> Any:
    """Frequency, number of harmonics and information criterion of the best candidate.

    since [d] from the first epoch, weight (sum 1) and mag (mean 0 in each band) have shape (n,); band b holds points
    bands[b] to bands[b + 1]; candidates and eclipsing (those that boxes are fitted at) are frequencies [1/d], none
    below low.
    """
    best, best_criterion, best_harmonics = candidates[0], np.inf, 1
    baseline, fewest = since.max(), np.diff(bands).min()
    for start in candidates:
        most = _allowed(start, bands, max_harmonics)
        f, _ = _minimise(since, weight, mag, bands, start, 0.05 / baseline, most, 1)
        h, criterion = _harmonics(since, weight, mag, bands, f, most)
        if criterion < best_criterion:
            best, best_criterion, best_harmonics = f, criterion, h
    best, _ = _minimise(since, weight, mag, bands, best, 0.02 / baseline, best_harmonics, 2)
    # Eclipses of unequal depth: half the frequency needs twice the harmonics for the same sharpness.
    if best * _SLOW_PERIOD_D > 1 and best >= 2 * low and 8 * best_harmonics + 2 < fewest:
        h, criterion = _harmonics(since, weight, mag, bands, best / 2, 2 * best_harmonics)
        if criterion < best_criterion:
            best, best_criterion, best_harmonics = best / 2, criterion, h
    f, criterion = eclipses.best_frequency(since, weight, mag, bands, eclipsing, _penalty(since))
    if criterion < best_criterion:
        best_harmonics, _ = _harmonics(since, weight, mag, bands, f, _allowed(f, bands, max_harmonics))
        best, best_criterion = f, criterion
    best, _ = _minimise(since, weight, mag, bands, best, 0.01 / baseline, best_harmonics, 3)
    return best, best_harmonics, best_criterion


@compile_kernel
def two_modes(
    since: Any,
    weight: Any,
    mag: Any,
    bands: Any,
    peak: float,
    second: float,
    power: float,
    chosen: Any,
    max_harmonics: int,
) -> Any:
    """Frequency and harmonics of the peak, if it with a second mode fits better than what `choose` has chosen.

    RRd and Blazhko stars have power between the harmonics of their frequency, which a series at a half or third of it
    imitates in part. The second mode is a sinusoid at `second` [1/d] that explains the share `power` of what the
    series at the peak leaves; it has to lie off the harmonics of the frequency chosen.
    """
    best, terms, lowest = chosen
    if since.size < _FEWEST_FOR_TWO:
        return best, terms
    part = round(peak / best)
    off = abs(second / best - round(second / best)) * best
    if part < 2 or abs(best * part - peak) * since.max() > 0.5 or off * since.max() < 1.5:
        return best, terms
    size, penalty = since.size, (bands.size - 1) * _penalty(since)
    most = _allowed(peak, bands, max_harmonics)
    h, criterion = _harmonics(since, weight, mag, bands, peak, most)
    # The second mode has two amplitudes and a frequency, which was chosen among as many as the baseline tells apart.
    mode = 3 * penalty + 2 * math.log(1.5 * peak * since.max())
    if criterion + size * math.log(1 - power) + mode < lowest:
        best, _ = _minimise(since, weight, mag, bands, peak, 0.02 / since.max(), h, 3)
        return best, h
    return best, terms


@compile_kernel
def _penalty(since: Any) -> float:
    """Price of a parameter in the information criterion."""
    return _PENALTY * math.log(since.size)


@compile_kernel
def _allowed(frequency: float, bands: Any, max_harmonics: int) -> int:
    """Harmonics that a light curve of so many points may be fitted with at a frequency."""
    allowed = max(1, min(max_harmonics, (np.diff(bands).min() - 1) // 4))
    return min(allowed, _SLOW_HARMONICS) if frequency * _SLOW_PERIOD_D < 1 else allowed


@compile_kernel
def rest(since: Any, weight: Any, mag: Any, bands: Any, frequency: float, terms: int) -> float:
    """Weighted mean square residual [mag2] of the fit with `terms` harmonics, 0 for a constant."""
    rests = np.empty(terms + 1)
    harmonics.residuals(since, weight, mag, bands, frequency, terms, rests)
    return rests[terms]


@compile_kernel
def _harmonics(since: Any, weight: Any, mag: Any, bands: Any, frequency: float, most: int) -> Any:
    """Choose the number of harmonics with the lowest information criterion at a frequency; give both."""
    rests = np.empty(most + 1)
    harmonics.residuals(since, weight, mag, bands, frequency, most, rests)
    best, lowest, penalty = 1, np.inf, (bands.size - 1) * _penalty(since)
    for h in range(1, most + 1):
        criterion = since.size * math.log(rests[h]) + penalty * (2 * h + 1)
        if criterion < lowest:
            best, lowest = h, criterion
    return best, lowest


@compile_kernel
def _minimise(since: Any, weight: Any, mag: Any, bands: Any, start: float, step: float, terms: int, rounds: int) -> Any:
    """Walk downhill in steps, then fit parabolas: frequency of least residual near start, and the residual."""
    f, best = start, rest(since, weight, mag, bands, start, terms)
    left = rest(since, weight, mag, bands, start - step, terms)
    right = rest(since, weight, mag, bands, start + step, terms)
    for _ in range(4):
        if left < best:
            f, right, best = f - step, best, left
            left = rest(since, weight, mag, bands, f - step, terms)
        elif right < best:
            f, left, best = f + step, best, right
            right = rest(since, weight, mag, bands, f + step, terms)
        else:
            break
    for i in range(rounds):
        curvature = left + right - 2 * best
        if curvature <= 0:
            break
        trial = f + 0.5 * step * (left - right) / curvature
        value = rest(since, weight, mag, bands, trial, terms)
        if value >= best:
            break
        f, best, step = trial, value, 0.2 * step
        if i + 1 < rounds:
            left = rest(since, weight, mag, bands, f - step, terms)
            right = rest(since, weight, mag, bands, f + step, terms)
    return f, best
