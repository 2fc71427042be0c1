"""HATS collections that LSDB writes here from tables made here, against those tables."""

import functools
import http.server
import shutil
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from astropy import units
from astropy.coordinates import SkyCoord

from workflow_scripts import tables
from workflow_scripts.surveys import hats
from workflow_scripts.surveys.hats import HatsSource
from workflow_scripts.tables import DataError

lsdb = pytest.importorskip("lsdb", reason="reading HATS collections needs the extra `hats`")

LISTS = ["hmjd", "mag", "magerr", "catflags"]
ZTF = {
    "object_id": "objectid",
    "band": "filterid",
    "time": "hmjd",
    "mag": "mag",
    "mag_err": "magerr",
    "flag": "catflags",
}
NESTED = ZTF | {ours: f"lightcurve.{theirs}" for ours, theirs in ZTF.items() if theirs in LISTS}
N_STARS, RADIUS_ARCSEC = 150, 2.0
N_SHARDS = (1, 2, 5)


def source(collection: Path | str, columns: dict[str, str] = ZTF, **changes) -> HatsSource:
    plain = {"survey": "ZTF", "time_format": "mjd", "flag_limit": 32768, "bands": {}, "cone": ()}
    plain |= {"radius_arcsec": RADIUS_ARCSEC, "dask": ""}
    return HatsSource(collection=str(collection), columns=dict(columns), **(plain | changes))


def read(wanted: HatsSource, n_shards: int = 1, targets: Path | None = None) -> tuple[pa.Table, pa.Table]:
    """All shards, joined as the workflow joins them; light curves sorted."""
    shards = [hats.read(wanted, targets, i, n_shards) for i in range(n_shards)]
    for objects, curves in shards:
        assert objects.schema == tables.OBJECTS.schema
        assert curves.schema == tables.RAW_LIGHT_CURVES.schema
        assert curves.equals(curves.sort_by([("object_id", "ascending"), ("band", "ascending")]))
    curves = pa.concat_tables([curves for _, curves in shards])
    order = [("object_id", "ascending"), ("band", "ascending")]
    return hats.distinct(pa.concat_tables(objects for objects, _ in shards), wanted.survey), curves.sort_by(
        order
    ).combine_chunks()


# The tables


@functools.cache
def stars() -> pa.Table:
    """ZTF's bulk layout: a row for each star and band, each with its own identifier and position; around RA 0."""
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(-4, 4, N_STARS), rng.uniform(-2, 6, N_STARS)
    bands, star = np.divmod(np.arange(3 * N_STARS), N_STARS)
    lengths = rng.integers(1, 12, 3 * N_STARS)
    lengths[7] = 0  # an object that was never measured
    jitter = rng.normal(0, 0.1 / 3600, (2, 3 * N_STARS))
    columns = {
        "objectid": 600_000_000_000_000 + rng.permutation(3 * N_STARS),
        "filterid": (bands + 1).astype(np.uint8),
        "objra": (ra[star] + jitter[0]) % 360,
        "objdec": dec[star] + jitter[1],
        "nepochs": lengths,
        "kind": np.where(star % 2, "RR", "EW"),
        "period": 0.1 + star / 100,
    }
    values = {
        "hmjd": (rng.uniform(58000, 59000, lengths.sum()), pa.float64()),
        "mag": (rng.normal(17, 1, lengths.sum()), pa.float32()),
        "magerr": (rng.uniform(0.01, 0.1, lengths.sum()), pa.float32()),
        "catflags": (np.where(rng.uniform(size=lengths.sum()) < 0.2, 32768, 2), pa.uint16()),
    }
    offsets = np.concatenate([[0], lengths.cumsum()])
    lists = {k: pa.ListArray.from_arrays(offsets, pa.array(v).cast(t, safe=False)) for k, (v, t) in values.items()}
    return pa.table({**columns, **lists})


def long_stars() -> pa.Table:
    """Return the same with a row for each point, mixed; without the object that has none."""
    table = stars()
    row = np.repeat(np.arange(table.num_rows), table["nepochs"].to_numpy())
    single = {name: table[name].take(pa.array(row)) for name in table.column_names if name not in LISTS}
    points = pa.table({**single, **{name: pc.list_flatten(table[name]) for name in LISTS}})
    return points.take(pa.array(np.random.default_rng(2).permutation(len(row))))


