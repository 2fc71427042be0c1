"""The edge between Snakemake, a command line and the stages."""

import datetime
import json
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pyarrow.parquet as pq
import pytest
from workspace import ROOT

from workflow_scripts import edge


@dataclass(frozen=True)
class Inner:
    level: float


@dataclass(frozen=True)
class Settings:
    sigma: float
    side: Literal["both", "bright"]
    inner: Inner
    names: tuple[str, ...] = ()


def converted(value: object, hint: object) -> object:
    def main(x):  # the annotation is the case's
        raise AssertionError(x)

    main.__annotations__ = {"x": hint}
    return edge.arguments(main, {"x": value, "unused": 1})["x"]


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        ("a.parquet", Path, Path("a.parquet")),
        ("text", str, "text"),
        ("7", int, 7),
        (3, float, 3.0),
        ("0.5", float, 0.5),
        (True, bool, True),
        ("TRUE", bool, True),
        ("false", bool, False),
        (None, Path | None, None),
        ("", Path | None, None),
        ("a", Path | None, Path("a")),
        (2, float | None, 2.0),
        ("both", Literal["both", "bright"], "both"),
        (["a", "b"], list[Path], [Path("a"), Path("b")]),
        ("a", list[Path], [Path("a")]),
        ([], list[Path], []),
        (["1", 2], tuple[int, ...], (1, 2)),
        ({"EA": ["EA", "EB"]}, dict[str, list[str]], {"EA": ["EA", "EB"]}),
        ('{"a": 1}', dict[str, float], {"a": 1.0}),
        ({"any": [1]}, Any, {"any": [1]}),
        (
            {"sigma": 3, "side": "both", "inner": {"level": 1}, "names": ["a"]},
            Settings,
            Settings(3.0, "both", Inner(1.0), ("a",)),
        ),
        ('{"sigma": 3, "side": "both", "inner": {"level": 1}}', Settings, Settings(3.0, "both", Inner(1.0))),
    ],
)
def test_value_becomes_its_annotated_type(value, hint, expected):
    result = converted(value, hint)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("value", "hint", "words"),
    [
        ("yes", bool, ["'yes'", "true"]),
        ("left", Literal["both", "bright"], ["'left'", "'both'"]),
        ({"sigma": 1, "sides": "both"}, Settings, ["Settings", "sides", "sigma"]),
        ("three", int, ["three"]),
        ("{", dict[str, int], []),
    ],
)
def test_value_of_the_wrong_kind_is_refused(value, hint, words):
    with pytest.raises(ValueError) as error:  # noqa: PT011  the words are checked below
        converted(value, hint)
    assert all(word in str(error.value) for word in words)


def rule(script: Path, **parts: dict[str, object]) -> SimpleNamespace:
    given = {"input": {}, "output": {}, "params": {}, "wildcard_names": set(), "name": "double", "script": script}
    return SimpleNamespace(**(given | parts))


@pytest.fixture
def stage(project, monkeypatch):
    monkeypatch.setattr("workflow_scripts.fingerprint.PACKAGE", project.folder / "workflow_scripts")
    return project.folder / "workflow_scripts/stages/double.py"


AGREED = {"input": {"raw": ""}, "output": {"doubled": ""}, "params": {"factor": 1, "mode": "", "limits": {}}}


def test_rule_whose_names_agree_passes(stage):
    edge.check(rule(stage, **AGREED))


def test_added_parameter_and_unused_wildcard_are_not_demanded_of_main(stage):
    params = {**AGREED["params"], "code": "abc"}
    edge.check(rule(stage, **{**AGREED, "params": params}, wildcard_names={"sample"}))


def test_disagreement_names_both_sides(stage):
    wrong = {**AGREED, "input": {"row": ""}}
    with pytest.raises(ValueError, match=r"rule double: double\.py .*does not know \['row'\].*not given \['raw'\]"):
        edge.check(rule(stage, **wrong))


def test_stage_without_main_is_refused(project, stage):
    project.write("workflow_scripts/stages/double.py", "def other(): pass")
    with pytest.raises(ValueError, match="no function main"):
        edge.check(rule(stage, **AGREED))


def test_disagreement_is_found_at_parse_time(project):
    assert project.planned() == {"all", "double", "report"}
    project.edit("Snakefile", 'raw="raw.txt"', 'row="raw.txt"')
    done = project.snakemake("-n")
    assert done.returncode != 0
    assert "does not know ['row'] and is not given ['raw']" in done.stdout + done.stderr


def test_job_fills_arguments_by_name_and_writes_provenance(project):
    done = project.snakemake()
    assert done.returncode == 0, done.stderr
    rows = pq.read_table(project.folder / "total.parquet")
    assert rows["number"].to_pylist() == ["total 42"]
    notes = json.loads(rows.schema.metadata[b"provenance"])
    assert (notes["rule"], notes["run"]) == ("report", "mini")
    assert len(notes["code"]) == 16
    assert set(notes) == {"rule", "run", "code"}  # no date, no host: identical runs give identical bytes


