"""SHA-256 of files and of light curves."""

import hashlib
import json
import random
import struct

import numpy as np
import pyarrow as pa
import pytest

from workflow_scripts import digests, shards, tables


def row(name: str, n: int, band: str = "r") -> dict[str, object]:
    at = np.arange(n, dtype=float)
    points = {"time": 59000 + at, "mag": 15 + at / 8, "mag_err": at / 64, "usable": [i % 2 == 0 for i in range(n)]}
    return {"object_id": name, "band": band} | {key: list(values) for key, values in points.items()}


ROWS = [row("b", 3), row("a", 0), row("ü", 1, "g"), *(row(f"star {i}", 1 + i % 7) for i in range(40))]


def write(path, rows):
    tables.write(pa.Table.from_pylist(rows, tables.RAW_LIGHT_CURVES.schema), path, tables.RAW_LIGHT_CURVES)
    return path


def literal(one: dict[str, object]) -> bytes:
    """Bytes of a row as the docstring says them, point by point."""
    n = len(one["time"])
    return b"".join(
        [
            json.dumps([one["object_id"], one["band"], n]).encode(),
            *(struct.pack("<d", t) for t in one["time"]),
            *(struct.pack("<f", m) for m in one["mag"]),
            *(struct.pack("<f", e) for e in one["mag_err"]),
            bytes(one["usable"]),
        ]
    )


def test_file_has_the_sha256_of_its_bytes(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")  # FIPS 180-2, B.1
    assert digests.of_file(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    path.write_bytes(b"")
    assert digests.of_file(path) == hashlib.sha256().hexdigest()


def test_light_curves_have_the_digest_of_the_sorted_digests_of_their_rows(tmp_path):
    each = [literal(one) for one in ROWS]
    expected = hashlib.sha256(b"".join(sorted(hashlib.sha256(one).digest() for one in each))).hexdigest()
    assert digests.of_light_curves([write(tmp_path / "a.parquet", ROWS)]) == (sum(map(len, each)), expected)


def test_sample_without_light_curves_has_the_digest_of_nothing(tmp_path):
    found = digests.of_light_curves([write(tmp_path / "a.parquet", [])])
    assert found == (0, hashlib.sha256().hexdigest())


@pytest.mark.parametrize("n_shards", [1, 2, 5])
def test_digest_does_not_depend_on_shards_or_on_the_order_of_rows(tmp_path, n_shards):
    whole = digests.of_light_curves([write(tmp_path / "whole.parquet", ROWS)])
    mixed = random.Random(n_shards).sample(ROWS, len(ROWS))
    parts = shards.split(pa.Table.from_pylist(mixed, tables.RAW_LIGHT_CURVES.schema), n_shards)
    paths = [write(tmp_path / f"{i}.parquet", part.to_pylist()) for i, part in enumerate(parts)]
    assert digests.of_light_curves(paths[::-1]) == whole


@pytest.mark.parametrize("column", ["object_id", "band", "time", "mag", "mag_err", "usable"])
def test_any_changed_value_changes_the_digest(tmp_path, column):
    before = digests.of_light_curves([write(tmp_path / "a.parquet", ROWS)])
    changed = row("b", 3)
    old = changed[column]
    changed[column] = f"{old}x" if isinstance(old, str) else [not old[0], *old[1:]] if column == "usable" else [*old]
    if column in ("time", "mag", "mag_err"):
        changed[column][1] = np.nextafter(np.float32(old[1]), np.float32(1e9)) if column != "time" else old[1] + 1e-9
    assert digests.of_light_curves([write(tmp_path / "a.parquet", [changed, *ROWS[1:]])]) != before


def test_point_that_moves_to_another_object_changes_the_digest(tmp_path):
    one, two = ([row("a", 2), row("b", 1)], [row("a", 1), row("b", 2)])
    found = {digests.of_light_curves([write(tmp_path / "a.parquet", rows)]) for rows in (one, two)}
    assert len({digest for _, digest in found}) == 2