def write(table: pa.Table, folder: Path, rows: int, nested: bool = False, **options) -> Path:
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    size = {"lowest_order": 3, "highest_order": 8, "partition_rows": rows, "margin_threshold": None}
    catalog = lsdb.from_dataframe(frame, **({"ra_column": "objra", "dec_column": "objdec"} | size | options))
    if nested:
        catalog = catalog.nest_lists(list_columns=LISTS, name="lightcurve")
    catalog.write_catalog(folder, catalog_name=folder.name, progress_bar=False)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("hats")


@pytest.fixture(scope="module")
def flat(folder) -> Path:
    return write(stars(), folder / "flat", 60)


@pytest.fixture(scope="module")
def nested(folder) -> Path:
    return write(stars(), folder / "nested", 60, nested=True)


@pytest.fixture(scope="module")
def long(folder) -> Path:
    return write(long_stars(), folder / "long", 300)


@pytest.fixture(scope="module")
def bare(folder) -> Path:
    return write(stars().drop_columns(LISTS), folder / "bare", 60)


@pytest.fixture
def copy(flat, tmp_path) -> Path:
    """A collection that a test may break."""
    return Path(shutil.copytree(flat, tmp_path / "copy"))


def partitions(collection: Path) -> list[Path]:
    """Files of the partitions in HEALPix order, by their names."""
    found = {}
    for path in collection.glob("*/dataset/Norder=*/Dir=*/Npix=*.parquet"):
        order, pixel = int(path.parts[-3].split("=")[1]), int(path.stem.split("=")[1])
        found[pixel * 4 ** (29 - order)] = path
    return [found[start] for start in sorted(found)]


def as_points(curves: pa.Table) -> dict[tuple[str, str], list[tuple]]:
    """Points of each light curve, sorted."""
    lists = zip(*(curves[name].to_pylist() for name in ("time", "mag", "mag_err", "usable")), strict=True)
    keys = zip(curves["object_id"].to_pylist(), curves["band"].to_pylist(), strict=True)
    return {key: sorted(zip(*values, strict=True)) for key, values in zip(keys, lists, strict=True)}


def expected_points(table: pa.Table) -> dict[tuple[str, str], list[tuple]]:
    """Return the same from the table that was written, value by value."""
    found: dict[tuple[str, str], list[tuple]] = {}
    for row in table.to_pylist():
        points = zip(*(row[name] for name in LISTS), strict=True)
        key = str(row["objectid"]), str(row["filterid"])
        found.setdefault(key, []).extend((time, mag, err, flag < 32768) for time, mag, err, flag in points)
    return {key: sorted(points) for key, points in found.items() if points}


# Layouts and shards


@pytest.mark.parametrize(("layout", "columns"), [("flat", ZTF), ("nested", NESTED), ("long", ZTF)])
@pytest.mark.parametrize("n_shards", N_SHARDS)
def test_every_layout_and_number_of_shards_gives_the_points_that_were_written(layout, columns, n_shards, request):
    collection = request.getfixturevalue(layout)
    assert len(partitions(collection)) > 8
    objects, curves = read(source(collection, columns), n_shards)
    assert as_points(curves) == expected_points(stars())
    never = {str(stars()["objectid"][7].as_py())}
    listed = {str(i) for i in stars()["objectid"].to_pylist()}
    assert set(objects["object_id"].to_pylist()) == (listed - never if layout == "long" else listed)


def test_every_number_of_shards_gives_the_same_rows(nested):
    first, *others = (read(source(nested, NESTED), n) for n in N_SHARDS)
    for other in others:
        assert first[0].equals(other[0])
        assert first[1].equals(other[1])


def shards_of(wanted: HatsSource, n_shards: int) -> list[set[str]]:
    return [set(hats.read(wanted, None, i, n_shards)[0]["object_id"].to_pylist()) for i in range(n_shards)]


