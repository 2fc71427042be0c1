"""Crossmatch of two catalogues on disk in bounded memory: one row group of A at a time, and of B what is near it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from workflow_scripts import progress, tables
from workflow_scripts.crossmatch import cells, writing
from workflow_scripts.crossmatch.pairs import PAIRS, Rule, choose
from workflow_scripts.crossmatch.positions import Flags, Rows
from workflow_scripts.crossmatch.row_groups import SortedFile

_MOST_ROWS = 1_000_000  # sources of one catalogue that a step holds, as far as can be told before they are read
# Rows of both ascend, those of b nearly; separations are all different.
_ENCODING = {"a_row": "DELTA_BINARY_PACKED", "b_row": "DELTA_BINARY_PACKED", "separation_arcsec": "BYTE_STREAM_SPLIT"}


@dataclass(frozen=True)
class Catalogue:
    """A catalogue on disk, written by sort_by_healpix, and the columns of it that go into the result."""

    path: Path
    carry: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a match of two files did: rows of both, pairs written, and rows read of both, repeats counted."""

    a_rows: int
    b_rows: int
    pairs: int
    a_rows_read: int
    b_rows_read: int


def match_files(
    a: Catalogue | Path, b: Catalogue | Path, target: Path, rule: Rule, row_groups: range | None = None
) -> Outcome:
    """Write the counterparts in b of the sources of a, in the order of a: columns of PAIRS, then a_* and b_* carried.

    The result is that of `match` on the whole catalogues, whatever the sizes of the row groups: a step holds a row
    group of a, or a part of it where b is much denser, and all sources of both catalogues in the HEALPix cells (order
    8) around it, so that every neighbour and every rival is seen. row_groups = the row groups of a to match; parts of
    a job may run side by side, and their results in turn are the whole.

    Raises DataError if a file is not a sorted catalogue, or the two are of different epochs.
    """
    a, b = (Catalogue(side) if isinstance(side, Path) else side for side in (a, b))
    with SortedFile(a.path, a.carry) as one, SortedFile(b.path, b.carry) as other:
        if one.epoch and other.epoch and one.epoch != other.epoch:
            raise tables.DataError(
                f"crossmatch: positions in {a.path} are of {one.epoch}, those in {b.path} of {other.epoch}; sort both "
                "with one target_epoch_yr"
            )
        table = _table(a, b, one, other)
        wanted = range(one.n_groups) if row_groups is None else row_groups
        if any(group not in range(one.n_groups) for group in wanted):
            raise tables.DataError(f"crossmatch: {a.path} has row groups 0 to {one.n_groups - 1}, asked for {wanted}")
        beside = cells.beside(one.low[wanted], one.high[wanted])
        with writing.row_groups(target, table, _ENCODING) as out:
            for step in progress.batches(len(wanted), 1, "row groups matched"):
                for part in _parts(one, other, wanted[step.start], beside):
                    out.add(_matched(one, other, part, rule).cast(table.schema))
        return Outcome(len(one), len(other), out.written, one.rows_read, other.rows_read)


def _table(a: Catalogue, b: Catalogue, one: SortedFile, other: SortedFile) -> tables.Table:
    """Contract of the result: PAIRS and the columns carried."""
    fields = [(f"a_{f.name}", f) for f in one.fields(a.carry)] + [(f"b_{f.name}", f) for f in other.fields(b.carry)]
    columns = PAIRS.columns + tuple(writing.column(name, field) for name, field in fields)
    names = [column.name for column in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise tables.DataError(f"crossmatch: columns {twice} would be in the result twice; rename what is carried")
    return tables.Table(PAIRS.name, columns)


@dataclass(frozen=True)
class _Part:
    """Rows of a that are matched at once, from first to end, their coarse cells, and these with their neighbours."""

    first: int
    end: int
    own: Rows
    near: Rows


def _parts(one: SortedFile, other: SortedFile, group: int, beside: Flags) -> list[_Part]:
    """Cut a row group of a, such that what is near each part fits into memory: mostly one part.

    Both files are told what to keep of their row groups for the turns to come: what lies beside the parts, or, where
    there is one, beside the row groups of a.
    """
    cell, first = one.group(group).cell, int(one.first[group])
    waiting, parts = [(0, len(cell))], []
    while waiting:
        begin, end = waiting.pop()
        own = cells.distinct(cell[begin:end])
        near = cells.around(own)
        if len(own) > 1 and max(one.expected(near), other.expected(near)) > _MOST_ROWS:
            middle = begin + int(np.searchsorted(cell[begin:end], own[len(own) // 2]))
            waiting += [(middle, end), (begin, middle)]
        else:
            parts.append(_Part(first + begin, first + end, own, near))
    if len(parts) > 1:
        beside = cells.beside(np.array([part.own[0] for part in parts]), np.array([part.own[-1] for part in parts]))
    one.keep(beside)
    other.keep(beside)
    return parts


def _matched(one: SortedFile, other: SortedFile, part: _Part, rule: Rule) -> pa.Table:
    """Pairs of the rows of one part of a."""
    a, b = one.near(part.near), other.near(part.near)
    found = choose(a.points, b.points, rule)
    # Sources around the part were asked about for their claims on the same counterparts; their own turn is another.
    a_row = a.points.rows[found.a]
    found = found.where((a_row >= part.first) & (a_row < part.end))
    a_row, b_row = a.points.rows[found.a], b.points.rows[found.b]
    taken, given = a.take(found.a), b.take(found.b)
    pairs = found.table(a_row, b_row, taken["moved"].to_numpy(), given["moved"].to_numpy())
    for prefix, columns in (("a", taken), ("b", given)):
        for name in columns.column_names[1:]:
            pairs = pairs.append_column(f"{prefix}_{name}", columns[name])
    return pairs
