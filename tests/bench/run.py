"""One run: every comparison, then the table and the figure."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import drawing, goals, machine, periodogram_peers, samples, scaling, statistics_peers, table, whole
from bench.timing import compare
from workflow_scripts.figures import style

log = logging.getLogger(__name__)

PACKAGES = ("light-curve", "feets", "cesium", "nifty-ls", "astropy", "finufft", "numba", "numpy", "scipy")
SEED = 2


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    quick: bool
    rounds: int
    statistics: int  # light curves
    periodograms: int
    slow: int  # of astropy, which takes 0.2 s each
    exact: int
    search: int
    points: tuple[int, ...]
    budget: int  # points in one reading of the scaling with points
    curves: tuple[int, ...]
    curves_search: tuple[int, ...]


FULL = Effort(
    quick=False,
    rounds=5,
    statistics=2000,
    periodograms=60,
    slow=8,
    exact=30,
    search=300,
    points=(10, 30, 100, 300, 1000, 3000, 10_000),
    budget=30_000,
    curves=(100, 1000, 10_000, 100_000, 1_000_000),
    curves_search=(100, 1000, 10_000),
)
QUICK = Effort(
    quick=True,
    rounds=1,
    statistics=40,
    periodograms=2,
    slow=1,
    exact=1,
    search=2,
    points=(10, 300),
    budget=600,
    curves=(100, 1000),
    curves_search=(10,),
)


def run(real: Path, folder: Path, effort: Effort) -> table.Results:
    """Measure, and write benchmark.md and benchmark.png into the folder."""
    found = measure(real, effort)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmark.md").write_text(table.markdown(found), encoding="utf-8")
    (folder / "benchmark.png").write_bytes(style.png(drawing.draw(found.of_points, found.of_curves)))
    log.info("written: %s and benchmark.png", folder / "benchmark.md")
    return found


def measure(real: Path, effort: Effort) -> table.Results:
    """Measure everything, one comparison after the other."""
    rng, described = np.random.default_rng(SEED), machine.description()
    log.info("light curves")
    crts, simulated = samples.crts(real, effort.statistics, rng), samples.simulated(effort.statistics, rng)
    log.info("statistics")
    peers = statistics_peers.peers(effort.statistics)
    statistics = [
        compare(statistics_peers.ours(effort.statistics), peers, sample.curves, effort.rounds)
        for sample in (crts, simulated)
    ]
    log.info("Lomb-Scargle")
    same = compare(*periodogram_peers.same_frequencies(effort.slow, effort.periodograms), crts.curves, effort.rounds)
    own = compare(*periodogram_peers.own_frequencies(crts.curves, effort.periodograms), crts.curves, effort.rounds)
    errors = periodogram_peers.errors(samples.evenly(crts.curves, effort.exact), rng)
    log.info("period search and features")
    both = whole.measure(crts.curves, effort.search, effort.rounds)
    log.info("cost against number of points")
    of_points = list(scaling.over_points(effort.points, effort.rounds, effort.budget, rng))
    log.info("cost against number of light curves")
    of_curves = [
        *scaling.over_curves("statistics", effort.curves),
        *scaling.over_curves("search", effort.curves_search),
    ]
    return table.Results(
        machine=described,
        versions=machine.versions(PACKAGES),
        real_name=crts.name,
        simulated_name=simulated.name,
        statistics_real=statistics[0],
        statistics_simulated=statistics[1],
        same=same,
        own=own,
        errors=errors,
        n_errors=effort.exact,
        whole=both,
        of_points=of_points,
        of_curves=of_curves,
        goals=goals.all_goals(statistics[1], same, both, of_curves),
        rounds=effort.rounds,
        quick=effort.quick,
    )
