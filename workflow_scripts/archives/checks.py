"""Does an answer hold what was asked for? Each check returns what is wrong in words, or "" if nothing is."""

import difflib
from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc


def missing_columns(found: Sequence[str], wanted: Sequence[str]) -> str:
    """Columns that were asked for and are not there, each with the names that come closest."""
    folded = {name.casefold() for name in found}
    missing = [name for name in wanted if name.casefold() not in folded]
    hints = {name: difflib.get_close_matches(name, found, n=3) for name in missing}
    closest = "; ".join(f"'{name}' may now be {near}" for name, near in hints.items() if near)
    return f"no columns {missing}, found {list(found)}{'; ' + closest if closest else ''}" if missing else ""


def unasked(rows: pa.Table, column: str, asked: Collection[object]) -> str:
    """Rows of objects that nobody asked for."""
    strangers = [value for value in pc.unique(rows[column]).to_pylist() if value not in asked]
    if not strangers:
        return ""
    return f"{len(strangers)} values of '{column}' that were not asked for, such as {strangers[0]!r}"


def repeated(rows: pa.Table, key: Sequence[str]) -> str:
    """Rows whose key is null or comes more than once; no key, no check."""
    if not key:
        return ""
    for name in key:
        if rows[name].null_count:
            return (
                f"{rows[name].null_count} of {rows.num_rows} rows without a value of '{name}', which identifies a row"
            )
    counts = rows.group_by(list(key)).aggregate([([], "count_all")])
    twice = counts.filter(pc.greater(counts["count_all"], 1))
    if not twice.num_rows:
        return ""
    example = {name: twice[name][0].as_py() for name in key}
    return f"{rows.num_rows - counts.num_rows} duplicate rows, such as {example}, expected one row for each {list(key)}"
