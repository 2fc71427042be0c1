import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_dust import stars, write_map

from workflow_scripts import shards, tables
from workflow_scripts.counterparts import COUNTERPARTS
from workflow_scripts.dust import EXTINCTION, deredden
from workflow_scripts.stages.deredden import main


@pytest.fixture
def observed(tmp_path):
    path = tmp_path / "counterparts.parquet"
    tables.write(stars([50.0, 10.0], [20.0, -75.0], [2.0, 2.0]), path, COUNTERPARTS)
    return path


@pytest.fixture
def dust_map(tmp_path):
    return write_map(tmp_path / "bayestar2019.h5")


@pytest.fixture
def run(tmp_path, observed):
    def start(dust_maps, folder="out", counterparts=(observed,), shard_objects=()):
        photometry, extinction = (tmp_path / folder / f"{name}.parquet" for name in ("photometry", "extinction"))
        main(list(counterparts), dust_maps, list(shard_objects), photometry, extinction, 2)
        return photometry, extinction

    return start


def test_writes_what_the_science_gives_under_the_name_of_the_map(run, observed, dust_map):
    photometry, extinction = run([dust_map])
    expected = deredden(tables.read(observed, COUNTERPARTS), dust_map)
    assert tables.read(photometry, tables.PHOTOMETRY).to_pylist() == expected[0].to_pylist()
    assert tables.read(extinction, EXTINCTION).to_pylist() == expected[1].to_pylist()
    for path in (photometry, extinction):
        assert pq.read_schema(path).metadata[b"dust"] == b"SIMULATED dust"


def test_no_map_is_said_in_the_file(run, observed):
    photometry, extinction = run([])
    assert pq.read_schema(photometry).metadata[b"dust"] == b"none: as observed"
    rows = tables.read(photometry, tables.PHOTOMETRY)
    assert rows["g_mag"].to_pylist() == tables.read(observed, COUNTERPARTS)["g_mag"].to_pylist()
    assert tables.read(extinction, EXTINCTION)["flag"].to_pylist() == ["no map"] * 2


def test_the_same_input_gives_the_same_bytes(run, dust_map):
    for one, other in zip(run([dust_map], "a"), run([dust_map], "b"), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_without_counterparts_there_is_no_photometry(run, dust_map):
    for dust_maps in ([], [dust_map]):
        photometry, extinction = run(dust_maps, counterparts=())
        assert tables.read(photometry, tables.PHOTOMETRY).num_rows == 0
        assert tables.read(extinction, EXTINCTION).num_rows == 0


def photometry_of(path, shard: int) -> list[str]:
    return shards.read(path, tables.PHOTOMETRY, shard)["object_id"].to_pylist()


def test_photometry_is_divided_by_sky_as_light_curves_are(run, observed):
    photometry, _ = run([])
    rows = tables.read(observed, COUNTERPARTS)
    assert sorted(shards.by_sky(rows, 2)) == [0, 1]
    for name, shard in zip(rows["object_id"].to_pylist(), shards.by_sky(rows, 2), strict=True):
        assert photometry_of(photometry, shard) == [name]


def test_photometry_is_divided_as_a_collection_is(run, tmp_path):
    listed = []
    for i, names in enumerate([["o1", "o0"], []]):
        listed.append(tmp_path / f"{i:04d}.parquet")
        columns = [names, ["ZTF"] * len(names), *([None] * len(names) for _ in range(4))]
        tables.write(pa.table(columns, schema=tables.OBJECTS.schema), listed[-1], tables.OBJECTS)
    photometry, extinction = run([], shard_objects=listed)
    assert photometry_of(photometry, 0) == ["o0", "o1"]
    assert photometry_of(photometry, 1) == []
    assert tables.read(extinction, EXTINCTION).num_rows == 2


def test_two_maps_are_refused(run, dust_map):
    with pytest.raises(tables.DataError, match="one dust map at most, found 2"):
        run([dust_map, dust_map])
