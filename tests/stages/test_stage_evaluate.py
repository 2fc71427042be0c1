"""Stage evaluate from files to files."""

import classified_run
import numpy as np
import pyarrow.compute as pc
import pytest
from sklearn.metrics import accuracy_score, f1_score

from workflow_scripts import edge, probabilities, tables
from workflow_scripts.stages import evaluate as stage


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> classified_run.Run:
    made = classified_run.make(tmp_path_factory.mktemp("run"))
    evaluate(made, "a")
    return made


def evaluate(run: classified_run.Run, folder: str) -> None:
    names = [f"models/{scheme}/{model}-original" for scheme in ("random", "sky") for model in ("lightgbm", "xgboost")]
    files = [run.path(f"{name}.parquet") for name in (*names, "models/leak/lightgbm-smote")]
    values = {
        "probabilities": [str(f) for f in (*files, *run.folds("lightgbm"), *run.folds("xgboost"))],
        "split": str(run.path("split.parquet")),
        "metrics": str(run.path(f"{folder}/metrics.parquet")),
        "confusion": str(run.path(f"{folder}/confusion.parquet")),
        "seed": 5,
    }
    stage.main(**edge.arguments(stage.main, values))


def figures(run: classified_run.Run) -> dict[tuple[str, ...], dict]:
    rows = tables.read(run.path("a/metrics.parquet"), tables.METRICS).to_pylist()
    return {(r["scheme"], r["model"], r["data"], r["class"], r["metric"]): r for r in rows}


def test_every_scheme_and_model_is_scored(run):
    trained = {key[:3] for key in figures(run)}
    boosters = {(s, m, "original") for s in ("random", "sky", "folds") for m in ("lightgbm", "xgboost")}
    assert trained == {*boosters, ("leak", "lightgbm", "smote"), ("folds", "ensemble", "original")}


def test_folds_are_pooled_over_all_objects_of_the_split(run):
    row, p = figures(run)["folds", "xgboost", "original", "all", "accuracy"], probabilities.read(run.folds("xgboost"))
    assert row["support"] == run.n - 2
    assert row["value"] == pytest.approx(accuracy_score(list(p.true), list(p.predicted)))
    assert row["low"] < row["value"] < row["high"]


def test_random_test_objects_are_those_of_the_split(run):
    split = tables.read(run.path("split.parquet"), tables.SPLIT)
    support = figures(run)["random", "lightgbm", "original", "macro", "f1"]["support"]
    assert support == pc.sum(pc.equal(split["random"], "test")).as_py()


def test_ensemble_figures_are_those_of_the_agreeing(run):
    found = figures(run)
    first, second = (probabilities.read(run.folds(m)) for m in ("lightgbm", "xgboost"))
    agree = first.predicted == second.predicted
    true, given = (list(values[agree]) for values in (first.true, first.predicted))
    assert found["folds", "ensemble", "original", "all", "coverage"]["value"] == pytest.approx(agree.mean())
    assert found["folds", "ensemble", "original", "all", "accuracy"]["value"] == pytest.approx(
        accuracy_score(true, given)
    )
    macro = f1_score(true, given, average="macro")
    assert found["folds", "ensemble", "original", "macro", "f1"]["value"] == pytest.approx(macro)


def test_confusion_counts_are_the_supports(run):
    rows = tables.read(run.path("a/confusion.parquet"), tables.CONFUSION).to_pandas()
    counts = rows.groupby(["scheme", "model", "data", "true"])["count"].sum()
    for key, count in counts.items():
        assert figures(run)[(*key, "recall")]["support"] == count
    assert np.issubdtype(counts.dtype, np.integer)


def test_same_input_gives_the_same_bytes(run):
    evaluate(run, "b")
    for name in ("metrics", "confusion"):
        assert run.path(f"a/{name}.parquet").read_bytes() == run.path(f"b/{name}.parquet").read_bytes()
