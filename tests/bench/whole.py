"""The whole of the rule `features`: complete period search, then every feature."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench import samples
from bench.timing import clock
from workflow_scripts import features
from workflow_scripts.features.registry import PHOTOMETRY
from workflow_scripts.lightcurve import period_search
from workflow_scripts.lightcurve.period_search import Periods, Search
from workflow_scripts.lightcurve.ragged import LightCurves


@dataclass(frozen=True)
class Whole:
    """CPU time per light curve [s] of the parts and of both, the number of light curves and of features."""

    search: float
    features: float
    both: float
    count: int
    n_features: int


def measure(curves: LightCurves, count: int, rounds: int) -> Whole:
    """Search and measure so many of the light curves, several rounds, default settings."""
    part = samples.evenly(curves, count)
    measured(searched(samples.evenly(curves, min(32, count))))
    readings = []
    for _ in range(rounds):
        search = clock(searched, part, len(part))
        readings.append((search, clock(measured, searched(part), len(part))))
    search, feature = np.array(readings).T
    middle = [float(np.median(seconds)) for seconds in (search, feature, search + feature)]
    return Whole(*middle, len(part), len(features.names("all")))


def searched(curves: LightCurves) -> tuple[LightCurves, Periods]:
    """Return the light curves with their periods."""
    return curves, period_search.search(curves, Search())


def measured(found: tuple[LightCurves, Periods]) -> dict[str, NDArray]:
    """All features of light curves whose periods are known; they have no photometry."""
    curves, periods = found
    return features.measure(curves, vars(periods) | {name: np.full(len(curves), np.nan) for name in PHOTOMETRY})
