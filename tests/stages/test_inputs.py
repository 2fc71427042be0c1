"""Stage inputs: what went in, and the record that final tables carry."""

import hashlib
import json

import pytest

from workflow_scripts import digests, provenance, shards, tables
from workflow_scripts.simulate import simulate
from workflow_scripts.stages.inputs import main
from workflow_scripts.surveys.demo import generator


@pytest.fixture
def given(tmp_path, monkeypatch) -> dict[str, object]:
    """A file of the user and two samples of light curves."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/stars.csv").write_bytes(b"abc")
    return {
        "files": [tmp_path.relative_to(tmp_path) / "data/stars.csv"],
        "described": [("objects", "mine")],
        "simulated": ["made"],
        "configuration": {"seed": 5, "run": "r"},
        "lock": "123",
    }


def start(tmp_path, given, n_shards: int) -> tuple[list[dict], dict, bytes]:
    """Run the stage with so many shards; the rows, the record, and the bytes of both files."""
    paths = []
    for i, name in enumerate(("asked", "more")):
        parts = shards.split(simulate(25, "labelled", name, generator(i, name)).light_curves, n_shards)
        for number, part in enumerate(parts):
            path = tmp_path.relative_to(tmp_path) / f"raw{n_shards}" / name / f"{number:04d}.parquet"
            tables.write(part, path, tables.RAW_LIGHT_CURVES)
            paths.append(path)
    out = [tmp_path / f"{n_shards}/{name}" for name in ("inputs.parquet", "record.json")]
    main(
        light_curves=paths,
        from_archives=dict.fromkeys(("asked", "more"), n_shards),
        inputs=out[0],
        record=out[1],
        **given,
    )
    rows = tables.read(out[0], provenance.INPUTS).to_pylist()
    return rows, json.loads(out[1].read_text()), b"".join(path.read_bytes() for path in out)


def test_every_input_has_a_row(tmp_path, given):
    rows, record, _ = start(tmp_path, given, 2)
    assert [(row["what"], row["whose"], row["name"]) for row in rows] == [
        ("objects", "mine", "data/stars.csv"),
        ("light curves", "asked", "raw2/asked"),
        ("light curves", "more", "raw2/more"),
        ("simulation", "made", "SIMULATED, seed 5"),
    ]
    assert (rows[0]["bytes"], rows[0]["sha256"]) == (3, hashlib.sha256(b"abc").hexdigest())
    assert rows[1]["sha256"] == digests.of_light_curves(sorted((tmp_path / "raw2/asked").iterdir()))[1]
    assert rows[1]["sha256"] != rows[2]["sha256"]
    assert (rows[3]["bytes"], rows[3]["sha256"]) == (None, None)
    assert record == {"lock": "123", "seed": 5, "configuration": given["configuration"], "inputs": rows}


def test_number_of_shards_changes_nothing(tmp_path, given):
    first, second = (start(tmp_path, given, n)[:2] for n in (1, 3))
    assert json.dumps(first).replace("raw1/", "raw/") == json.dumps(second).replace("raw3/", "raw/")


def test_same_inputs_give_the_same_bytes(tmp_path, given):
    assert start(tmp_path, given, 2)[2] == start(tmp_path, given, 2)[2]


def test_run_without_inputs_has_an_empty_table(tmp_path):
    out = tmp_path / "i.parquet", tmp_path / "i.json"
    main([], [], *out, [], {}, [], {"seed": 1}, "lock")
    assert tables.read(out[0], provenance.INPUTS).num_rows == 0
    assert json.loads(out[1].read_text())["inputs"] == []