def test_a_shard_has_every_nth_partition_in_healpix_order(flat):
    files = [set(map(str, pq.read_table(path)["objectid"].to_pylist())) for path in partitions(flat)]
    for n_shards in (3, len(files)):
        assert shards_of(source(flat), n_shards) == [set().union(*files[i::n_shards]) for i in range(n_shards)]


def test_a_shard_has_one_partition_of_a_cone_where_there_are_as_many(flat):
    """Partitions that a cone touches without a row in it are counted too: they are empty shards."""
    wanted = source(flat, cone=(0.5, 2.0, 3.0))
    inside = set(read(wanted)[0]["object_id"].to_pylist())
    files = [set(map(str, pq.read_table(path)["objectid"].to_pylist())) & inside for path in partitions(flat)]
    assert [ids for ids in shards_of(wanted, len(files)) if ids] == [ids for ids in files if ids]


def test_more_shards_than_partitions_are_empty_tables(flat):
    n = len(partitions(flat)) + 1
    objects, curves = hats.read(source(flat), None, n - 1, n)
    assert (objects.num_rows, curves.num_rows) == (0, 0)
    assert (objects.schema, curves.schema) == (tables.OBJECTS.schema, tables.RAW_LIGHT_CURVES.schema)


def test_objects_have_the_collection_s_positions_and_what_the_map_adds(flat):
    objects, _ = read(source(flat, ZTF | {"class": "kind", "catalogue_period_d": "period"}))
    rows = {str(row["objectid"]): row for row in stars().to_pylist()}
    for found in objects.to_pylist():
        row = rows[found["object_id"]]
        assert (found["ra_deg"], found["dec_deg"]) == (row["objra"], row["objdec"])
        assert (found["class"], found["catalogue_period_d"]) == (row["kind"], row["period"])
        assert found["survey"] == "ZTF"
    assert set(read(source(flat))[0]["class"].to_pylist()) == {None}


def test_a_collection_without_points_gives_objects_alone(bare, flat):
    objects, curves = read(source(bare, {"object_id": "objectid"}), 2)
    assert curves.num_rows == 0
    assert objects.equals(read(source(flat))[0])


def test_bands_are_chosen_and_named(flat):
    objects, curves = read(source(flat, bands={"1": "g", "3": "i"}), 2)
    names = {"1": "g", "3": "i"}
    expected = expected_points(stars())
    assert as_points(curves) == {(i, names[band]): p for (i, band), p in expected.items() if band in names}
    assert objects.num_rows == 2 * N_STARS


def test_two_codes_of_one_band_are_one_light_curve(folder):
    table = stars()
    one_id = table.set_column(0, "objectid", pa.array(np.tile(np.arange(N_STARS), 3)))
    one_place = one_id.set_column(2, "objra", pa.array(np.tile(table["objra"].to_numpy()[:N_STARS], 3)))
    one_place = one_place.set_column(3, "objdec", pa.array(np.tile(table["objdec"].to_numpy()[:N_STARS], 3)))
    collection = write(one_place, folder / "one_id", 60)
    objects, curves = read(source(collection, bands={"1": "r", "2": "r"}), 3)
    assert curves["band"].unique().to_pylist() == ["r"]
    assert objects.num_rows == curves.num_rows == N_STARS
    expected = sum(stars()["nepochs"].to_pylist()[: 2 * N_STARS])
    assert pc.sum(pc.list_value_length(curves["time"])).as_py() == expected


# Cone


@pytest.mark.parametrize("centre", [(0.5, 2.0), (359.5, 2.0), (359.999, -1.5)])
def test_the_cone_keeps_what_lies_in_it(flat, centre):
    places = SkyCoord(stars()["objra"].to_numpy(), stars()["objdec"].to_numpy(), unit="deg")
    inside = places.separation(SkyCoord(*centre, unit="deg")).deg <= 1.5
    assert 10 < inside.sum() < len(inside) / 2
    expected = sorted(str(i) for i in stars()["objectid"].to_numpy()[inside])
    for n_shards in N_SHARDS:
        objects, curves = read(source(flat, cone=(*centre, 1.5)), n_shards)
        assert objects["object_id"].to_pylist() == expected
        assert set(curves["object_id"].to_pylist()) <= set(expected)


