"""Stage download_light_curves: shards of a sample from archives on this machine."""

import dataclasses
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from workspace import ROOT

from workflow_scripts import shards, tables
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.stages.download_light_curves import main
from workflow_scripts.surveys import registry
from workflow_scripts.surveys.curve_status import STATUS
from workflow_scripts.tables import DataError

sys.path += [str(ROOT / "tests" / "surveys"), str(ROOT / "tests" / "archives")]
from curve_archives import IRSA, Star, Ztf
from loopback import CUT, FINE, RESET, Archive, status

STARS = [Star(202116200000001 + i, "zg" if i % 3 else "zr", 150.0 + 0.01 * i, 20.0, 3 + i) for i in range(12)]


@pytest.fixture
def archive(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Archive(Ztf(STARS))
    yield server
    server.close()


@pytest.fixture
def objects(tmp_path):
    names = [f"star {i}" for i in range(14)]
    rows = {
        "object_id": names,
        "survey": ["test"] * 14,
        "ra_deg": [*(star.ra for star in STARS), 200.0, None],
        "dec_deg": [20.0] * 13 + [None],
        "class": ["RRAB"] * 14,
        "catalogue_period_d": [0.5] * 14,
    }
    tables.write(pa.table(rows, schema=tables.OBJECTS.schema), tmp_path / "objects.parquet", tables.OBJECTS)
    return tmp_path / "objects.parquet"


@pytest.fixture
def run(tmp_path, objects, archive, monkeypatch):
    """Run the stage for one shard; gives the files it wrote."""
    patient = Manners(interval_s=0.0, timeout_s=5.0, tries=4, backoff_s=0.002, budget_s=20.0, locks=tmp_path / "locks")
    load = registry.load
    monkeypatch.setattr(registry, "load", lambda name: dataclasses.replace(load(name), manners=patient))

    def shard(number: int, n_shards: int, place: str = "a", **change) -> tuple[Path, Path]:
        out = tmp_path / place / "out"
        written = out / f"{number:04d}.parquet", out / f"{number:04d}_status.parquet"
        settings = {
            "survey": "ztf",
            "bands": [],
            "radius_arcsec": 1.5,
            "folder": tmp_path / place / "ztf",
            "mirrors": {IRSA: archive.url},
            "pace": 1.0,
            "sample": "labelled",
            "seed": 1,
        } | change
        main(objects, *written, shard=f"{number:04d}", n_shards=n_shards, **settings)
        return written

    return shard


def test_shard_has_its_objects_and_no_others(run, objects):
    light_curves, states = run(2, 3)
    listed = tables.read(objects, tables.OBJECTS)
    mine = set(listed["object_id"].filter(pa.array(shards.by_sky(listed, 3) == 2)).to_pylist())
    assert len(mine) == 4
    status_rows = tables.read(states, STATUS)
    assert set(status_rows["object_id"].to_pylist()) == mine
    assert set(tables.read(light_curves, tables.RAW_LIGHT_CURVES)["object_id"].to_pylist()) == {
        name for name in mine if name not in ("star 12", "star 13")
    }


def test_shards_together_are_the_sample_whatever_their_number(run):
    one = tables.read(run(0, 1)[0], tables.RAW_LIGHT_CURVES)
    parts = [tables.read(run(i, 3, "b")[0], tables.RAW_LIGHT_CURVES).replace_schema_metadata(None) for i in range(3)]
    assert pa.concat_tables(parts).sort_by("object_id") == one.replace_schema_metadata(None)
    assert one.num_rows == 12


def test_run_after_faults_and_a_failure_has_the_same_bytes(run, archive):
    expected = [path.read_bytes() for path in run(0, 2)]
    archive.faults = [FINE, RESET, CUT, *[status(503)] * 99]
    with pytest.raises(DataError, match="run again"):
        run(0, 2, "b")
    archive.faults = []
    assert [path.read_bytes() for path in run(0, 2, "b")] == expected


def test_bands_are_chosen(run):
    rows = tables.read(run(0, 1, bands=["r"])[0], tables.RAW_LIGHT_CURVES)
    assert set(rows["band"].to_pylist()) == {"r"}
    assert rows.num_rows == 4


def test_bulk_files_serve_all_shards(run, archive):
    found = [tables.read(run(i, 4, survey="ztf_bulk")[0], tables.RAW_LIGHT_CURVES) for i in range(4)]
    assert sum(rows.num_rows for rows in found) == 12
    assert sum(request.path.endswith(".parquet") for request in archive.asked) == 1
    assert pc.all(pc.list_flatten(found[0]["usable"])).as_py() is False


def test_unknown_survey_is_refused(run):
    with pytest.raises(DataError, match="survey 'zft' is not known"):
        run(0, 1, survey="zft")
