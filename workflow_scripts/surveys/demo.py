"""The demo survey: a SIMULATED survey with the cadence, noise, gaps and bad points of the Catalina surveys.

It needs no network and no data. Its numbers are set by hand in the likeness of the surveys of Drake et al. (2014,
ApJS 213, 9; 2017, MNRAS 469, 3688); the stars are in stars.py. Nothing that comes from it is an observation.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Mix = Literal["labelled", "field"]

SURVEY = "demo survey (SIMULATED)"
BAND = "V"

# Share of each class: a label catalogue's, with EW dominant, and a field's, as active and eclipsing stars give it.
MIXES: dict[Mix, dict[str, float]] = {
    "labelled": {
        "EW": 0.35,
        "EA": 0.16,
        "RRAB": 0.15,
        "RRC": 0.12,
        "ROT": 0.09,
        "LPV": 0.06,
        "DSCT": 0.04,
        "CEP": 0.03,
    },
    "field": {
        "ROT": 0.30,
        "EA": 0.22,
        "EW": 0.20,
        "LPV": 0.10,
        "DSCT": 0.08,
        "RRAB": 0.05,
        "RRC": 0.03,
        "CEP": 0.02,
    },
}

MAG_RANGE = (13.0, 19.0)
FAINT_LIMIT = 20.5
SENTINEL = 99.999
LOST_TIME = -2409998.0  # stands in two rows of the real Catalina files


@dataclass(frozen=True)
class Demo:
    """What a run asks of the demo survey; meanings and defaults stand in config.schema.yaml under `demo`."""

    objects: int
    mix: Mix


@dataclass(frozen=True)
class Points:
    """Raw points of one light curve in the survey's order: MJD, magnitude, stated error, usable or not; each (n,)."""

    time: Reals
    mag: Reals
    mag_err: Reals
    usable: NDArray[np.bool_]


def generator(seed: int, sample: str, block: int = 0) -> np.random.Generator:
    """Random generator of a block of a sample; another seed or another name of the sample gives another sky."""
    later = [256 + block] if block else []  # no byte of any name
    return np.random.default_rng([seed, *sample.encode(), *later])


def epochs(rng: np.random.Generator) -> Reals:
    """Epochs [MJD] of one light curve, sorted: four visits within half an hour, a night every two weeks in season."""
    start, years = 53500 + rng.uniform(0, 365), rng.uniform(6, 8)
    nights = np.floor(start + np.cumsum(rng.exponential(14, size=int(years * 365.25 / 14))) + rng.uniform(0, 365))
    season = (nights / 365.25 + rng.uniform()) % 1 < rng.uniform(0.55, 0.75)
    few = rng.uniform() < 0.04  # at a field's edge: too few points for any classifier
    share = rng.uniform(0.05, 0.1) if few else rng.uniform(0.22, 0.62)
    nights = np.unique(nights[season & (rng.uniform(size=len(nights)) < share)])
    if not len(nights):
        nights = np.floor([start])
    visits = (nights + rng.uniform(0.25, 0.75, len(nights)))[:, None] + np.arange(4) * 8 / 1440
    visits = visits + rng.uniform(0, 2 / 1440, visits.shape)
    seen = rng.uniform(size=visits.shape) < 0.93
    seen[0, 0] = True
    return np.asarray(np.round(visits[seen], 7))


def observe(time: Reals, magnitude: Reals, rng: np.random.Generator) -> Points:
    """Observe true magnitudes (n,) at epochs (n,): noise, wrong errors, outliers, and every kind of bad point.

    Where the star is fainter than the survey's limit there is no point.
    """
    detected = magnitude < FAINT_LIMIT
    time, magnitude, n = time[detected], magnitude[detected], int(detected.sum())
    photon = 0.19 * np.power(10.0, 0.32 * (magnitude - MAG_RANGE[1]), dtype=np.float64)
    # The real survey overstates its errors at the bright end, where it gives 0.05 mag to everything.
    stated = np.maximum(np.hypot(0.05, photon) * rng.normal(1, 0.06) * rng.normal(1, 0.03, n), 0.01)
    mag = magnitude + np.hypot(0.025, photon) * rng.normal(size=n)
    outlier = rng.uniform(size=n) < 0.01
    mag = mag + np.where(outlier, rng.choice([-1.0, 1.0, 1.0], n) * rng.uniform(0.4, 2.5, n), 0.0)
    usable = ~(rng.uniform(size=n) < np.where(outlier, 0.5, 0.01))
    points = _spoil(time, mag.round(3), stated.round(3), rng)
    return _shuffle(Points(*points, usable), rng)


def _spoil(time: Reals, mag: Reals, mag_err: Reals, rng: np.random.Generator) -> tuple[Reals, Reals, Reals]:
    """Put in missing values, sentinels, errors of zero and impossible times."""
    chance = rng.uniform(size=len(time))
    sentinel = (chance > 0.003) & (chance < 0.006)
    mag = np.where(chance < 0.003, np.nan, np.where(sentinel, SENTINEL, mag))
    mag_err = np.where(sentinel, SENTINEL, np.where((chance > 0.006) & (chance < 0.008), 0.0, mag_err))
    return np.where(chance > 0.9997, LOST_TIME, time), mag, mag_err


def _shuffle(points: Points, rng: np.random.Generator) -> Points:
    """Repeat some points and leave three light curves of four unsorted, as the real files do."""
    n = len(points.time)
    order = np.concatenate([np.arange(n), np.flatnonzero(rng.uniform(size=n) < 0.005)])
    if rng.uniform() < 0.75:
        order = rng.permutation(order)
    return Points(points.time[order], points.mag[order], points.mag_err[order], points.usable[order])