def test_partitions_outside_the_cone_are_not_read(copy):
    centre = SkyCoord(3.0, 5.0, unit="deg")
    wanted = source(copy, cone=(centre.ra.deg, centre.dec.deg, 0.5))
    before, paths = read(wanted), partitions(copy)
    for path in paths:
        rows = pq.read_table(path)
        if SkyCoord(rows["objra"].to_numpy(), rows["objdec"].to_numpy(), unit="deg").separation(centre).deg.min() > 2:
            path.write_bytes(b"")
    assert sum(not path.stat().st_size for path in paths) > 2
    assert before[1].equals(read(wanted)[1])


@pytest.mark.parametrize("cone", [(0.0, 2.0), (0.0, 95.0, 1.0), (400.0, 2.0, 1.0), (0.0, 2.0, 0.0), (0.0, 2.0, np.nan)])
def test_an_impossible_cone_is_an_error(flat, cone):
    with pytest.raises(DataError, match="hats: cone"):
        read(source(flat, cone=cone))


def test_a_cone_off_the_collection_is_an_error(flat):
    with pytest.raises(DataError, match=r"no coverage.*check .*the cone"):
        read(source(flat, cone=(180.0, 2.0, 1.0)))


# Targets


def save_targets(path: Path, ra: np.ndarray, dec: np.ndarray, **more: object) -> Path:
    names = [f"T{i}" for i in range(len(ra))]
    pq.write_table(pa.table({"object_id": names, "ra_deg": ra % 360, "dec_deg": dec, **more}), path)
    return path


def brute_force(ra: np.ndarray, dec: np.ndarray, table: pa.Table) -> dict[tuple[str, str], str]:
    """Counterparts (target, band): object, from the table of all separations."""
    targets, found = SkyCoord(ra, dec, unit="deg"), {}
    for band in (1, 2, 3):
        rows = table.filter(pc.equal(table["filterid"], band))
        places = SkyCoord(rows["objra"].to_numpy(), rows["objdec"].to_numpy(), unit="deg")
        angles = targets[:, None].separation(places[None]).arcsec
        for i, j in enumerate(angles.argmin(axis=1)):
            if angles[i, j] <= RADIUS_ARCSEC and angles[:, j].argmin() == i:
                found[f"T{i}", str(band)] = str(rows["objectid"][int(j)])
    return found


def check_targets(wanted: HatsSource, table: pa.Table, ra: np.ndarray, dec: np.ndarray, path: Path) -> int:
    """Compare with brute force for several numbers of shards; the number of light curves."""
    targets = save_targets(path, ra, dec)
    pairs, points = brute_force(ra, dec, table), expected_points(table)
    expected = {(i, band): points[star, band] for (i, band), star in pairs.items() if (star, band) in points}
    for n_shards in N_SHARDS:
        objects, curves = read(wanted, n_shards, targets)
        assert as_points(curves) == expected
        assert objects["object_id"].to_pylist() == sorted({i for i, _ in pairs})
    return len(expected)


@pytest.mark.parametrize(("layout", "columns"), [("flat", ZTF), ("nested", NESTED), ("long", ZTF)])
def test_targets_get_their_mutual_best_counterparts_in_each_band(layout, columns, request, tmp_path):
    rng = np.random.default_rng(3)
    table = stars().take(pa.array(np.r_[:40, 200:220]))
    ra = table["objra"].to_numpy() + rng.normal(0, 1 / 3600, 60)
    dec = table["objdec"].to_numpy() + rng.normal(0, 1 / 3600, 60)
    everything = stars() if layout != "long" else stars().filter(pc.greater(stars()["nepochs"], 0))
    wanted = source(request.getfixturevalue(layout), columns)
    assert 50 < check_targets(wanted, everything, np.r_[ra, 100.0], np.r_[dec, 0.0], tmp_path / "t.parquet") < 180


