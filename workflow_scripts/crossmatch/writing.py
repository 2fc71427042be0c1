"""Parquet files written part by part: row groups of equal size and the same bytes however the parts were cut."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from workflow_scripts import parquet, tables

ROW_GROUP = 250_000  # rows


class RowGroups:
    """Collects parts of a table and writes them in row groups of one size."""

    def __init__(self, file: pq.ParquetWriter, schema: pa.Schema, size: int) -> None:
        """Write to an open file whose schema is given; size is the number of rows of a row group."""
        self._file, self._schema, self._size = file, schema, size
        self._waiting: list[pa.Table] = []
        self._rows = 0
        self.written = 0

    def add(self, part: pa.Table) -> None:
        """Take rows of the schema; row groups that are full are written."""
        self._waiting.append(part)
        self._rows += part.num_rows
        if self._rows >= self._size:
            rows = pa.concat_tables(self._waiting)
            full = self._rows - self._rows % self._size
            for first in range(0, full, self._size):
                self._write(rows.slice(first, self._size))
            self._waiting, self._rows = [rows.slice(full)], self._rows - full

    def finish(self) -> None:
        """Write what is left; a table without rows gets no row group."""
        if self._rows:
            self._write(pa.concat_tables(self._waiting))
        self._waiting, self._rows = [], 0

    def _write(self, rows: pa.Table) -> None:
        # How rows are divided into chunks would show in the pages of the file.
        whole = rows.combine_chunks().cast(self._schema)
        self._file.write_table(whole, row_group_size=self._size)
        self.written += rows.num_rows


@contextlib.contextmanager
def row_groups(
    target: Path,
    table: tables.Table,
    encoding: Mapping[str, str] | None = None,
    size: int = ROW_GROUP,
    notes: Mapping[str, str] | None = None,
) -> Iterator[RowGroups]:
    """Open a file of a table for writing in parts; it appears under its name when the block ends well, or not at all.

    Metadata are those of tables.write; notes are added to them. encoding = Parquet's encoding of some columns; texts
    are stored by dictionary, everything is compressed (zstd).
    """
    schema = table.schema.with_metadata(parquet.metadata(table) | dict(notes or {}))
    texts = [c.name for c in table.columns if pa.types.is_string(c.type) or pa.types.is_large_string(c.type)]
    with tables.whole(target) as part:
        file = pq.ParquetWriter(
            part,
            schema,
            compression="zstd",
            compression_level=3,
            use_dictionary=texts,
            column_encoding=dict(encoding or {}),
            write_page_checksum=True,
        )
        with file:
            rows = RowGroups(file, schema, size)
            yield rows
            rows.finish()


def column(name: str, field: pa.Field) -> tables.Column:
    """Column of a contract from an Arrow field, under a name; its unit, meaning and UCD are kept."""
    notes = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    return tables.Column(name, field.type, notes.get("unit", ""), notes.get("meaning", ""), True, notes.get("ucd", ""))
