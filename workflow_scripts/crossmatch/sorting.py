"""Catalogues sorted by HEALPix cell, so that what is near on the sky is near in the file."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workflow_scripts import progress, tables
from workflow_scripts.crossmatch import cells, writing
from workflow_scripts.crossmatch.motion import Motion, known, propagate
from workflow_scripts.crossmatch.positions import Positions, Reals, Rows, checked
from workflow_scripts.crossmatch.row_groups import CELL, EPOCH, POSITIONS

_BATCH = 65_536  # rows read at once
_BUCKET_BYTES = 32_000_000  # rows sorted at once
_MOST_BUCKETS = 256  # files open at once
# Ascending cells as differences; the leading bytes of positions, which change slowly, apart from the others.
_ENCODING = {CELL: "DELTA_BINARY_PACKED"} | dict.fromkeys(("ra_deg", "dec_deg"), "BYTE_STREAM_SPLIT")


@dataclass(frozen=True)
class Layout:
    """Columns of a catalogue: right ascension and declination [deg], and the motion to propagate them by, if any."""

    ra: str = "ra_deg"
    dec: str = "dec_deg"
    motion: Motion | None = None


def sort_by_healpix(
    source: pa.Table | Path, target: Path, layout: Layout | None = None, row_group: int = writing.ROW_GROUP
) -> int:
    """Write a catalogue (a table or a Parquet file) sorted by `_healpix_29`, rows of one cell in their old order.

    The file has the columns POSITIONS, at the target epoch if there is a motion, then all others of the source as they
    were; positions of the catalogue that were propagated are kept as catalogue_ra_deg and catalogue_dec_deg. A file
    larger than memory is sorted through parts on disk beside the target. Returns the number of rows.

    Raises DataError for missing columns, names that are taken, and positions that are not finite or out of range.
    """
    layout = layout or Layout()
    with _Source(source, layout) as catalogue:
        notes = {EPOCH: f"{layout.motion.target_epoch_yr:g}"} if layout.motion else {}
        with writing.row_groups(target, catalogue.table, _ENCODING, row_group, notes) as out:
            for part in _buckets(catalogue, target.parent):
                out.add(part.take(pa.array(np.argsort(part[CELL].to_numpy(), kind="stable"))))
        return out.written


class _Source:
    """A catalogue to be sorted, read in batches with the columns of the target."""

    def __init__(self, source: pa.Table | Path, layout: Layout) -> None:
        self._layout = layout
        self._where = "catalogue to sort" if isinstance(source, pa.Table) else f"catalogue {source}"
        try:
            self._source = source if isinstance(source, pa.Table) else pq.ParquetFile(source)
        except FileNotFoundError as error:
            raise tables.DataError(f"{self._where} does not exist; give an existing Parquet file") from error
        except (pa.ArrowInvalid, OSError) as error:
            raise tables.DataError(f"{self._where} is not a whole Parquet file ({error}); fetch it again") from error
        self._names = _targets(self._schema, layout, self._where)
        kept = [writing.column(name, self._schema.field(old)) for old, name in self._names.items()]
        self.table = tables.Table(POSITIONS.name, (*POSITIONS.columns, *kept))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not isinstance(self._source, pa.Table):
            self._source.close()

    @property
    def _schema(self) -> pa.Schema:
        return self._source.schema if isinstance(self._source, pa.Table) else self._source.schema_arrow

    @property
    def n_buckets(self) -> int:
        """Number of parts that are sorted one at a time; what is in memory already is sorted there."""
        if isinstance(self._source, pa.Table):
            return 1
        first = next((batch for _, batch in self._batches(None) if batch.num_rows), None)
        size = 0 if first is None else first.nbytes / first.num_rows * self._source.metadata.num_rows
        return min(_MOST_BUCKETS, 1 + int(size // _BUCKET_BYTES))

    def coarse(self) -> Iterator[Rows]:
        """Coarse cells of the rows, batch by batch."""
        for first, batch in self._batches(_needed(self._layout)):
            yield cells.coarse_cells(cells.fine_cells(self._positions(batch, first)))

    def located(self) -> Iterator[pa.Table]:
        """Batches with the columns of the target, in the order of the source."""
        for first, batch in self._batches(None):
            at = self._positions(batch, first)
            found = (cells.fine_cells(at), at.ra_deg, at.dec_deg, known(at.moved, len(at)))
            columns = [*map(pa.array, found), *(batch[old] for old in self._names)]
            yield pa.table(columns, self.table.names).cast(self.table.schema)

    def _batches(self, columns: list[str] | None) -> Iterator[tuple[int, pa.Table]]:
        """Give parts of the source in its order, each with the number of its first row."""
        if isinstance(self._source, pa.Table):
            yield from ([(0, self._source)] if self._source.num_rows else [])
            return
        first = 0
        for step in progress.batches(self._source.num_row_groups, 1, f"row groups of {self._where} read"):
            for batch in self._source.iter_batches(_BATCH, row_groups=[step.start], columns=columns, use_threads=False):
                yield first, pa.Table.from_batches([batch])
                first += batch.num_rows

    def _positions(self, batch: pa.Table, first_row: int) -> Positions:
        def numbers(name: str) -> Reals:
            return _numbers(batch[name], name, self._where)

        where = f"{self._where}, rows {first_row} to {first_row + batch.num_rows - 1}"
        at = checked(numbers(self._layout.ra), numbers(self._layout.dec), where, first_row)
        motion = self._layout.motion
        if motion is None:
            return at
        epoch = numbers(motion.epoch_yr) if isinstance(motion.epoch_yr, str) else motion.epoch_yr
        years = motion.target_epoch_yr - epoch
        return propagate(at.ra_deg, at.dec_deg, numbers(motion.pm_ra), numbers(motion.pm_dec), years)


def _buckets(catalogue: _Source, beside: Path) -> Iterator[pa.Table]:
    """Cut the catalogue into parts of the sky that fit into memory, in the order of the cells, not yet sorted."""
    count = catalogue.n_buckets
    if count == 1:
        yield pa.concat_tables([catalogue.table.schema.empty_table(), *catalogue.located()]).combine_chunks()
        return
    rows = sum(np.bincount(coarse, minlength=cells.COUNT) for coarse in catalogue.coarse())
    before = np.cumsum(rows) - rows
    bucket_of_cell = before * count // np.sum(rows)
    with tempfile.TemporaryDirectory(prefix=".sort_by_healpix.", dir=beside) as folder:
        files = [Path(folder) / f"{bucket}.arrow" for bucket in range(count)]
        _distribute(catalogue, bucket_of_cell, files)
        for file in files:
            with pa.OSFile(str(file)) as stream:
                yield pa.ipc.open_stream(stream).read_all().combine_chunks()
            file.unlink()


def _distribute(catalogue: _Source, bucket_of_cell: Rows, files: list[Path]) -> None:
    """Write every row to the file of its bucket, in the order of the source."""
    with contextlib.ExitStack() as opened:
        schema = catalogue.table.schema
        out = [
            opened.enter_context(pa.ipc.new_stream(opened.enter_context(pa.OSFile(str(f), "wb")), schema))
            for f in files
        ]
        for batch in catalogue.located():
            bucket = bucket_of_cell[cells.coarse_cells(batch[CELL].to_numpy())]
            order = np.argsort(bucket, kind="stable")
            ordered, ends = batch.take(pa.array(order)), np.cumsum(np.bincount(bucket, minlength=len(files)))
            for file, first, end in zip(out, np.concatenate([[0], ends[:-1]]), ends, strict=True):
                if end > first:
                    file.write_table(ordered.slice(first, end - first))


def _needed(layout: Layout) -> list[str]:
    """Columns that give the position."""
    motion = layout.motion
    of_motion = [motion.pm_ra, motion.pm_dec, motion.epoch_yr] if motion else []
    return [name for name in (layout.ra, layout.dec, *of_motion) if isinstance(name, str)]


def _targets(schema: pa.Schema, layout: Layout, where: str) -> dict[str, str]:
    """Names in the target of the columns of the source that are kept."""
    missing = [name for name in _needed(layout) if name not in schema.names]
    if missing:
        raise tables.DataError(f"{where} has no columns {missing}; it has {schema.names}; name them in the layout")
    positions = {layout.ra: "catalogue_ra_deg", layout.dec: "catalogue_dec_deg"}
    kept = {old: positions.get(old, old) for old in schema.names if old != CELL}  # cells are found anew
    if layout.motion is None:
        kept = {old: name for old, name in kept.items() if old not in positions}
    taken = sorted({name for name in kept.values() if name in POSITIONS.names or list(kept.values()).count(name) > 1})
    if taken:
        raise tables.DataError(f"{where}: columns {taken} have names that the sorted file needs; rename them")
    return kept


def _numbers(column: pa.ChunkedArray, name: str, where: str) -> Reals:
    """Values of a column as float64, NaN where they are null."""
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise tables.DataError(f"{where}: column '{name}' is {column.type}, expected numbers; convert it first")
    values: Reals = column.cast(pa.float64(), safe=False).combine_chunks().to_numpy(zero_copy_only=False)
    return values
