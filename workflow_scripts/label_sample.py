"""The objects of a sample from one catalogue, or from two that agree on the class (Qiao 2024, section 2.2).

Nothing vanishes uncounted: every object of either catalogue is in one line of the table of agreement.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from workflow_scripts import tables
from workflow_scripts.archives import checks
from workflow_scripts.crossmatch import Positions, Rule, match
from workflow_scripts.labels import class_of_label
from workflow_scripts.tables import DataError

_LOG = logging.getLogger(__name__)

LABEL_AGREEMENT = tables.Table(
    "label_agreement",
    (
        tables.Column("first", pa.string(), "", "class in the first catalogue; in parentheses: why there is none"),
        tables.Column("second", pa.string(), "", "class in the second catalogue; in parentheses: why there is none"),
        tables.Column("n", pa.int32(), "", "objects"),
        tables.Column("n_kept", pa.int32(), "", "objects of them in the sample"),
    ),
)

NO_LABEL = "(no label)"
IGNORED = "(ignored label)"
NO_COUNTERPART = "(no counterpart)"
RIVAL = "(counterpart nearer to another object)"
ONE_CATALOGUE = "(no second catalogue)"


@dataclass(frozen=True)
class Agreement:
    """When two catalogues agree: nearest to each other within radius_arcsec, and the same class of the run.

    classes maps each class to its labels in either catalogue (empty = every label is a class), as in labels.py. accept
    are pairs of a class of the first and one of the second that agree as well, for a catalogue that tells fewer
    classes apart: the second one's label is taken.
    """

    radius_arcsec: float
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ignore_labels: Sequence[str] = ()
    accept: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class _Confusion:
    """One line for each pair and each lone object: row in the first catalogue (-1 = none), both classes, agreement.

    label = what the sample calls the object, for the rows of the first catalogue.
    """

    row: list[int]
    classes: list[tuple[str, str]]
    agrees: list[bool]
    label: list[str | None]


def select(
    catalogues: Mapping[str, pa.Table], survey: str, agreement: Agreement, n_max: int, rng: np.random.Generator
) -> tuple[pa.Table, pa.Table]:
    """Choose the objects of a sample: tables.OBJECTS, sorted by object_id, and LABEL_AGREEMENT.

    catalogues are one or two tables of object_id, ra_deg, dec_deg, class and catalogue_period_d by their names. One:
    all its objects. Two: those on which they agree, with the identifier, position, label and period of the first.
    Of more than n_max (0 = no limit) a random subset is drawn, which does not depend on the order of the rows. Raises
    DataError for an object in two rows, a position out of range, an empty sample and, of two catalogues, a label that
    no class lists.
    """
    listed = [_checked(name, rows) for name, rows in catalogues.items()]
    if len(listed) not in (1, 2):
        raise DataError(f"a sample is made from one catalogue or two, found {len(listed)}: {', '.join(catalogues)}")
    found = _one(listed[0]) if len(listed) == 1 else _two(listed[0], listed[1], agreement)
    candidates = np.flatnonzero(found.agrees)
    if not len(candidates):
        raise DataError(
            f"sample from {' and '.join(catalogues)}: no object is left of {len(found.row)}: {_largest(found)}; check "
            f"radius_arcsec ({agreement.radius_arcsec:g}) and the labels under classes"
        )
    kept = candidates
    if 0 < n_max < len(candidates):
        kept = np.sort(rng.choice(candidates, n_max, replace=False))
    _LOG.info("%d objects in %s, %d wanted, %d kept", len(found.row), ", ".join(catalogues), len(candidates), len(kept))
    places = [found.row[place] for place in kept]
    rows = listed[0].take(places).drop_columns("class")
    rows = rows.append_column("class", pa.array([found.label[place] for place in places], pa.string()))
    rows = rows.append_column("survey", pa.repeat(survey, rows.num_rows))
    return rows.select(tables.OBJECTS.names).cast(tables.OBJECTS.schema), _table(found, set(kept.tolist()))


def _checked(name: str, rows: pa.Table) -> pa.Table:
    if problem := checks.repeated(rows, ("object_id",)):
        raise DataError(f"catalogue {name}: {problem}")
    return rows.sort_by("object_id")


def _one(rows: pa.Table) -> _Confusion:
    labels = rows["class"].to_pylist()
    classes = [(label or NO_LABEL, ONE_CATALOGUE) for label in labels]
    return _Confusion(list(range(len(classes))), classes, [True] * len(classes), labels)


def _two(first: pa.Table, second: pa.Table, agreement: Agreement) -> _Confusion:
    named, others = _named(first, second, agreement)
    partner, near, near_second = _matched(_positions(first), _positions(second), agreement.radius_arcsec)
    alone = sorted(set(range(second.num_rows)) - set(partner.values()))
    classes = [(one, others[partner[i]] if i in partner else _lost(i, near)) for i, one in enumerate(named)]
    classes += [(_lost(j, near_second), others[j]) for j in alone]
    accepted = {(one, other) for one, other in agreement.accept}
    agrees = [pair in accepted or (pair[0] == pair[1] and pair[0] not in (NO_LABEL, IGNORED)) for pair in classes]
    own, finer = first["class"].to_pylist(), second["class"].to_pylist()
    label = [finer[partner[i]] if classes[i] in accepted else own[i] for i in range(first.num_rows)]
    return _Confusion([*range(first.num_rows), *[-1] * len(alone)], classes, agrees, label)


def _named(first: pa.Table, second: pa.Table, agreement: Agreement) -> tuple[list[str], list[str]]:
    """Classes of the run, or why there is none, of the objects of both catalogues."""
    labels = [rows["class"].to_pylist() for rows in (first, second)]
    counts = Counter(label for side in labels for label in side if label)
    class_of = class_of_label(counts, agreement.classes, agreement.ignore_labels)
    one, other = ([class_of.get(label, IGNORED) if label else NO_LABEL for label in side] for side in labels)
    return one, other


def _matched(a: Positions, b: Positions, radius_arcsec: float) -> tuple[dict[int, int], set[int], set[int]]:
    """Partner in b of each place in a, each nearest to the other; places in a, and in b, with any neighbour."""
    # ASSUME the positions of two label catalogues are compared as they were published, without proper motions: a star
    # that moves more than the radius between their epochs is lost from the sample (and counted).
    pairs = match(a, b, Rule(radius_arcsec))
    crowded = sum(count > 1 for count in pairs["n_neighbours"].to_pylist())
    _LOG.info("%d pairs within %g arcsec, %d of them with a second neighbour", pairs.num_rows, radius_arcsec, crowded)
    nearest = Rule(radius_arcsec, "nearest")
    near_a, near_b = (set(match(*sides, nearest)["a_row"].to_pylist()) for sides in ((a, b), (b, a)))
    return dict(zip(pairs["a_row"].to_pylist(), pairs["b_row"].to_pylist(), strict=True)), near_a, near_b


def _lost(place: int, near: set[int]) -> str:
    return RIVAL if place in near else NO_COUNTERPART


def _positions(rows: pa.Table) -> Positions:
    return Positions(*(rows[name].to_numpy(zero_copy_only=False) for name in ("ra_deg", "dec_deg")))


def _table(found: _Confusion, kept: set[int]) -> pa.Table:
    counts, counts_kept = Counter(found.classes), Counter(found.classes[place] for place in kept)
    rows = [{"first": a, "second": b, "n": n, "n_kept": counts_kept[a, b]} for (a, b), n in sorted(counts.items())]
    return pa.Table.from_pylist(rows, schema=LABEL_AGREEMENT.schema)


def _largest(found: _Confusion) -> str:
    most = Counter(found.classes).most_common(5)
    return ", ".join(f"{first} and {second}: {n}" for (first, second), n in most) or "no rows"
