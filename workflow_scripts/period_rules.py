"""Which of the two periods, and which multiple of it, is right for a class: known only once the class is.

The two equal minima of EW stars make half the orbital period the strongest one; other classes have their own
habits, which the labelled objects with a catalogue period show.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow_scripts import tables
from workflow_scripts.probabilities import Reals, Texts

COLUMNS = ("period_d", "period_ls_d")  # of the feature table: best of the harmonic fits, Lomb-Scargle
FACTORS = (1.0, 2.0, 0.5)
TOLERANCE = 0.01  # relative difference at which two periods are the same
MIN_SUPPORT = 10  # objects with a catalogue period that a class needs for a rule of its own

Periods = Mapping[str, Reals]  # by name in COLUMNS, each (n,) [d], NaN where there is none


@dataclass(frozen=True)
class Rule:
    """Period of a class: column period times factor; n objects with a catalogue period stand behind it."""

    period: str = COLUMNS[0]
    factor: float = 1.0
    n: int = 0


# In order of preference where several agree with the catalogue equally often.
CANDIDATES = tuple(Rule(column, factor) for column in COLUMNS for factor in FACTORS)


def derive(class_: Texts, periods: Periods, catalogue: Reals, classes: tuple[str, ...]) -> dict[str, Rule]:
    """Rule of each class that agrees most often with the catalogue's periods (n,) [d], NaN or 0 where there is none.

    A class with fewer than 10 such objects keeps period_d as it is, as does one where nothing agrees better.
    """
    rules = {}
    for name in classes:
        chosen = (class_ == name) & (catalogue > 0)
        n = int(chosen.sum())
        agreeing = [same(r.factor * periods[r.period], catalogue)[chosen].sum() for r in CANDIDATES]
        best = CANDIDATES[int(np.argmax(agreeing))] if n >= MIN_SUPPORT else Rule()
        rules[name] = dataclasses.replace(best, n=n)
    return rules


def apply(rules: Mapping[str, Rule], class_: Texts, periods: Periods) -> Reals:
    """Period of each object by the rule of its class, (n,) [d]."""
    period = np.full(len(class_), np.nan)
    for name, rule in rules.items():
        chosen = class_ == name
        period[chosen] = rule.factor * periods[rule.period][chosen]
    return period


def cross_fit(
    true: Texts,
    applied: Texts,
    periods: Periods,
    catalogue: Reals,
    fold: NDArray[np.integer],
    classes: tuple[str, ...],
) -> Reals:
    """Period of each object, (n,) [d], by rules derived on the other folds and chosen by the classes applied (n,)."""
    period = np.full(len(true), np.nan)
    for k in np.unique(fold):
        rest, held = fold != k, fold == k
        rules = derive(true[rest], {c: p[rest] for c, p in periods.items()}, catalogue[rest], classes)
        period[held] = apply(rules, applied[held], {c: p[held] for c, p in periods.items()})
    return period


def agreement(
    rule: str, period: Reals, catalogue: Reals, class_: Texts, classes: tuple[str, ...]
) -> list[dict[str, str | float | int]]:
    """Share of the catalogue's periods that a rule's periods meet, by class and of all; rows of tables.PERIODS.

    A class without a catalogue period has no row; a missing period counts as wrong.
    """
    exact = same(period, catalogue)
    loose = exact | same(period, catalogue / 2) | same(period, catalogue * 2)
    rows: list[dict[str, str | float | int]] = []
    for name in (*classes, "all"):
        chosen = (catalogue > 0) & ((class_ == name) | (name == "all"))
        if chosen.any():
            shares = {"exact": float(exact[chosen].mean()), "with_half_and_double": float(loose[chosen].mean())}
            rows.append({"class": name, "rule": rule, **shares, "support": int(chosen.sum())})
    return rows


def same(period: Reals, catalogue: Reals) -> NDArray[np.bool_]:
    """Whether periods are within 1 % of the catalogue's, (n,); false where either is missing."""
    return np.asarray(np.abs(period - catalogue) <= TOLERANCE * catalogue)


def save(rules: Mapping[str, Rule], path: Path) -> None:
    """Write rules as JSON with sorted keys."""
    values = {name: dataclasses.asdict(rule) for name, rule in rules.items()}
    with tables.whole(path) as part:
        part.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def load(path: Path) -> dict[str, Rule]:
    """Read rules that save wrote."""
    return {name: Rule(**values) for name, values in json.loads(path.read_text(encoding="utf-8")).items()}
