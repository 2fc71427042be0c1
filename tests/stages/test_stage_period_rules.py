"""Stage period_rules from files to files."""

import dataclasses

import classified_run
import numpy as np
import pyarrow as pa
import pytest

from workflow_scripts import calibrate, edge, features, period_rules, probabilities, tables
from workflow_scripts.period_rules import Rule
from workflow_scripts.stages import period_rules as stage


@pytest.fixture
def run(tmp_path, monkeypatch) -> classified_run.Run:
    classified_run.stand_in(monkeypatch, features)
    return classified_run.make(tmp_path)


def start(run: classified_run.Run) -> tuple[dict[str, Rule], list[dict]]:
    values = {
        "split": run.path("split.parquet"),
        "objects": [run.path("labelled/objects.parquet")],
        "features": [run.path(f"labelled/features{i}.parquet") for i in range(2)],
        "lightgbm": run.folds("lightgbm"),
        "xgboost": run.folds("xgboost"),
        "period_rules": run.path("rules.json"),
        "agreement": run.path("agreement.parquet"),
        "errors": run.path("errors.parquet"),
    }
    stage.main(**edge.arguments(stage.main, values))
    return period_rules.load(run.path("rules.json")), tables.read(
        run.path("agreement.parquet"), tables.PERIODS
    ).to_pylist()


def test_planted_rules_and_their_agreement(run):
    rules, rows = start(run)
    assert {name: (rule.period, rule.factor) for name, rule in rules.items()} == {
        "EA": ("period_d", 1.0),
        "EW": ("period_d", 2.0),
        "RR": ("period_d", 1.0),
    }
    exact = {(r["rule"], r["class"]): r["exact"] for r in rows}
    assert exact["harmonic", "EW"] == 0
    assert exact["harmonic", "RR"] == 1
    assert exact["lomb_scargle", "all"] == 0
    assert {exact["by_true_class", c] for c in (*classified_run.CLASSES, "all")} == {1}
    assert {r["support"] for r in rows if r["class"] == "all"} == {run.n - 2}


def test_by_class_is_right_where_the_class_is_taken_for_the_right_kind(run):
    _, rows = start(run)
    [row] = [r for r in rows if (r["rule"], r["class"]) == ("by_class", "EW")]
    # An EW taken for another class is not doubled: exact falls short by the mistakes alone, and half is not far.
    p = [probabilities.read(run.folds(m)) for m in ("lightgbm", "xgboost")]
    recall = [(q.predicted == "EW")[q.true == "EW"].mean() for q in p]
    assert min(recall) - 0.1 < row["exact"] < 1
    assert row["with_half_and_double"] == 1


def test_classes_are_those_after_calibration(run):
    """Boosters that lean to EA call nearly everything so; calibrated, as in the catalogue, they know the EW."""
    for path in (path for m in ("lightgbm", "xgboost") for path in run.folds(m)):
        p = probabilities.read([path])
        leaning = calibrate.soften(p.probability, 1.0, np.array([12.0, 0.0, 0.0]))
        probabilities.write(dataclasses.replace(p, probability=leaning), path)
    _, rows = start(run)
    [row] = [r for r in rows if (r["rule"], r["class"]) == ("by_class", "EW")]
    assert row["exact"] > 0.7


def test_without_catalogue_periods_the_rules_are_the_default(run):
    path = run.path("labelled/objects.parquet")
    objects = tables.read(path, tables.OBJECTS)
    none = pa.array([None] * run.n, pa.float64())
    tables.write(objects.set_column(5, "catalogue_period_d", none), path, tables.OBJECTS)
    rules, rows = start(run)
    assert set(rules.values()) == {Rule("period_d", 1.0, 0)}
    assert rows == []


def test_wrong_periods_are_counted_by_kind(run):
    start(run)
    rows = tables.read(run.path("errors.parquet"), tables.PERIOD_ERRORS).to_pylist()
    # The planted EW stars have half their catalogue's period, all others the very one.
    assert {(r["class"], r["kind"], r["share"]) for r in rows} == {
        ("EA", "exact", 1),
        ("EW", "half", 1),
        ("RR", "exact", 1),
    }
    assert sum(r["n"] for r in rows) == run.n - 2
    assert all(r["amplitude"] is not None and r["faint_fraction"] is None for r in rows)
