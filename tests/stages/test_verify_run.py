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


def write(folder: Path, *names: str) -> Path:
    """Write files without content into a folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def test_files_that_the_present_settings_do_not_make_are_named_and_are_no_difference(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(rerun, "repeat", lambda *given: finished(given[2] / "results"))
    run = write(finished(tmp_path / "a"), "dropped/catalogue.parquet", "report/figures/old.png")
    main(run)
    *counts, first, second = capsys.readouterr().out.splitlines()
    assert [int(line.split()[0]) for line in counts] == [1, 0, 0, 0, 2]
    assert first == f"left in {run} from earlier settings: dropped/catalogue.parquet"
    assert second == f"left in {run} from earlier settings: report/figures/old.png"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_file_that_the_repeated_run_alone_has_is_a_difference(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(rerun, "repeat", lambda *given: write(finished(given[2] / "results"), "new.parquet"))
    with pytest.raises(SystemExit):
        main(finished(tmp_path / "a"))
    assert capsys.readouterr().out.splitlines()[-1].endswith("results: new.parquet")


def test_file_of_a_folder_that_a_job_makes_as_a_whole_is_a_difference(tmp_path, monkeypatch, capsys):
    """Nothing of earlier settings stays there: a figure that the repeated run lacks is one that it did not draw."""
    mark = "report/figures/.snakemake_timestamp"
    monkeypatch.setattr(rerun, "repeat", lambda *given: write(finished(given[2] / "results"), mark))
    run = write(finished(tmp_path / "a"), mark, "report/figures/drawn.png")
    with pytest.raises(SystemExit):
        main(run)
    assert capsys.readouterr().out.splitlines()[4:] == [f"only in {run}: report/figures/drawn.png"]


def test_other_run_that_lacks_a_file_differs(tmp_path, capsys):
    """Nobody knows whether it was to make the file."""
    with pytest.raises(SystemExit):
        main(write(finished(tmp_path / "a"), "more.parquet"), against=finished(tmp_path / "b"))
    assert f"only in {tmp_path / 'a'}: more.parquet" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["code", "lock"])
def test_other_code_and_other_packages_are_said_first(tmp_path, capsys, what):
    main(finished(tmp_path / "a", **{what: "old"}), against=finished(tmp_path / "b"))
    assert capsys.readouterr().out.startswith(f"The {what} is not that of the run any more (old, now ")


def test_folder_that_is_no_finished_run_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"provenance\.json does not exist; --run must name the folder of a finished"):
        main(tmp_path)