@pytest.mark.parametrize("place", [(45.0, 0.0), (0.0, 90.0), (0.0, 41.8103149), (315.0, -41.8103149)])
def test_edges_between_partitions_hide_no_counterpart(place, tmp_path):
    """Around places where base cells meet: three, four or two of them, poles and corners included."""
    rng = np.random.default_rng(4)
    offsets = SkyCoord(*place, unit="deg").directional_offset_by(
        rng.uniform(0, 360, 240) * units.deg, rng.uniform(0, 12, 240) * units.arcsec
    )
    rows = stars().take(pa.array(rng.permutation(3 * N_STARS)[:240]))
    table = rows.set_column(2, "objra", pa.array(offsets.ra.deg)).set_column(3, "objdec", pa.array(offsets.dec.deg))
    collection = write(table, tmp_path / "edges", 240, lowest_order=8)
    assert len(partitions(collection)) >= 2
    near = offsets[::4].directional_offset_by(rng.uniform(0, 360, 60) * units.deg, 0.7 * units.arcsec)
    found = check_targets(source(collection), table, near.ra.deg, near.dec.deg, tmp_path / "t.parquet")
    assert found > 30


def test_targets_bring_their_own_class_period_and_position(flat, tmp_path):
    ra, dec = stars()["objra"].to_numpy()[:5], stars()["objdec"].to_numpy()[:5]
    more = {"class": ["EA", None, "EW", "EB", "EC"], "catalogue_period_d": [1.0, 2.0, None, 4.0, 5.0]}
    targets = save_targets(tmp_path / "t.parquet", ra, dec, **more)
    objects, curves = read(source(flat, ZTF | {"class": "kind"}), 2, targets)
    assert objects["class"].to_pylist() == more["class"]
    assert objects["catalogue_period_d"].to_pylist() == more["catalogue_period_d"]
    assert objects["ra_deg"].to_pylist() == ra.tolist()
    assert set(curves["band"].to_pylist()) == {"1", "2", "3"}


def test_targets_without_counterpart_leave_empty_shards(flat, tmp_path):
    targets = save_targets(tmp_path / "t.parquet", np.array([0.0, 200.0]), np.array([89.0, 2.0]))
    objects, curves = hats.read(source(flat), targets, 0, 2)
    assert (objects.num_rows, curves.num_rows) == (0, 0)
    with pytest.raises(DataError, match="no object in any shard; correct `cone`, `bands`, `objects`"):
        read(source(flat), 2, targets)


def test_odd_stars_are_the_same_in_any_number_of_shards(folder, tmp_path, caplog):
    """One star without a point and one without a good magnitude, each alone in its shard, and one like any other."""
    rows = {
        "objectid": [1, 2, 3],
        "objra": [10.0, 130.0, 250.0],
        "objdec": [5.0] * 3,
        "hmjd": [[58000.0] * 4, [], [58001.0]],
    }
    rows |= {"mag": [[15.0] * 4, [], [-99.0]], "magerr": [[0.1] * 4, [], [0.1]]}
    collection = write(pa.table(rows), folder / "odd", 1)
    targets = save_targets(tmp_path / "t.parquet", np.array(rows["objra"]), np.array(rows["objdec"]))
    wanted = source(collection, {name: ZTF[name] for name in ("object_id", "time", "mag", "mag_err")})
    for given in (None, targets):
        first, *others = (read(wanted, n, given) for n in (1, 2, 3))
        assert (first[0].num_rows, first[1].num_rows) == (3, 2)
        assert all(first[0].equals(other[0]) and first[1].equals(other[1]) for other in others)
    assert "they look like fluxes or another unit" in caplog.text


def test_wrong_time_format_of_a_few_stars_is_an_error(folder):
    """Julian dates where modified ones were said: no star is that odd."""
    rows = {"objectid": [1, 2], "objra": [10.0, 130.0], "objdec": [5.0] * 2, "hmjd": [[2458000.5] * 4] * 2}
    collection = write(pa.table(rows | {"mag": [[15.0] * 4] * 2, "magerr": [[0.1] * 4] * 2}), folder / "jd", 1)
    with pytest.raises(DataError, match="JD"):
        read(source(collection, {name: ZTF[name] for name in ("object_id", "time", "mag", "mag_err")}), 1)


