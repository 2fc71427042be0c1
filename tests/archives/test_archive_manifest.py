import hashlib
import json
from pathlib import Path

import pytest

from workflow_scripts.archives import manifest
from workflow_scripts.archives.manifest import Origin

ORIGIN = Origin("IRSA", "https://irsa.example/cgi", (("ID", "1"), ("ID", "2"), ("FORMAT", "CSV")))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_bytes(b"x\n1\n2\n")
    return tmp_path / "a.csv"


def test_manifest_says_what_who_how_much_and_when(path):
    made = manifest.write(path, ORIGIN, 2, {"job": "7"})
    found = json.loads(path.with_name("a.csv.manifest.json").read_text())
    assert found["origin"]["service"] == "IRSA"
    assert found["origin"]["parameters"] == [["ID", "1"], ["ID", "2"], ["FORMAT", "CSV"]]
    assert (found["rows"], found["bytes"], found["status"]) == (2, 6, "complete")
    assert found["sha256"] == hashlib.sha256(b"x\n1\n2\n").hexdigest()
    assert found["date"].endswith("+00:00")
    assert manifest.read(path) == made == manifest.trusted(path, ORIGIN)


def test_no_rows_is_no_data_and_uncounted_is_not(path):
    assert manifest.write(path, ORIGIN, 0).status == "no_data"
    assert manifest.write(path, ORIGIN, None).status == "complete"


def test_file_without_manifest_is_not_trusted(path, caplog):
    assert manifest.trusted(path, ORIGIN) is None
    assert "no manifest" in caplog.text


def test_manifest_without_file_is_not_trusted(path):
    manifest.write(path, ORIGIN, 2)
    path.unlink()
    assert manifest.trusted(path, ORIGIN) is None


@pytest.mark.parametrize(
    ("content", "said"), [(b"x\n1\n3\n", "sha256"), (b"x\n1\n", "4 bytes, its manifest says 6")], ids=["other", "cut"]
)
def test_file_that_differs_from_its_manifest_is_not_trusted(path, caplog, content, said):
    manifest.write(path, ORIGIN, 2)
    path.write_bytes(content)
    assert manifest.trusted(path, ORIGIN) is None
    assert said in caplog.text


@pytest.mark.parametrize(
    "other",
    [
        Origin("MAST", ORIGIN.url, ORIGIN.parameters),
        Origin("IRSA", "https://other.example", ORIGIN.parameters),
        Origin("IRSA", ORIGIN.url, ORIGIN.parameters[:2]),
        Origin("IRSA", ORIGIN.url, ORIGIN.parameters[::-1]),
    ],
    ids=["service", "url", "parameters", "order"],
)
def test_answer_to_another_question_is_not_trusted(path, caplog, other):
    manifest.write(path, ORIGIN, 2)
    assert manifest.trusted(path, other) is None
    assert "another question" in caplog.text


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"origin": 3}', '{"origin": {"service": "a"}}'])
def test_broken_manifest_is_no_manifest(path, caplog, text):
    manifest.place(path).write_text(text)
    assert manifest.trusted(path, ORIGIN) is None
    assert "cannot be read" in caplog.text


def test_removed_download_leaves_nothing(path):
    manifest.write(path, ORIGIN, 2)
    manifest.remove(path)
    manifest.remove(path)
    assert list(path.parent.iterdir()) == []
