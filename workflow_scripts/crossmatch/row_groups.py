"""Catalogues on disk, sorted by HEALPix cell: read one Parquet row group at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workflow_scripts import tables
from workflow_scripts.crossmatch import cells
from workflow_scripts.crossmatch.neighbours import Points
from workflow_scripts.crossmatch.positions import Flags, Positions, Rows, checked, unit_vectors

_HELD = 1_000_000  # rows of whole row groups kept in memory for the next step, which needs most of them again
_HELD_BORDERS = 2_000_000  # rows of borders kept in memory for steps to come

CELL = "_healpix_29"
POSITIONS = tables.Table(
    "positions",
    (
        tables.Column(CELL, pa.int64(), "", "HEALPix cell of the position, nested, order 29", ucd="pos.healpix"),
        tables.Column(
            "ra_deg", pa.float64(), "deg", "right ascension, ICRS, at the epoch of the file", ucd="pos.eq.ra"
        ),
        tables.Column("dec_deg", pa.float64(), "deg", "declination, ICRS, at the epoch of the file", ucd="pos.eq.dec"),
        tables.Column("moved", pa.bool_(), "", "true if propagated to that epoch by the proper motion"),
    ),
)
EPOCH = "epoch_yr"  # key of the metadata: Julian year the positions were propagated to


@dataclass(frozen=True)
class Group:
    """A row group or a part of it: row numbers, coarse cells and positions (n,), and the columns that `take` gives."""

    rows: Rows
    cell: Rows
    positions: Positions
    columns: pa.Table

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.rows)

    def within(self, wanted: Flags) -> "Group":
        """Return the rows in wanted coarse cells; a flag for each cell of the sky."""
        inside = wanted[self.cell]
        if inside.all():
            return self
        place = np.flatnonzero(inside)
        at = Positions(self.positions.ra_deg[place], self.positions.dec_deg[place])
        return Group(self.rows[place], self.cell[place], at, self.columns.take(pa.array(place)))


@dataclass(frozen=True)
class Near:
    """Sources in some coarse cells, in the order of the file: as points, and the columns of each."""

    points: Points
    parts: list[Group]

    def take(self, places: Rows) -> pa.Table:
        """Columns of the sources at some places, in the order given."""
        columns = pa.concat_tables([part.columns for part in self.parts])
        return columns.take(pa.array(places))


class SortedFile:
    """A catalogue sorted by `_healpix_29` (sort_by_healpix writes them), read by row groups.

    carry names further columns that `take` gives. Raises DataError if the file is not such a catalogue.
    """

    def __init__(self, path: Path, carry: Sequence[str] = ()) -> None:
        """Open the file and read what its row groups say about themselves."""
        self.path = path
        try:
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
        except FileNotFoundError as error:
            raise tables.DataError(f"catalogue {path} does not exist; sort_by_healpix writes it") from error
        except (pa.ArrowInvalid, OSError) as error:
            raise tables.DataError(f"catalogue {path} is not a whole Parquet file ({error}); write it again") from error
        self._rest = ["moved", *carry]
        self._columns = [*POSITIONS.names, *carry]
        self._check_columns()
        metadata = self._file.metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self.first = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
        self.low, self.high = self._ranges()
        self._border = np.zeros(cells.COUNT, dtype=np.bool_)
        self._held: dict[int, Group] = {}
        self._borders: dict[int, Group] = {}
        self.rows_read = 0

    def __enter__(self) -> Self:
        """Enter a block at whose end the file is closed."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self._file.close()

    def __len__(self) -> int:
        """Count the rows."""
        return int(self.first[-1])

    @property
    def n_groups(self) -> int:
        """Number of row groups."""
        return len(self.first) - 1

    @property
    def epoch(self) -> str | None:
        """Epoch that positions were propagated to, as the metadata say it; None if they were not."""
        found = (self._file.schema_arrow.metadata or {}).get(EPOCH.encode())
        return None if found is None else found.decode()

    def fields(self, names: Sequence[str]) -> list[pa.Field]:
        """Arrow fields of some columns."""
        return [self._file.schema_arrow.field(name) for name in names]

    def touched(self, coarse: Rows) -> Rows:
        """Row groups that may hold sources in these coarse cells (sorted), by their statistics."""
        found = np.searchsorted(coarse, self.low) < np.searchsorted(coarse, self.high, side="right")
        return np.flatnonzero(found)

    def keep(self, border: Flags) -> None:
        """Keep what is read in these coarse cells; most of it is asked for again when its neighbours' turn comes."""
        if border is not self._border:
            self._border = border
            self._borders.clear()

    def expected(self, coarse: Rows) -> float:
        """Estimate how many sources lie in these coarse cells (sorted), by the statistics of the row groups."""
        touched = self.touched(coarse)
        low, high = self.low[touched], self.high[touched]
        asked = np.searchsorted(coarse, high, side="right") - np.searchsorted(coarse, low)
        return float(np.sum(np.diff(self.first)[touched] * asked / (high - low + 1)))

    def group(self, group: int) -> Group:
        """Read a row group and check it, or give it from memory."""
        if group not in self._held:
            _remember(self._held, group, self._read(group), _HELD)
        return self._held[group]

    def near(self, coarse: Rows) -> Near:
        """All sources in these coarse cells (sorted)."""
        wanted = np.zeros(cells.COUNT, dtype=np.bool_)
        wanted[coarse] = True
        parts = [self._nothing(), *(self._holding(int(g), coarse).within(wanted) for g in self.touched(coarse))]
        vectors = [unit_vectors(part.positions.ra_deg, part.positions.dec_deg) for part in parts]
        return Near(Points(np.concatenate(vectors), np.concatenate([part.rows for part in parts])), parts)

    def _nothing(self) -> Group:
        none, nowhere = np.empty(0, dtype=np.int64), np.empty(0)
        return Group(none, none, Positions(nowhere, nowhere), self._file.schema_arrow.empty_table().select(self._rest))

    def _holding(self, group: int, coarse: Rows) -> Group:
        """Return the row group, or its border if that holds all its sources in these coarse cells (sorted)."""
        first, end = np.searchsorted(coarse, [self.low[group], self.high[group] + 1])
        if group in self._held or not self._border[coarse[first:end]].all():
            return self.group(group)
        if group not in self._borders:
            self._read(group)
        return self._borders[group]

    def _read(self, group: int) -> Group:
        columns = self._file.read_row_group(group, columns=self._columns, use_threads=False).combine_chunks()
        self.rows_read += columns.num_rows
        where, first = f"catalogue {self.path}", int(self.first[group])
        for name in POSITIONS.names:
            if columns[name].null_count:
                raise tables.DataError(
                    f"{where}: column '{name}' has {columns[name].null_count} null values in row group {group}; "
                    "write the file with sort_by_healpix"
                )
        fine, ra, dec = (columns[name].to_numpy() for name in POSITIONS.names[:3])
        positions = checked(ra, dec, f"{where}, row group {group}", first)
        ends = np.array([0, -1]) if len(fine) else np.empty(0, dtype=np.int64)
        expected = cells.fine_cells(Positions(positions.ra_deg[ends], positions.dec_deg[ends]))
        if (cells.coarse_cells(expected) != cells.coarse_cells(fine[ends])).any():
            raise tables.DataError(
                f"{where}: '{CELL}' of row {first} or {first + len(fine) - 1} is {fine[ends].tolist()}, its position "
                f"lies in {expected.tolist()}; positions changed after sorting: write the file with sort_by_healpix"
            )
        whole = Group(
            np.arange(first, first + len(fine)), cells.coarse_cells(fine), positions, columns.select(self._rest)
        )
        if group not in self._borders:
            _remember(self._borders, group, whole.within(self._border), _HELD_BORDERS)
        return whole

    def _check_columns(self) -> None:
        schema = self._file.schema_arrow
        missing = [name for name in self._columns if name not in schema.names]
        if missing:
            raise tables.DataError(
                f"catalogue {self.path} has no columns {missing}; it has {schema.names}; "
                "sort_by_healpix writes the columns of positions, the others are yours to name"
            )
        for column in POSITIONS.columns:
            if schema.field(column.name).type != column.type:
                raise tables.DataError(
                    f"catalogue {self.path}: column '{column.name}' is {schema.field(column.name).type}, expected "
                    f"{column.type}; write the file with sort_by_healpix"
                )

    def _ranges(self) -> tuple[Rows, Rows]:
        """First and last coarse cell of each row group, from the statistics of the file."""
        metadata = self._file.metadata
        leaves = [metadata.schema.column(leaf).path for leaf in range(metadata.num_columns)]
        found = []
        for group in range(metadata.num_row_groups):
            statistics = metadata.row_group(group).column(leaves.index(CELL)).statistics
            if statistics is None or not statistics.has_min_max:
                raise tables.DataError(
                    f"catalogue {self.path}: row group {group} has no statistics of '{CELL}'; "
                    "write the file with sort_by_healpix"
                )
            found.append((statistics.min, statistics.max))
        low, high = np.array(found, dtype=np.int64).reshape(-1, 2).T
        unsorted = np.flatnonzero(low[1:] < high[:-1])
        if len(unsorted):
            raise tables.DataError(
                f"catalogue {self.path} is not sorted by '{CELL}': row group {unsorted[0] + 1} begins below the end of "
                "the one before it; write the file with sort_by_healpix"
            )
        return cells.coarse_cells(low), cells.coarse_cells(high)


def _remember(held: dict[int, Group], number: int, group: Group, most: int) -> None:
    """Put a group among those held and let go of the oldest until there are at most so many rows, or only this one."""
    held[number] = group
    while len(held) > 1 and sum(map(len, held.values())) > most:
        held.pop(next(iter(held)))
