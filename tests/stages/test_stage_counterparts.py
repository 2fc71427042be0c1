import dataclasses

import pytest
from test_counterparts import GAIA_URL, Archive, Star, gaia, jobs, objects

from workflow_scripts import tables
from workflow_scripts.counterparts import COUNTERPARTS
from workflow_scripts.stages import counterparts as stage
from workflow_scripts.tables import DataError


@pytest.fixture
def archive(monkeypatch, tmp_path):
    """Stand-in for the Gaia archive with two stars, asked without pauses."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    quick = {"interval_s": 0.0, "backoff_s": 0.002, "tries": 2, "locks": tmp_path / "locks"}
    monkeypatch.setattr(stage, "MANNERS", dataclasses.replace(stage.MANNERS, **quick))
    server = Archive(gaia([Star(1), Star(2, 30)]))
    yield server
    server.close()


@pytest.fixture
def run(archive, tmp_path):
    tables.write(objects((0, 0.2), (30, 0.2), None), tmp_path / "objects.parquet", tables.OBJECTS)

    def start(name="counterparts.parquet", epoch_yr=2016.0):
        stage.main(
            objects=tmp_path / "objects.parquet",
            counterparts=tmp_path / name,
            epoch_yr=epoch_yr,
            radius_arcsec=1.5,
            folder=tmp_path / "downloads",
            mirrors={GAIA_URL: f"{archive.url}/tap"},
            pace=1.0,
            seed=1,
        )
        return tmp_path / name

    return start


def test_objects_get_their_counterparts_from_the_archive(run, tmp_path):
    found = tables.read(run(), COUNTERPARTS)
    assert found["source_id"].to_pylist() == [1, 2, None]
    assert found["w1_mag"].to_pylist() == [0.9, 1.9, None]
    assert (tmp_path / "downloads" / "gaia_dr3.parquet.manifest.json").is_file()


def test_a_second_run_asks_nothing_and_gives_the_same_bytes(run, archive):
    first = run("a.parquet").read_bytes()
    asked = len(archive.asked)
    assert run("b.parquet").read_bytes() == first
    assert len(archive.asked) == asked


def test_another_epoch_is_another_question(run, archive):
    run()
    run(epoch_yr=2018.0)
    assert jobs(archive) == 2


def test_an_archive_that_is_down_leaves_nothing(run, archive, tmp_path):
    archive.close()
    with pytest.raises(DataError, match="Gaia archive"):
        run()
    assert not (tmp_path / "counterparts.parquet").exists()
