"""Lomb-Scargle periodograms with errors and floating mean: ours, nifty-ls, light-curve and astropy."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import samples
from bench.timing import Contender
from workflow_scripts.lightcurve import periodogram
from workflow_scripts.lightcurve.period_search import Search
from workflow_scripts.lightcurve.periodogram import Grid
from workflow_scripts.lightcurve.ragged import LightCurves

OURS, NIFTY32, NIFTY64 = "ours", "nifty-ls float32", "nifty-ls float64"
NIFTY32_ROUGH = "nifty-ls float32, eps = 1e-4"
LIGHT_CURVE = "light-curve `Periodogram`, fast"
FAST, FASTCHI2 = "astropy `fast`", "astropy `fastchi2`, 1 term"

SAME = Grid(0.00096, 1 / (5 * 1461), 146_093)  # 0.00096 to 20 /d, 5 to a resolution element of four years
EXACT = 300  # frequencies, drawn at random, at which the power is also computed term by term

Power = Callable[[NDArray, NDArray, NDArray, Grid], NDArray]


def own_grid(time: NDArray) -> Grid:
    """Grid that the period search takes for a light curve: 0.05-1000 d, 5 to its own resolution element."""
    search = Search()
    return periodogram.grid(np.ptp(time), search.min_period_d, search.max_period_d, search.oversampling)


def same_frequencies(slow: int, count: int) -> tuple[Contender, list[Contender]]:
    """Return ours and the peers on the frequencies of SAME; astropy with `slow` light curves."""
    does = f"{SAME.count:,} frequencies, errors, floating mean"

    def contender(name: str, n: int, power: Power) -> Contender:
        return Contender(name, does, n, samples.arrays, lambda curves: [power(*one, SAME) for one in curves])

    peers = [
        contender(NIFTY32, count, nifty32),
        contender(NIFTY32_ROUGH, count, nifty32_rough),
        contender(NIFTY64, count, nifty64),
        _light_curve(count),
        contender(FAST, slow, astropy_fast),
        contender(FASTCHI2, max(slow // 4, 1), astropy_fastchi2),
    ]
    return contender(OURS, count, periodogram.power), peers


def own_frequencies(curves: LightCurves, count: int) -> tuple[Contender, list[Contender]]:
    """Return ours and nifty-ls on the grid of each light curve's own baseline."""
    mean = np.mean([own_grid(time).count for time, _, _ in samples.arrays(curves)])
    does = f"{mean:,.0f} frequencies on average, errors, floating mean"

    def prepare(part: LightCurves) -> list[Any]:
        return [(*one, own_grid(one[0])) for one in samples.arrays(part)]

    def contender(name: str, power: Power) -> Contender:
        return Contender(name, does, count, prepare, lambda part: [power(*one) for one in part])

    return contender(OURS, periodogram.power), [contender(NIFTY32, nifty32), contender(NIFTY64, nifty64)]


def nifty64(time: NDArray, mag: NDArray, mag_err: NDArray, grid: Grid, **options: Any) -> NDArray:
    """Return nifty-ls on one thread, whose default is a number of its own."""
    import nifty_ls

    fmax = grid.low + grid.step * (grid.count - 1)
    result = nifty_ls.lombscargle(
        time, mag, mag_err, fmin=grid.low, fmax=fmax, Nf=grid.count, backend="finufft", nthreads=1, **options
    )
    return result.power


def nifty32(time: NDArray, mag: NDArray, mag_err: NDArray, grid: Grid, **options: Any) -> NDArray:
    """Return nifty-ls in single precision; times from the first, magnitudes from the mean, so that no digit is lost."""
    since, residual = time - time[0], mag - mag.mean()
    return nifty64(*(np.float32(values) for values in (since, residual, mag_err)), grid, **options)


def nifty32_rough(time: NDArray, mag: NDArray, mag_err: NDArray, grid: Grid) -> NDArray:
    """Return nifty-ls in single precision with a tolerance ten times its default."""
    return nifty32(time, mag, mag_err, grid, finufft_kwargs={"eps": 1e-4})


def astropy_fast(time: NDArray, mag: NDArray, mag_err: NDArray, grid: Grid) -> NDArray:
    """Return astropy's interpolated transform."""
    return _astropy(time, mag, mag_err).power(_frequencies(grid), method="fast", assume_regular_frequency=True)


def astropy_fastchi2(time: NDArray, mag: NDArray, mag_err: NDArray, grid: Grid) -> NDArray:
    """Return astropy's fit of one harmonic by interpolated transforms."""
    return _astropy(time, mag, mag_err).power(_frequencies(grid), method="fastchi2", assume_regular_frequency=True)


def errors(curves: LightCurves, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """Largest and typical (median of the largest of each curve) error of the power, 0 to 1, against the exact sums."""
    places = np.sort(rng.choice(SAME.count, EXACT, replace=False))
    methods: dict[str, Power] = {
        OURS: periodogram.power,
        NIFTY32: nifty32,
        NIFTY32_ROUGH: nifty32_rough,
        NIFTY64: nifty64,
        FAST: astropy_fast,
    }
    worst: dict[str, list[float]] = {name: [] for name in methods}
    for one in samples.arrays(curves):
        exact = _astropy(*one).power(_frequencies(SAME)[places], method="cython", assume_regular_frequency=False)
        for name, power in methods.items():
            worst[name].append(float(np.abs(power(*one, SAME)[places] - exact).max()))
    return {name: (max(found), float(np.median(found))) for name, found in worst.items()}


def _light_curve(count: int) -> Contender:
    """light-curve's transform: its grid is 2^k + 1 frequencies from zero, here up to the same 20 /d."""
    import light_curve

    steps = 2 ** int(math.log2(SAME.count))
    highest = SAME.low + SAME.step * (SAME.count - 1)
    method = light_curve.Periodogram(freqs=2 * np.pi * np.linspace(0, highest, steps + 1), fast=True)

    def work(curves: Any) -> None:
        for time, mag, _ in curves:
            method.power(time, mag)

    does = f"{steps + 1:,} frequencies, no errors, no floating mean"
    return Contender(LIGHT_CURVE, does, count, samples.arrays, work)


def _astropy(time: NDArray, mag: NDArray, mag_err: NDArray) -> Any:
    from astropy.timeseries import LombScargle

    return LombScargle(time, mag, mag_err)


def _frequencies(grid: Grid) -> NDArray:
    return grid.low + grid.step * np.arange(grid.count)