def test_names_are_the_same_in_any_number_of_shards(folder, tmp_path):
    rows = {"objectid": ["7.0", "7.1", "8.0"], "objra": [10.0, 130.0, 250.0], "objdec": [5.0] * 3}
    rows |= {"hmjd": [[58000.0]] * 3, "mag": [[15.0]] * 3, "magerr": [[0.1]] * 3}
    collection = write(pa.table(rows), folder / "names", 1)
    targets = tmp_path / "t.parquet"
    pq.write_table(
        pa.table({"object_id": ["1.0", "1.1", "2.0"], "ra_deg": rows["objra"], "dec_deg": [5.0] * 3}), targets
    )
    wanted = source(collection, {name: ZTF[name] for name in ("object_id", "time", "mag", "mag_err")})
    for given, names in ((None, rows["objectid"]), (targets, ["1.0", "1.1", "2.0"])):
        for n_shards in (1, 3):
            objects, curves = read(wanted, n_shards, given)
            assert objects["object_id"].to_pylist() == curves["object_id"].to_pylist() == names


def test_a_target_without_position_is_an_error(flat, tmp_path):
    targets = save_targets(tmp_path / "t.parquet", np.array([0.0, np.nan]), np.array([2.0, 2.0]))
    with pytest.raises(DataError, match=r"t.parquet: 1 of 2 positions are missing"):
        read(source(flat), 1, targets)


@pytest.mark.parametrize("radius", [0.0, 1000.0])
def test_a_radius_that_cannot_be_used_is_an_error(flat, tmp_path, radius):
    targets = save_targets(tmp_path / "t.parquet", np.array([0.0]), np.array([2.0]))
    with pytest.raises(DataError, match="radius_arcsec"):
        read(source(flat, radius_arcsec=radius), 1, targets)


# What is not as the source says


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (ZTF | {"time": "hmjdd"}, r"\{time: hmjdd\}: no file of the sample has a column 'hmjdd'; closest: \['hmjd'\]"),
        ({k: v for k, v in ZTF.items() if k != "object_id"}, r"no column 'object_id' for object_id; the file has \["),
        ({k: v for k, v in ZTF.items() if k != "mag_err"}, "no column 'mag_err' for mag_err"),
    ],
)
def test_a_missing_column_is_an_error_before_anything_is_read(copy, columns, message):
    for path in partitions(copy):
        path.unlink()
    with pytest.raises(DataError, match=message):
        read(source(copy, columns))


def test_parts_of_nested_columns_are_named_in_errors(nested):
    with pytest.raises(DataError, match=r"a column 'lightcurve'; closest: .*'lightcurve.mag'"):
        read(source(nested, NESTED | {"mag": "lightcurve"}))


def test_bands_without_a_column_of_bands_are_an_error(flat):
    with pytest.raises(DataError, match="no column 'band' for band"):
        read(source(flat, {k: v for k, v in ZTF.items() if k != "band"}, bands={"1": "g"}))


def test_bands_that_no_row_has_are_an_error(flat):
    with pytest.raises(DataError, match="no object in any shard; correct `cone`, `bands`"):
        read(source(flat, bands={"zg": "g"}), 2)


def test_a_wrong_unit_is_an_error(flat):
    with pytest.raises(DataError, match="time_format"):
        read(source(flat, time_format="jd"))


def test_an_object_cut_by_the_edge_of_a_partition_is_whole_or_an_error(folder):
    """Points at their own positions: some of an object's fall into another partition."""
    points = long_stars()
    points = points.set_column(0, "objectid", pa.array((np.arange(points.num_rows) % 20) + 1))
    collection = write(points, folder / "points", 300)
    objects, curves = read(source(collection), 1)
    assert objects.num_rows == 20
    assert pc.sum(pc.list_value_length(curves["time"])).as_py() == points.num_rows
    with pytest.raises(DataError, match=r"20 objects, such as \['1', '10', '11'\], are in more than one shard"):
        read(source(collection), 2)


