"""Shards: a sample's light curves are split into a fixed number of parts, so that the graph is known early."""

import hashlib
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def shard_of(object_ids: Iterable[str], n_shards: int) -> NDArray[np.int32]:
    """Shard of each object, 0 to n_shards - 1, by a hash of its identifier that is the same on every machine.

    All bands of an object, and the same object in every table, fall into the same shard. Shape (n,).
    """
    return np.array([_hash(name) % n_shards for name in object_ids], dtype=np.int32)


def split(table: pa.Table, n_shards: int) -> list[pa.Table]:
    """Split a light-curve table into its shards, each sorted by object and band whatever the order of the rows."""
    rows = table.sort_by([("object_id", "ascending"), ("band", "ascending")])
    shard = shard_of(rows["object_id"].to_pylist(), n_shards)
    return [rows.filter(pa.array(shard == i)) for i in range(n_shards)]


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
