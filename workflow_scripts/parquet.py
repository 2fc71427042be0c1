"""Tables with a contract, as Parquet files: whole or not at all, checked on both ways, identical for identical rows."""

import contextlib
import contextvars
import errno
import fcntl
import glob
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


class DataError(ValueError):
    """The user's data or settings cannot be used; the message says what, where and what to do."""


class DamagedError(DataError):
    """A file is not what was once written to it; a job's edge sets it aside if it is one of the run's own."""

    def __init__(self, path: Path, message: str) -> None:
        """Name the file beside the message."""
        super().__init__(message)
        self.path = path


# What a file system says of itself while a file is written, and what to do about it.
_ADVICE = {
    errno.ENOSPC: "make room and run again",
    errno.EDQUOT: "make room and run again",
    errno.EFBIG: "make room and run again",
    errno.EROFS: "make its folder writable or run elsewhere",
    errno.EIO: "have the disk looked after or run elsewhere",
}


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
    write_groups([rows if isinstance(rows, pa.Table) else pa.table(dict(rows))], path, table, notes)


def write_groups(groups: Iterable[pa.Table], path: Path, table: Table, notes: Mapping[str, str] | None = None) -> None:
    """Write each of some tables as a row group of one file; the next is asked for when the last is written."""
    schema = table.schema.with_metadata(metadata(table) | dict(notes or {}))
    packing = {"compression": "zstd", "compression_level": 3, "write_page_checksum": True}
    with whole(path) as part, pq.ParquetWriter(part, schema, **packing) as file:
        for rows in groups:
            _check_names(rows.column_names, path, table)
            _check_nulls(rows, path, table.columns)
            # How rows are divided into chunks would show in the pages of the file.
            rows = rows.select(table.names).replace_schema_metadata(None).cast(table.schema).combine_chunks()
            file.write_table(rows.replace_schema_metadata(schema.metadata), row_group_size=max(rows.num_rows, 1))


def metadata(table: Table) -> dict[str, str]:
    """Metadata of a file of the table: its name and the provenance of the block."""
    return {"table": table.name, "provenance": json.dumps(notes_of_block(), sort_keys=True)}


def notes_of_block() -> dict[str, object]:
    """Give the notes of the block of provenance that the caller is in."""
    return dict(_PROVENANCE.get() or {})


def read(
    path: Path, table: Table, columns: Sequence[str] | None = None, groups: Sequence[int] | None = None
) -> pa.Table:
    """Read a table (or some columns or row groups of it) and check it against the contract.

    Raises DataError if the file is missing or cannot be read, DamagedError if it is truncated, damaged (its pages
    carry checksums), or not the table asked for.
    """
    part = table if columns is None else _part(table, columns)
    with _opened(path, table) as file:
        found = file.schema_arrow.names
        _check_names(found if columns is None else [name for name in found if name in columns], path, part)
        chosen = range(file.num_row_groups) if groups is None else groups
        rows = file.read_row_groups(chosen, columns=part.names).select(part.names)
        expected = sum(file.metadata.row_group(group).num_rows for group in chosen)
        if rows.num_rows != expected:
            raise pa.ArrowInvalid(f"{rows.num_rows} rows, expected {expected}")
        _check_types(rows, path, part)
        _check_nulls(rows, path, part.columns)
    return rows


def described(path: Path, table: Table) -> tuple[int, dict[str, str]]:
    """Give the number of row groups and the notes of a table's file; raises DataError as read."""
    with _opened(path, table) as file:
        notes = {key.decode(): value.decode() for key, value in (file.schema_arrow.metadata or {}).items()}
        return file.num_row_groups, notes


@contextlib.contextmanager
def _opened(path: Path, table: Table) -> Iterator[pq.ParquetFile]:
    """Open a table's file; whatever is wrong with it in the block becomes a DataError or DamagedError."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except FileNotFoundError as error:
        raise DataError(f"table '{table.name}': {path} does not exist; run the rule that makes it") from error
    except DataError as error:
        raise DamagedError(path, f"{error}; if another version wrote it, delete it and run again") from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno:
            raise DataError(f"table '{table.name}': {path} cannot be read ({os.strerror(error.errno)})") from error
        raise DamagedError(
            path, f"table '{table.name}': {path} is not a whole Parquet file ({error}); delete it and run again"
        ) from error


def read_all(paths: Sequence[Path], table: Table, columns: Sequence[str] | None = None) -> pa.Table:
    """Read the shards of one table, in the order given, as one table."""
    shards = [read(path, table, columns).replace_schema_metadata(None) for path in paths]
    return pa.concat_tables(shards) if shards else table.schema.empty_table()


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside path; rename it to path when the block ends well, remove it otherwise.

    What killed writers of path left beside it goes first. Raises DataError where the disk is full or read-only.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error.errno or errno.EROFS) from error
    part = Path(name)
    try:
        with contextlib.suppress(OSError):  # some shared file systems have no locks: no sweeping there
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield part
        part.chmod(0o644)
        part.replace(path)
    except OSError as error:
        if error.errno in _ADVICE:
            raise _unwritable(path, error.errno) from error
        raise
    finally:
        os.close(handle)
        with contextlib.suppress(OSError):  # a folder that has become read-only
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def undamaged(path: Path, what: str) -> Iterator[None]:
    """Errors of a block that reads a JSON file of the run become a DamagedError that says what the file is not."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(
            path, f"{path} is not {what} ({type(error).__name__}: {error}); delete it and run again"
        ) from error


def sweep(path: Path) -> None:
    """Remove what killed writers of a file left beside it; a living writer holds a lock on its part."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.????????{glob.escape(path.suffix)}"):
        with contextlib.suppress(OSError), part.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()


def _unwritable(path: Path, number: int) -> DataError:
    advice = _ADVICE.get(number, _ADVICE[errno.EROFS])
    return DataError(f"cannot write {path}: {os.strerror(number)}; {advice}")


def _part(table: Table, columns: Sequence[str]) -> Table:
    unknown = [name for name in columns if name not in table.names]
    if unknown:
        raise ValueError(f"table '{table.name}' has no columns {unknown}; it has {table.names}")
    return Table(table.name, tuple(table.columns[table.names.index(name)] for name in columns))


def _check_types(rows: pa.Table, path: Path, table: Table) -> None:
    for column in table.columns:
        found = rows.schema.field(column.name).type
        if found != column.type:
            raise DataError(
                f"table '{table.name}' in {path}: column '{column.name}' is {found}, expected {column.type}"
            )


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
