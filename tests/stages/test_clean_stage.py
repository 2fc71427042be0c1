import logging

import pytest

from workflow_scripts import tables
from workflow_scripts.lightcurve.clean import Cuts, clean
from workflow_scripts.simulate import simulate
from workflow_scripts.stages.clean import main
from workflow_scripts.surveys.demo import generator

CUTS = Cuts(min_observations=50, clip_sigma=3, clip_iterations=1, clip_side="both", max_error_ratio=0)


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "raw.parquet"
    sample = simulate(40, "labelled", "stars", generator(1, "stars"))
    tables.write(sample.light_curves, path, tables.RAW_LIGHT_CURVES)
    return path


def test_writes_what_the_science_gives_and_logs_every_cut(raw, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    main(raw, tmp_path / "light_curves.parquet", tmp_path / "cleaning.parquet", CUTS, "0000")
    light_curves, cleaning = clean(tables.read(raw, tables.RAW_LIGHT_CURVES), CUTS)
    assert tables.read(tmp_path / "light_curves.parquet", tables.LIGHT_CURVES).to_pylist() == light_curves.to_pylist()
    assert tables.read(tmp_path / "cleaning.parquet", tables.CLEANING).to_pylist() == cleaning.to_pylist()
    for cut, meaning in tables.CUTS.items():
        total = sum(cleaning[f"n_{cut}"].to_pylist())
        assert any(record.getMessage() == f"{total:9d} points removed: {meaning}" for record in caplog.records)
    assert f"{light_curves.num_rows} of 40 light curves kept" in caplog.text


def test_the_same_input_gives_the_same_bytes(raw, tmp_path):
    for name in ("a", "b"):
        main(raw, tmp_path / name / "light_curves.parquet", tmp_path / name / "cleaning.parquet", CUTS, "0000")
    for file in ("light_curves.parquet", "cleaning.parquet"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_an_empty_shard_is_no_error(tmp_path):
    tables.write(tables.RAW_LIGHT_CURVES.schema.empty_table(), tmp_path / "raw.parquet", tables.RAW_LIGHT_CURVES)
    main(tmp_path / "raw.parquet", tmp_path / "light_curves.parquet", tmp_path / "cleaning.parquet", CUTS, "0000")
    assert tables.read(tmp_path / "cleaning.parquet", tables.CLEANING).num_rows == 0
