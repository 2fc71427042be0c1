"""A run done again, and the comparison file by file; the workflow itself is in tests/workflow."""

import os
import subprocess
from pathlib import Path

import pytest

from workflow_scripts import rerun
from workflow_scripts.tables import DataError

FILES = {"a.parquet": b"abc", "models/b.model": b"def", "logs/c.log": b"1", "logs/deep/c.tsv": b"2", "p.json": b"3"}
VARIES = ("logs/*", "p.json")


def folder(path: Path, **changes: bytes | None) -> Path:
    """Files in a folder; changes by name, with __ for / and _ for the dot; None takes a file away."""
    for name, content in (FILES | {k.replace("__", "/").replace("_", "."): v for k, v in changes.items()}).items():
        if content is not None:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    return path


def test_same_files_agree_whatever_varies(tmp_path):
    other = folder(tmp_path / "b", logs__c_log=b"9", logs__deep__c_tsv=None, p_json=b"4")
    found = rerun.compare(folder(tmp_path / "a"), other, VARIES)
    assert found == rerun.Comparison(["a.parquet", "models/b.model"], [], [], [])
    assert found.agrees


@pytest.mark.parametrize("content", [b"abd", b"ab", b"abcd", b""])
def test_one_other_byte_is_named(tmp_path, content):
    found = rerun.compare(folder(tmp_path / "a"), folder(tmp_path / "b", a_parquet=content), VARIES)
    assert (found.same, found.different) == (["models/b.model"], ["a.parquet"])
    assert not found.agrees


def test_file_that_one_side_lacks_is_named(tmp_path):
    one, two = folder(tmp_path / "a", a_parquet=None), folder(tmp_path / "b", models__b_model=None)
    found = rerun.compare(one, two, VARIES)
    assert found == rerun.Comparison([], [], ["models/b.model"], ["a.parquet"])
    assert not found.agrees


LOCAL = {"role": "labelled", "source": "local"}


def config(*paths: str) -> dict:
    known = LOCAL | {"local": {"light_curves": list(paths)}}
    none = {"catalogue": "", "regions": {}}
    dust = {"map": "none", "file": ""}
    return {"run": "small", "samples": {"known": known}, "references": [], "clusters": none, "dust": dust}


@pytest.fixture
def run(tmp_path) -> Path:
    """A finished run in work/results/small, with downloads, and data beside and above its folder."""
    for name in ("data/far.csv", "work/near.csv", "work/results/dust/map.h5", "work/results/small/downloads/x/y.fits"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "work/results/small/catalogue.parquet").write_text("old")
    return tmp_path / "work/results/small"


def stand_in(monkeypatch, code: int) -> list[list[str]]:
    """Put a command that does nothing in Snakemake's place; the commands that are given."""
    given: list[list[str]] = []

    def done(command, **_):
        given.append(command)
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, "run", done)
    return given


def test_paths_of_the_settings_lead_to_the_same_files(run, tmp_path, monkeypatch):
    stand_in(monkeypatch, 0)
    new = rerun.repeat(run, config("../data/far.csv", "near.csv", str(tmp_path / "abs.csv")), tmp_path / "again", 1)
    work = new.parents[1]
    assert (work / "near.csv").read_text() == "work/near.csv"
    assert Path(os.path.normpath(work / "../data/far.csv")).read_text() == "data/far.csv"
    assert Path(os.path.normpath(work / "../data/far.csv")).is_relative_to(tmp_path / "again")


def test_downloads_are_there_and_nothing_else_of_the_run(run, tmp_path, monkeypatch):
    stand_in(monkeypatch, 0)
    new = rerun.repeat(run, config("near.csv"), tmp_path / "again", 1)
    assert [p.relative_to(new).as_posix() for p in new.rglob("*") if p.is_file()] == ["downloads/x/y.fits"]
    assert (new.parents[1] / "results/dust/map.h5").is_file()


def test_workflow_is_run_with_the_recorded_settings_and_cores(run, tmp_path, monkeypatch):
    commands = stand_in(monkeypatch, 0)
    new = rerun.repeat(run, config(), tmp_path / "again", 3)
    options = dict(zip(commands[0][3::2], commands[0][4::2], strict=True))
    assert options["--cores"] == "3"
    assert options["--directory"] == str(new.parents[1])
    assert options["--configfile"] == str(run / "provenance/configuration.yaml")


def test_run_that_fails_names_its_log(run, tmp_path, monkeypatch):
    stand_in(monkeypatch, 1)
    with pytest.raises(DataError, match=r"ended with exit code 1; .*again/rerun/snakemake\.log says why"):
        rerun.repeat(run, config(), tmp_path / "again", 1)
