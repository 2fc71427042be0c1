"""Columns of a user's file under our names: found by the column map, converted exactly, or refused with a reason."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workflow_scripts.surveys import files, units
from workflow_scripts.tables import DataError

Reals = NDArray[np.float64]
Texts = NDArray[np.object_]

_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^-?(?i:nan|inf|infinity)$"
_WHOLE_AS_REAL = r"^-?\d+\.0*$"
_WHOLE = r"^-?\d+(\.0*)?$"
_PADDED = r"^(-?)0*(\d+)(\.0*)?$"
_SCIENTIFIC = r"^-?\d+(\.\d*)?[eE]\+?\d+$"
_EXACT_LIMIT = 2.0**53  # beyond it a float64 cannot hold every integer


@dataclass(frozen=True)
class Columns:
    """A user's file, seen through the column map (ours: theirs).

    The text of columns in `written` (ours) is taken as it is, others' as integers where all of it is like 7.0.
    """

    file: files.File
    mapping: Mapping[str, str]
    written: frozenset[str] = frozenset()

    def has(self, ours: str) -> bool:
        """Whether the file has the column, under the mapped name or under ours."""
        return self.name(ours) is not None

    def __getitem__(self, ours: str) -> pa.ChunkedArray:
        """Column by our name; raises DataError that lists what the file has instead."""
        name = self.name(ours)
        if name is None:
            raise DataError(f"{self.file.path}: {self.missing(ours)}")
        return self.file.rows[name]

    def where(self, ours: str) -> str:
        """File and column, for messages."""
        return f"{self.file.path}: column '{self.name(ours)}' ({ours})"

    def missing(self, ours: str) -> str:
        """Text that says which column is not there, which ones are, and what to do."""
        wanted = self.mapping.get(ours, ours)
        return (
            f"no column '{wanted}' for {ours}; the file has {self.file.names}"
            f"{_closest(wanted, self.file.names)}; say which one it is under columns: {{{ours}: ...}}"
        )

    def name(self, ours: str) -> str | None:
        """Name of the column in the file, None if it is not there."""
        names = (self.mapping.get(ours, ours), ours)
        return next((name for name in names if name in self.file.names), None)


def read(path: Path, ours: Sequence[str], required: Sequence[str], mapping: Mapping[str, str]) -> Columns:
    """Read our columns, as far as the file has them, in our units where the file states its own.

    Raises DataError without a required column, without rows, and for a unit that is none of what the column holds.
    """
    columns = Columns(files.read(path, {*ours, *(mapping[name] for name in ours if name in mapping)}), mapping)
    for name in required:
        columns[name]
    if not columns.file.rows.num_rows:
        raise DataError(f"{path}: the file has columns but no row; check that it was written to the end")
    return _in_our_units(columns, ours)


def _in_our_units(columns: Columns, ours: Sequence[str]) -> Columns:
    rows = columns.file.rows
    named = {columns.name(name): name for name in ours if name in units.UNITS}  # a column with two meanings stands once
    for place, field in enumerate(rows.schema):
        stated = (field.metadata or {}).get(b"unit", b"").decode()
        if stated and field.name in named:
            name = named[field.name]
            values = units.converted(rows[field.name], stated, name, columns.where(name))
            rows = rows.set_column(place, field.name, values)
    return replace(columns, file=replace(columns.file, rows=rows))


def check_mapping(mapping: Mapping[str, str], names: Sequence[str]) -> None:
    """Raise DataError if the column map names a column that no file has: a slip of the pen would lose data."""
    for ours, theirs in mapping.items():
        if theirs not in names:
            raise DataError(
                f"columns: {{{ours}: {theirs}}}: no file of the sample has a column '{theirs}'"
                f"{_closest(theirs, names)}; correct the name or remove the entry"
            )


def spelt_alike(files: Sequence[Columns], ours: str) -> list[Columns]:
    """Give files with one rule for texts such as 7.0: an integer (as pandas writes some) if all files have only those.

    Where one has 7.1 as well, 7.0 is a name. Single files could not tell.
    """
    texts = [pc.unique(_plain(file[ours], file.where(ours))).drop_null() for file in files]
    names = [pa.array(_written(part, file.where(ours)), pa.string()) for part, file in zip(texts, files, strict=True)]
    if all(pc.all(pc.match_substring_regex(part, _WHOLE)).as_py() for part in names):
        return list(files)
    return [replace(file, written=file.written | {ours}) for file in files]


def check_spellings(names: Sequence[str], where: str) -> None:
    """Raise DataError if two names are one whole number, such as 7 and 7.0: files spell one object in two ways."""
    real = sorted({name for name in names if re.match(_WHOLE_AS_REAL, name)})
    seen = {name: name for name in names} if real else {}
    for name in real:
        other = seen.setdefault(name.split(".")[0], name)
        if other != name:
            raise DataError(
                f"{where}: {other} and {name} are one number; expected one spelling of each name in all files: write "
                "it as an integer, or as text that is no number"
            )


def check_unmatched(first: pa.Array, second: pa.Array, where: str) -> None:
    """Raise DataError if names that only one of two sides has are one whole number, such as 007 and 7.

    A survey may have both 007 and 7 as names of two stars: where both sides have them, neither stands here.
    """
    plain, others = (pc.replace_substring_regex(names, _PADDED, r"\1\2") for names in (first, second))
    place = pc.index_in(plain, value_set=others)
    if place.null_count < len(place):
        here = pc.index(place.is_valid(), True).as_py()
        raise DataError(
            f"{where}: {len(place) - place.null_count} names, such as {first[here]} and {second[place[here].as_py()]}, "
            "are one number in two spellings; expected one spelling of each name in all files: write the column as "
            "text, with its leading zeros"
        )


def numbers(column: pa.ChunkedArray, where: str) -> Reals:
    """Column as float64 of shape (n,), null as NaN; raises DataError if it holds anything but numbers."""
    kind = column.type
    if pa.types.is_dictionary(kind) or pa.types.is_null(kind):
        return numbers(column.cast(pa.float64() if pa.types.is_null(kind) else kind.value_type), where)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = _parsed(column, where)
    elif not (
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or kind == pa.bool_()
    ):
        raise DataError(f"{where} holds {kind}, expected numbers; convert it, or name another column in `columns`")
    if column.type == pa.bool_():
        column = column.cast(pa.uint8())
    return pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy()  # type: ignore[no-any-return]


def texts(column: pa.ChunkedArray, where: str) -> tuple[NDArray[np.int64], Texts]:
    """Column as text: code of each row (n,), -1 where it is null or blank, and the text of each code.

    Integers become text exactly. Raises DataError for lists and times, and for real numbers that are not whole or too
    large to be exact.
    """
    return _coded(column, where, _exact)


def names(file: Columns, name: str) -> tuple[NDArray[np.int64], Texts]:
    """Codes (n,) and texts, as `texts` gives them, of a column that must have a value in every row."""
    codes, found = _coded(file[name], file.where(name), _written if name in file.written else _exact)
    if (codes < 0).any():
        raise DataError(
            f"{file.where(name)} is empty in {(codes < 0).sum()} of {len(codes)} rows, the first being row "
            f"{np.argmax(codes < 0) + 1}; fill these rows or remove them"
        )
    return codes, found


def _plain(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    """Column without codes; raises DataError for what is no name."""
    kind = column.type
    if pa.types.is_dictionary(kind) or pa.types.is_null(kind):
        column = column.cast(pa.string() if pa.types.is_null(kind) else kind.value_type)
    if pa.types.is_nested(column.type) or pa.types.is_temporal(column.type):
        raise DataError(f"{where} holds {kind}, expected text or integers; convert it, or name another column")
    return column


def _coded(
    column: pa.ChunkedArray, where: str, spell: Callable[[pa.Array, str], Texts]
) -> tuple[NDArray[np.int64], Texts]:
    encoded = _plain(column, where).combine_chunks().dictionary_encode()
    codes = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64)
    names, positions = np.unique(spell(encoded.dictionary, where), return_inverse=True)
    positions = np.where(names[positions] == "", -1, positions)
    return np.where(codes < 0, -1, positions[codes] if len(positions) else -1), names


def _parsed(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    """Numbers from text; Arrow's own conversion takes no leading plus sign."""
    text = pc.replace_substring_regex(pc.utf8_trim_whitespace(column), r"^\+", "")
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)
    good = pc.fill_null(pc.match_substring_regex(text, _NUMBER), True)
    bad = text.filter(pc.invert(good))
    if len(bad):
        examples = bad.slice(0, 3).to_pylist()
        raise DataError(
            f"{where} holds text in {len(bad)} of {len(text)} rows, such as {examples}; expected numbers: "
            "clean these rows, or name another column in `columns`"
        )
    return text.cast(pa.float64())


