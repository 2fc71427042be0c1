"""Cost against number of points and against number of light curves, the latter with peak memory.

Started as a program it measures one number of light curves, on the core and threads of who starts it:
`python -m bench.scaling statistics 1000`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from bench import machine, periodogram_peers, samples, statistics_peers
from bench.timing import clock
from workflow_scripts import features
from workflow_scripts.lightcurve import period_search, periodogram
from workflow_scripts.lightcurve.period_search import Search
from workflow_scripts.lightcurve.ragged import LightCurves

Kind = Literal["statistics", "search"]

ROOT = Path(__file__).parents[2]
BATCH = 200  # light curves that are in memory at once
POINTS = 50  # of each light curve where their number grows


@dataclass(frozen=True)
class OfPoints:
    """CPU time per light curve [s] at a number of points."""

    points: int
    statistics: float
    periodogram: float
    search: float


@dataclass(frozen=True)
class OfCurves:
    """CPU time of all light curves [s], and peak memory of the process: after the first batch, and at the end [MiB]."""

    kind: Kind
    curves: int
    seconds: float
    first_mib: float
    peak_mib: float


def over_points(sizes: Sequence[int], rounds: int, budget: int, rng: np.random.Generator) -> Iterator[OfPoints]:
    """Measure light curves of each size; budget: points in one reading of the statistics."""
    for points in sizes:
        many = samples.simulate(rng, np.full(max(budget // points, 2), points))
        few = samples.evenly(many, max(budget // points // 25, 2))
        parts = [(work_of("statistics"), many), (_periodograms, few), (work_of("search"), few)]
        for work, part in parts:
            work(part)
        readings = [[clock(work, part, len(part)) for work, part in parts] for _ in range(rounds)]
        yield OfPoints(points, *(float(value) for value in np.median(readings, axis=0)))


def over_curves(kind: Kind, numbers: Sequence[int]) -> Iterator[OfCurves]:
    """Measure each number of light curves in a process of its own, so that its memory is its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
    for number in numbers:
        command = [sys.executable, "-m", "bench.scaling", kind, str(number)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env=environment)
        yield OfCurves(**json.loads(done.stdout))


def in_batches(kind: Kind, number: int, rng: np.random.Generator) -> OfCurves:
    """Simulate and measure light curves batch by batch; the clock runs while they are measured."""
    work, seconds = work_of(kind), 0.0
    work(samples.simulate(rng, np.full(min(BATCH, number), POINTS)))
    first = machine.peak_memory_mib()
    for begun in range(0, number, BATCH):
        part = samples.simulate(rng, np.full(min(BATCH, number - begun), POINTS))
        before = time.process_time()
        work(part)
        seconds += time.process_time() - before
    return OfCurves(kind, number, seconds, first, machine.peak_memory_mib())


def work_of(kind: Kind) -> Callable[[LightCurves], object]:
    """Work on a batch: all features that need no period, or the period search."""
    if kind == "search":
        return lambda curves: period_search.search(curves, Search())
    chosen = statistics_peers.without_period()
    return lambda curves: features.measure(curves, {}, chosen)


def _periodograms(curves: LightCurves) -> None:
    for one in samples.arrays(curves):
        periodogram.power(*one, periodogram_peers.SAME)


if __name__ == "__main__":
    found = in_batches(sys.argv[1], int(sys.argv[2]), np.random.default_rng(3))
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
