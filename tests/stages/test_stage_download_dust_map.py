import dataclasses
import hashlib
import sys

import pytest
from workspace import ROOT

sys.path.append(str(ROOT / "tests" / "archives"))

from loopback import CUT, Answer, Archive, status

from workflow_scripts.archives import manifest
from workflow_scripts.archives.http import Digests
from workflow_scripts.dust import BAYESTAR19, BAYESTAR19_DIGESTS
from workflow_scripts.stages import download_dust_map as stage
from workflow_scripts.tables import DataError

MAP = b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 400
MIRROR = "https://dataverse.harvard.edu"


@pytest.fixture
def serve(monkeypatch, tmp_path):
    """Stand-in for the Dataverse that has one file, asked without pauses."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    quick = {"interval_s": 0.0, "backoff_s": 0.002, "longest_pause_s": 0.01, "tries": 4, "locks": tmp_path / "locks"}
    monkeypatch.setattr(stage, "MANNERS", dataclasses.replace(stage.MANNERS, **quick))
    monkeypatch.setattr(stage, "BAYESTAR19_DIGESTS", Digests(md5=hashlib.md5(MAP).hexdigest()))
    started = []

    def start(body=MAP, faults=()):
        started.append(Archive(lambda _: Answer(body, "application/x-hdf5"), faults))
        return started[-1]

    yield start
    for archive in started:
        archive.close()


@pytest.fixture
def run(tmp_path):
    def start(archive):
        stage.main(tmp_path / "map.h5", tmp_path / "download", {MIRROR: archive.url}, 1)
        return tmp_path / "map.h5"

    return start


def test_the_published_file_is_asked_for():
    """Persistent identifier and checksum of the file bayestar2019.h5 in Dataverse 10.7910/DVN/2EJ9TX."""
    assert BAYESTAR19.url == f"{MIRROR}/api/access/datafile/:persistentId"
    assert dict(BAYESTAR19.parameters) == {"persistentId": "doi:10.7910/DVN/2EJ9TX/1CUGA1"}
    assert BAYESTAR19_DIGESTS.md5 == "ab815d2fd3068d1b81a1bd61fb18a722"


def test_the_map_is_fetched_once(serve, run):
    archive = serve()
    path = run(archive)
    assert path.read_bytes() == MAP
    path.unlink()  # as Snakemake does before it runs a rule again
    assert run(archive).read_bytes() == MAP
    assert len(archive.asked) == 1
    assert archive.asked[0].path == "/api/access/datafile/:persistentId"
    assert archive.asked[0].one("persistentId") == "doi:10.7910/DVN/2EJ9TX/1CUGA1"
    assert "md5" in str(manifest.read(path.parent / "download" / "bayestar2019.h5").origin)


def test_a_cut_file_and_a_tired_server_are_asked_again(serve, run):
    archive = serve(faults=[CUT, status(503)])
    assert run(archive).read_bytes() == MAP
    assert len(archive.asked) == 3


def test_another_file_is_never_kept(serve, run, tmp_path):
    archive = serve(MAP[:-1] + b"\x00")
    with pytest.raises(DataError, match="md5 of the answer is"):
        run(archive)
    assert not list(tmp_path.rglob("*.h5"))


def test_where_files_cannot_be_linked_the_map_is_copied(serve, run, monkeypatch):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(stage.os, "link", refuse)
    assert run(serve()).read_bytes() == MAP
