"""The benchmark of the crossmatch runs, its contenders agree, and its table says so."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bench import crossmatch_peers
from workspace import ROOT

KEPT = (crossmatch_peers.OURS, crossmatch_peers.OURS_MUTUAL)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The document of a tiny run in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crossmatch_peers, "in_a_process", crossmatch_peers.measure)
        return crossmatch_peers.run(3000, 1, tmp_path_factory.mktemp("bench"), [crossmatch_peers.STILTS])


def test_script_writes_the_table_from_processes_of_their_own(tmp_path):
    left_out = [one.name for one in crossmatch_peers.CONTENDERS if one.name not in KEPT]
    options = ["--rows", "500", "--rounds", "1", "--table", str(tmp_path / "table.md"), "--without", *left_out]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "bench.crossmatch_peers", *options]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert f"| {crossmatch_peers.OURS} | nearest |" in (tmp_path / "table.md").read_text()


@pytest.mark.skipif(shutil.which("stilts") is None, reason="STILTS is not installed")
def test_stilts_finds_our_pairs(tmp_path):
    crossmatch_peers.simulate(2000, tmp_path)
    crossmatch_peers.sort(tmp_path)
    crossmatch_peers.write_fits(tmp_path)
    crossmatch_peers.by_stilts(tmp_path)
    stilts = crossmatch_peers.read_pairs(tmp_path)
    (tmp_path / "pairs.fits").unlink()
    crossmatch_peers.ours_in_memory(tmp_path)
    ours = crossmatch_peers.read_pairs(tmp_path)
    assert sorted(zip(*map(list, stilts), strict=True)) == sorted(zip(*map(list, ours), strict=True))


def test_contenders_find_the_same_pairs(done):
    assert "Pairs of the mode nearest: identical." in done
    assert "Pairs of the mode mutual: identical." in done


def test_every_contender_has_its_row(done):
    for one in crossmatch_peers.CONTENDERS:
        assert (f"\n| {one.name} | {one.finds} | " in done) == (one.name != crossmatch_peers.STILTS)


def test_goals_are_stated(done):
    for what in (
        "million rows per CPU second, mutual best | >= 0.8 |",
        "peak memory of ours [MiB] | < 600 |",
        "CPU time, ours / plain sorted k-d tree | <= 1.2 |",
        "CPU time, astropy / ours | >= 3 |",
    ):
        assert what in done


def test_sky_has_the_counterparts_promised(tmp_path):
    crossmatch_peers.simulate(2000, tmp_path)
    a, b = (pq.read_table(tmp_path / f"{side}.parquet") for side in crossmatch_peers.SIDES)
    assert a.num_rows == b.num_rows == 2000
    assert (np.abs(a["dec_deg"].to_numpy()) <= 90).all()
    crossmatch_peers.sort(tmp_path)
    crossmatch_peers.plain_trees(tmp_path)
    assert len(crossmatch_peers.read_pairs(tmp_path)[0]) == pytest.approx(1200, abs=5)


def test_digest_is_of_the_pairs_and_not_of_their_order(tmp_path):
    one = crossmatch_peers.Contender("some", "nearest", False, lambda _: None)
    found = []
    for a, b in (([1, 2, 3], [4, 5, 6]), ([3, 1, 2], [6, 4, 5]), ([1, 2, 3], [4, 6, 5])):
        pq.write_table(pa.table({"a_row": a, "b_row": b}), tmp_path / "pairs.parquet")
        found.append(crossmatch_peers.described(one, tmp_path))
    assert found[0] == found[1] != found[2]
    assert found[0]["pairs"] == 3


def test_different_pairs_are_seen_in_the_table():
    reading = {"cpu": 1.0, "wall": 1.0, "peak": 100.0, "pairs": 5, "digest": "abc"}
    names = [one.name for one in crossmatch_peers.CONTENDERS]
    readings = {name: [dict(reading)] for name in names}
    assert "different" not in crossmatch_peers.document(5, 1, readings)
    readings[crossmatch_peers.ASTROPY][0]["digest"] = "abd"
    assert "Pairs of the mode nearest: **different**." in crossmatch_peers.document(
        5, 1, json.loads(json.dumps(readings))
    )
