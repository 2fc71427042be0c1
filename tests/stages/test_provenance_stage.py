"""Stage provenance: one file that says all about a run, and its RO-Crate."""

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from rocrate.rocrate import ROCrate
from workspace import ROOT

from workflow_scripts import edge, fingerprint, provenance, tables
from workflow_scripts.stages.provenance import VARIES, main

INPUT = {"what": "objects", "whose": "known", "name": "stars.csv", "bytes": 3, "sha256": "ab" * 32}
CONFIG = {"run": "small", "seed": 5, "shards": 7, "samples": {"known": {"role": "labelled"}}}
TABLES = {"catalogue/known/catalogue.parquet": b"abc", "models/final/settings.json": b"{}"}


@pytest.fixture
def folder(tmp_path) -> Path:
    run = tmp_path / "results/small"
    for name, content in TABLES.items():
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_bytes(content)
    rows = pa.Table.from_pylist([INPUT], provenance.INPUTS.schema)
    tables.write(rows, run / "inputs/catalogue.parquet", provenance.INPUTS)
    (run / "logs/split.log").parent.mkdir()
    (run / "logs/split.log").write_text(edge.BEGUN.format(host="node1", time="2024-05-01T12:00:00.000+00:00") + "\n")
    (run / "logs/split.tsv").write_text("s\tmax_rss\tcpu_time\n2.5\t300\t1.5\n")
    main(
        final=[run / name for name in TABLES],
        inputs=[run / "inputs/catalogue.parquet"],
        provenance=run / "provenance.json",
        ro_crate=run / "ro-crate-metadata.json",
        workflow=run / "provenance/Snakefile",
        settings=run / "provenance/configuration.yaml",
        run="small",
        configuration=CONFIG,
        lock="123",
    )
    return run


def test_file_says_what_the_run_was_made_from_and_with(folder):
    said = json.loads((folder / "provenance.json").read_text())
    assert said["configuration"] == CONFIG, "with all that only says how: the run can be done again"
    assert (said["run"], said["seed"], said["lock"]) == ("small", 5, "123")
    assert said["inputs"] == [INPUT]
    assert said["tables"] == {name: hashlib.sha256(content).hexdigest() for name, content in TABLES.items()}
    assert said["code"] == fingerprint.code("stages")
    assert {"python", "snakemake", "numpy"} <= set(said["versions"])
    assert said["jobs"]["hosts"] == ["node1"]
    assert said["jobs"]["rules"] == {"split": {"jobs": 1, "wall_s": 2.5, "cpu_s": 1.5, "max_rss_mb": 300.0}}
    assert said["varies"] == list(VARIES)


def test_copies_of_snakefile_and_settings_lie_beside_it(folder):
    assert (folder / "provenance/Snakefile").read_bytes() == (ROOT / "Snakefile").read_bytes()
    assert yaml.safe_load((folder / "provenance/configuration.yaml").read_text()) == CONFIG


def test_crate_lists_every_table_and_input(folder):
    read = ROCrate(folder)
    (action,) = read.root_dataset["mentions"]
    assert [part.id for part in action["result"]] == list(TABLES)
    assert [part["name"] for part in action["object"]] == ["provenance/configuration.yaml", "stars.csv"]
    assert read.mainEntity.id == "provenance/Snakefile"
