"""Shards: a sample's light curves are split into a fixed number of parts, so that the graph is known early."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts import tables
from workflow_scripts.tables import Table

_COUNT = "shards"  # note of a file that has a sample's shards in its row groups


def shard_of(object_ids: Iterable[str], n_shards: int) -> NDArray[np.int32]:
    """Shard of each object, 0 to n_shards - 1, by a hash of its identifier that is the same on every machine.

    All bands of an object, and the same object in every table, fall into the same shard. Shape (n,).
    """
    return np.array([_hash(name) % n_shards for name in object_ids], dtype=np.int32)


def split(table: pa.Table, n_shards: int) -> list[pa.Table]:
    """Split a table into its shards, each sorted by object (and band) whatever the order of the rows."""
    rows = table.sort_by([(name, "ascending") for name in ("object_id", "band") if name in table.column_names])
    shard = shard_of(rows["object_id"].to_pylist(), n_shards)
    return [rows.filter(pa.array(shard == i)) for i in range(n_shards)]


def write(
    blocks: Iterable[pa.Table], path: Path, table: Table, n_shards: int, notes: Mapping[str, str] | None = None
) -> None:
    """Write blocks of rows, each divided into its shards: row groups s, s + n_shards, ... of the file are shard s.

    Only one block is in memory. For a shard to be sorted, later blocks must have later identifiers.
    """
    groups = (shard for block in blocks for shard in split(block, n_shards))
    tables.write_groups(groups, path, table, {_COUNT: str(n_shards), **(notes or {})})


def read(path: Path, table: Table, shard: int) -> pa.Table:
    """Rows of one shard, from a file that has all of them or this one alone."""
    n_groups, notes = tables.described(path, table)
    if _COUNT not in notes:
        return tables.read(path, table)
    return tables.read(path, table, groups=range(shard, n_groups, int(notes[_COUNT])))


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
