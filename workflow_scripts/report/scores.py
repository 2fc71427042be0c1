"""Look-up of single figures in a metrics table, and how a figure is printed."""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from workflow_scripts.figures.style import name_of
from workflow_scripts.labels import AVERAGES
from workflow_scripts.report.page import MISSING


@dataclass(frozen=True)
class Score:
    """One figure: value, the ends of its 95 % interval (None if none was measured), and the objects it rests on."""

    value: float
    low: float | None
    high: float | None
    support: int


class Scores:
    """The rows of a metrics table (tables.METRICS), found by their names; what was not measured is None."""

    def __init__(self, metrics: pa.Table) -> None:
        """Index the rows; their order decides the order of models and classes."""
        self._rows = {
            (r["scheme"], r["model"], r["data"], r["class"], r["metric"]): Score(
                r["value"], r["low"], r["high"], r["support"]
            )
            for r in metrics.to_pylist()
        }

    def get(self, scheme: str, model: str, metric: str, klass: str = "all", data: str | None = None) -> Score | None:
        """Score of a model on a split; data None takes the first training data that has it."""
        if data is not None:
            return self._rows.get((scheme, model, data, klass, metric))
        wanted = (scheme, model, klass, metric)
        return next((score for (s, m, _, c, name), score in self._rows.items() if (s, m, c, name) == wanted), None)

    def classes(self, scheme: str) -> list[str]:
        """Classes with figures of their own on a split, in the order of the table."""
        return _unique(key[3] for key in self._rows if key[0] == scheme and key[3] not in AVERAGES)

    def trained(self, scheme: str) -> list[tuple[str, str]]:
        """Model and training data of each model on a split, in the order of the table."""
        return list(dict.fromkeys((key[1], key[2]) for key in self._rows if key[0] == scheme))


def printed(score: Score | None, digits: int = 3) -> str:
    """Value alone."""
    return MISSING if score is None else f"{score.value:.{digits}f}"


def with_interval(score: Score | None, digits: int = 3) -> str:
    """Value and its 95 % interval, where there is one: 0.953 [0.941, 0.962]."""
    if score is None or score.low is None or score.high is None:
        return printed(score, digits)
    return f"{score.value:.{digits}f} [{score.low:.{digits}f}, {score.high:.{digits}f}]"


def trained_name(model: str, data: str) -> str:
    """Return the name of a model and its training data as a reader knows them."""
    return f"{name_of(model)}, {'SMOTE' if data == 'smote' else data}"


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
