"""Damaged and lost intermediates: what is wrong is said, and the next run makes it anew."""

import os
import random
from pathlib import Path

import pytest
from small_run import assert_same
from workspace import planned

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
CATALOGUE = "catalogue/field/catalogue.parquet"
MODEL = "models/final/lightgbm-original"


def cut(data: bytes) -> bytes:
    return data[: 2 * len(data) // 3]


def flip(data: bytes) -> bytes:
    """One bit of the first third is another: in a page of a table, in the text of a model, in a name of a JSON file."""
    at = random.Random(len(data)).randrange(8, len(data) // 3)
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


def spoil(path: Path, change) -> None:
    """Change a file as a bad disk would, without a new time."""
    before = path.stat()
    path.write_bytes(change(path.read_bytes()))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("name", "change", "asked"),  # what is asked for has the damaged file read
    [
        ("raw/field.parquet", flip, "light_curves/field/0000.parquet"),
        ("features/known/0001.parquet", cut, "split/split.parquet"),
        (f"{MODEL}.model", flip, "predictions/field/lightgbm/0000.parquet"),
        (f"{MODEL}.json", cut, "predictions/field/lightgbm/0000.parquet"),
        ("models/final/calibration.json", cut, CATALOGUE),
    ],
)
def test_damaged_file_is_named_and_set_aside_and_the_next_run_makes_it_anew(finished, undisturbed, name, change, asked):
    path = finished.results / name
    spoil(path, change)
    (finished.results / asked).unlink()
    aside = path.with_name(f"{path.name}.damaged")
    said = finished.refused(asked)
    assert f"It is now results/small/{name}.damaged" in said
    assert f"makes {path.name} anew" in said
    assert aside.is_file()
    aside.unlink()
    finished.complete(asked)
    assert_same(finished, undisturbed, *undisturbed.files())


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("raw/field.parquet", "simulate_sample"),
        ("features/known/0001.parquet", "features"),
        (f"{MODEL}.model", "train_final"),
        ("catalogue/field/suspected.vot", "ensemble"),
    ],
)
def test_deleted_file_comes_back_as_it_was(finished, undisturbed, name, rule):
    (finished.results / name).unlink()
    assert planned(finished.snakemake("-n", *finished.targets(name))) == {rule}
    finished.complete(name)
    assert_same(finished, undisturbed, *undisturbed.files())
