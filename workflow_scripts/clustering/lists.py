"""Published member lists from files: which stars of a region are on them, and how that was found out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workflow_scripts.clustering import compare, gaia
from workflow_scripts.crossmatch.positions import checked
from workflow_scripts.surveys import columns, files
from workflow_scripts.tables import Column, DataError, Table

_PROBABILITY = ("PMemb", "Proba", "probability")
_PLACES = {axis: gaia.NATIVE[axis] for axis in ("ra_deg", "dec_deg")}
_ID = gaia.NATIVE["source_id"]

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
class Listed:
    """Stars (n,) of a region that a list has, how they were matched, and how many rows the list has above the cut."""

    stars: NDArray[np.bool_]
    matched: str
    n_rows: int


def read(path: Path, least_probability: float) -> pa.Table:
    """Rows of a user's file as LISTS without the name: positions, or identifiers if the list has no positions.

    Where the list has probabilities (PMemb, Proba, probability) rows below the least one, or without one, are left out.
    Raises DataError for a list with neither positions nor identifiers, probabilities outside 0 to 1 (per cent),
    positions out of range and identifiers that have lost digits.
    """
    wanted = {*_PROBABILITY, *_ID, *(name for names in _PLACES.values() for name in names)}
    file = files.read(path, wanted)
    rows = _probable(file, least_probability)
    found: dict[str, pa.Array | pa.ChunkedArray] = {}
    axes = [_first(names, rows) for names in _PLACES.values()]
    if axes[0] and axes[1]:
        ra, dec = (columns.numbers(rows[name], _where(path, name)) for name in axes if name)
        places = checked(ra, dec, f"{path}, rows of a probability of at least {least_probability:g}")
        found = {"ra_deg": pa.array(places.ra_deg), "dec_deg": pa.array(places.dec_deg)}
    elif name := _first(_ID, rows):
        found = {"source_id": gaia.identifiers(rows[name], _where(path, name))}
    if found:
        fields = [LISTS.schema.field(name) for name in LISTS.names if name != "list"]
        return pa.table({one.name: found.get(one.name, pa.nulls(rows.num_rows, one.type)) for one in fields})
    raise DataError(
        f"{path}: no columns {' or '.join(_PLACES['ra_deg'])} with {' or '.join(_PLACES['dec_deg'])}, and none of "
        f"{', '.join(_ID)}; it has {file.names}; a member list needs positions or identifiers"
    )


def on_list(rows: pa.Table, stars: pa.Table) -> Listed:
    """Stars of a table STARS that the rows of one list, LISTS, have: by position within 1.5 arcsec, or by source_id."""
    ra, dec = (rows[name].to_numpy() for name in _PLACES)
    if rows.num_rows and not rows["ra_deg"].null_count:
        return Listed(compare.in_region(stars, ra, dec), BY_POSITION, rows.num_rows)
    found = pc.is_in(stars["source_id"], pc.drop_null(rows["source_id"]).combine_chunks())
    return Listed(np.asarray(found.to_numpy(zero_copy_only=False)), BY_ID, rows.num_rows)


def notes(listed: Mapping[str, Listed]) -> Iterator[tuple[str, str, object]]:
    """Yield (list, note, value): how each list was matched, and how many of its rows are stars of the region."""
    for name, one in listed.items():
        yield name, "matched", one.matched
        yield name, "rows in the region", f"{one.stars.sum()} of {one.n_rows}"


def _probable(file: files.File, least: float) -> pa.Table:
    """Rows of the least probability or above; all if the list has none."""
    name = _first(_PROBABILITY, file.rows)
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


def _first(names: tuple[str, ...], rows: pa.Table) -> str | None:
    return next((name for name in names if name in rows.column_names), None)


def _where(path: Path, name: str) -> str:
    return f"{path}: column '{name}'"
