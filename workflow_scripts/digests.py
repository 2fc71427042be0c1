"""SHA-256 of what goes into a run: of a file as it is, of light curves whatever the shards that they lie in."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts import tables

_POINTS = {"time": "<f8", "mag": "<f4", "mag_err": "<f4", "usable": "u1"}


def of_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits, as the command sha256sum gives it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_light_curves(shards: Sequence[Path]) -> tuple[int, str]:
    """Bytes and SHA-256 of raw light curves, the same for any shards and any order of rows and files.

    It is the SHA-256 of the sorted SHA-256 of all rows; a row is the JSON list of object, band and number of points,
    then its times as little-endian float64, magnitudes and errors as float32, and a byte per point for usable. One
    row group is in memory at a time, and 32 bytes per row of all.
    """
    table = tables.RAW_LIGHT_CURVES
    groups = ((path, group) for path in shards for group in range(tables.described(path, table)[0]))
    found = [row for path, group in groups for row in _rows(tables.read(path, table, groups=[group]))]
    whole = hashlib.sha256(b"".join(sorted(digest for _, digest in found)))
    return sum(size for size, _ in found), whole.hexdigest()


def _rows(curves: pa.Table) -> Iterator[tuple[int, bytes]]:
    """Bytes and digest of each row."""
    names = zip(curves["object_id"].to_pylist(), curves["band"].to_pylist(), strict=True)
    ends = np.cumsum(pc.list_value_length(curves["time"]).to_numpy()).tolist()
    points = [
        (pc.list_flatten(curves[name]).to_numpy().astype(kind).view(np.uint8), np.dtype(kind).itemsize)
        for name, kind in _POINTS.items()
    ]
    begin = 0
    for (name, band), end in zip(names, ends, strict=True):
        digest = hashlib.sha256(head := json.dumps([name, band, end - begin]).encode())
        for values, width in points:
            digest.update(values[begin * width : end * width])
        yield len(head) + (end - begin) * sum(width for _, width in points), digest.digest()
        begin = end
