"""Periods of light curves: Lomb-Scargle peaks, then harmonic fits of the peaks and of their multiples.

The highest Lomb-Scargle peak of an eclipsing binary is half its period, and a daily alias may beat the truth. So the
highest peaks, their halves, thirds and doubles, and their daily aliases are fitted with Fourier series, and the
Bayesian information criterion chooses frequency and number of harmonics together. Both periods are kept: the
harmonic one (period_d) and that of the highest peak (period_ls_d).
"""

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.compiled import compile_kernel
from workflow_scripts.lightcurve import harmonics, periodogram
from workflow_scripts.lightcurve.ragged import LightCurves

Reals = NDArray[np.float64]

_PEAKS = 10  # highest Lomb-Scargle peaks that are refined
_EXPANDED = 5  # of these, the highest whose multiples and aliases are candidates too
SIDEREAL_DAY = 1.00273791  # alias spacing of observations from one site [1/d]
# ASSUME half again the usual penalty of a parameter: points of one night are not independent.
_PENALTY = 1.5
# ASSUME stars slower than this vary from cycle to cycle: more harmonics would fit the noise of the cycles.
_SLOW_PERIOD_D = 10.0
_SLOW_HARMONICS = 2
FOURIER = 5  # harmonics of the series that the features are taken from


@dataclass(frozen=True)
class Search:
    """Settings of the period search, as in the configuration."""

    min_period_d: float = 0.05
    max_period_d: float = 1000.0
    oversampling: float = 5.0
    max_harmonics: int = 5


@dataclass(frozen=True)
class Periods:
    """Results of the search for n light curves, arrays of shape (n,) unless said otherwise.

    Periods in d; powers and false-alarm probability between 0 and 1; series (n, 2 * FOURIER + 1) holds the
    coefficients of the Fourier series at period_d [mag], series_ls the same at period_ls_d; second_ratio is the
    frequency of the highest peak of the residuals, within a factor of 2, relative to that of period_ls_d.
    """

    period_d: Reals
    period_ls_d: Reals
    ls_power: Reals
    false_alarm_probability: Reals
    n_harmonics: Reals
    fit_power: Reals
    series: Reals
    series_ls: Reals
    second_ratio: Reals
    second_power: Reals


def search(curves: LightCurves, settings: Search) -> Periods:
    """Search the period of every light curve; each result depends on its own light curve alone."""
    rows = []
    for i in range(len(curves)):
        points = slice(curves.offsets[i], curves.offsets[i + 1])
        rows.append(_search_one(curves.time[points], curves.mag[points], curves.mag_err[points], settings))
    names = [f.name for f in fields(Periods)]
    return Periods(**{name: _column([row[name] for row in rows], name) for name in names})


def _search_one(time: Reals, mag: Reals, mag_err: Reals, settings: Search) -> dict[str, Any]:
    since = time - time.min()
    weight = mag_err**-2.0
    weight /= weight.sum()
    frequencies = periodogram.grid(since.max(), settings.min_period_d, settings.max_period_d, settings.oversampling)
    spectrum = periodogram.power(time, mag, mag_err, frequencies)
    places = periodogram.peaks(spectrum, _PEAKS, round(settings.oversampling))
    starts = frequencies.low + frequencies.step * places
    peaks = refine_peaks(since, weight, mag, starts, frequencies.step)
    low, high = 1 / settings.max_period_d, 1 / settings.min_period_d
    candidates = multiples(peaks, low, high)
    best, n_harmonics = choose(since, weight, mag, candidates, settings.max_harmonics)
    power = 1 - _residual(since, weight, mag, peaks[0], 1) / _residual(since, weight, mag, peaks[0], 0)
    series_ls = harmonics.coefficients(since, weight, mag, peaks[0], FOURIER)
    ratio, second_power = _second(time, mag - harmonics.model(since, peaks[0], series_ls), mag_err, peaks[0])
    return {
        "period_d": 1 / best,
        "period_ls_d": 1 / peaks[0],
        "ls_power": power,
        "false_alarm_probability": periodogram.false_alarm_probability(power, time, mag_err, high),
        "n_harmonics": n_harmonics,
        "fit_power": 1 - _residual(since, weight, mag, best, n_harmonics) / _residual(since, weight, mag, best, 0),
        "series": harmonics.coefficients(since, weight, mag, best, FOURIER),
        "series_ls": series_ls,
        "second_ratio": ratio,
        "second_power": second_power,
    }


def _second(time: Reals, residual: Reals, mag_err: Reals, frequency: float) -> tuple[float, float]:
    """Highest peak of the prewhitened light curve near its frequency: second modes and Blazhko side peaks."""
    window = periodogram.Grid(frequency / 2, 1 / (5 * np.ptp(time)), int(1.5 * frequency * 5 * np.ptp(time)) + 1)
    spectrum = periodogram.power(time, residual, mag_err, window)
    place = int(spectrum.argmax())
    return (window.low + window.step * place) / frequency, float(spectrum[place])


