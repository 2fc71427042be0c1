"""Figures of merit: by hand, against scikit-learn, and bootstrap intervals against resampled objects."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics

from workflow_scripts import evaluate, tables
from workflow_scripts.probabilities import Predictions
from workflow_scripts.tables import DataError

CLASSES = ("EA", "EW", "RR", "SR")


def predictions(true: list[str], probability: np.ndarray, classes: tuple[str, ...] = CLASSES) -> Predictions:
    ids = np.array([f"o{i:05d}" for i in range(len(true))], dtype=object)
    k = len(classes)
    return Predictions(ids, np.array(true, dtype=object), classes, probability, np.full((len(true), k), 1 / k))


def drawn(n: int, seed: int, classes: tuple[str, ...] = CLASSES) -> Predictions:
    """Random predictions, right more often than not, of classes of very different size."""
    rng = np.random.default_rng(seed)
    k = len(classes)
    true = rng.choice(k, size=n, p=np.array([8, 4, 2, 1][:k]) / sum([8, 4, 2, 1][:k]))
    raw = rng.gamma(1, size=(n, k)) + 1.2 * np.eye(k)[true]
    return predictions([classes[i] for i in true], raw / raw.sum(axis=1, keepdims=True), classes)


def certain(true: list[str], given: list[str]) -> Predictions:
    return predictions(true, np.array([[float(c == g) for c in CLASSES] for g in given]))


def values(figures: list[evaluate.Figure]) -> dict[tuple[str, str], float]:
    return {(f.class_, f.metric): f.value for f in figures}


def test_figures_by_hand():
    # EA: 2 of 3 found, 2 of 2 given right. EW: 1 of 1 found, 1 of 2 given right.
    found = values(
        evaluate.score(certain(["EA", "EA", "EA", "EW"], ["EA", "EA", "EW", "EW"]), np.random.default_rng(0))
    )
    assert found["EA", "precision"] == 1
    assert found["EA", "recall"] == pytest.approx(2 / 3)
    assert found["EW", "precision"] == 0.5
    assert found["EW", "f1"] == pytest.approx(2 / 3)
    assert found["macro", "recall"] == pytest.approx(5 / 6)
    assert found["weighted", "precision"] == pytest.approx((3 * 1 + 1 * 0.5) / 4)
    assert found["all", "accuracy"] == 0.75
    # One certain mistake of four costs -ln(2.2e-16) / 4.
    assert found["all", "log_loss"] == pytest.approx(-np.log(np.finfo(float).eps) / 4)
    assert ("RR", "f1") not in found  # no object, no figure


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_those_of_scikit_learn(seed):
    p = drawn(300, seed)
    found, true, given = values(evaluate.score(p, np.random.default_rng(0))), list(p.true), list(p.predicted)
    by_class = metrics.precision_recall_fscore_support(true, given, labels=CLASSES, zero_division=0)
    for metric, expected in zip(("precision", "recall", "f1"), by_class, strict=False):
        for name, value in zip(CLASSES, expected, strict=True):
            assert found[name, metric] == pytest.approx(value, rel=1e-12)  # one division
    for mean in ("macro", "weighted"):
        expected = metrics.precision_recall_fscore_support(true, given, labels=CLASSES, average=mean, zero_division=0)
        got = [found[mean, metric] for metric in ("precision", "recall", "f1")]
        np.testing.assert_allclose(got, expected[:3], rtol=1e-12)
    assert found["all", "accuracy"] == pytest.approx(metrics.accuracy_score(true, given), rel=1e-12)
    assert found["all", "balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(true, given), rel=1e-12)
    assert found["all", "log_loss"] == pytest.approx(metrics.log_loss(true, p.probability, labels=CLASSES), rel=1e-12)
    np.testing.assert_array_equal(evaluate.confusion(p), metrics.confusion_matrix(true, given, labels=CLASSES))


def test_class_never_given_has_precision_zero():
    p = certain(["EA", "EW", "EW"], ["EA", "EA", "EA"])
    found = values(evaluate.score(p, np.random.default_rng(0)))
    assert found["EW", "precision"] == 0
    expected = metrics.precision_score(list(p.true), list(p.predicted), average="macro", zero_division=0)
    assert found["macro", "precision"] == pytest.approx(expected)


def test_support_of_every_row():
    figures = evaluate.score(certain(["EA"] * 3 + ["EW"] * 2, ["EA"] * 5), np.random.default_rng(0))
    support = {(f.class_, f.metric): f.support for f in figures}
    assert support["EA", "f1"] == 3
    assert support["EW", "recall"] == 2
    assert {
        support[key] for key in (("macro", "f1"), ("weighted", "f1"), ("all", "accuracy"), ("all", "log_loss"))
    } == {5}


def test_intervals_are_those_of_resampled_objects():
    """The multinomial draw of table cells against drawing the objects themselves, with scikit-learn's figures."""
    p, rng = drawn(250, 1), np.random.default_rng(5)
    true, given = p.true.astype(str), p.predicted.astype(str)
    literal: dict[tuple[str, str], list[float]] = {
        ("macro", "f1"): [],
        ("all", "accuracy"): [],
        ("all", "log_loss"): [],
    }
    for _ in range(500):
        i = rng.integers(250, size=250)
        literal["macro", "f1"].append(metrics.f1_score(true[i], given[i], labels=CLASSES, average="macro"))
        literal["all", "accuracy"].append(metrics.accuracy_score(true[i], given[i]))
        literal["all", "log_loss"].append(metrics.log_loss(true[i], p.probability[i], labels=CLASSES))
    for figure in evaluate.score(p, np.random.default_rng(6)):
        if (figure.class_, figure.metric) in literal:
            draws = literal[figure.class_, figure.metric]
            # A 2.5 % quantile of 500 normal draws has an error of 0.12 deviations, so two differ by 0.17; 4 of these.
            expected = np.percentile(draws, [2.5, 97.5])
            np.testing.assert_allclose([figure.low, figure.high], expected, atol=0.7 * np.std(draws))


