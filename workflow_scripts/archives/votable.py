"""Answer of a TAP service: a VOTable with its own word on whether it is whole, as an Arrow table with units."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

import numpy as np
import pyarrow as pa

from workflow_scripts.tables import Column, DataError

# The type follows from the declaration and not from the values: an empty answer has the types of a full one.
_TYPES = {
    "boolean": pa.bool_(),
    "unsignedByte": pa.uint8(),
    "short": pa.int16(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "char": pa.string(),
    "unicodeChar": pa.string(),
}


@dataclass(frozen=True)
class Answer:
    """Rows with their columns; status is the last QUERY_STATUS stated ("" = none), message what came with it."""

    rows: pa.Table
    columns: tuple[Column, ...]
    status: str
    message: str


def read(path: Path) -> Answer:
    """Read the results of a VOTable; empty text and NaN are null. Raises DataError if the file is not one."""
    from astropy.io import votable

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what services get wrong in units and UCDs is not ours to report
        try:
            document = votable.parse(path)
        except (ExpatError, ValueError, IndexError, TypeError, OSError) as error:
            raise DataError(
                f"{path}: not a whole VOTable ({str(error).splitlines()[0]}); delete it and run again"
            ) from error
    resource = next((r for r in document.resources if r.type == "results"), None) or next(
        iter(document.resources), None
    )
    table = next(iter(resource.tables), None) if resource else None
    infos = [info for part in (document, resource, table) if part for info in part.infos]
    stated = [info for info in infos if info.name.casefold() == "query_status"]
    # An overflow that is stated anywhere counts, whatever stands beside it.
    last = next((info for info in stated if info.value.upper() != "OK"), stated[-1] if stated else None)
    columns = tuple(map(_column, table.fields)) if table else ()
    rows = [_values(table.array[f.ID], c.type) for f, c in zip(table.fields, columns, strict=True)] if table else []
    return Answer(
        pa.table(rows, schema=pa.schema([c.field() for c in columns])),
        columns,
        last.value.upper() if last else "",
        " ".join((last.content or "").split()) if last else "",
    )


def _column(field: Any) -> Column:
    kind = _TYPES.get(field.datatype)
    if kind is None:
        raise DataError(f"column '{field.name}' of a VOTable has type {field.datatype}, expected {list(_TYPES)}")
    is_list = field.arraysize not in (None, "1") and kind != pa.string()
    unit = str(field.unit) if field.unit is not None else ""
    meaning = " ".join((field.description or "").split())
    return Column(field.name, pa.list_(kind) if is_list else kind, unit, meaning, True, field.ucd or "")


def _values(column: Any, kind: pa.DataType) -> pa.Array:
    values, mask = np.ma.getdata(column), np.ma.getmaskarray(column)
    if pa.types.is_list(kind):
        return pa.array([np.ma.filled(np.ma.asarray(v, dtype=float), np.nan) for v in column]).cast(kind)
    if pa.types.is_string(kind):
        return pa.array([None if m else _text(v) for v, m in zip(values, mask, strict=True)], kind)
    return pa.array(values.astype(values.dtype.newbyteorder("=")), kind, mask=mask)


def _text(value: Any) -> str | None:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.strip() or None
