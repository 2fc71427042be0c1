"""Published member lists from files: which stars of a region are on them, and how that was found out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from workflow_scripts import tables
from workflow_scripts.clustering import compare, gaia
from workflow_scripts.crossmatch.positions import checked
from workflow_scripts.surveys import columns, files
from workflow_scripts.tables import Column, DataError, Table

# Names in upper and lower case alike, the first that is there counts.
_PROBABILITY = ("PMemb", "P_memb", "Proba", "probability", "Prob", "Probs", "MembProb")
_PLACES = {
    "ra_deg": (*gaia.NATIVE["ra_deg"], "ra_deg", "RAdeg", "RAJ2000"),
    "dec_deg": (*gaia.NATIVE["dec_deg"], "dec_deg", "DEdeg", "DEJ2000"),
}
_ID = gaia.NATIVE["source_id"]
_KEY = "columns"

BY_POSITION = f"by position within {compare.RADIUS_ARCSEC:g} arcsec"
BY_ID = "by source_id: identifiers differ between releases, some stars are missed"


LISTS = Table(
    "lists",
    (
        Column("list", pa.string(), "", "published member list"),
        Column("source_id", pa.string(), "", "Gaia source identifier; null where the list has positions", True),
        Column("ra_deg", pa.float64(), "deg", "right ascension in the list, ICRS; null = none", True, ucd="pos.eq.ra"),
        Column("dec_deg", pa.float64(), "deg", "declination in the list, ICRS; null = none", True, ucd="pos.eq.dec"),
    ),
)


@dataclass(frozen=True)
class MemberList:
    """Rows of one list that count, LISTS with or without the name, and which columns of the file were used, and how."""

    rows: pa.Table
    columns: str


@dataclass(frozen=True)
class Listed:
    """Stars (n,) of a region that a list has, how they were matched, how many rows of the list count, its columns."""

    stars: NDArray[np.bool_]
    matched: str
    n_rows: int
    columns: str


def read(path: Path, least_probability: float) -> MemberList:
    """Rows of a user's file as LISTS without the name: positions, or identifiers if the list has no positions.

    Where the list has probabilities (PMemb, Proba, Prob, ...) rows below the least one, or without one, are left out.
    A column that looks like a probability and is none of these is said to be NOT USED.
    Raises DataError for a list with neither positions nor identifiers, probabilities outside 0 to 1 (per cent),
    positions out of range and identifiers that have lost digits.
    """
    there = files.read(path, ()).names
    wanted = [_first(names, there) for names in (_PROBABILITY, _ID, *_PLACES.values())]
    file = files.read(path, [name for name in wanted if name])
    probability, identifier, *axes = wanted
    rows = _probable(file, probability, least_probability)
    found: dict[str, pa.Array | pa.ChunkedArray] = {}
    used = _used(probability, least_probability, there)
    if axes[0] and axes[1] and identifier and _sexagesimal(rows[axes[0]]):
        used, axes = f"{used}; {axes[0]}, {axes[1]} NOT USED: no degrees", [None, None]
    if axes[0] and axes[1]:
        ra, dec = (columns.numbers(rows[name], _where(path, name)) for name in axes if name)
        places = checked(ra, dec, f"{path}, rows of a probability of at least {least_probability:g}")
        found = {"ra_deg": pa.array(places.ra_deg), "dec_deg": pa.array(places.dec_deg)}
        used = f"{axes[0]}, {axes[1]}; {used}"
    elif identifier:
        found = {"source_id": gaia.identifiers(rows[identifier], _where(path, identifier))}
        used = f"{identifier}; {used}"
    if found:
        fields = [LISTS.schema.field(name) for name in LISTS.names if name != "list"]
        columned = {one.name: found.get(one.name, pa.nulls(rows.num_rows, one.type)) for one in fields}
        return MemberList(pa.table(columned), used)
    raise DataError(
        f"{path}: no columns {' or '.join(_PLACES['ra_deg'])} with {' or '.join(_PLACES['dec_deg'])}, and none of "
        f"{', '.join(_ID)}; it has {file.names}; a member list needs positions or identifiers"
    )


def write(lists: Mapping[str, MemberList], path: Path) -> None:
    """Write lists by name as one table LISTS, one after the other, which columns were used in the metadata."""
    parts = [
        one.rows.add_column(0, "list", pa.array([name] * one.rows.num_rows, pa.string())) for name, one in lists.items()
    ]
    used = {name: one.columns for name, one in lists.items()}
    tables.write(pa.concat_tables(parts), path, LISTS, {_KEY: json.dumps(used)})


def stored(path: Path) -> dict[str, MemberList]:
    """Give the lists that `write` wrote; DataError as tables.read."""
    rows = tables.read(path, LISTS)
    with tables.undamaged(path, "member lists with the columns that were used"):
        used = json.loads(pq.read_schema(path).metadata[_KEY.encode()])
    return {name: MemberList(rows.filter(pc.equal(rows["list"], name)), said) for name, said in used.items()}


def on_list(one: MemberList, stars: pa.Table) -> Listed:
    """Stars of a table STARS that the rows of one list have: by position within 1.5 arcsec, or by source_id."""
    rows, n = one.rows, one.rows.num_rows
    ra, dec = (rows[name].to_numpy() for name in _PLACES)
    if n and not rows["ra_deg"].null_count:
        return Listed(compare.in_region(stars, ra, dec), BY_POSITION, n, one.columns)
    found = pc.is_in(stars["source_id"], pc.drop_null(rows["source_id"]).combine_chunks())
    return Listed(np.asarray(found.to_numpy(zero_copy_only=False)), BY_ID, n, one.columns)


def notes(listed: Mapping[str, Listed]) -> Iterator[tuple[str, str, object]]:
    """Yield (list, note, value): how each list was read and matched, how many of its rows are stars of the region."""
    for name, one in listed.items():
        yield name, "columns", one.columns
        yield name, "matched", one.matched
        yield name, "rows in the region", f"{one.stars.sum()} of {one.n_rows}"


def _sexagesimal(column: pa.ChunkedArray) -> bool:
    """Whether a column has hours, minutes and seconds: 03:47:24.0 or 03 47 24.0."""
    return pa.types.is_string(column.type) and bool(pc.any(pc.match_substring_regex(column, r"^\s*\d+[: ]\d")).as_py())


def _used(probability: str | None, least: float, names: Sequence[str]) -> str:
    """Say which probabilities were used, and which columns look like some and were not."""
    limit = f"{probability} of {least:g} or above" if probability else "no column of probabilities: all rows count"
    alike = [name for name in names if name != probability and _looks_like_one(name.lower())]
    return f"{limit}{f'; NOT USED: {alike}; if one is the probability, call it PMemb' if alike else ''}"


def _looks_like_one(name: str) -> bool:
    return name.startswith("p") and ("prob" in name or "memb" in name)


def _probable(file: files.File, name: str | None, least: float) -> pa.Table:
    """Rows of the least probability or above; all if the list has none."""
    if not name:
        return file.rows
    values = columns.numbers(file.rows[name], _where(file.path, name))
    bad = values[(values < 0) | (values > 1)]
    if len(bad):
        raise DataError(
            f"{_where(file.path, name)} holds {len(bad)} of {len(values)} values outside 0 to 1, such as {bad[0]:g}; "
            "expected probabilities: divide per cent by 100, and leave missing ones empty"
        )
    return file.rows.filter(pa.array(values >= least))


def _first(names: Sequence[str], there: Sequence[str]) -> str | None:
    """First of the names that is there, as it is spelt there; the very name before others that differ in case."""
    return next((one for name in names for one in (name, *there) if one in there and one.lower() == name.lower()), None)


def _where(path: Path, name: str) -> str:
    return f"{path}: column '{name}'"
