"""The Markdown text of the benchmark."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench import periodogram_peers, scaling
from bench.goals import Goal, short
from bench.scaling import OfCurves, OfPoints
from bench.timing import Cost
from bench.whole import Whole


@dataclass(frozen=True)
class Results:
    """Everything that one run measures; names say on which light curves."""

    machine: str
    versions: Sequence[tuple[str, str, str]]
    real_name: str
    simulated_name: str
    statistics_real: Sequence[Cost]
    statistics_simulated: Sequence[Cost]
    same: Sequence[Cost]
    own: Sequence[Cost]
    errors: dict[str, tuple[float, float]]
    n_errors: int
    whole: Whole
    of_points: Sequence[OfPoints]
    of_curves: Sequence[OfCurves]
    goals: Sequence[Goal]
    rounds: int
    quick: bool


HEAD = """# Speed

Written by `make bench` in one run; figures hold for the machine named below. All times are CPU time of one core with
one thread for every package, all threads counted. A reading takes a quarter of a second at least, after a call that is
not counted unless it takes as long. Each reading of a peer follows a reading of ours on the same light curves; a figure
is the median over {rounds} rounds, and "ours is faster by" the median of the ratios within the rounds.
The last column of a comparison is half the range of its readings: ratios closer to 1 than that are ties.

Machine: {machine}.
"""
QUICK = "\n**A quick run with few light curves: it shows that the script runs; its figures mean nothing.**\n"


def markdown(found: Results) -> str:
    """Return the whole document."""
    parts = [
        HEAD.format(rounds=found.rounds, machine=found.machine) + (QUICK if found.quick else ""),
        grid(("package", "version", "licence"), found.versions),
        "## Goals\n\n" + grid(("", "goal", "measured", ""), [one.row() for one in found.goals]),
        _statistics(found),
        _periodograms(found),
        _whole(found),
        _scaling(found),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def duration(seconds: float) -> str:
    """Time with its unit, three digits."""
    for size, unit in ((1, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{short(seconds / size)} {unit}"
    return f"{short(seconds * 1e6)} us"


def costs(found: Iterable[Cost]) -> str:
    """Table of a comparison."""
    heads = ("code", "does", "light curves/s", "per light curve", "ours is faster by", "measured on", "+-")
    rows = [
        (
            one.name,
            one.does,
            short(one.rate),
            duration(one.seconds),
            short(one.faster),
            f"{one.count:,}",
            f"{one.spread:.0%}",
        )
        for one in found
    ]
    return grid(heads, rows)


def _statistics(found: Results) -> str:
    return f"""## Statistics

Ours: all features that need nothing but the light curve itself (no period, second band or photometry). Of the peers,
what is comparable; the numbers of features differ, so compare with care. What is not among the development packages
(tsfresh, VARTOOLS, VaST, UPSILoN, astrobase, periodfind) is not measured.

{found.real_name}:

{costs(found.statistics_real)}

{found.simulated_name}:

{costs(found.statistics_simulated)}"""


def _periodograms(found: Results) -> str:
    rows = [(name, f"{most:.1e}", f"{typical:.1e}") for name, (most, typical) in found.errors.items()]
    accuracy = grid(("code", "largest", "typical: median of the largest of each light curve"), rows)
    return f"""## Lomb-Scargle

{found.real_name}; the same frequencies for all, 0.00096 to 20 /d:

{costs(found.same)}

The grid of each light curve's own baseline, 0.05-1000 d at oversampling 5, as the period search takes it:

{costs(found.own)}

Error of the power (0 to 1) against the exact sums of astropy in double precision, {found.n_errors} light curves and
{periodogram_peers.EXACT} frequencies of each. In single precision nifty-ls takes the times in single precision too:

{accuracy}"""


def _whole(found: Results) -> str:
    one = found.whole
    parts = {"period search": one.search, f"{one.n_features} features": one.features, "both": one.both}
    rows = [(name, short(1 / seconds), duration(seconds)) for name, seconds in parts.items()]
    return f"""## Features and period search

{one.count} of the {found.real_name}, as the rule `features` works on
them: search with its default settings (0.05-1000 d, oversampling 5, harmonic fits), then all features (those of the
photometry and of a second band are null here):

{grid(("part", "light curves/s", "per light curve"), rows)}"""


def _scaling(found: Results) -> str:
    points = [
        (f"{one.points:,}", *map(duration, (one.statistics, one.periodogram, one.search))) for one in found.of_points
    ]
    curves = [
        (
            one.kind,
            f"{one.curves:,}",
            duration(one.seconds),
            duration(one.seconds / one.curves),
            f"{one.first_mib:.0f} MiB",
            f"{one.peak_mib:.0f} MiB",
        )
        for one in found.of_curves
    ]
    heads = ("work", "light curves", "CPU time", "per light curve", "memory after the first batch", "peak memory")
    return f"""## Cost against number of points and of light curves

![Cost against number of points and of light curves, and peak memory](benchmark.png)

SIMULATED light curves of each number of points, time per light curve:

{grid(("points", "statistics", "Lomb-Scargle, 146,093 frequencies", "period search"), points)}

SIMULATED light curves of {scaling.POINTS} points, {scaling.BATCH} at a time as the workflow does it, each number in a
process of its own; peak memory is that of the whole process, with Python and its libraries:

{grid(heads, curves)}"""
