"""Files of a user as Arrow tables: Parquet, CSV, FITS and VOTable, chosen by suffix."""

import csv
import gzip
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from workflow_scripts.tables import DataError

# What stands for a missing value in a CSV file.
CSV_NULLS = ["", "NA", "N/A", "NaN", "nan", "NULL", "Null", "null", "None", "none", "--", "\\N"]
_CSV_FORM = ": names in the first line, no comments, commas between columns and points in numbers"


@dataclass(frozen=True)
class File:
    """A file that was read: the names of all its columns, and the rows of the wanted ones."""

    path: Path
    names: list[str]
    rows: pa.Table


# What a parser raises on a broken file is its own affair: each library has another exception for it.
_BROKEN = (
    *(pa.ArrowException, OSError, EOFError, zlib.error, csv.Error, SyntaxError, ExpatError),
    *(ValueError, TypeError, IndexError),
)


def read(path: Path, wanted: Collection[str]) -> File:
    """Read the wanted columns that the file has; a column with a list in each row becomes a list column.

    The unit that a file states for a column is in the metadata of the column's field, under unit.
    The columns of a CSV file are text, so that identifiers keep their digits. Raises DataError if the file is
    missing, empty or not whole, or has a suffix that is not known.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path, which is relative to the folder Snakemake runs in")
    if not path.stat().st_size:
        raise DataError(f"{path}: the file is empty (0 bytes); copy it again")
    reader = _reader(path)
    try:
        names, rows = reader(path, wanted)
    except _BROKEN as error:
        kind = reader.__name__.strip("_").upper()
        form = _CSV_FORM if reader is _csv and isinstance(error, pa.ArrowInvalid) else ""
        raise DataError(
            f"{path}: not a whole {kind} file ({_first_line(error)}); copy or write it again{form}"
        ) from error
    doubled = sorted({name for name in names if name in wanted and names.count(name) > 1})
    if doubled:
        raise DataError(f"{path}: more than one column is called {doubled}; rename all but one")
    return File(path, names, rows)


def is_gzip(path: Path) -> bool:
    """Whether a file is compressed by gzip, whatever its name says: some servers have it unpacked on the way."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _reader(path: Path) -> Callable[[Path, Collection[str]], tuple[list[str], pa.Table]]:
    name = path.name.lower()
    for suffix, reader in _READERS.items():
        if name.endswith(suffix):
            return reader
    raise DataError(f"{path}: unknown kind of file; known suffixes are {', '.join(_READERS)}")


def _parquet(path: Path, wanted: Collection[str]) -> tuple[list[str], pa.Table]:
    with pq.ParquetFile(path) as file:
        names = list(file.schema_arrow.names)
        return names, file.read(columns=[n for n in names if n in wanted])


def _csv(path: Path, wanted: Collection[str]) -> tuple[list[str], pa.Table]:
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as text:
        names = next(csv.reader(text), [])
    options = pa_csv.ConvertOptions(
        include_columns=[n for n in names if n in wanted] or names[:1],
        column_types=dict.fromkeys(names, pa.string()),
        null_values=CSV_NULLS,
        strings_can_be_null=True,
    )
    # One thread, so that rows keep the file's order and a small machine is not swamped.
    return names, pa_csv.read_csv(path, pa_csv.ReadOptions(use_threads=False), convert_options=options)


def _fits(path: Path, wanted: Collection[str]) -> tuple[list[str], pa.Table]:
    return _astropy(path, wanted, format="fits", memmap=False)


def _votable(path: Path, wanted: Collection[str]) -> tuple[list[str], pa.Table]:
    return _astropy(path, wanted, format="votable")


_READERS: dict[str, Callable[[Path, Collection[str]], tuple[list[str], pa.Table]]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".csv.gz": _csv,
    ".fits": _fits,
    ".fit": _fits,
    ".fits.gz": _fits,
    ".vot": _votable,
    ".votable": _votable,
    ".xml": _votable,
}


def _astropy(path: Path, wanted: Collection[str], **options: Any) -> tuple[list[str], pa.Table]:
    from astropy.table import Table

    table = Table.read(path, **options)
    columns = {name: _arrow(table[name]) for name in table.colnames if name in wanted}
    fields = [pa.field(name, values.type, metadata=_unit(table[name])) for name, values in columns.items()]
    return list(table.colnames), pa.table(columns, pa.schema(fields))


def _unit(column: Any) -> dict[str, str] | None:
    """Give the unit that the file states for a column, as our own tables carry it."""
    unit = getattr(column, "unit", None)
    return {"unit": str(unit)} if unit else None


def _arrow(column: Any) -> pa.Array:
    """Column of an astropy table as Arrow; masked values become null, vectors become lists."""
    values, mask = np.ma.getdata(column), np.ma.getmaskarray(column)
    if values.dtype.kind == "O":
        return pa.array([_item(value) for value in column])
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    values = values.astype(values.dtype.newbyteorder("="))
    if values.ndim == 1:
        return pa.array(values.astype(object) if values.dtype.kind == "U" else values, mask=mask)
    flat = pa.array(values.ravel(), mask=mask.ravel())
    return pa.FixedSizeListArray.from_arrays(flat, values[0].size if len(values) else 1)


def _item(value: Any) -> Any:
    """One cell of a column of objects: text, or an array of any length with NaN where it is masked."""
    if value is np.ma.masked or value is None:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else np.ma.filled(np.ma.asarray(value, dtype=np.float64), np.nan)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