def test_interval_of_a_rate_is_the_binomial_one():
    p = certain(["EA"] * 400, ["EA"] * 300 + ["EW"] * 100)
    figures = {(f.class_, f.metric): f for f in evaluate.score(p, np.random.default_rng(0))}
    accuracy = figures["all", "accuracy"]
    deviation = np.sqrt(0.75 * 0.25 / 400)
    np.testing.assert_allclose(
        [accuracy.low, accuracy.high], 0.75 + np.array([-1.96, 1.96]) * deviation, atol=0.5 * deviation
    )
    assert figures["EA", "precision"].low == figures["EA", "precision"].high == 1


def test_rare_class_missing_from_resamples_keeps_its_interval():
    # One EW among 50: in a third of the resamples it is absent, which is no recall of 0.
    figures = {
        (f.class_, f.metric): f
        for f in evaluate.score(certain(["EA"] * 49 + ["EW"], ["EA"] * 49 + ["EW"]), np.random.default_rng(0))
    }
    assert figures["EW", "recall"].low == 1
    assert figures["macro", "f1"].low == 1


def test_every_value_is_inside_its_interval():
    for figure in evaluate.score(drawn(400, 2), np.random.default_rng(0)):
        assert figure.low <= figure.value <= figure.high, figure


def test_same_seed_same_figures():
    assert evaluate.score(drawn(80, 3), np.random.default_rng(1)) == evaluate.score(
        drawn(80, 3), np.random.default_rng(1)
    )


@pytest.mark.parametrize("true", [[], ["EA", "UNKNOWN"], ["EA", None]])
def test_unknown_truth_is_an_error(true):
    with pytest.raises(DataError, match=f"{len(true)} predictions to score"):
        evaluate.score(predictions(true, np.full((len(true), 4), 0.25)), np.random.default_rng(0))


def test_agreement_by_hand():
    true = ["EA", "EA", "EA", "EW", "EW"]
    first, second = certain(true, ["EA", "EA", "EW", "EW", "EA"]), certain(true, ["EA", "EA", "EA", "EW", "EA"])
    figures = evaluate.score_agreement(first, second, np.random.default_rng(0))
    found = values(figures)
    assert found["all", "coverage"] == 0.8
    assert found["EA", "coverage"] == pytest.approx(2 / 3)
    assert found["EW", "coverage"] == 1
    assert found["all", "accuracy"] == 0.75
    assert found["EA", "precision"] == pytest.approx(2 / 3)
    assert {f.support for f in figures if f.metric == "accuracy"} == {4}


def test_coverage_of_a_rare_class_is_of_the_resamples_that_have_it():
    true = ["EA"] * 2 + ["EW"] * 8
    figures = evaluate.score_agreement(certain(true, true), certain(true, true), np.random.default_rng(0))
    found = {(f.class_, f.metric): (f.low, f.high) for f in figures}
    assert found["EA", "coverage"] == (1, 1)


def test_models_that_never_agree_cover_nothing():
    figures = evaluate.score_agreement(certain(["EA"], ["EA"]), certain(["EA"], ["EW"]), np.random.default_rng(0))
    assert values(figures) == {("EA", "coverage"): 0, ("all", "coverage"): 0}


def test_files_are_grouped_and_folds_pooled():
    paths = [
        Path(f"r/models/{name}.parquet")
        for name in ("random/forest-smote", "fold0/xgboost-original", "fold10/xgboost-original", "leak/lightgbm-smote")
    ]
    assert evaluate.grouped(paths) == {
        ("random", "forest", "smote"): paths[:1],
        ("folds", "xgboost", "original"): paths[1:3],
        ("leak", "lightgbm", "smote"): paths[3:],
    }


