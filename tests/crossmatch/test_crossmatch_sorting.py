"""Sorted files: order, contents, motion, large files through parts on disk, and what is refused."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from skies import all_sky, clumps

from workflow_scripts import tables
from workflow_scripts.crossmatch import Motion, Rule, propagate, sorting
from workflow_scripts.crossmatch.cells import fine_cells
from workflow_scripts.crossmatch.row_groups import CELL, POSITIONS
from workflow_scripts.crossmatch.sorting import Layout, sort_by_healpix
from workflow_scripts.crossmatch.streaming import match_files
from workflow_scripts.tables import DataError


def catalogue(count=1000, seed=1):
    sky = all_sky(seed, count)
    return pa.table(
        {
            "name": [f"star {i}" for i in range(count)],
            "ra_deg": sky.ra_deg,
            "dec_deg": sky.dec_deg,
            "mag": pa.array(np.linspace(10, 20, count), pa.float32()),
            "epochs": [[float(i)] * (i % 3) for i in range(count)],
        }
    )


GAIA = Layout("ra", "dec", Motion(target_epoch_yr=2000.0, epoch_yr=2016.0))


def gaia(count=100):
    rng = np.random.default_rng(2)
    sky = all_sky(3, count)
    pm = rng.normal(0, 100, (2, count))
    unknown = np.arange(count) % 10 == 0
    columns = {"ra": sky.ra_deg, "dec": sky.dec_deg, "pmra": pa.array(pm[0], mask=unknown), "pmdec": pm[1]}
    return pa.table(columns | {"source_id": np.arange(count), "ref_epoch": np.full(count, 2016.0)})


def test_rows_are_sorted_and_whole(tmp_path):
    source = catalogue()
    assert sort_by_healpix(source, tmp_path / "sorted.parquet") == 1000
    found = pq.read_table(tmp_path / "sorted.parquet")
    assert found.column_names == [*POSITIONS.names, "name", "mag", "epochs"]
    cells = found[CELL].to_numpy()
    assert (np.diff(cells) > 0).all()
    order = [int(name.split()[1]) for name in found["name"].to_pylist()]
    for name in ("ra_deg", "dec_deg", "mag", "epochs"):
        assert found[name].to_pylist() == source[name].take(order).to_pylist()
    assert not any(found["moved"].to_pylist())


def test_rows_at_one_position_keep_their_order(tmp_path):
    sky = clumps(1, 200, repeated=100)
    sort_by_healpix(
        pa.table({"ra_deg": sky.ra_deg, "dec_deg": sky.dec_deg, "row": np.arange(200)}), tmp_path / "s.parquet"
    )
    found = pq.read_table(tmp_path / "s.parquet")
    cells, row = found[CELL].to_numpy(), found["row"].to_numpy()
    assert (np.lexsort((row, cells)) == np.arange(200)).all()
    assert (np.diff(cells) == 0).sum() >= 100


def test_row_groups_have_the_size_asked_for_and_statistics(tmp_path):
    sort_by_healpix(catalogue(), tmp_path / "sorted.parquet", row_group=300)
    metadata = pq.read_metadata(tmp_path / "sorted.parquet")
    assert [metadata.row_group(i).num_rows for i in range(4)] == [300, 300, 300, 100]
    assert all(metadata.row_group(i).column(0).statistics.has_min_max for i in range(4))


@pytest.mark.parametrize("bucket_bytes", [10**9, 20_000, 1])
@pytest.mark.parametrize("batch", [65_536, 17])
@pytest.mark.parametrize("source_group", [1000, 130])
def test_a_file_gives_the_bytes_of_the_table(tmp_path, monkeypatch, bucket_bytes, batch, source_group):
    pq.write_table(catalogue(), tmp_path / "source.parquet", row_group_size=source_group)
    source = pq.read_table(tmp_path / "source.parquet")  # Parquet has a name of its own for the items of a list
    sort_by_healpix(source, tmp_path / "expected.parquet", row_group=300)
    monkeypatch.setattr(sorting, "_BUCKET_BYTES", bucket_bytes)
    monkeypatch.setattr(sorting, "_BATCH", batch)
    sort_by_healpix(tmp_path / "source.parquet", tmp_path / "found.parquet", row_group=300)
    assert (tmp_path / "found.parquet").read_bytes() == (tmp_path / "expected.parquet").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["expected.parquet", "found.parquet", "source.parquet"]


def test_parts_on_disk_are_of_bounded_size(tmp_path, monkeypatch):
    pq.write_table(catalogue(5000), tmp_path / "source.parquet", row_group_size=1000)
    monkeypatch.setattr(sorting, "_BUCKET_BYTES", 30_000)
    sizes = []
    buckets = sorting._buckets

    def watched(*arguments):
        for part in buckets(*arguments):
            sizes.append(part.nbytes)
            yield part

    monkeypatch.setattr(sorting, "_buckets", watched)
    sort_by_healpix(tmp_path / "source.parquet", tmp_path / "sorted.parquet")
    assert len(sizes) > 5
    assert max(sizes) < 60_000


def test_units_and_meanings_are_kept(tmp_path):
    mag = pa.field("mag", pa.float32(), metadata={"unit": "mag", "meaning": "mean magnitude", "ucd": "phot.mag"})
    source = catalogue()
    sort_by_healpix(source.set_column(3, mag, source["mag"]), tmp_path / "sorted.parquet")
    schema = pq.read_schema(tmp_path / "sorted.parquet")
    assert schema.field("mag").metadata == {b"unit": b"mag", b"meaning": b"mean magnitude", b"ucd": b"phot.mag"}
    assert schema.field("ra_deg").metadata[b"unit"] == b"deg"
    assert schema.metadata[b"table"] == b"positions"


def test_positions_are_those_of_the_contract(tmp_path):
    sort_by_healpix(catalogue().select(["ra_deg", "dec_deg"]), tmp_path / "sorted.parquet")
    found = tables.read(tmp_path / "sorted.parquet", POSITIONS)
    assert found.schema.equals(POSITIONS.schema)


def test_whole_numbers_and_single_precision_are_positions_too(tmp_path):
    sort_by_healpix(pa.table({"ra_deg": [360, 10], "dec_deg": pa.array([5, 90], pa.float32())}), tmp_path / "s.parquet")
    found = pq.read_table(tmp_path / "s.parquet")
    assert sorted(zip(found["ra_deg"].to_pylist(), found["dec_deg"].to_pylist(), strict=True)) == [(0, 5), (10, 90)]


def test_an_empty_catalogue_stays_empty(tmp_path):
    pq.write_table(catalogue(0), tmp_path / "none.parquet")
    for source in (catalogue(0), tmp_path / "none.parquet"):
        assert sort_by_healpix(source, tmp_path / "sorted.parquet") == 0
        assert pq.read_table(tmp_path / "sorted.parquet").column_names == [*POSITIONS.names, "name", "mag", "epochs"]


def test_motion_moves_positions_and_keeps_those_of_the_catalogue(tmp_path):
    source = gaia()
    sort_by_healpix(source, tmp_path / "sorted.parquet", GAIA)
    found = pq.read_table(tmp_path / "sorted.parquet").sort_by("source_id")
    pm_ra, pm_dec = (source[name].to_numpy(zero_copy_only=False) for name in ("pmra", "pmdec"))
    expected = propagate(source["ra"].to_numpy(), source["dec"].to_numpy(), pm_ra, pm_dec, -16.0)
    assert (found["ra_deg"].to_numpy() == expected.ra_deg).all()
    assert (found["dec_deg"].to_numpy() == expected.dec_deg).all()
    assert found["moved"].to_pylist() == expected.moved.tolist()
    assert found["moved"].to_pylist().count(False) == 10
    assert (found["catalogue_ra_deg"].to_numpy() == source["ra"].to_numpy()).all()
    assert (found[CELL].to_numpy() == fine_cells(expected)).all()
    assert pq.read_schema(tmp_path / "sorted.parquet").metadata[b"epoch_yr"] == b"2000"


def test_epoch_may_be_a_column(tmp_path):
    sort_by_healpix(gaia(), tmp_path / "number.parquet", GAIA)
    by_column = Layout("ra", "dec", Motion(2000.0, "ref_epoch"))
    sort_by_healpix(gaia(), tmp_path / "column.parquet", by_column)
    assert pq.read_table(tmp_path / "number.parquet").equals(pq.read_table(tmp_path / "column.parquet"))


def test_fast_stars_are_found_at_the_epoch_of_the_other_catalogue(tmp_path):
    # 94 mas/yr for 16 years are 1.5 arcsec.
    star = {"ra": [10.0], "dec": [60.0], "pmra": [200.0], "pmdec": [-300.0], "source_id": [1]}
    then = propagate(*(np.array(star[name]) for name in ("ra", "dec", "pmra", "pmdec")), -16.0)
    sort_by_healpix(pa.table({"ra_deg": then.ra_deg, "dec_deg": then.dec_deg}), tmp_path / "2mass.parquet")
    sort_by_healpix(pa.table(star), tmp_path / "moved.parquet", GAIA)
    sort_by_healpix(pa.table(star), tmp_path / "left.parquet", Layout("ra", "dec"))
    found = [
        match_files(
            tmp_path / "2mass.parquet", tmp_path / f"{name}.parquet", tmp_path / "pairs.parquet", Rule(1.5)
        ).pairs
        for name in ("left", "moved")
    ]
    assert found == [0, 1]
    assert pq.read_table(tmp_path / "pairs.parquet")["b_moved"].to_pylist() == [True]


def test_catalogues_of_two_epochs_are_not_matched(tmp_path):
    sort_by_healpix(gaia(), tmp_path / "a.parquet", GAIA)
    sort_by_healpix(gaia(), tmp_path / "b.parquet", Layout("ra", "dec", Motion(1998.5, 2016.0)))
    with pytest.raises(
        DataError, match=r"a\.parquet are of 2000, those in .*b\.parquet of 1998\.5; sort both with one"
    ):
        match_files(tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path / "pairs.parquet", Rule(1.5))


# Bad input


def refused(source, tmp_path, message, layout=None):
    with pytest.raises(DataError, match=message):
        sort_by_healpix(source, tmp_path / "sorted.parquet", layout)
    assert not [path for path in tmp_path.iterdir() if "sort" in path.name]


def test_missing_columns_are_named(tmp_path):
    refused(
        catalogue(),
        tmp_path,
        r"catalogue to sort has no columns \['ra', 'dec'\]; it has \['name', ",
        Layout("ra", "dec"),
    )
    motion = Layout(motion=Motion(2000.0, 2016.0))
    refused(catalogue(), tmp_path, r"has no columns \['pmra', 'pmdec'\]", motion)


def test_texts_are_no_positions(tmp_path):
    source = catalogue().drop_columns("ra_deg")
    refused(source, tmp_path, "column 'name' is string, expected numbers; convert it first", Layout("name"))


@pytest.mark.parametrize("bucket_bytes", [10**9, 1])
def test_bad_positions_are_counted_and_the_first_is_named(tmp_path, monkeypatch, bucket_bytes):
    monkeypatch.setattr(sorting, "_BUCKET_BYTES", bucket_bytes)
    monkeypatch.setattr(sorting, "_BATCH", 100)
    source = catalogue()
    ra = pa.array(source["ra_deg"].to_numpy(), mask=np.isin(np.arange(1000), [555, 560]))
    pq.write_table(source.set_column(1, "ra_deg", ra), tmp_path / "source.parquet")
    refused(
        tmp_path / "source.parquet",
        tmp_path,
        r"source\.parquet, rows 500 to 599: 2 of 100 positions .* row 555 \(from 0\): ra = nan",
    )


def test_names_that_are_taken_are_refused(tmp_path):
    source = catalogue().append_column("moved", pa.array(np.zeros(1000)))
    refused(source, tmp_path, r"columns \['moved'\] have names that the sorted file needs; rename them")
    source = catalogue().append_column("ra", pa.array(np.zeros(1000)))
    refused(source, tmp_path, r"columns \['ra_deg'\] have names", Layout("ra"))


def test_cells_of_an_older_sort_are_replaced(tmp_path):
    source = catalogue().append_column(CELL, pa.array(np.zeros(1000, dtype=np.int64)))
    sort_by_healpix(source, tmp_path / "sorted.parquet")
    assert (np.diff(pq.read_table(tmp_path / "sorted.parquet")[CELL].to_numpy()) > 0).all()


def test_files_that_are_none_are_refused(tmp_path):
    refused(tmp_path / "gone.parquet", tmp_path, r"gone\.parquet does not exist")
    (tmp_path / "text.parquet").write_text("ra,dec\n")
    refused(tmp_path / "text.parquet", tmp_path, r"text\.parquet is not a whole Parquet file")


def test_flipped_bit_in_a_sorted_file_is_found(tmp_path):
    path = tmp_path / "sorted.parquet"
    sort_by_healpix(catalogue(), path)
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(OSError, match="CRC checksum verification failed"):
        pq.read_table(path, page_checksum_verification=True)
