"""Files of the user that are replaced while their times say nothing, as cp -p, rsync -a and mv of an older file do."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from small_run import Run, sha256
from workspace import ROOT, planned

sys.path.append(str(ROOT / "tests" / "clustering"))

from test_regions import line

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(600)]
LONG_AGO = 1_500_000_000  # s since 1970: before any file of a test
MADE = ("samples/mine/objects.parquet", "inputs/catalogue.json", "clusters/here/stars.parquet", "inputs/clusters.json")


def stars(folder: Path, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    values = {name: rng.normal(0, 1, 100) for name in ("parallax", "pmra", "pmdec")}
    values |= {"source_id": np.arange(100), "ra": rng.uniform(179.5, 180.5, 100), "dec": rng.uniform(-0.4, 0.4, 100)}
    pq.write_table(pa.table(values), folder / "stars.parquet")
    return folder / "stars.parquet"


def clusters(folder: Path, seed: int) -> Path:
    (folder / "clusters.dat").write_text(line("Small 3", "12 00 00 +00 00 00", f"2{seed}.0"))
    return folder / "clusters.dat"


def objects(folder: Path, seed: int) -> Path:
    (folder / "objects.csv").write_text(f"object_id,ra_deg,dec_deg,class\na,1,{seed},EA\nb,3,4,EW\n")
    return folder / "objects.csv"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    """A sample and a region from files of the user, as far as they are read and hashed."""
    folder = tmp_path_factory.mktemp("replaced")
    curves = {
        "object_id": list("aabb"),
        "time": [55000.0, 55001, 55002, 55003],
        "mag": [15.0] * 4,
        "mag_err": [0.1] * 4,
    }
    pq.write_table(pa.table(curves), folder / "curves.parquet")
    for write in (objects, stars, clusters):
        write(folder, 1)
    mine = {"role": "labelled", "source": "local"}
    mine["local"] = {"light_curves": ["curves.parquet"], "objects": ["objects.csv"]}
    here = {"source": "local", "stars": ["stars.parquet"], "cluster": "Small 3", "radius_deg": 1}
    branch = {"catalogue": "clusters.dat", "regions": {"here": here}}
    settings = {"run": "small", "samples": {"mine": mine}, "clusters": branch}
    (folder / "run.yaml").write_text(yaml.safe_dump(settings))
    made = Run(folder, folder / "run.yaml")
    made.complete(*MADE)
    return made


def plan(run: Run) -> set[str]:
    return planned(run.snakemake("-n", *run.targets(*MADE)))


@pytest.mark.parametrize(
    ("replace", "branch", "reads"),
    [
        (objects, "catalogue", {"read_sample"}),
        (stars, "clusters", {"read_region"}),
        (clusters, "clusters", {"select_regions", "read_region"}),
    ],
)
def test_older_file_in_its_place_is_read_and_recorded(run, replace, branch, reads):
    assert plan(run) == set()
    path = replace(run.folder, 2)
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert plan(run) == {*reads, "inputs"}
    run.complete(*MADE)
    record = json.loads((run.results / f"inputs/{branch}.json").read_text())
    assert {row["name"]: row["sha256"] for row in record["inputs"]}[path.name] == sha256(path)
    assert plan(run) == set()


def test_missing_file_is_named_by_snakemake(run):
    path = run.folder / "objects.csv"
    path.rename(aside := path.with_suffix(".aside"))
    try:
        said = run.refused(*MADE)
    finally:
        aside.rename(path)
    assert "Missing input files for rule" in said
    assert "objects.csv" in said
