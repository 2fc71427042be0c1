"""In what way periods differ from the catalogue's, and what the light curves with each kind of error have in common."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.lightcurve.candidates import SIDEREAL_DAY
from workflow_scripts.period_rules import TOLERANCE, same
from workflow_scripts.probabilities import Reals, Texts

# In the order in which they are tried: a period of several kinds is of the first.
KINDS = ("exact", "half", "double", "third or triple", "other multiple", "daily alias", "other", "none")
_FRACTIONS = [(n, d) for d in range(1, 7) for n in range(1, 7) if n != d]
# ASSUME aliases of two days and of half a day are of one origin with those of a day: observing at night.
_ALIASES = (1.0, 2.0, 0.5, 3.0)
# What is compared: names of features.
FACTS = ("n_obs", "amplitude", "faint_fraction", "second_peak_power")


def kind(period: Reals, catalogue: Reals) -> Texts:
    """Kind of error of each period [d] against the catalogue's (n,): one of KINDS; None without a catalogue period."""
    with np.errstate(divide="ignore", invalid="ignore"):
        tests = {
            "exact": same(period, catalogue),
            "half": same(period, catalogue / 2),
            "double": same(period, catalogue * 2),
            "third or triple": same(period, catalogue / 3) | same(period, catalogue * 3),
            "other multiple": np.any([same(period, catalogue * n / d) for n, d in _FRACTIONS], axis=0),
            "daily alias": _aliased(1 / period, 1 / catalogue),
            "other": np.isfinite(period),
        }
    found = np.full(len(period), "none", dtype=object)
    for name in reversed(tests):
        found[tests[name]] = name
    found[~(catalogue > 0)] = None
    return found


def summary(
    period: Reals, catalogue: Reals, class_: Texts, classes: tuple[str, ...], facts: Mapping[str, Reals]
) -> list[dict[str, str | float | int | None]]:
    """Count the kinds in each class, with the median of the catalogue's period and of each fact; tables.PERIOD_ERRORS.

    period, catalogue [d], class_ and the facts (features of FACTS by name, NaN where missing) have shape (n,).
    """
    kinds = kind(period, catalogue)
    rows: list[dict[str, str | float | int | None]] = []
    for name in classes:
        of_class = (class_ == name) & (catalogue > 0)
        for which in KINDS:
            chosen = of_class & (kinds == which)
            if chosen.any():
                row: dict[str, str | float | int | None] = {"class": name, "kind": which, "n": int(chosen.sum())}
                row |= {"share": float(chosen.sum() / of_class.sum())}
                row |= {"catalogue_period_d": _median(catalogue[chosen])}
                row |= {fact: _median(facts[fact][chosen]) if fact in facts else None for fact in FACTS}
                rows.append(row)
    return rows


def _aliased(frequency: Reals, true: Reals) -> NDArray[np.bool_]:
    """Whether a frequency, its half or its double, is the true one plus or minus days to the minus one."""
    result = np.zeros(len(frequency), dtype=bool)
    for factor in (1.0, 2.0, 0.5):
        for days in _ALIASES:
            for sign in (-1, 1):
                expected = np.abs(factor * true + sign * days * SIDEREAL_DAY)
                result |= np.abs(frequency - expected) <= 0.3 * TOLERANCE * expected
    return result


def _median(values: Reals) -> float | None:
    found = values[np.isfinite(values)]
    return float(np.median(found)) if len(found) else None