def test_a_folder_that_is_no_collection_is_an_error(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(DataError, match=r"cannot be read as a HATS collection \(FileNotFoundError.*check the path"):
            read(source(path))


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/hats", "https://nowhere.invalid/hats", "gopher://a/b"])
def test_an_address_that_does_not_answer_is_an_error(address):
    with pytest.raises(DataError, match=f"{address}: cannot be read as a HATS collection .*the network"):
        read(source(address))


def test_a_partition_that_is_missing_or_cut_short_is_an_error(copy):
    victim = partitions(copy)[3]
    whole = victim.read_bytes()
    for damage in (
        lambda: victim.write_bytes(whole[: len(whole) // 2]),
        lambda: victim.write_bytes(b""),
        victim.unlink,
    ):
        damage()
        read(source(copy, cone=(*centre_of(partitions(copy)[0]), 0.05)))  # the others are there
        with pytest.raises(DataError, match="copy: cannot be read as a HATS collection"):
            read(source(copy))


def centre_of(path: Path) -> tuple[float, float]:
    first = pq.read_table(path).slice(0, 1).to_pylist()[0]
    return first["objra"], first["objdec"]


def test_a_partition_without_rows_takes_nothing_from_the_others(copy, caplog):
    victim = partitions(copy)[3]
    table = pq.read_table(victim)
    gone = set(map(str, table["objectid"].to_pylist()))
    whole = expected_points(stars())
    pq.write_table(table.slice(0, 0), victim)
    for n_shards in (1, 5):
        objects, curves = read(source(copy), n_shards)
        assert as_points(curves) == {key: points for key, points in whole.items() if key[0] not in gone}
        assert not gone & set(objects["object_id"].to_pylist())
    n = len(partitions(copy))
    objects, curves = hats.read(source(copy), None, 3, n)
    assert (objects.num_rows, curves.num_rows) == (0, 0)
    assert f"nothing in shard 3 of {n}" in caplog.text


@pytest.mark.parametrize("package", ["lsdb", "aiohttp"])
def test_without_the_extra_the_error_says_what_to_install(flat, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DataError, match=f"needs the package {package}.*install the extra: hats"):
        read(source(flat))


# From a server


class Ranged(http.server.SimpleHTTPRequestHandler):
    """Files by ranges of bytes, as the servers of HATS collections give them."""

    def send_head(self):
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            return self.send_error(404)
        body, asked = path.read_bytes(), self.headers.get("Range")
        start, end = 0, len(body)
        if asked:
            first, last = asked.removeprefix("bytes=").split("-")
            start, end = int(first), min(int(last) + 1, len(body)) if last else len(body)
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(end - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(body)}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[start:end])
        return None

    def log_message(self, *_):
        pass


@pytest.fixture
def address(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Ranged, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_collection_on_a_server_reads_as_the_same_on_disk(nested, address):
    cone = (0.5, 2.0, 1.0)
    there = read(source(f"{address}/nested", NESTED, cone=cone), 2)
    here = read(source(nested, NESTED, cone=cone), 2)
    assert here[0].equals(there[0])
    assert here[1].equals(there[1])


def test_a_partition_that_the_server_lacks_is_an_error(copy, folder, address):
    broken = Path(shutil.copytree(copy, folder / "broken"))
    partitions(broken)[3].unlink()
    with pytest.raises(DataError, match=r"/broken: cannot be read as a HATS collection \(FileNotFoundError"):
        read(source(f"{address}/broken"))


# On a cluster, and in little memory


def test_a_dask_cluster_gives_the_same_rows(flat, tmp_path, monkeypatch):
    import dask
    from distributed import LocalCluster

    targets = save_targets(tmp_path / "t.parquet", stars()["objra"].to_numpy(), stars()["objdec"].to_numpy())
    here = [read(source(flat), 2), read(source(flat), 2, targets)]
    quiet = {"processes": False, "dashboard_address": None, "n_workers": 1, "threads_per_worker": 2}
    with LocalCluster(**quiet) as cluster:
        there = [read(source(flat, dask=cluster.scheduler_address), 2)]
        with dask.config.set({"scheduler-address": cluster.scheduler_address}):  # as DASK_SCHEDULER_ADDRESS sets it
            there.append(read(source(flat), 2, targets))
        monkeypatch.setattr(hats, "_on_cluster", lambda *_: iter(()))
        with pytest.raises(StopIteration):  # the cluster was asked
            read(source(flat, dask=cluster.scheduler_address))
    for one, other in zip(here, there, strict=True):
        assert one[0].equals(other[0])
        assert one[1].equals(other[1])


def test_memory_does_not_grow_with_the_partitions(folder, tmp_path, monkeypatch):
    """A few targets in a collection of 20 MB: what is held while reading stays at a few of its partitions of 1 MB."""
    n, points = 800, 1000
    rng = np.random.default_rng(6)
    lists = pa.ListArray.from_arrays(np.arange(n + 1) * points, rng.uniform(15, 20, n * points))
    ra, dec = rng.uniform(10, 40, n), rng.uniform(-15, 15, n)
    errors = pa.ListArray.from_arrays(lists.offsets, rng.uniform(0.01, 0.1, n * points))
    rows = {"object_id": np.arange(n), "objra": ra, "objdec": dec, "time": lists, "mag": lists, "mag_err": errors}
    collection = write(pa.table(rows), folder / "big", 40)
    sizes = [pq.read_table(path).nbytes for path in partitions(collection)]
    held, real, begin = [], hats._arrow, pa.total_allocated_bytes()

    def watched(frame, names):
        table = real(frame, names)
        held.append(pa.total_allocated_bytes() - begin)
        return table

    monkeypatch.setattr(hats, "_arrow", watched)
    targets = save_targets(tmp_path / "t.parquet", ra[::50], dec[::50])
    _, curves = read(source(collection, {}, time_format="jd-2450000"), 1, targets)
    kept = curves.num_rows * points * 8 * 3
    assert curves.num_rows == n / 50
    assert len(held) > 10
    assert max(held) < 4 * max(sizes) + kept < sum(sizes) / 4
    assert np.mean(held[-5:]) < np.mean(held[:5]) + 2 * max(sizes) + kept


# Real rows


@pytest.mark.real
def test_a_field_of_ztf_reads_as_from_its_own_files(real_data, tmp_path):
    table = pa.concat_tables(pq.read_table(path) for path in sorted((real_data / "ztf_dr5_field").glob("*.parquet")))
    table = table.drop_columns("__index_level_0__")
    expected = expected_points(table)
    for nested, columns in ((False, ZTF), (True, NESTED)):
        collection = write(table, tmp_path / f"ztf_{nested}", 300, nested)
        for n_shards in (1, 4):
            objects, curves = read(source(collection, columns), n_shards)
            assert as_points(curves) == expected
            assert set(objects["object_id"].to_pylist()) == set(map(str, table["objectid"].to_pylist()))


@pytest.mark.real
def test_variables_of_the_catalina_survey_read_as_from_their_own_files(real_data, tmp_path):
    listed = pq.read_table(real_data / "crts_sss_variables" / "objects.parquet").slice(0, 600)
    points = pq.read_table(real_data / "crts_sss_variables" / "light_curves.parquet")
    points = points.filter(pc.is_in(points["object_id"], listed["object_id"].combine_chunks()))
    placed = points.join(listed.select(["object_id", "ra_deg", "dec_deg", "class", "period_d"]), "object_id")
    collection = write(placed, tmp_path / "crts", 15_000, ra_column="ra_deg", dec_column="dec_deg")
    wanted = source(collection, {"time": "mjd", "catalogue_period_d": "period_d"})
    first, *others = (read(wanted, n) for n in (1, 3))
    assert all(first[0].equals(other[0]) and first[1].equals(other[1]) for other in others)
    objects, curves = first
    for name, ours in (("class", "class"), ("period_d", "catalogue_period_d"), ("ra_deg", "ra_deg")):
        expected = dict(zip(map(str, listed["object_id"].to_pylist()), listed[name].to_pylist(), strict=True))
        assert dict(zip(objects["object_id"].to_pylist(), objects[ours].to_pylist(), strict=True)) == expected
    frame = points.to_pandas()
    times = {str(i): sorted(rows) for i, rows in frame.groupby("object_id")["mjd"]}
    ids = curves["object_id"].to_pylist()
    assert {i: sorted(t) for i, t in zip(ids, curves["time"].to_pylist(), strict=True)} == times
    assert set(curves["band"].to_pylist()) == {"default"}
