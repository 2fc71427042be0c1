"""Tables with a contract, as Parquet files: whole or not at all, checked on both ways, identical for identical rows."""

import contextlib
import contextvars
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


class DataError(ValueError):
    """The user's data or settings cannot be used; the message says what, where and what to do."""


@dataclass(frozen=True)
class Column:
    """One column: name, Arrow type, unit ("" = none), meaning, UCD, and whether null is a legal value."""

    name: str
    type: pa.DataType
    unit: str
    meaning: str
    nullable: bool = False
    ucd: str = ""

    def field(self) -> pa.Field:
        """Arrow field that carries unit, meaning and UCD as metadata."""
        notes = {"unit": self.unit, "meaning": self.meaning, "ucd": self.ucd}
        return pa.field(self.name, self.type, self.nullable, {k: v for k, v in notes.items() if v})


@dataclass(frozen=True)
class Table:
    """A named table of the contract."""

    name: str
    columns: tuple[Column, ...]
    schema: pa.Schema = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Derive the Arrow schema once."""
        object.__setattr__(self, "schema", pa.schema([c.field() for c in self.columns]))

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [c.name for c in self.columns]


_PROVENANCE: contextvars.ContextVar[Mapping[str, object] | None] = contextvars.ContextVar("provenance", default=None)


@contextlib.contextmanager
def provenance(notes: Mapping[str, object]) -> Iterator[None]:
    """Tables written inside the block carry these notes in their metadata; no dates, no hosts."""
    token = _PROVENANCE.set(notes)
    try:
        yield
    finally:
        _PROVENANCE.reset(token)


def write(
    rows: pa.Table | Mapping[str, object], path: Path, table: Table, notes: Mapping[str, str] | None = None
) -> None:
    """Write rows as Parquet (zstd) under the contract of table, whole or not at all; notes go to the metadata."""
    rows = rows if isinstance(rows, pa.Table) else pa.table(dict(rows))
    _check_names(rows.column_names, path, table)
    _check_nulls(rows, path, table.columns)
    # How rows are divided into chunks would show in the pages of the file.
    rows = rows.select(table.names).cast(table.schema).combine_chunks()
    rows = rows.replace_schema_metadata(metadata(table) | dict(notes or {}))
    with whole(path) as part:
        pq.write_table(rows, part, compression="zstd", compression_level=3)


def metadata(table: Table) -> dict[str, str]:
    """Metadata of a file of the table: its name and the provenance of the block."""
    return {"table": table.name, "provenance": json.dumps(notes_of_block(), sort_keys=True)}


def notes_of_block() -> dict[str, object]:
    """Give the notes of the block of provenance that the caller is in."""
    return dict(_PROVENANCE.get() or {})


def read(path: Path, table: Table, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table (or some columns of it) and check it against the contract.

    Raises DataError if the file is missing, truncated, or not the table asked for.
    """
    part = table if columns is None else _part(table, columns)
    try:
        with pq.ParquetFile(path) as file:
            found = file.schema_arrow.names
            _check_names(found if columns is None else [name for name in found if name in columns], path, part)
            rows = file.read(columns=part.names).select(part.names)
    except FileNotFoundError as error:
        raise DataError(f"table '{table.name}': {path} does not exist; run the rule that makes it") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(
            f"table '{table.name}': {path} is not a whole Parquet file ({error}); delete it and run again"
        ) from error
    for column in part.columns:
        if rows.schema.field(column.name).type != column.type:
            raise DataError(
                f"table '{table.name}' in {path}: column '{column.name}' is {rows.schema.field(column.name).type}, "
                f"expected {column.type}; it was written by another version: delete it and run again"
            )
    _check_nulls(rows, path, part.columns)
    return rows


def read_all(paths: Sequence[Path], table: Table, columns: Sequence[str] | None = None) -> pa.Table:
    """Read the shards of one table, in the order given, as one table."""
    shards = [read(path, table, columns).replace_schema_metadata(None) for path in paths]
    return pa.concat_tables(shards) if shards else table.schema.empty_table()


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside path; rename it to path when the block ends well, remove it otherwise."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}; make its folder writable or run elsewhere") from error
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _part(table: Table, columns: Sequence[str]) -> Table:
    unknown = [name for name in columns if name not in table.names]
    if unknown:
        raise ValueError(f"table '{table.name}' has no columns {unknown}; it has {table.names}")
    return Table(table.name, tuple(table.columns[table.names.index(name)] for name in columns))


def _check_nulls(rows: pa.Table, path: Path, columns: Sequence[Column]) -> None:
    for column in columns:
        if not column.nullable and rows[column.name].null_count:
            raise DataError(
                f"column '{column.name}' in {path} has {rows[column.name].null_count} null values of {rows.num_rows}; "
                "the contract allows none"
            )


def _check_names(found: Sequence[str], path: Path, table: Table) -> None:
    missing = [name for name in table.names if name not in found]
    unknown = [name for name in found if name not in table.names]
    if missing or unknown:
        raise DataError(f"table '{table.name}' in {path}: missing columns {missing}, unknown columns {unknown}")
