"""Stage calibrate from files to files."""

import classified_run
import numpy as np
import pytest

from workflow_scripts import calibrate, edge, probabilities, tables
from workflow_scripts.stages import calibrate as stage

OUTPUTS = {
    "calibration": "calibration.json",
    "metrics": "metrics.parquet",
    "reliability": "reliability.parquet",
    "risk_coverage": "risk_coverage.parquet",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> classified_run.Run:
    made = classified_run.make(tmp_path_factory.mktemp("run"))
    start(made, "a")
    return made


def start(run: classified_run.Run, folder: str) -> None:
    values = {
        "lightgbm": run.folds("lightgbm"),
        "xgboost": run.folds("xgboost"),
        "split": run.path("split.parquet"),
        **{name: str(run.path(f"{folder}/{file}")) for name, file in OUTPUTS.items()},
        "conformal_level": 0.8,
        "seed": 5,
    }
    stage.main(**edge.arguments(stage.main, values))


def test_labelled_prior_is_the_mix_of_the_split(run):
    found = calibrate.load(run.path("a/calibration.json"))
    classes = tables.read(run.path("split.parquet"), tables.SPLIT)["class"].to_pylist()
    assert found.classes == classified_run.CLASSES
    assert found.labelled_prior == pytest.approx([classes.count(c) / len(classes) for c in found.classes])
    assert found.conformal_level == 0.8


def test_temperatures_are_those_planted(run):
    found = calibrate.load(run.path("a/calibration.json")).temperature
    # 358 objects give the slope of the log odds to about 8 %: three of these.
    assert found["lightgbm"] == pytest.approx(2.5, rel=0.25)
    assert found["xgboost"] == pytest.approx(0.5, rel=0.25)


def test_figures_are_complete_and_calibration_pays(run):
    rows = tables.read(run.path("a/metrics.parquet"), tables.METRICS).to_pylist()
    value = {(r["model"], r["class"], r["metric"]): r["value"] for r in rows}
    assert {(r["scheme"], r["data"]) for r in rows} == {("folds", "original")}
    for model in ("lightgbm", "xgboost", "ensemble"):
        for metric in ("ece", "ece_class_max", "log_loss"):
            assert {(model, "all", f"{metric}_{stage}") for stage in ("before", "after")} <= set(value)
        # The mean of a sharp and of a flat booster is calibrated by chance; each alone has to gain.
        if model != "ensemble":
            assert value[model, "all", "log_loss_after"] < value[model, "all", "log_loss_before"]
    for name in classified_run.CLASSES:
        # 4 binomial errors of the smallest class (about 60 objects) and of its limit; filled sets only add.
        assert value["ensemble", name, "conformal_coverage"] > 0.8 - 4 * np.sqrt(2 * 0.16 / 60)


def test_figures_behind_the_catalogue_are_those_of_calibrated_classes(run):
    rows = tables.read(run.path("a/metrics.parquet"), tables.METRICS).to_pylist()
    found = {(r["model"], r["class"], r["metric"]): r for r in rows}
    curves = tables.read(run.path("a/risk_coverage.parquet"), tables.RISK_COVERAGE).to_pylist()
    [agreement] = [r for r in curves if r["rule"] == "agreement"]
    for metric in ("coverage", "accuracy"):
        assert found["ensemble", "all", metric]["value"] == pytest.approx(agreement[metric], abs=1e-12)
    for model in ("lightgbm", "xgboost"):
        for of in (("all", "accuracy", "accuracy_after"), ("macro", "f1", "macro_f1_after")):
            row = found[model, *of[:2]]
            assert row["value"] == pytest.approx(found[model, "all", of[2]]["value"], abs=1e-12)
            assert row["low"] < row["value"] < row["high"]


def test_reliability_and_risk_coverage_are_complete(run):
    bins = tables.read(run.path("a/reliability.parquet"), tables.RELIABILITY)
    assert bins.num_rows == 3 * 2 * 15
    assert sum(bins["count"].to_pylist()) == 6 * (run.n - 2)
    curves = tables.read(run.path("a/risk_coverage.parquet"), tables.RISK_COVERAGE).to_pylist()
    assert [r["rule"] for r in curves].count("agreement") == 1
    whole = next(r["accuracy"] for r in curves if r["rule"] == "lightgbm" and r["coverage"] == 1)
    # Undoing the training prior moves a few classes, so the raw accuracy is near, not equal.
    p = probabilities.read(run.folds("lightgbm"))
    assert whole == pytest.approx((p.predicted == p.true).mean(), abs=0.05)


def test_same_input_gives_the_same_bytes(run):
    start(run, "b")
    for file in OUTPUTS.values():
        assert run.path(f"a/{file}").read_bytes() == run.path(f"b/{file}").read_bytes()