@compile_kernel
def refine_peaks(since: Any, weight: Any, mag: Any, starts: Any, step: float) -> Any:
    """Frequencies of the sinusoids that fit best within a grid step of the starts, best first."""
    found, quality = np.empty(starts.size), np.empty(starts.size)
    for i in range(starts.size):
        found[i], quality[i] = _minimise(since, weight, mag, starts[i], 0.5 * step, 1, 1)
    return found[np.argsort(quality, kind="mergesort")]


@compile_kernel
def multiples(peaks: Any, low: float, high: float) -> Any:
    """Candidate frequencies between low and high: the peaks; halves, thirds, doubles and aliases of the highest."""
    result = []
    for i in range(peaks.size):
        f = peaks[i]
        if i < _EXPANDED:
            options = np.array([f, f / 2, f / 3, 2 * f, f + SIDEREAL_DAY, abs(f - SIDEREAL_DAY)])
        else:
            options = np.array([f, f / 2])
        for option in options:
            if low <= option <= high:
                result.append(option)
    return np.array(result)


@compile_kernel
def choose(since: Any, weight: Any, mag: Any, candidates: Any, max_harmonics: int) -> Any:
    """Frequency and number of harmonics with the lowest information criterion among the candidates."""
    best, best_criterion, best_harmonics = candidates[0], np.inf, 1
    baseline = since.max()
    for start in candidates:
        slow = start * _SLOW_PERIOD_D < 1
        most = min(max_harmonics, _SLOW_HARMONICS) if slow else max_harmonics
        f, _ = _minimise(since, weight, mag, start, 0.05 / baseline, most, most)
        h, criterion = _harmonics(since, weight, mag, f, most)
        if criterion < best_criterion:
            best, best_criterion, best_harmonics = f, criterion, h
    # Eclipses of unequal depth: half the frequency needs twice the harmonics for the same sharpness.
    if best * _SLOW_PERIOD_D > 1 and 8 * best_harmonics + 2 < since.size:
        h, criterion = _harmonics(since, weight, mag, best / 2, 2 * best_harmonics)
        if criterion < best_criterion:
            best, best_harmonics = best / 2, h
    best, _ = _minimise(since, weight, mag, best, 0.01 / baseline, best_harmonics, 3)
    return best, best_harmonics


@compile_kernel
def _harmonics(since: Any, weight: Any, mag: Any, frequency: float, most: int) -> Any:
    """Choose the number of harmonics with the lowest information criterion at a frequency; give both."""
    rests = np.empty(most + 1)
    harmonics.residuals(since, weight, mag, frequency, most, rests)
    best, lowest = 1, np.inf
    for h in range(1, most + 1):
        criterion = since.size * math.log(rests[h]) + _PENALTY * (2 * h + 1) * math.log(since.size)
        if criterion < lowest:
            best, lowest = h, criterion
    return best, lowest


@compile_kernel
def _minimise(since: Any, weight: Any, mag: Any, start: float, step: float, terms: int, rounds: int) -> Any:
    """Walk downhill in steps, then fit parabolas: frequency of least residual near start, and the residual."""
    rests = np.empty(terms + 1)
    f, best = start, _rest(since, weight, mag, start, terms, rests)
    left = _rest(since, weight, mag, start - step, terms, rests)
    right = _rest(since, weight, mag, start + step, terms, rests)
    for _ in range(4):
        if left < best:
            f, right, best = f - step, best, left
            left = _rest(since, weight, mag, f - step, terms, rests)
        elif right < best:
            f, left, best = f + step, best, right
            right = _rest(since, weight, mag, f + step, terms, rests)
    for _ in range(min(rounds, 3)):
        curvature = left + right - 2 * best
        if curvature <= 0:
            break
        trial = f + 0.5 * step * (left - right) / curvature
        value = _rest(since, weight, mag, trial, terms, rests)
        if value >= best:
            break
        f, best, step = trial, value, 0.2 * step
        left = _rest(since, weight, mag, f - step, terms, rests)
        right = _rest(since, weight, mag, f + step, terms, rests)
    return f, best


@compile_kernel
def _rest(since: Any, weight: Any, mag: Any, frequency: float, terms: int, rests: Any) -> float:
    harmonics.residuals(since, weight, mag, frequency, terms, rests)
    return rests[terms]


def _residual(since: Reals, weight: Reals, mag: Reals, frequency: float, terms: int) -> float:
    rests = np.empty(terms + 1)
    harmonics.residuals(since, weight, mag, frequency, terms, rests)
    return float(rests[terms])


def _column(values: list[Any], name: str) -> Reals:
    width = (0, 2 * FOURIER + 1) if name.startswith("series") else (0,)
    return np.array(values, dtype=np.float64) if values else np.empty(width)
