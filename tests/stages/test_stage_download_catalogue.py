"""The stage download_catalogue, by hand as a person starts it, against an archive on this machine."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from workflow_scripts import tables
from workflow_scripts.stages import download_catalogue
from workflow_scripts.surveys import registry
from workflow_scripts.surveys.catalogue import VIZIER_URL
from workflow_scripts.tables import SOURCES, DataError

sys.path.append(str(Path(__file__).parents[1] / "archives"))
from loopback import Archive
from loopback_tap import Column, Tap

ROOT = Path(__file__).parents[2]
TABLE = {
    "CRTS": Column(["CSS_B", "CSS_A", "CSS_C"], str),
    "RAJ2000": Column([10.0, 20.0, 30.0]),
    "DEJ2000": Column([-1.0, 2.0, 3.0]),
    "Cl": Column([1, 4, 13], int),
    "Per": Column([0.3, 0.6, None]),
}


@pytest.fixture
def archive(monkeypatch, tmp_path):
    """A stand-in for VizieR; locks of hosts lie in the test's own folder."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    started = Archive(Tap({"J/ApJS/213/9/table3": TABLE}, phases=["COMPLETED"]))
    yield started
    started.close()


def settings(archive, folder, **more):
    given = {"survey": "drake_2014", "where": "", "mirrors": {VIZIER_URL: f"{archive.url}/tap"}, "pace": 1.0}
    given["seed"] = 1
    return {"sources": folder / "catalogues" / "drake_2014.parquet", "folder": folder / "raw"} | given | more


def test_stage_writes_sources_and_keeps_the_answers(archive, tmp_path):
    given = settings(archive, tmp_path, where="Cl <> 13")
    command = [sys.executable, "-m", "workflow_scripts.stages.download_catalogue"]
    for name, value in given.items():
        command += [f"--{name}", json.dumps(value) if isinstance(value, dict) else str(value)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "2 objects of 2 rows" in done.stderr
    assert tables.read(given["sources"], SOURCES).to_pylist() == [
        {"object_id": "CSS_A", "ra_deg": 20.0, "dec_deg": 2.0, "class": "RRAB", "catalogue_period_d": 0.6},
        {"object_id": "CSS_B", "ra_deg": 10.0, "dec_deg": -1.0, "class": "EW", "catalogue_period_d": 0.3},
    ]
    assert {path.name for path in given["folder"].iterdir()} == {"part_00.parquet", "part_00.parquet.manifest.json"}


def test_unknown_survey_and_huge_catalogue_are_refused_before_anything_is_asked(archive, tmp_path):
    with pytest.raises(DataError, match="survey 'nobody_1900' is not known"):
        download_catalogue.main(**settings(archive, tmp_path, survey="nobody_1900"))
    with pytest.raises(DataError, match="where: Gaia archive gives at most"):
        download_catalogue.main(**settings(archive, tmp_path, survey="gaia_dr3"))
    assert archive.asked == []
    assert list(tmp_path.iterdir()) == []


def test_same_rows_give_the_same_bytes(archive, tmp_path, monkeypatch):
    survey = registry.load("drake_2014")
    quick = dataclasses.replace(survey, manners=dataclasses.replace(survey.manners, interval_s=0.0, backoff_s=0.01))
    monkeypatch.setattr(registry, "load", lambda _: quick)
    written = []
    for name in ("first", "second"):
        given = settings(archive, tmp_path / name)
        download_catalogue.main(**given)
        written.append(given["sources"].read_bytes())
    assert written[0] == written[1]
