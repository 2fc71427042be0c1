"""The run as an RO-Crate, read back with the library that others read it with."""

import errno
import json
import socket
from collections.abc import Iterator

import pytest
from rocrate.model.metadata import Metadata
from rocrate.rocrate import ROCrate

from workflow_scripts import crate
from workflow_scripts.tables import DataError

SAID = {
    "run": "small",
    "versions": {"snakemake": "9.27.1"},
    "inputs": [
        {"what": "light curves", "whose": "known", "name": "data/a b.csv", "bytes": 10, "sha256": "ab"},
        {"what": "simulation", "whose": "field", "name": "SIMULATED, seed 1", "bytes": None, "sha256": None},
    ],
    "tables": {
        "catalogue/known/catalogue.parquet": "12",
        "catalogue/known/catalogue.vot": "34",
        "report/r.html": "56",
        "models/final/lightgbm-original.model": "78",
    },
    "jobs": {"begun": "2024-05-01T11:59:00.000+00:00", "ended": "2024-05-01T12:00:02.500+00:00"},
}
FILES = ("provenance/Snakefile", "provenance/configuration.yaml", *SAID["tables"])


@pytest.fixture
def read(tmp_path, monkeypatch) -> ROCrate:
    """The crate, written and read where nobody may ask the network."""

    def refuse(*_: object) -> None:
        raise AssertionError("the crate asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("12345")
    crate.write(tmp_path / "ro-crate-metadata.json", SAID, "provenance/Snakefile", "provenance/configuration.yaml")
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()) == sorted(
        [*FILES, "ro-crate-metadata.json"]
    )
    return ROCrate(tmp_path)


def test_main_entity_is_the_snakefile(read):
    assert read.mainEntity.id == "provenance/Snakefile"
    assert set(read.mainEntity.type) == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    assert read.mainEntity["programmingLanguage"]["name"] == "Snakemake"
    assert read.mainEntity["programmingLanguage"]["version"] == "9.27.1"


def test_action_says_what_made_what_from_what_and_when(read):
    (action,) = read.root_dataset["mentions"]
    assert action.type == "CreateAction"
    assert action["instrument"] is read.mainEntity
    assert (action["startTime"], action["endTime"]) == (SAID["jobs"]["begun"], SAID["jobs"]["ended"])
    assert [part.id for part in action["object"]] == ["provenance/configuration.yaml", "#input-0", "#input-1"]
    assert [part.id for part in action["result"]] == list(SAID["tables"])


def test_every_table_is_a_file_of_the_crate_with_its_sha256(read):
    parts = {part.id: part for part in read.root_dataset["hasPart"]}
    assert set(parts) == set(FILES)
    for name, sha256 in SAID["tables"].items():
        assert (parts[name]["sha256"], parts[name]["contentSize"]) == (sha256, "5")
    assert parts["catalogue/known/catalogue.vot"]["encodingFormat"] == "application/x-votable+xml"


def test_input_is_named_as_in_the_settings_and_a_simulation_has_no_sha256(read):
    one, two = read.dereference("#input-0"), read.dereference("#input-1")
    assert (one["name"], one["description"], one["sha256"]) == ("data/a b.csv", "light curves of known", "ab")
    assert (two["name"], two.get("sha256")) == ("SIMULATED, seed 1", None)


def test_profiles_and_terms_are_those_of_a_workflow_run(read):
    profiles = {part.id for part in read.root_dataset["conformsTo"]}
    assert "https://w3id.org/ro/wfrun/workflow/0.5" in profiles
    for entity in read.root_dataset["conformsTo"]:
        assert entity["name"]
    text = json.loads((read.source / "ro-crate-metadata.json").read_text())
    assert text["@context"] == [
        "https://w3id.org/ro/crate/1.1/context",
        "https://w3id.org/ro/terms/workflow-run/context",
    ]
    assert {"name", "description", "license", "datePublished"} <= set(read.root_dataset.properties())


@pytest.mark.usefixtures("read")
def test_full_disk_leaves_no_crate(tmp_path, monkeypatch):
    def half(_: Metadata) -> Iterator[tuple[str, bytes]]:
        yield "ro-crate-metadata.json", b'{"@context": '
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Metadata, "stream", half)
    (tmp_path / "ro-crate-metadata.json").unlink()
    with pytest.raises(DataError, match=r"ro-crate-metadata\.json"):
        crate.write(tmp_path / "ro-crate-metadata.json", SAID, *FILES[:2])
    assert not list(tmp_path.glob("*ro-crate*"))