def test_record_that_a_rule_takes_goes_into_its_tables_and_not_to_its_stage(project):
    record = {"lock": "abc", "configuration": {"seed": 1, "samples": ["ü"]}, "inputs": [{"name": "raw.txt"}]}
    project.write("record.json", json.dumps(record))
    project.edit("Snakefile", "nothing=[],", 'nothing=[],\n            record="record.json",')
    assert project.snakemake().returncode == 0
    notes = json.loads(pq.read_schema(project.folder / "total.parquet").metadata[b"provenance"])
    assert {name: notes[name] for name in record} == record
    assert set(notes) == {"rule", "run", "code", *record}
    project.write("record.json", json.dumps(record | {"lock": "abd"}))
    assert project.planned() == {"all", "report"}, "a table whose record is out of date is written again"


def test_log_begins_with_host_and_time_of_the_job(project):
    before = datetime.datetime.now(datetime.UTC)
    assert project.snakemake().returncode == 0
    for name in ("double", "report-total"):
        first = (project.folder / f"logs/{name}.log").read_text().splitlines()[0]
        _, _, host, _, begun = first.split()
        assert host == f"{platform.node()},"
        assert first == edge.BEGUN.format(host=platform.node(), time=begun)
        assert abs((datetime.datetime.fromisoformat(begun) - before).total_seconds()) < 120


def test_unusable_data_ends_the_job_with_its_message_alone(project):
    project.write("raw.txt", "many")
    done = project.snakemake()
    message = "raw.txt holds 'many', expected a whole number; mend the file"
    assert done.returncode == 1
    assert message in done.stderr
    begun, *said = (project.folder / "logs/double.log").read_text().splitlines()
    assert begun.startswith("job on ")
    assert said == [f"ERROR {message}"]


def test_what_a_job_took_is_beside_its_log(project):
    assert project.snakemake().returncode == 0
    header, figures = (project.folder / "logs/double.tsv").read_text().splitlines()
    took = dict(zip(header.split("\t"), figures.split("\t"), strict=True))
    assert 0 < float(took["s"]) < 300
    assert {"max_rss", "cpu_time"} <= set(took)  # a job of half a second may end before Snakemake looks at them


def test_fault_of_the_code_leaves_its_traceback_in_the_log(project):
    project.write("raw.txt", "100")
    assert project.snakemake().returncode == 1
    log = (project.folder / "logs/double.log").read_text()
    assert "Traceback" in log
    assert "AssertionError: above the limit" in log


def by_hand(project, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "workflow_scripts.stages.double", *options]
    return subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)


OPTIONS = ("--raw", "raw.txt", "--doubled", "out.txt", "--limits", '{"most": 100}')


def test_stage_started_by_hand_takes_options(project):
    done = by_hand(project, *OPTIONS, "--factor", "0.5", "--mode", "loud")
    assert (done.returncode, done.stderr) == (0, "")
    assert (project.folder / "out.txt").read_text() == "21!"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--factor", "half", "--mode", "loud"), "could not convert string to float: 'half'"),
        (("--factor", "1", "--mode", "quiet"), "'quiet' is not one of ('plain', 'loud')"),
        (("--factor", "1"), "the following arguments are required: --mode"),
    ],
)
def test_wrong_option_is_explained_without_traceback(project, options, message):
    done = by_hand(project, *OPTIONS, *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_unusable_data_by_hand_is_one_line(project):
    project.write("raw.txt", "many")
    done = by_hand(project, *OPTIONS, "--factor", "1", "--mode", "plain")
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["ERROR raw.txt holds 'many', expected a whole number; mend the file"]


READS_A_TABLE = """
    from pathlib import Path

    import pyarrow as pa

    from workflow_scripts import edge, tables

    NUMBERS = tables.Table("numbers", (tables.Column("number", pa.string(), "", "a number"),))


    def main(raw: Path, doubled: Path, factor: float, mode: str, limits: dict[str, int]) -> None:
        tables.read(raw, NUMBERS)


    if __name__ == "__main__":
        edge.run(main)
"""


@pytest.mark.parametrize(
    ("place", "own"), [("results/mini/raw.parquet", True), ("results/other/raw.parquet", False), ("raw.parquet", False)]
)
def test_damaged_input_is_set_aside_if_it_is_the_run_s_own(project, place, own):
    project.write("workflow_scripts/stages/double.py", READS_A_TABLE)
    project.edit("Snakefile", 'raw="raw.txt"', f'raw="{place}"')
    raw = project.write(place, "PAR1 damaged")
    done = project.snakemake()
    assert done.returncode == 1
    assert f"{place} is not a whole Parquet file" in done.stderr
    assert "Traceback" not in done.stderr
    aside = raw.with_name("raw.parquet.damaged")
    assert (aside.is_file(), raw.is_file()) == (own, not own)
    assert (f"It is now {place}.damaged" in done.stderr) == own


def test_log_that_cannot_be_written_goes_to_the_screen(tmp_path):
    (tmp_path / "logs").write_text("a file, not a folder")
    script = (
        "import logging\nfrom pathlib import Path\nfrom workflow_scripts import edge\n"
        f"with edge._logging(Path({str(tmp_path)!r}) / 'logs' / 'double.log'):\n    logging.info('doubled')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"WARNING the log is on the screen only: {tmp_path}/logs/double.log" in done.stderr
    assert "INFO doubled" in done.stderr
