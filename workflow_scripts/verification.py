"""A catalogue against published ones: on how many common objects the class is the same (Qiao 2024, Table 7)."""

import itertools
import operator
from collections import Counter
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts.crossmatch import Positions, Rule, match
from workflow_scripts.tables import Column, Table

VERIFICATION = Table(
    "verification",
    (
        Column("reference", pa.string(), "", "published catalogue"),
        Column("class", pa.string(), "", "class in this run's catalogue; all = every class"),
        Column("n_objects", pa.int32(), "", "objects of the class with a position"),
        Column("n_common", pa.int32(), "", "of them in the published catalogue"),
        Column("n_trained_on", pa.int32(), "", "of these at the place of an object that the models were trained on"),
        Column(
            "n_other_label",
            pa.int32(),
            "",
            "of the others with no label there, with one that no class lists, or of a class that is nowhere in it",
        ),
        Column("n_agree", pa.int32(), "", "of the others with the same class there"),
        Column("purity", pa.float64(), "", "n_agree among n_common - n_trained_on - n_other_label", True),
    ),
)


def verify(
    catalogue: pa.Table,
    references: Mapping[str, pa.Table],
    classes: Mapping[str, Sequence[str]],
    radius_arcsec: float,
    trained: pa.Table,
) -> pa.Table:
    """VERIFICATION for the rows of a catalogue (ra_deg, dec_deg, class) against published ones (tables.SOURCES).

    classes = labels of each class of the run; empty = every label is a class. Counterparts are mutually nearest. A
    published catalogue does not judge objects of a class that is nowhere in it (Chen et al. 2020 have no EB), nor any
    within the radius of an object that the models were trained on (trained: ra_deg, dec_deg, class): where the labels
    come from the same catalogue, they would agree with themselves.
    """
    # ASSUME positions are compared as published: a star that moves more than the radius between epochs is not common.
    placed = _placed(catalogue)
    near = match(_positions(placed), _positions(_placed(trained)), Rule(radius_arcsec, "nearest"))
    seen = set(near["a_row"].to_pylist())
    class_of = {label: name for name, labels in classes.items() for label in labels}
    rows = []
    for reference, sources in references.items():
        listed = _placed(sources)
        pairs = match(_positions(placed), _positions(listed), Rule(radius_arcsec))
        ours = placed["class"].take(pairs["a_row"]).to_pylist()
        fresh = [row not in seen for row in pairs["a_row"].to_pylist()]
        there = listed["class"].unique().to_pylist()
        name = class_of if classes else dict(zip(there, there, strict=True))
        known = set(map(name.get, there))
        labels = listed["class"].take(pairs["b_row"]).to_pylist()
        theirs = [name.get(label) if a in known else None for a, label in zip(ours, labels, strict=True)]
        rows += _rows(reference, placed["class"].to_pylist(), ours, theirs, fresh)
    return pa.Table.from_pylist(rows, schema=VERIFICATION.schema)


def _placed(rows: pa.Table) -> pa.Table:
    return rows.select(["ra_deg", "dec_deg", "class"]).filter(
        pc.and_(pc.is_valid(rows["ra_deg"]), pc.is_valid(rows["dec_deg"]))
    )


def _positions(rows: pa.Table) -> Positions:
    return Positions(*(rows[name].to_numpy() for name in ("ra_deg", "dec_deg")))


def _rows(
    reference: str, objects: Sequence[str], ours: Sequence[str], theirs: Sequence[str | None], fresh: Sequence[bool]
) -> list[dict[str, object]]:
    total, common = Counter(objects), Counter(ours)
    trained = Counter(itertools.compress(ours, map(operator.not_, fresh)))
    pairs = list(itertools.compress(zip(ours, theirs, strict=True), fresh))
    other, agree = Counter(a for a, b in pairs if b is None), Counter(a for a, b in pairs if a == b)
    rows = []
    for name in [*sorted(total), "all"]:
        counts = [c.total() if name == "all" else c[name] for c in (total, common, trained, other, agree)]
        judged = counts[1] - counts[2] - counts[3]
        row = dict(zip(VERIFICATION.names[1:7], [name, *counts], strict=True))
        rows.append({"reference": reference, **row, "purity": counts[4] / judged if judged else None})
    return rows
