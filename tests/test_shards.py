import itertools

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


# By sky


def sky(n: int, seed: int = 1) -> pa.Table:
    rng = np.random.default_rng(seed)
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    return pa.table({"object_id": [f"star {i}" for i in range(n)], "ra_deg": ra, "dec_deg": dec})


@pytest.mark.parametrize(("n", "n_shards"), [(1000, 7), (1000, 1), (3, 7), (0, 4)])
def test_shards_of_the_sky_hold_equally_many(n, n_shards):
    counts = np.bincount(shards.by_sky(sky(n), n_shards), minlength=n_shards)
    assert len(counts) == n_shards
    assert counts.sum() == n
    assert counts.max() - counts.min() <= 1


def test_shard_of_an_object_does_not_depend_on_the_order_of_rows():
    rows, order = sky(500), np.random.default_rng(2).permutation(500)
    assert (shards.by_sky(rows.take(order), 9) == shards.by_sky(rows, 9)[order]).all()


def test_objects_at_one_place_are_divided_by_their_names():
    rows = pa.table({"object_id": ["b", "a", "d", "c"], "ra_deg": [10.0] * 4, "dec_deg": [-5.0] * 4})
    assert shards.by_sky(rows, 2).tolist() == [0, 0, 1, 1]
    assert shards.by_sky(rows, 4).tolist() == [1, 0, 3, 2]


def test_objects_without_coordinates_come_last():
    place = pa.array([None, 1.0, 2.0, None, 3.0, 4.0])
    rows = pa.table({"object_id": list("abcdef"), "ra_deg": place, "dec_deg": place})
    assert shards.by_sky(rows, 3).tolist()[0] == shards.by_sky(rows, 3).tolist()[3] == 2


def test_impossible_coordinates_are_named():
    rows = pa.table({"object_id": ["a", "b"], "ra_deg": [1.0, 2.0], "dec_deg": [3.0, 95.0]})
    with pytest.raises(tables.DataError, match=r"objects to be divided by sky: 1 of 2 positions"):
        shards.by_sky(rows, 2)


def test_few_shards_need_a_file_of_a_part_of_the_sky():
    """Square degrees as files: by sky a file serves one shard, at an edge two or more; by hash nearly all."""
    rows = sky(200_000)
    files = np.floor(rows["dec_deg"].to_numpy()) * 1000 + np.floor(
        rows["ra_deg"].to_numpy() * np.cos(np.radians(rows["dec_deg"].to_numpy()))
    )
    by_hash = shards.shard_of(rows["object_id"].to_pylist(), 50)
    n_files = len(np.unique(files))
    opened = [len(np.unique(np.stack([files, shard]), axis=1).T) for shard in (shards.by_sky(rows, 50), by_hash)]
    assert opened[0] < 1.2 * n_files
    assert opened[1] > 3 * n_files


def test_parts_have_the_rows_of_their_shard_in_order():
    for i, part in enumerate(shards.parts(MANY, shards.shard_of(MANY["object_id"].to_pylist(), 3)[::-1].copy(), 3)):
        keys = list(zip(part["object_id"].to_pylist(), part["band"].to_pylist(), strict=True))
        assert keys == sorted(keys)
        assert len(keys) == (shards.shard_of(MANY["object_id"].to_pylist(), 3) == i).sum()


# In one file


def test_shards_of_a_file_are_those_of_the_table(tmp_path):
    shards.write([MANY], tmp_path / "many.parquet", tables.RAW_LIGHT_CURVES, 7)
    for i, part in enumerate(shards.split(MANY, 7)):
        found = shards.read(tmp_path / "many.parquet", tables.RAW_LIGHT_CURVES, i)
        assert found.to_pylist() == part.to_pylist()


@pytest.mark.parametrize("cuts", [(), (1,), (130, 130, 252)])
def test_blocks_give_the_same_shards_as_one_table(tmp_path, cuts):
    """Blocks in the order of identifiers; a block may be empty, and a shard may have nothing in a block."""
    rows = MANY.sort_by([("object_id", "ascending"), ("band", "ascending")])
    ends = [0, *cuts, rows.num_rows]
    blocks = (rows.slice(a, b - a) for a, b in itertools.pairwise(ends))
    shards.write(blocks, tmp_path / "many.parquet", tables.RAW_LIGHT_CURVES, 7)
    for i, part in enumerate(shards.split(MANY, 7)):
        found = shards.read(tmp_path / "many.parquet", tables.RAW_LIGHT_CURVES, i)
        assert found.to_pylist() == part.to_pylist()
    assert tables.read(tmp_path / "many.parquet", tables.RAW_LIGHT_CURVES).num_rows == MANY.num_rows


def test_a_file_of_one_shard_alone_is_that_shard(tmp_path):
    tables.write(MANY, tmp_path / "0003.parquet", tables.RAW_LIGHT_CURVES)
    assert shards.read(tmp_path / "0003.parquet", tables.RAW_LIGHT_CURVES, 3).num_rows == MANY.num_rows


def test_rows_without_bands_are_sorted_by_object(tmp_path):
    rows = pa.table({"object_id": ["c", "a", "b"], "ra_deg": [3.0, 1.0, 2.0]})
    table = tables.Table("places", (tables.OBJECT_ID, tables.Column("ra_deg", pa.float64(), "deg", "place")))
    shards.write([rows], tmp_path / "places.parquet", table, 1)
    assert tables.read(tmp_path / "places.parquet", table)["ra_deg"].to_pylist() == [1.0, 2.0, 3.0]


def test_no_block_gives_empty_shards(tmp_path):
    shards.write([], tmp_path / "none.parquet", tables.RAW_LIGHT_CURVES, 3)
    assert shards.read(tmp_path / "none.parquet", tables.RAW_LIGHT_CURVES, 2).num_rows == 0


def test_missing_and_truncated_files_are_named(tmp_path):
    path = tmp_path / "many.parquet"
    with pytest.raises(tables.DataError, match=r"many\.parquet does not exist; run the rule that makes it"):
        shards.read(path, tables.RAW_LIGHT_CURVES, 0)
    shards.write([MANY], path, tables.RAW_LIGHT_CURVES, 3)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(tables.DataError, match="not a whole Parquet file"):
        shards.read(path, tables.RAW_LIGHT_CURVES, 0)


def test_a_block_that_fails_leaves_no_file(tmp_path):
    def blocks():
        yield MANY
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        shards.write(blocks(), tmp_path / "many.parquet", tables.RAW_LIGHT_CURVES, 3)
    assert list(tmp_path.iterdir()) == []


def test_golden_shards_are_the_same_on_every_machine():
    # BLAKE2b with 8 bytes, little-endian, modulo 1000.
    assert shards.shard_of(["", "a", "3019021001365", "Cepheïd"], 1000).tolist() == [756, 928, 875, 934]
