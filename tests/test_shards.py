import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_scripts import shards, tables
from workflow_scripts.lightcurve import ragged


def light_curves(ids: list[str], bands: list[str]) -> pa.Table:
    lengths = np.arange(len(ids)) % 4
    n = int(lengths.sum())
    rows = {
        "object_id": ids,
        "band": bands,
        "time": ragged.to_lists(np.arange(n, dtype=np.float64), lengths),
        "mag": ragged.to_lists(np.full(n, 15, np.float32), lengths),
        "mag_err": ragged.to_lists(np.full(n, 0.1, np.float32), lengths),
        "usable": ragged.to_lists(np.ones(n, dtype=bool), lengths),
    }
    return pa.table(rows, schema=tables.RAW_LIGHT_CURVES.schema)


MANY = light_curves([f"star {i // 2}" for i in range(400)], ["g", "r"] * 200)


def test_one_shard_holds_everything():
    assert set(shards.shard_of(["a", "b", "c"], 1)) == {0}
    (only,) = shards.split(MANY, 1)
    assert only.num_rows == MANY.num_rows


def test_an_object_is_always_in_the_same_shard():
    assert shards.shard_of(["x", "y", "x"], 1000)[0] == shards.shard_of(["x"], 1000)[0]


def test_shards_are_about_equal_also_for_running_numbers():
    counts = np.bincount(shards.shard_of([str(3019021001365 + i) for i in range(20_000)], 4), minlength=4)
    # Binomial: 5000 expected with a standard deviation of 61; five of them.
    assert np.abs(counts - 5000).max() < 306


@given(st.lists(st.text(), unique=True), st.integers(1, 50))
def test_shards_are_in_range_for_any_text(ids, n_shards):
    found = shards.shard_of(ids, n_shards)
    assert found.shape == (len(ids),)
    assert ((found >= 0) & (found < n_shards)).all()


def test_every_row_is_in_the_shard_of_its_object_and_nowhere_else():
    parts = shards.split(MANY, 7)
    for i, part in enumerate(parts):
        assert set(shards.shard_of(part["object_id"].to_pylist(), 7)) <= {i}
    rows = sorted(str(row) for part in parts for row in part.to_pylist())
    assert rows == sorted(str(row) for row in MANY.to_pylist())


def test_all_bands_of_an_object_are_in_one_shard_in_order():
    for part in shards.split(MANY, 5):
        keys = list(zip(part["object_id"].to_pylist(), part["band"].to_pylist(), strict=True))
        assert keys == sorted(keys)
        assert len(keys) == 2 * len({name for name, _ in keys})


def test_bytes_do_not_depend_on_the_order_of_rows(tmp_path):
    mixed = MANY.take(np.random.default_rng(3).permutation(MANY.num_rows))
    for i, (one, other) in enumerate(zip(shards.split(MANY, 3), shards.split(mixed, 3), strict=True)):
        tables.write(one, tmp_path / f"one{i}.parquet", tables.RAW_LIGHT_CURVES)
        tables.write(other, tmp_path / f"other{i}.parquet", tables.RAW_LIGHT_CURVES)
        assert (tmp_path / f"one{i}.parquet").read_bytes() == (tmp_path / f"other{i}.parquet").read_bytes()


@pytest.mark.parametrize("n_shards", [1, 4])
def test_an_empty_table_gives_empty_shards(n_shards):
    parts = shards.split(tables.RAW_LIGHT_CURVES.schema.empty_table(), n_shards)
    assert [part.num_rows for part in parts] == [0] * n_shards
    assert all(part.schema.names == tables.RAW_LIGHT_CURVES.names for part in parts)


def test_golden_shards_are_the_same_on_every_machine():
    # BLAKE2b with 8 bytes, little-endian, modulo 1000.
    assert shards.shard_of(["", "a", "3019021001365", "Cepheïd"], 1000).tolist() == [756, 928, 875, 934]
