"""Command make verify, on runs that are compared without being done again."""

import json
from pathlib import Path

import pytest

from workflow_scripts import fingerprint, provenance, rerun
from workflow_scripts.stages.verify_run import main
from workflow_scripts.tables import DataError

VARIES = ["logs/*", "provenance.json"]


def finished(folder: Path, content: str = "abc", **said: str) -> Path:
    """A finished run whose one table has this content."""
    folder.mkdir(parents=True)
    (folder / "catalogue.parquet").write_text(content)
    about = {"code": fingerprint.code("stages"), "lock": provenance.lock(), "varies": VARIES, "configuration": {}}
    (folder / "provenance.json").write_text(json.dumps(about | said))
    return folder


def test_same_run_elsewhere_is_the_same(tmp_path, capsys):
    main(finished(tmp_path / "a"), against=finished(tmp_path / "b"))
    said = capsys.readouterr().out
    assert [line.split()[:2] for line in said.splitlines()[:2]] == [["1", "same"], ["0", "different"]]
    assert len(said.splitlines()) == 4


def test_difference_is_named_and_the_command_fails(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(finished(tmp_path / "a"), against=finished(tmp_path / "b", "abd"))
    assert end.value.code == 1
    assert "different: catalogue.parquet" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("content", ["abc", "abd"])
def test_folder_of_the_rerun_stays_only_where_something_differs(tmp_path, monkeypatch, content):
    monkeypatch.setattr(rerun, "repeat", lambda *given: finished(given[2] / "results", content))
    run = finished(tmp_path / "a")
    if content == "abc":
        main(run)
        assert [path.name for path in tmp_path.iterdir()] == ["a"]
        main(run, keep=True)
    else:
        with pytest.raises(SystemExit):
            main(run)
    (kept,) = (path for path in tmp_path.iterdir() if path.name != "a")
    assert (kept / "results/catalogue.parquet").read_text() == content


@pytest.mark.parametrize("what", ["code", "lock"])
def test_other_code_and_other_packages_are_said_first(tmp_path, capsys, what):
    main(finished(tmp_path / "a", **{what: "old"}), against=finished(tmp_path / "b"))
    assert capsys.readouterr().out.startswith(f"The {what} is not that of the run any more (old, now ")


def test_folder_that_is_no_finished_run_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"provenance\.json does not exist; --run must name the folder of a finished"):
        main(tmp_path)
