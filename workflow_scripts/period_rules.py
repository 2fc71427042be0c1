"""Which of the two periods, and which multiple of it, is right for a class: known only once the class is.

The two equal minima of EW stars make half the orbital period the strongest one; an EA with one visible eclipse in
the cycle may be at its period or at half of it, and the depth half a cycle later tells. The rule of a class is a
small decision tree (Breiman et al. 1984) that the labelled objects with a catalogue period teach.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow_scripts import tables
from workflow_scripts.probabilities import Reals, Texts

COLUMNS = ("period_d", "period_ls_d")  # of the feature table: best of the harmonic fits, Lomb-Scargle
FACTORS = (1.0, 2.0, 0.5)
TOLERANCE = 0.01  # relative difference at which two periods are the same
MIN_SUPPORT = 10  # objects with a catalogue period that a class, or a branch of its tree, needs
# ASSUME five questions: of 0, 3, 4 and 5, five agreed best in the folds of the Catalina variables (0.873 to 0.909).
DEPTH = 5  # questions asked of an object at most
# What a tree may ask for: the periods, whether minima alternate, and how trustworthy each period is.
SIGNS = (
    *COLUMNS,
    "eclipse_ratio",
    "folded_bin_06",
    "secondary_depth",
    "folded_eta_double",
    "amplitude_ratio_01",
    "amplitude_ratio_ls_01",
    "harmonics_chosen",
    "period_ratio",
    "f1_power",
    "peak_power",
)

Measured = Mapping[str, Reals]  # the periods [d] and any others of SIGNS by name, each (n,), NaN where missing


@dataclass(frozen=True)
class Rule:
    """Leaf: column period times factor; n objects with a catalogue period stand behind it."""

    period: str = COLUMNS[0]
    factor: float = 1.0
    n: int = 0


@dataclass(frozen=True)
class Question:
    """Branch: objects with sign <= limit, or with no value if missing_below, go below, the others above."""

    sign: str
    limit: float
    missing_below: bool
    below: "Tree"
    above: "Tree"


Tree = Rule | Question

# In order of preference where several agree with the catalogue equally often.
CANDIDATES = tuple(Rule(column, factor) for column in COLUMNS for factor in FACTORS)


def columns(names: Iterable[str]) -> list[str]:
    """Those of the feature names that rules may need."""
    return [name for name in names if name in SIGNS]


def derive(class_: Texts, measured: Measured, catalogue: Reals, classes: tuple[str, ...]) -> dict[str, Tree]:
    """Tree of each class that agrees best with the catalogue's periods (n,) [d], NaN or 0 where there is none.

    A class with fewer than 10 such objects keeps period_d as it is, as does one where nothing agrees.
    """
    agreeing = np.column_stack([same(r.factor * measured[r.period], catalogue) for r in CANDIDATES])
    signs = {name: values for name, values in measured.items() if name in SIGNS}
    rules: dict[str, Tree] = {}
    for name in classes:
        chosen = (class_ == name) & (catalogue > 0)
        n = int(chosen.sum())
        taught = chosen & agreeing.any(axis=1)
        if n < MIN_SUPPORT or not taught.any():
            rules[name] = Rule(n=n)
            continue
        # Objects on which several candidates agree teach the one that serves the class best.
        order = np.argsort(-agreeing[chosen].sum(axis=0), kind="stable")
        target = order[agreeing[taught][:, order].argmax(axis=1)]
        rules[name] = _grow({sign: values[taught] for sign, values in signs.items()}, target, n)
    return rules


def apply(rules: Mapping[str, Tree], class_: Texts, measured: Measured) -> Reals:
    """Period of each object by the tree of its class, (n,) [d]."""
    period = np.full(len(class_), np.nan)
    for name, tree in rules.items():
        _follow(tree, class_ == name, measured, period)
    return period


def _grow(signs: Measured, target: NDArray[np.intp], n: int) -> Tree:
    """Decision tree over the signs, (m,) each, for the best candidates (m,)."""
    if not signs or len(np.unique(target)) == 1:
        return dataclasses.replace(CANDIDATES[np.bincount(target).argmax()], n=n)
    from sklearn.tree import DecisionTreeClassifier

    x = np.column_stack(list(signs.values()))
    grown = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=MIN_SUPPORT, random_state=0).fit(x, target)
    return _branch(grown, 0, list(signs))


def _branch(grown: Any, node: int, names: list[str]) -> Tree:
    nodes = grown.tree_
    if nodes.children_left[node] < 0:
        best: Rule = CANDIDATES[grown.classes_[nodes.value[node][0].argmax()]]
        return dataclasses.replace(best, n=int(nodes.n_node_samples[node]))
    below, above = (_branch(grown, side[node], names) for side in (nodes.children_left, nodes.children_right))
    if isinstance(below, Rule) and isinstance(above, Rule) and _same_candidate(below, above):
        return dataclasses.replace(below, n=below.n + above.n)
    missing = bool(nodes.missing_go_to_left[node])
    return Question(names[nodes.feature[node]], float(nodes.threshold[node]), missing, below, above)


def _same_candidate(first: Rule, second: Rule) -> bool:
    return (first.period, first.factor) == (second.period, second.factor)


def _follow(tree: Tree, chosen: NDArray[np.bool_], measured: Measured, period: Reals) -> None:
    """Fill the periods of the objects chosen (n,)."""
    if isinstance(tree, Rule):
        period[chosen] = tree.factor * measured[tree.period][chosen]
        return
    # The tree was grown on single-precision values, and compares them with its limits in double.
    value = measured[tree.sign].astype(np.float32).astype(np.float64)
    below = (value <= tree.limit) | (np.isnan(value) & tree.missing_below)
    _follow(tree.below, chosen & below, measured, period)
    _follow(tree.above, chosen & ~below, measured, period)


def cross_fit(
    true: Texts,
    applied: Texts,
    measured: Measured,
    catalogue: Reals,
    fold: NDArray[np.integer],
    classes: tuple[str, ...],
) -> Reals:
    """Period of each object, (n,) [d], by rules derived on the other folds and chosen by the classes applied (n,)."""
    period = np.full(len(true), np.nan)
    for k in np.unique(fold):
        rest, held = fold != k, fold == k
        rules = derive(true[rest], {c: p[rest] for c, p in measured.items()}, catalogue[rest], classes)
        period[held] = apply(rules, applied[held], {c: p[held] for c, p in measured.items()})
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


def save(rules: Mapping[str, Tree], path: Path) -> None:
    """Write rules as JSON with sorted keys."""
    values = {name: dataclasses.asdict(rule) for name, rule in rules.items()}
    with tables.whole(path) as part:
        part.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def load(path: Path) -> dict[str, Tree]:
    """Read rules that save wrote; raises DamagedError if they are none."""
    with tables.undamaged(path, "rules for periods"):
        return {name: _tree(values) for name, values in json.loads(path.read_text(encoding="utf-8")).items()}


def _tree(values: Mapping[str, Any]) -> Tree:
    if "sign" not in values:
        return Rule(**values)
    return Question(**{**values, "below": _tree(values["below"]), "above": _tree(values["above"])})
