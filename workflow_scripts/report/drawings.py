"""From the tables of a run to its figures."""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from workflow_scripts.figures import confusion, importance, reliability, risk_coverage, style
from workflow_scripts.report.page import Picture


def confusions(rows: pa.Table, data: str) -> Iterator[Picture]:
    """Give the confusion matrix of each booster over all folds before calibration, classes as the table has them."""
    for model in ("lightgbm", "xgboost"):
        own = [r for r in rows.to_pylist() if (r["scheme"], r["model"], r["data"]) == ("folds", model, data)]
        classes = list(dict.fromkeys(r[column] for column in ("true", "predicted") for r in own))
        places = {name: i for i, name in enumerate(classes)}
        counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
        for row in own:
            counts[places[row["true"]], places[row["predicted"]]] += row["count"]
        if own:
            name = style.name_of(model)
            yield Picture(
                name=f"confusion_{model}",
                caption=f"{name}, all folds, before calibration: a dark cell off the diagonal is a class that the "
                "model takes for another.",
                png=style.png(confusion.draw(classes, counts, f"{name}, cross-validation")),
                alt=f"Confusion matrix of {name}: {np.trace(counts)} of {counts.sum()} objects on the diagonal.",
            )


def importances(rows: pa.Table) -> Iterator[Picture]:
    """Give the importances of each model in the table."""
    for model in dict.fromkeys(rows["model"].to_pylist()):
        own = [r for r in rows.to_pylist() if r["model"] == model]
        values = (np.array([r[name] for r in own], dtype=float) for name in ("gain", "permutation", "permutation_std"))
        drawn = importance.Importance([r["feature"] for r in own], *values)
        name = style.name_of(model)
        first = drawn.features[importance.strongest(drawn.permutation, 1)[0]]
        yield Picture(
            name=f"importance_{model}",
            caption=f"{name}: a feature high on the left but not on the right is used in training and not needed in "
            "the test; a feature that knows the survey instead of the star should lead neither list.",
            png=style.png(importance.draw(drawn, name)),
            alt=f"Importances of the features for {name}; the most important by permutation is {first}.",
        )


def reliabilities(rows: pa.Table) -> Iterator[Picture]:
    """Give the reliability diagrams of all models in one figure; nothing for an empty table."""
    models: dict[str, dict[str, reliability.Bins]] = {}
    for model, stage in dict.fromkeys(zip(rows["model"].to_pylist(), rows["stage"].to_pylist(), strict=True)):
        own = [r for r in rows.to_pylist() if (r["model"], r["stage"]) == (model, stage)]
        own.sort(key=lambda r: r["low"])
        values = (np.array([r[c] for r in own], dtype=float) for c in ("low", "high", "confidence", "accuracy"))
        low, high, confidence, accuracy = values
        bins = reliability.Bins(low, high, confidence, accuracy, np.array([r["count"] for r in own]))
        models.setdefault(model, {})[stage] = bins
    if models:
        yield Picture(
            name="reliability",
            caption="Accuracy against confidence, with the objects per bin below: after calibration the points should "
            "lie on the dashed line wherever there are enough objects.",
            png=style.png(reliability.draw(models)),
            alt="Reliability diagrams of " + ", ".join(map(style.name_of, models)) + ".",
        )


def risks(rows: pa.Table) -> Iterator[Picture]:
    """Give the risk-coverage curves; nothing for an empty table."""
    rules: Mapping[str, tuple[np.ndarray, np.ndarray]] = {
        rule: (np.array([r["coverage"] for r in own]), np.array([r["accuracy"] for r in own]))
        for rule in dict.fromkeys(rows["rule"].to_pylist())
        for own in [[r for r in rows.to_pylist() if r["rule"] == rule]]
    }
    if rules:
        yield Picture(
            name="risk_coverage",
            caption="Accuracy against the share of objects kept: the second booster earns its place only if the star "
            "lies above the curve of a single booster's confidence.",
            png=style.png(risk_coverage.draw(rules)),
            alt="Risk-coverage curves of " + ", ".join(map(risk_coverage.rule_name, rules)) + ".",
        )
