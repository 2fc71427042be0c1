"""Shards: a sample's light curves are split into a fixed number of parts, so that the graph is known early.

By a hash of the identifier; those that come from a survey's archive by their place on the sky, because the files of an
archive hold a part of the sky each: by hash nearly every shard would need nearly every file.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workflow_scripts import tables
from workflow_scripts.tables import Table

Shards = NDArray[np.int32]

_COUNT = "shards"  # note of a file that has a sample's shards in its row groups


def shard_of(object_ids: Iterable[str], n_shards: int) -> Shards:
    """Shard of each object, 0 to n_shards - 1, by a hash of its identifier that is the same on every machine.

    All bands of an object, and the same object in every table, fall into the same shard. Shape (n,).
    """
    return np.array([_hash(name) % n_shards for name in object_ids], dtype=np.int32)


def by_sky(objects: pa.Table, n_shards: int) -> Shards:
    """Shard of each object (object_id, ra_deg, dec_deg [deg, ICRS, null = unknown]), shape (n,).

    Shards are ranges of HEALPix cells and hold equally many objects, to one; objects without coordinates come last.
    Raises DataError for impossible coordinates.
    """
    from workflow_scripts.crossmatch import cells, positions  # only who needs the sky waits for scipy and astropy

    placed = pc.and_(objects["ra_deg"].is_valid(), objects["dec_deg"].is_valid()).to_numpy()
    ra, dec = (objects[name].filter(pa.array(placed)).to_numpy() for name in ("ra_deg", "dec_deg"))
    cell = np.full(len(placed), np.iinfo(np.int64).max)
    cell[placed] = cells.fine_cells(positions.checked(ra, dec, "objects to be divided by sky"))
    keys = pa.table({"cell": cell, "object_id": objects["object_id"]})
    shard = np.empty(len(cell), dtype=np.int32)
    order = pc.sort_indices(keys, [("cell", "ascending"), ("object_id", "ascending")])
    shard[order.to_numpy()] = np.arange(len(cell)) * n_shards // max(1, len(cell))
    return shard


def split(table: pa.Table, n_shards: int) -> list[pa.Table]:
    """Split a table into its shards by hash, each sorted by object (and band) whatever the order of the rows."""
    return parts(table, shard_of(table["object_id"].to_pylist(), n_shards), n_shards)


def parts(table: pa.Table, shard: Shards, n_shards: int) -> list[pa.Table]:
    """Split a table whose rows are in these shards; each part is sorted by object (and band)."""
    keys = [(name, "ascending") for name in ("object_id", "band") if name in table.column_names]
    return [table.filter(pa.array(shard == i)).sort_by(keys) for i in range(n_shards)]


def write(
    blocks: Iterable[pa.Table], path: Path, table: Table, n_shards: int, notes: Mapping[str, str] | None = None
) -> None:
    """Write blocks of rows, each divided into its shards by hash.

    Only one block is in memory. For a shard to be sorted, later blocks must have later identifiers.
    """
    write_parts((part for block in blocks for part in split(block, n_shards)), path, table, n_shards, notes)


def write_parts(
    groups: Iterable[pa.Table], path: Path, table: Table, n_shards: int, notes: Mapping[str, str] | None = None
) -> None:
    """Write parts of a sample as row groups: groups s, s + n_shards, ... of the file are shard s."""
    tables.write_groups(groups, path, table, {_COUNT: str(n_shards), **(notes or {})})


def read(path: Path, table: Table, shard: int) -> pa.Table:
    """Rows of one shard, from a file that has all of them or this one alone."""
    n_groups, notes = tables.described(path, table)
    if _COUNT not in notes:
        return tables.read(path, table)
    return tables.read(path, table, groups=range(shard, n_groups, int(notes[_COUNT])))


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
