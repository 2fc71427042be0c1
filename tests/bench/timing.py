"""CPU time per light curve of several contenders, in turns, so that what disturbs one disturbs all."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import samples
from workflow_scripts.lightcurve.ragged import LightCurves

LEAST_S = 0.25  # a reading is repeated until it has used this much time
WARM_UP = 32  # light curves before the clock starts: compilation, plans of transforms


@dataclass(frozen=True)
class Contender:
    """Something that is measured: what it does, how its light curves are laid out, and the work itself."""

    name: str
    does: str
    count: int  # light curves in one reading; fewer for what is slow
    prepare: Callable[[LightCurves], Any]  # not timed
    work: Callable[[Any], object]


@dataclass(frozen=True)
class Cost:
    """CPU time per light curve of a contender [s], and by how much ours is faster on the same light curves."""

    name: str
    does: str
    count: int
    seconds: float
    spread: float  # half the range of the readings, relative
    faster: float  # seconds of this one / seconds of ours, median over rounds

    @property
    def rate(self) -> float:
        """Light curves a second and core."""
        return 1 / self.seconds


def compare(ours: Contender, peers: Sequence[Contender], curves: LightCurves, rounds: int) -> list[Cost]:
    """Measure ours, then each peer in turn with ours before it on the same light curves, several rounds."""
    for one in (ours, *peers):
        one.work(one.prepare(samples.evenly(curves, min(WARM_UP, one.count))))
    parts = {one.name: samples.evenly(curves, one.count) for one in (ours, *peers)}
    laid_out = {one.name: one.prepare(parts[one.name]) for one in (ours, *peers)}
    same = {one.name: ours.prepare(parts[one.name]) for one in peers}
    own: list[float] = []
    readings: dict[str, list[tuple[float, float]]] = {one.name: [] for one in peers}
    for _ in range(rounds):
        own.append(clock(ours.work, laid_out[ours.name], len(parts[ours.name])))
        for one in peers:
            n = len(parts[one.name])
            pair = clock(ours.work, same[one.name], n), clock(one.work, laid_out[one.name], n)
            readings[one.name].append(pair)
    costs = [cost(ours, len(parts[ours.name]), own, own)]
    for one in peers:
        mine, theirs = zip(*readings[one.name], strict=True)
        costs.append(cost(one, len(parts[one.name]), mine, theirs))
    return costs


def cost(one: Contender, count: int, ours: Sequence[float], readings: Sequence[float]) -> Cost:
    """Summarise the readings of a contender and those of ours beside them [s per light curve]."""
    middle = float(np.median(readings))
    ratio = float(np.median(np.divide(readings, ours)))
    return Cost(one.name, one.does, count, middle, float(np.ptp(readings)) / 2 / middle, ratio)


def clock(work: Callable[[Any], object], laid_out: Any, count: int) -> float:
    """CPU time of the whole process per light curve [s], all its threads together, of at least LEAST_S.

    A first call that takes less is not counted: what another contender has done before makes it slower, by as much as
    its memory has to be given to the process again.
    """
    used, times = cpu_s(work, laid_out), 1
    if used < LEAST_S:
        used, times = 0.0, 0
    while used < LEAST_S:
        used, times = used + cpu_s(work, laid_out), times + 1
    return used / times / count


def cpu_s(work: Callable[[Any], object], laid_out: Any) -> float:
    """CPU time of one call [s]."""
    begun = time.process_time()
    work(laid_out)
    return time.process_time() - begun
