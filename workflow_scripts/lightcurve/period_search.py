"""Periods of light curves: Lomb-Scargle peaks, then harmonic fits of the peaks and of their multiples.

Both periods are kept: the one that the harmonic fits choose (period_d, candidates.py) and that of the highest peak
(period_ls_d, periodogram.py). Light curves of one object in several bands are searched together: every band has its
own mean and its own series, the frequency is common.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.compiled import compile_kernel
from workflow_scripts.lightcurve import candidates, false_alarm, harmonics, periodogram, periodogram_gpu
from workflow_scripts.lightcurve.candidates import FOURIER
from workflow_scripts.lightcurve.ragged import LightCurves

Reals = NDArray[np.float64]

_PEAKS = 10  # highest Lomb-Scargle peaks that are refined
_SECOND_OVERSAMPLING = 3  # enough to see a peak: between two frequencies it loses a tenth of its power at most


@dataclass(frozen=True)
class Search:
    """Settings of the period search, as in the configuration.

    bootstrap_draws: resampled light curves for the false-alarm probability; 0 takes the analytical one.
    bootstrap_seed: start of their random numbers. device: where the periodogram is computed.
    """

    min_period_d: float = 0.05
    max_period_d: float = 1000.0
    oversampling: float = 5.0
    max_harmonics: int = 5
    bootstrap_draws: int = 0
    bootstrap_seed: int = 1
    device: Literal["cpu", "gpu"] = "cpu"


@dataclass(frozen=True)
class Periods:
    """Results of the search for n light curves, arrays of shape (n,) unless said otherwise.

    Periods in d; powers and false-alarm probability between 0 and 1; period_snr is the height of the highest peak
    above the mean of the spectrum in standard deviations of the spectrum; series (n, 2 * FOURIER + 1) holds the
    coefficients of the Fourier series at period_d [mag], with phases from the light curve's own first epoch, series_ls
    the same at period_ls_d; second_ratio is the frequency of the highest peak of the residuals, within a factor of 2,
    relative to that of period_ls_d. All are nan for an object without two epochs, and all but a false-alarm
    probability of 1 where the magnitudes of each band are all the same.
    """

    period_d: Reals
    period_ls_d: Reals
    ls_power: Reals
    period_snr: Reals
    false_alarm_probability: Reals
    n_harmonics: Reals
    fit_power: Reals
    second_ratio: Reals
    second_power: Reals
    series: Reals
    series_ls: Reals


_RESULTS = tuple(one.name for one in fields(Periods) if not one.name.startswith("series"))


def search(curves: LightCurves, settings: Search, objects: NDArray[np.int64] | None = None) -> Periods:
    """Search the period of every object; each result depends on the object's own light curves alone.

    objects: row at which each object's light curves begin, and the number of rows, shape (objects + 1,); by default
    every light curve is an object of its own. Light curves of one object have the same results but for the series.
    """
    rows = np.arange(len(curves) + 1) if objects is None else objects
    numbers = np.full((len(rows) - 1, len(_RESULTS)), np.nan)
    series = np.full((2, len(curves), 2 * FOURIER + 1), np.nan)
    limits = (settings.min_period_d, settings.max_period_d, settings.oversampling, settings.max_harmonics)
    points = (curves.offsets, curves.time, curves.mag, curves.mag_err)
    if settings.device == "gpu":
        _search_on_gpu(curves, settings, rows, limits, numbers, series)
    else:
        _search_all(rows, *points, limits, numbers, series)
    columns = dict(zip(_RESULTS, np.repeat(numbers, np.diff(rows), axis=0).T, strict=True))
    if settings.bootstrap_draws:
        columns["false_alarm_probability"] = _bootstrap(curves, settings, rows)
    return Periods(**columns, series=series[0], series_ls=series[1])


def _objects(
    curves: LightCurves, settings: Search, rows: NDArray[np.int64]
) -> Iterator[tuple[slice, tuple[Reals, Reals, Reals, NDArray[np.int64]], periodogram.Grid | None]]:
    """Rows, points (time, mag, mag_err, where each row begins) and grid of each object; no grid without a baseline."""
    for first, last in itertools.pairwise(rows):
        bands = curves.offsets[first : last + 1]
        points = slice(bands[0], bands[-1])
        time = curves.time[points]
        limits = (settings.min_period_d, settings.max_period_d, settings.oversampling)
        grid = periodogram.grid(np.ptp(time), *limits) if _has_baseline(time) else None
        yield slice(first, last), (time, curves.mag[points], curves.mag_err[points], bands - bands[0]), grid


def _bootstrap(curves: LightCurves, settings: Search, rows: NDArray[np.int64]) -> Reals:
    values = np.full(len(rows) - 1, np.nan)
    draws, seed = settings.bootstrap_draws, settings.bootstrap_seed
    for i, (_, (time, mag, mag_err, bands), grid) in enumerate(_objects(curves, settings, rows)):
        if grid is not None:
            # The peak on the grid, not the refined one: the draws have none but that either.
            peak = float(periodogram.power(time, mag, mag_err, grid, bands).max())
            values[i] = false_alarm.bootstrap(peak, time, mag, mag_err, bands, grid, draws, seed)
    return np.repeat(values, np.diff(rows))


def _search_on_gpu(
    curves: LightCurves, settings: Search, rows: NDArray[np.int64], limits: Any, numbers: Reals, series: Reals
) -> None:
    for i, (its_rows, (time, mag, mag_err, bands), grid) in enumerate(_objects(curves, settings, rows)):
        if grid is not None:
            spectrum = periodogram_gpu.power(time, mag, mag_err, grid, bands)
            _interpret(spectrum, time, mag, mag_err, bands, limits, numbers[i], series[:, its_rows])


@compile_kernel
def _search_all(
    rows: Any, offsets: Any, time: Any, mag: Any, mag_err: Any, limits: Any, numbers: Any, series: Any
) -> None:
    for i in range(rows.size - 1):
        edges = offsets[rows[i] : rows[i + 1] + 1]
        points, bands = slice(edges[0], edges[-1]), edges - edges[0]
        its_time, its_mag, its_err = time[points], mag[points], mag_err[points]
        if _has_baseline(its_time):
            spectrum = _spectrum(its_time, its_mag, its_err, bands, limits)
            its_series = series[:, rows[i] : rows[i + 1]]
            _interpret(spectrum, its_time, its_mag, its_err, bands, limits, numbers[i], its_series)


@compile_kernel
def _has_baseline(time: Any) -> bool:
    return time.size > 1 and time.max() > time.min()


@compile_kernel
def _varies(mag: Any, bands: Any) -> bool:
    for b in range(bands.size - 1):
        its_mag = mag[bands[b] : bands[b + 1]]
        if its_mag.size and its_mag.max() > its_mag.min():
            return True
    return False


@compile_kernel
def _spectrum(time: Any, mag: Any, mag_err: Any, bands: Any, limits: Any) -> Any:
    min_period, max_period, oversampling, _ = limits
    weight, residual, _ = periodogram.centred(mag, mag_err, bands)
    since = time - time.min()
    low, step = 1 / max_period, 1 / (oversampling * since.max())
    spectrum = np.zeros(periodogram.count(low, 1 / min_period, step), dtype=np.float32)
    periodogram.add_bands(since, weight, residual, bands, low, step, spectrum)
    return spectrum


@compile_kernel
def _interpret(
    spectrum: Any, time: Any, mag: Any, mag_err: Any, bands: Any, limits: Any, numbers: Any, series: Any
) -> None:
    """From the spectrum of an object to its results (in the order of _RESULTS) and series."""
    if not _varies(mag, bands):
        numbers[4] = 1.0
        return
    min_period, max_period, oversampling, max_harmonics = limits
    low, high, since = 1 / max_period, 1 / min_period, time - time.min()
    weight, residual, means = periodogram.centred(mag, mag_err, bands)
    step = 1 / (oversampling * since.max())
    highest = periodogram.peaks(spectrum, _PEAKS, round(oversampling))
    starts = low + step * highest
    peaks = candidates.refine_peaks(since, weight, residual, bands, starts, step, low, high)
    options, eclipsing = candidates.multiples(peaks, low, high), candidates.eclipsing(peaks, low, high)
    chosen = candidates.choose(since, weight, residual, bands, options, eclipsing, max_harmonics, low)
    whitened = _fit_series(since, weight, residual, bands, peaks[0], means, series[1])
    second, second_power = _second(since, weight, whitened, bands, peaks[0])
    best, n_harmonics = candidates.two_modes(
        since, weight, residual, bands, peaks[0], second, second_power, chosen, max_harmonics
    )
    best = min(max(best, low), high)  # a refined frequency may have left the range by a fraction of a step
    _fit_series(since, weight, residual, bands, best, means, series[0])
    whole = candidates.rest(since, weight, residual, bands, best, 0)
    power = 1 - candidates.rest(since, weight, residual, bands, peaks[0], 1) / whole if whole > 0 else 0.0
    numbers[0], numbers[1], numbers[2] = 1 / best, 1 / peaks[0], power
    numbers[3] = periodogram.signal_to_noise(spectrum, spectrum[highest[0]])
    numbers[4] = false_alarm.baluev(power, time, weight, bands, high)
    numbers[5] = n_harmonics
    numbers[6] = 1 - candidates.rest(since, weight, residual, bands, best, n_harmonics) / whole if whole > 0 else 0.0
    numbers[7], numbers[8] = second / peaks[0], second_power


@compile_kernel
def _fit_series(since: Any, weight: Any, residual: Any, bands: Any, frequency: float, means: Any, series: Any) -> Any:
    """Put the Fourier series of each band into series; give the residuals."""
    rest = np.empty_like(residual)
    for b in range(bands.size - 1):
        points = slice(bands[b], bands[b + 1])
        its_time, its_mag = since[points] - since[points].min(), residual[points]
        series[b] = harmonics.coefficients(its_time, weight[points], its_mag, frequency, FOURIER)
        rest[points] = its_mag - harmonics.model(its_time, frequency, series[b])
        series[b, 0] += means[b]
    return rest


@compile_kernel
def _second(since: Any, weight: Any, whitened: Any, bands: Any, frequency: float) -> Any:
    """Highest peak of the prewhitened light curve near its frequency: second modes and Blazhko side peaks."""
    step = 1 / (_SECOND_OVERSAMPLING * since.max())
    spectrum = np.zeros(math.floor(1.5 * frequency / step) + 1, dtype=np.float32)
    periodogram.add_bands(since, weight, whitened, bands, frequency / 2, step, spectrum)
    place = spectrum.argmax()
    return frequency / 2 + step * place, spectrum[place]