def test_test_objects_are_those_of_the_split():
    p = drawn(4, 0)
    parts = ["train", "test", "validation", "test"]
    split = pa.table({"object_id": p.object_id.tolist(), "random": parts, "sky": parts[::-1]})
    assert evaluate.tested(p, split, "random").object_id.tolist() == ["o00001", "o00003"]
    assert evaluate.tested(p, split, "sky").object_id.tolist() == ["o00000", "o00002"]
    assert len(evaluate.tested(p, split, "folds")) == len(evaluate.tested(p, split, "leak")) == 4
    with pytest.raises(DataError, match="1 objects have no prediction"):
        evaluate.tested(p.select(["o00000", "o00001"]), split, "random")


def test_confusion_rows_count_every_object():
    p = drawn(50, 4)
    rows = evaluate.confusion_rows(p, "random", "forest", "original")
    assert sum(row["count"] for row in rows) == 50
    assert len(rows) == 16
    assert pa.Table.from_pylist(rows, tables.CONFUSION.schema).num_rows == 16


def test_calibration_error_by_hand():
    # Bin 14 (0.933-1): two at 0.95, one right: |1 - 1.9| = 0.9. Bin 7 (0.467-0.533): one at 0.5, right: 0.5.
    error = evaluate.calibration_error(np.array([0.95, 0.95, 0.5]), np.array([True, False, True]))
    assert error == pytest.approx((0.9 + 0.5) / 3)


def test_calibration_error_is_its_definition_written_out():
    p = drawn(500, 5)
    confidence, correct = p.probability.max(axis=1), p.predicted == p.true
    total = 0.0
    for b in range(15):
        inside = (confidence >= b / 15) & ((confidence < (b + 1) / 15) | (b == 14))
        if inside.any():
            total += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    assert evaluate.calibration_error(confidence, correct) == pytest.approx(total, rel=1e-10)
    rows = evaluate.reliability(confidence, correct)
    again = sum(r["count"] / 500 * abs(r["accuracy"] - r["confidence"]) for r in rows if r["count"])
    assert again == pytest.approx(total, rel=1e-10)


def test_reliability_bins():
    rows = evaluate.reliability(np.array([1.0, 1.0, 0.0]), np.array([True, False, False]))
    assert [r["count"] for r in rows] == [1, *[0] * 13, 2]  # 1.0 belongs to the last bin
    assert (rows[14]["confidence"], rows[14]["accuracy"]) == (1.0, 0.5)
    assert rows[5]["confidence"] is rows[5]["accuracy"] is None
    assert [rows[0]["low"], rows[14]["high"]] == [0, 1]


def test_accuracy_at_coverage_by_hand():
    confidence, correct = np.array([0.6, 0.9, 0.8, 0.7]), np.array([False, True, True, False])
    assert [evaluate.accuracy_at(confidence, correct, c) for c in (0.0, 0.25, 0.5, 0.75, 1.0)] == [1, 1, 1, 2 / 3, 0.5]


def test_risk_coverage_rules():
    first, second = drawn(300, 6), drawn(300, 7)
    probability = {"lightgbm": first.probability, "xgboost": second.probability}
    probability["ensemble"] = (first.probability + second.probability) / 2
    rows = evaluate.risk_coverage(probability, first.true_index)
    by_rule: dict[str, list] = {}
    for row in rows:
        by_rule.setdefault(row["rule"], []).append((row["coverage"], row["accuracy"]))
    agree = first.predicted == second.predicted
    assert by_rule["agreement"] == [(agree.mean(), (first.predicted == first.true)[agree].mean())]
    for name, p in probability.items():
        right = p.argmax(axis=1) == first.true_index
        assert [c for c, _ in by_rule[name]] == pytest.approx(np.arange(1, 51) / 50)
        assert by_rule[name][-1][1] == right.mean()
        [(coverage, accuracy)] = by_rule[f"{name} at the same coverage"]
        kept = sorted(range(300), key=lambda i, p=p: -p[i].max())[: agree.sum()]
        assert (coverage, accuracy) == (agree.mean(), pytest.approx(right[kept].mean()))
    assert pa.Table.from_pylist(rows, tables.RISK_COVERAGE.schema).num_rows == 3 * 51 + 1


def test_risk_coverage_without_agreement():
    p, q = np.array([[0.9, 0.1]]), np.array([[0.1, 0.9]])
    rows = evaluate.risk_coverage({"lightgbm": p, "xgboost": q, "ensemble": (p + q) / 2}, np.array([0]))
    assert rows[0] == {"rule": "agreement", "coverage": 0.0, "accuracy": 0.0}


def test_macro_f1_by_hand():
    # Class 0: 2 of 2 found, 1 wrongly given: F1 0.8; class 1: 1 of 2 found: F1 2/3; class 2 does not occur.
    probability = np.eye(3)[[0, 0, 0, 1]]
    assert evaluate.macro_f1(probability, np.array([0, 0, 1, 1])) == pytest.approx((0.8 + 2 / 3) / 2)