def _exact(values: pa.Array, where: str) -> Texts:
    """Distinct values as text, as `_written`; as integers where all are like 7.0."""
    names = _written(values, where)
    text = pa.array(names, pa.string())
    if len(names) and pc.all(pc.match_substring_regex(text, _WHOLE_AS_REAL)).as_py():
        check_spellings(list(names), where)
        _whole(text.cast(pa.float64()).to_numpy(), where)
        return np.array([name.split(".")[0] for name in names], dtype=object)
    return names


def _written(values: pa.Array, where: str) -> Texts:
    """Distinct values as text without blanks around it; real numbers, which must be whole, as integers."""
    if pa.types.is_floating(values.type):
        values = _whole(values.to_numpy(zero_copy_only=False).astype(np.float64), where)
    names = [str(name).strip() for name in values.cast(pa.string()).to_pylist()]
    text = pa.array(names, pa.string())
    if names and pc.all(pc.match_substring_regex(text, _SCIENTIFIC)).as_py():
        raise DataError(
            f"{where} holds numbers in scientific notation, such as {names[0]}, which have lost digits; "
            "write the column as integers or text"
        )
    return np.array(names, dtype=object)


def _whole(values: Reals, where: str) -> pa.Array:
    bad = values[~((values == np.round(values)) & (np.abs(values) < _EXACT_LIMIT))]
    if len(bad):
        raise DataError(
            f"{where} holds real numbers, such as {float(bad[0])!r}, that are not whole or too large to be exact; "
            "expected integers or text: write the column so"
        )
    return pa.array(values.astype(np.int64))


def _closest(name: str, names: Sequence[str]) -> str:
    lower = {n.lower(): n for n in names}
    close = [lower[n] for n in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)]
    inside = [n for n in names if name.lower() in n.lower() and n not in close]
    return f"; closest: {close + inside}" if close + inside else ""
