"""Figures of merit of class predictions, class by class, with bootstrap intervals over objects (Qiao 2024, 3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workflow_scripts.probabilities import Predictions, Reals
from workflow_scripts.tables import DataError

RESAMPLES = 500
INTERVAL = (2.5, 97.5)  # percentiles
CALIBRATION_BINS = 15
COVERAGES = np.linspace(0.02, 1, 50)

Counts = NDArray[np.int64]
Trained = tuple[str, str, str]  # scheme, model, data
Row = dict[str, str | float | int | None]


@dataclass(frozen=True)
class Figure:
    """A figure of merit of a class (or macro, weighted, all) with the ends of its 95 % interval, if it has one."""

    class_: str
    metric: str
    value: float
    low: float | None
    high: float | None
    support: int

    def row(self, scheme: str, model: str, data: str) -> Row:
        """Row of tables.METRICS."""
        row: Row = {"scheme": scheme, "model": model, "data": data, "class": self.class_, "metric": self.metric}
        return {**row, "value": self.value, "low": self.low, "high": self.high, "support": self.support}


def grouped(paths: Sequence[Path]) -> dict[Trained, list[Path]]:
    """Files .../<scheme>/<model>-<data>.parquet by scheme, model and data; the folds together are scheme folds."""
    groups: dict[Trained, list[Path]] = {}
    for path in paths:
        scheme = "folds" if path.parent.name.startswith("fold") else path.parent.name
        model, _, data = path.stem.partition("-")
        groups.setdefault((scheme, model, data), []).append(path)
    return groups


def tested(predictions: Predictions, split: pa.Table, scheme: str) -> Predictions:
    """Predictions of the scheme's test objects, as the split (tables.SPLIT) says; the leak test made its own.

    Raises DataError if one of them has no prediction.
    """
    if scheme == "leak":
        return predictions
    rows = split if scheme == "folds" else split.filter(pc.equal(split[scheme], "test"))
    return predictions.select(rows["object_id"].to_pylist())


def score(predictions: Predictions, generator: np.random.Generator) -> list[Figure]:
    """Precision, recall and F1 of each class, macro and weighted; accuracy, balanced accuracy and log loss of all.

    Raises DataError if there is no object, or one whose true class the model does not know.
    """
    losses = log_losses(predictions.probability, _true_index(predictions))
    draws = np.array([losses[generator.integers(len(losses), size=len(losses))].mean() for _ in range(RESAMPLES)])
    figures = _confusion_figures(confusion(predictions), predictions.classes, generator)
    return [*figures, _figure(("all", "log_loss"), float(losses.mean()), draws, len(losses))]


def score_agreement(first: Predictions, second: Predictions, generator: np.random.Generator) -> list[Figure]:
    """Figures of the objects on whose class two models agree (Qiao 2024, 4.2), and the share of them, coverage."""
    agree = first.predicted == second.predicted
    counts = np.zeros((len(first.classes), 2), dtype=np.int64)
    np.add.at(counts, (_true_index(first), agree.astype(int)), 1)
    draws = _resampled(counts, generator)
    figures = []
    for i, name in enumerate((*first.classes, "all")):
        of_class = slice(None) if name == "all" else slice(i, i + 1)
        if counts[of_class].sum():
            value, drawn = (_agreeing(c[..., of_class, :]) for c in (counts, draws))
            figures.append(_figure((name, "coverage"), float(value), drawn, int(counts[of_class].sum())))
    agreed = first.select(list(first.object_id[agree]))
    return figures + (_confusion_figures(confusion(agreed), agreed.classes, generator) if len(agreed) else [])


def confusion(predictions: Predictions) -> Counts:
    """Count the objects of each true class (rows) given each class (columns), (k, k)."""
    counts = np.zeros((len(predictions.classes),) * 2, dtype=np.int64)
    np.add.at(counts, (_true_index(predictions), predictions.probability.argmax(axis=1)), 1)
    return counts


def confusion_rows(predictions: Predictions, scheme: str, model: str, data: str) -> list[Row]:
    """Rows of tables.CONFUSION: every pair of classes, empty ones too."""
    trained: Row = {"scheme": scheme, "model": model, "data": data}
    return [
        {**trained, "true": true, "predicted": given, "count": int(count)}
        for true, counts in zip(predictions.classes, confusion(predictions), strict=True)
        for given, count in zip(predictions.classes, counts, strict=True)
    ]


def log_losses(probability: Reals, true_index: NDArray[np.intp]) -> Reals:
    """Loss -ln p of the true class of each object, (n,); p = 0 counts as the smallest step from 1 (2.2e-16)."""
    true = probability[np.arange(len(probability)), true_index]
    return np.asarray(-np.log(np.clip(true, np.finfo(np.float64).eps, 1)))


def macro_f1(probability: Reals, true_index: NDArray[np.integer]) -> float:
    """Mean F1 of the classes that occur, with the most probable class of (n, k) as the prediction."""
    from sklearn.metrics import f1_score

    given = probability.argmax(axis=1)
    return float(f1_score(true_index, given, labels=np.unique(true_index), average="macro", zero_division=0))


def reliability(confidence: Reals, correct: NDArray[np.bool_]) -> list[Row]:
    """Mean confidence and share of correct predictions in 15 equal bins of the confidence; null in empty bins."""
    position = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    count, confident, right = (
        np.bincount(position, weights, CALIBRATION_BINS) for weights in (None, confidence, correct.astype(float))
    )
    return [
        {
            "low": b / CALIBRATION_BINS,
            "high": (b + 1) / CALIBRATION_BINS,
            "confidence": float(confident[b] / n) if n else None,
            "accuracy": float(right[b] / n) if n else None,
            "count": int(n),
        }
        for b, n in enumerate(count)
    ]


def calibration_error(confidence: Reals, correct: NDArray[np.bool_]) -> float:
    """Give the expected calibration error, over 15 equal bins b of the confidence (Guo 2017, eq. 3).

    ECE = sum_b n_b / n |share correct_b - mean confidence_b|; confidence and correct are (n,).
    """
    position = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    return float(np.abs(np.bincount(position, correct - confidence)).sum() / len(confidence))


def accuracy_at(confidence: Reals, correct: NDArray[np.bool_], coverage: float) -> float:
    """Accuracy of the share of objects with the highest confidence, at least one; ties in the order given."""
    kept = np.argsort(-confidence, kind="stable")[: max(1, round(coverage * len(confidence)))]
    return float(correct[kept].mean())


def risk_coverage(probability: dict[str, Reals], true_index: NDArray[np.intp]) -> list[Row]:
    """Accuracy against the share of objects kept: by each model's confidence, and by agreement of the boosters.

    probability holds (n, k) for lightgbm, xgboost and ensemble (their mean). Rule "agreement" is one point; the
    rules "... at the same coverage" keep as many objects by confidence alone: the difference is what the second
    booster is worth. Rows of tables.RISK_COVERAGE.
    """
    best = {name: p.argmax(axis=1) for name, p in probability.items()}
    agree = best["lightgbm"] == best["xgboost"]
    agreed = float((best["lightgbm"] == true_index)[agree].mean()) if agree.any() else 0.0
    coverage = float(agree.mean())
    rows: list[Row] = [{"rule": "agreement", "coverage": coverage, "accuracy": agreed}]
    for name, p in probability.items():
        of_rule = {name: COVERAGES, f"{name} at the same coverage": np.array([coverage])}
        for rule, coverages in of_rule.items():
            values = [accuracy_at(p.max(axis=1), best[name] == true_index, c) for c in coverages]
            rows += [
                {"rule": rule, "coverage": float(c), "accuracy": a} for c, a in zip(coverages, values, strict=True)
            ]
    return rows


def _true_index(predictions: Predictions) -> NDArray[np.intp]:
    index = predictions.true_index
    if not len(index) or (index < 0).any():
        unknown = sorted({str(name) for name in predictions.true[index < 0]})
        raise DataError(
            f"{len(index)} predictions to score, {(index < 0).sum()} of them with a true class {unknown} that is none "
            f"of the model's {list(predictions.classes)}; the split and the model are of different runs: train again"
        )
    return index


def _confusion_figures(counts: Counts, classes: Sequence[str], generator: np.random.Generator) -> list[Figure]:
    """Figures that follow from a confusion matrix; classes without objects have none and are in no mean."""
    support = counts.sum(axis=1)
    draws = _confusion_metrics(_resampled(counts, generator), support > 0, classes)
    supports = dict(zip(classes, support.tolist(), strict=True))
    return [
        _figure(key, float(value), draws[key], supports.get(key[0], int(counts.sum())))
        for key, value in _confusion_metrics(counts, support > 0, classes).items()
    ]


def _resampled(counts: Counts, generator: np.random.Generator) -> Counts:
    # Drawing n objects with replacement draws the cells of their table from a multinomial distribution.
    n = counts.sum()
    return generator.multinomial(n, counts.ravel() / n, RESAMPLES).reshape(RESAMPLES, *counts.shape)


def _confusion_metrics(
    counts: Counts, present: NDArray[np.bool_], classes: Sequence[str]
) -> dict[tuple[str, str], Reals]:
    """Metrics by class and name of one or many confusion matrices (..., k, k), each (...,)."""
    hits = np.diagonal(counts, axis1=-2, axis2=-1)[..., present]
    support, given = counts.sum(axis=-1)[..., present], counts.sum(axis=-2)[..., present]
    # A resample without the class says nothing about its recall and F1: NaN, and left out of the means.
    recall = np.where(support > 0, _share(hits, support), np.nan)
    f1 = np.where(support > 0, _share(2 * hits, support + given), np.nan)
    metrics: dict[tuple[str, str], Reals] = {}
    for metric, value in {"precision": _share(hits, given), "recall": recall, "f1": f1}.items():
        metrics |= {(name, metric): value[..., i] for i, name in enumerate(np.asarray(classes)[present])}
        metrics["macro", metric] = np.nanmean(value, axis=-1)
        metrics["weighted", metric] = np.nansum(value * support, axis=-1) / support.sum(axis=-1)
    metrics["all", "accuracy"] = hits.sum(axis=-1) / support.sum(axis=-1)
    metrics["all", "balanced_accuracy"] = np.nanmean(recall, axis=-1)
    return metrics


def _share(part: Counts, whole: Counts) -> Reals:
    # 0 of 0 is 0: a class that is never given has precision 0 (scikit-learn's zero_division=0).
    return np.asarray(part / np.maximum(whole, 1))


def _agreeing(counts: Counts) -> Reals:
    """Share of the second column in counts (..., classes, 2); NaN where a resample lacks these classes."""
    n = counts.sum(axis=(-1, -2))
    return np.where(n > 0, _share(counts[..., 1].sum(axis=-1), n), np.nan)


def _figure(key: tuple[str, str], value: float, draws: Reals, support: int) -> Figure:
    low, high = np.nanpercentile(draws, INTERVAL)
    return Figure(str(key[0]), key[1], value, float(low), float(high), support)
