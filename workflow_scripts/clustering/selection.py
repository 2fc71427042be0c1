"""What every clustering method writes: which stars it selects, and what it has to say about them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts.clustering import choice, names
from workflow_scripts.clustering.fields import Field
from workflow_scripts.clustering.space import Space, locus_of
from workflow_scripts.clustering.stars import Groups, Locus, Reals
from workflow_scripts.tables import Column, DataError, Table

Flags = NDArray[np.bool_]

_TEXT = pa.string()

SELECTIONS = Table(
    "selections",
    (
        Column("method", _TEXT, "", "method"),
        Column("source_id", _TEXT, "", "Gaia source identifier", ucd="meta.id;meta.main"),
        Column("group", pa.int32(), "", "group of the method that the star is in; -1 = in none"),
        Column("weight", pa.float64(), "", "1 or 0 for groups; share of seeds or probability where the method has one"),
        Column("selected", pa.bool_(), "", "true if the method takes the star for a member"),
    ),
)
NOTES = Table(
    "method_notes",
    (
        Column("cluster", _TEXT, "", "region"),
        Column("method", _TEXT, "", "method"),
        Column("note", _TEXT, "", "what the value is"),
        Column("value", _TEXT, "", "number or text"),
    ),
)

# Whose group is looked at first where no locus is configured; measured on three real fields (HDBSCAN never failed).
TRUSTED = (names.HDBSCAN, names.MIXTURE, names.DEC, names.KMEANS)


@dataclass(frozen=True)
class Selection:
    """Stars (n,) that a method selects: their groups, weights and flags, and notes."""

    method: str
    group: NDArray[np.int32]
    weight: Reals
    selected: Flags
    notes: Mapping[str, object] = field(default_factory=dict)


def from_groups(method: str, groups: Groups, stars: Space, place: Field) -> Selection:
    """Select the group that is the cluster by the rule of choice.choose; the notes state the rule."""
    chosen = choice.choose(groups, stars.points, stars.sky, place.locus)
    notes: dict[str, object] = {"groups": groups.n_groups, **groups.notes, "locus_from": place.locus_from}
    if chosen is None:
        n = len(groups.label)
        whole = place.locus is not None and place.locus.complete
        notes["no cluster"] = "no group of 10 stars" if whole else "no group is more compact than the field"
        return Selection(method, groups.label, np.zeros(n), np.zeros(n, dtype=np.bool_), notes)
    flags = groups.members(chosen.group)
    notes |= {"group chosen": chosen.group, "rule": _RULES[chosen.rule], "merit": chosen.merit}
    return Selection(method, groups.label, flags.astype(np.float64), flags, notes)


_RULES = {
    "gathered": "the group whose median is nearest to the locus, of those that gather on the sky",
    "locus": "the group whose median is nearest to the locus; none near it gathers on the sky",
    "compactness": "the group most concentrated on the sky",
    "near": "the group most concentrated on the sky, of those near to what is known of the locus",
}


def from_weights(method: str, weight: Reals, notes: Mapping[str, object]) -> Selection:
    """Select the stars whose probability, or share of seeds, is above one half."""
    flags = np.asarray(weight > 0.5)
    return Selection(method, np.where(flags, 0, -1).astype(np.int32), weight, flags, notes)


def starts(place: Field, whole: Space, found: Sequence[Selection]) -> list[tuple[Locus, str]]:
    """Places from which a cluster is fitted, the most trusted first, and where each comes from.

    A configured locus is the only one. Otherwise groups come first: motions in Dias 2002 are from before Gaia and are
    off by several mas/yr, which tells groups apart and is too much for a window. Groups far from them come last; half a
    locus is no place to start from.
    """
    if place.locus and place.locus_from == "configuration":
        return [(place.locus, "configuration")]
    by_name = {one.method: one for one in found}
    groups = [by_name[name] for name in TRUSTED if name in by_name and by_name[name].selected.any()]
    result = [(locus_of(whole, one.selected), f"group of {one.method}") for one in groups]
    if place.locus is None:
        return result
    far = [choice.is_far(locus, place.locus) for locus, _ in result]
    near = [start for start, is_far in zip(result, far, strict=True) if not is_far]
    known = [(place.locus, place.locus_from)] if place.locus.complete else []
    return [*near, *known, *(start for start in result if start not in near)]


def rows(found: Iterable[Selection], stars: pa.Table) -> pa.Table:
    """Give SELECTIONS of the stars in their order, method after method."""
    parts = [
        pa.table(
            [pa.array([one.method] * stars.num_rows), stars["source_id"], one.group, one.weight, one.selected],
            schema=SELECTIONS.schema,
        )
        for one in found
    ]
    return pa.concat_tables(parts)


def notes(cluster: str, found: Iterable[Selection]) -> pa.Table:
    """Give NOTES of the methods; numbers with six digits."""
    return note_rows(cluster, [(one.method, name, value) for one in found for name, value in one.notes.items()])


def note_rows(cluster: str, said: Iterable[tuple[str, str, object]]) -> pa.Table:
    """Give NOTES of (method, note, value)."""
    text = [(method, note, f"{v:.6g}" if isinstance(v, float) else str(v)) for method, note, v in said]
    listed = [{"cluster": cluster, "method": method, "note": note, "value": v} for method, note, v in text]
    return pa.Table.from_pylist(listed, schema=NOTES.schema)


def read(table: pa.Table, stars: pa.Table) -> list[Selection]:
    """Give the selections of a table SELECTIONS, without notes; raise DataError if it is not of these stars."""
    n, found, ids = stars.num_rows, [], stars["source_id"].to_pylist()
    for first in range(0, table.num_rows, n):
        part = table.slice(first, n)
        if part["source_id"].to_pylist() != ids:
            raise DataError(f"selections of {part['method'][0]} are not of the region's stars; run the rule again")
        columns = [part[name].to_numpy(zero_copy_only=False) for name in ("group", "weight", "selected")]
        found.append(Selection(part["method"][0].as_py(), *columns))
    return found
