import pyarrow.parquet as pq
import pytest
from test_dust import stars, write_map

from workflow_scripts import tables
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
    def start(dust_maps, folder="out", counterparts=(observed,)):
        photometry, extinction = (tmp_path / folder / f"{name}.parquet" for name in ("photometry", "extinction"))
        main(list(counterparts), dust_maps, photometry, extinction, 2)
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


def test_two_maps_are_refused(run, dust_map):
    with pytest.raises(tables.DataError, match="one dust map at most, found 2"):
        run([dust_map, dust_map])
