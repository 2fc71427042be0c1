"""Light curves that are measured: real ones of the Catalina survey, and simulated ones of any length."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.lightcurve import ragged
from workflow_scripts.lightcurve.clean import Cuts, clean
from workflow_scripts.lightcurve.ragged import LightCurves
from workflow_scripts.surveys import local

YEAR_D = 365.25
SEASON_NIGHTS = 219  # of a year, the rest is behind the Sun
SEASONS = 4
START_MJD = 58000.0
BASELINE_D = 1450.0
CRTS_POINTS = 222  # mean number of the real sample, for the simulated one that stands in
CUTS = Cuts(min_observations=50, clip_sigma=3, clip_iterations=1, clip_side="bright", max_error_ratio=0)

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """Light curves and what they are called in the tables."""

    name: str
    curves: LightCurves


def crts(folder: Path, count: int, rng: np.random.Generator) -> Sample:
    """Real light curves drawn from the CRTS variables, cleaned as `make crts` does; simulated ones where it is not."""
    if not folder.is_dir():
        curves = simulate(rng, rng.integers(100, 2 * CRTS_POINTS - 100, count))
        return Sample(
            f"{count:,} SIMULATED light curves in place of the Catalina survey's, {described(curves)}", curves
        )
    source = local.LocalSource("CRTS SSS", "tables", {"time": "mjd"}, "mjd", 1, [])
    raw = local.read([folder / "light_curves.parquet"], [], [], source).light_curves
    drawn = np.sort(rng.choice(raw.num_rows, min(count, raw.num_rows), replace=False))
    curves = ragged.from_table(clean(raw.take(drawn), CUTS)[0])
    return Sample(f"{len(curves):,} real light curves of Catalina (CRTS SSS) variables, {described(curves)}", curves)


def simulated(count: int, rng: np.random.Generator) -> Sample:
    """Simulated light curves with 100 to 800 points, 450 on average."""
    curves = simulate(rng, rng.integers(100, 801, count))
    return Sample(f"{count:,} SIMULATED light curves, {described(curves)}", curves)


def described(curves: LightCurves) -> str:
    """Mean and range of the number of points."""
    lengths = np.diff(curves.offsets)
    return f"{lengths.mean():.0f} points on average ({lengths.min()}-{lengths.max()})"


def simulate(rng: np.random.Generator, lengths: Counts) -> LightCurves:
    """Simulate light curves with so many points each, over four seasons that begin and end with a point.

    Half are periodic (three harmonics, periods of 0.1-500 d), a quarter vary slowly, a quarter are constant; magnitudes
    of 14-20, errors that grow with magnitude, 0.5 % outliers.
    """
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    curve = np.repeat(np.arange(len(lengths)), lengths)
    time = _epochs(rng, offsets, curve)
    level = rng.uniform(14, 20, len(lengths))
    typical = np.hypot(0.005, 0.003 * 10 ** (0.3 * (level - 14)))
    error = typical[curve] * rng.lognormal(0, 0.2, len(curve))
    mag = level[curve] + _variation(rng, typical, time, curve) + error * rng.normal(size=len(curve))
    mag += np.where(rng.uniform(size=len(curve)) < 0.005, rng.choice([-1, 1], len(curve)) * 1.0, 0.0)
    return LightCurves(offsets, time, *(np.float64(np.float32(values)) for values in (mag, error)))


def _epochs(rng: np.random.Generator, offsets: Counts, curve: Counts) -> NDArray[np.float64]:
    """Nights at random in the seasons, a tenth of the points in one night; sorted within each light curve."""
    night = rng.integers(0, SEASONS * SEASON_NIGHTS, len(curve))
    busy = rng.integers(0, SEASONS * SEASON_NIGHTS, len(offsets) - 1)
    night = np.where(rng.uniform(size=len(curve)) < 0.1, busy[curve], night)
    season, day = np.divmod(night, SEASON_NIGHTS)
    since = np.minimum(season * YEAR_D + day + rng.uniform(0.2, 0.5, len(curve)), BASELINE_D)
    since = since[np.lexsort((since, curve))]
    filled = np.diff(offsets) > 1
    since[offsets[:-1][filled]], since[offsets[1:][filled] - 1] = 0, BASELINE_D
    return START_MJD + since


def _variation(rng: np.random.Generator, typical: NDArray, time: NDArray, curve: Counts) -> NDArray[np.float64]:
    n = len(typical)
    kind = rng.integers(0, 4, n)
    period = np.where(kind < 2, 10 ** rng.uniform(-1, np.log10(500), n), rng.uniform(500, 3000, n))
    amplitude = np.where(kind < 3, typical * rng.uniform(2, 10, n), 0)
    total = np.zeros(len(curve))
    for harmonic in (1, 2, 3):
        phase = harmonic * (time - START_MJD) / period[curve] + rng.uniform(size=n)[curve]
        total += (amplitude / harmonic)[curve] * np.sin(2 * np.pi * phase)
    return total


def take(curves: LightCurves, rows: Counts) -> LightCurves:
    """Choose light curves by position."""
    parts = [slice(curves.offsets[i], curves.offsets[i + 1]) for i in rows]
    offsets = np.concatenate([[0], np.cumsum(np.diff(curves.offsets)[rows])]).astype(np.int64)
    columns = ([values[part] for part in parts] for values in (curves.time, curves.mag, curves.mag_err))
    return LightCurves(offsets, *(np.concatenate(values) for values in columns))


def evenly(curves: LightCurves, count: int) -> LightCurves:
    """Choose so many light curves, evenly in order of length: a few then stand for all."""
    by_length = np.argsort(np.diff(curves.offsets), kind="stable")
    places = (np.arange(min(count, len(curves))) + 0.5) * len(curves) / min(count, len(curves))
    return take(curves, np.sort(by_length[places.astype(np.int64)]))


def arrays(curves: LightCurves) -> list[tuple[NDArray, NDArray, NDArray]]:
    """Time, magnitude and error of each light curve, as the peers take them."""
    edges = zip(curves.offsets[:-1], curves.offsets[1:], strict=True)
    return [(curves.time[a:b].copy(), curves.mag[a:b].copy(), curves.mag_err[a:b].copy()) for a, b in edges]
