"""Which model: the published comparison (Qiao 2024, Table 4), sky blocks, cross-validation, and the leak test."""

from collections.abc import Iterator, Sequence

from workflow_scripts.figures.style import name_of
from workflow_scripts.report.page import MISSING, Item, Note, Table, count
from workflow_scripts.report.scores import Score, Scores, printed, trained_name, with_interval

PUBLISHED_ORDER = ("lightgbm", "xgboost", "forest")
BOOSTERS = ("lightgbm", "xgboost")
_THREE = ("precision", "recall", "f1")
_AVERAGES = {"macro": "Macro average", "weighted": "Weighted average"}


def items(scores: Scores, calibrated: Scores, data: str) -> Iterator[Item]:
    """Give the tables of the comparison in reading order; data is the training data of the published boosters.

    scores are of the probabilities as the models give them, calibrated those of the folds as the catalogue has them.
    """
    compared = [m for m in PUBLISHED_ORDER if m in {model for model, _ in scores.trained("random")}]
    if compared:
        yield published_layout(scores, compared, "smote")
        yield published_layout(scores, compared, "weighted")
        yield macro_figures(scores)
    else:
        yield Note("No model was measured on a random split.")
    if scores.trained("sky"):
        yield sky_gap(scores, data)
    else:
        yield Note("Sky blocks were off in this run: how the models do on another part of the sky was not measured.")
    yield fold_figures(calibrated, data)
    yield fold_classes(calibrated, data)
    yield from leak(scores)


def published_layout(scores: Scores, models: Sequence[str], other: str) -> Table:
    """Table 4 of Qiao 2024: each cell holds the figure on original data / on `other` data, two decimals as there."""

    def pair(model: str, klass: str, metric: str) -> str:
        both = [scores.get("random", model, metric, klass, data) for data in ("original", other)]
        return MISSING if both == [None, None] else "/".join(printed(score, 2) for score in both)

    def line(name: str, klass: str) -> tuple[str, ...]:
        return (name, *(pair(m, klass, metric) for m in models for metric in _THREE), _support(scores, models, klass))

    classes = scores.classes("random")
    accuracy = [cell for m in models for cell in (MISSING, MISSING, pair(m, "all", "accuracy"))]
    word = "SMOTE" if other == "smote" else other
    return Table(
        name=f"comparison_original_{other}",
        caption=f"Test on objects drawn at random, before calibration, original/{word} training data, in the layout of "
        f"Qiao 2024 Table 4: look for classes where {word} data buy recall at the price of precision.",
        groups=(("", 1), *((f"{name_of(m)} metrics", 3) for m in models), ("", 1)),
        header=("Class", *(name for _ in models for name in ("Precision", "Recall", "F1 score")), "Test objects"),
        rows=(
            *(line(klass, klass) for klass in classes),
            ("Accuracy", *accuracy, _support(scores, models, "all", "accuracy")),
            *(line(name, klass) for klass, name in _AVERAGES.items()),
        ),
    )


def macro_figures(scores: Scores) -> Table:
    """Give the averages of every model on the random split, with bootstrap intervals."""
    trained = sorted(
        scores.trained("random"), key=lambda m: PUBLISHED_ORDER.index(m[0]) if m[0] in PUBLISHED_ORDER else 9
    )
    return _averages(
        scores,
        [(trained_name(m, d), "random", m, d) for m, d in trained],
        name="comparison_averages",
        first="Model, training data",
        caption="The same test, before calibration, in averages with 95 % bootstrap intervals: where they overlap, no "
        "model is better.",
    )


def sky_gap(scores: Scores, data: str) -> Table:
    """Macro F1 and accuracy on objects drawn at random against objects on sky blocks that training did not touch."""
    rows = []
    for model in BOOSTERS:
        for metric, klass, name in (("f1", "macro", "macro F1"), ("accuracy", "all", "accuracy")):
            drawn, sky = (scores.get(scheme, model, metric, klass, data) for scheme in ("random", "sky"))
            rows.append((name_of(model), name, with_interval(drawn), with_interval(sky), _difference(drawn, sky)))
    return Table(
        name="sky_gap",
        caption="Random test against sky-blocked test, before calibration: the last column is what a random split "
        "hides of a change of field, crowding or cadence.",
        header=("Model", "Measure", "Random test", "Sky-blocked test", "Random minus sky"),
        rows=tuple(rows),
        left=2,
    )


def fold_figures(scores: Scores, data: str) -> Table:
    """Give the averages of the published boosters over all cross-validation folds."""
    return _averages(
        scores,
        [(trained_name(m, data), "folds", m, data) for m in BOOSTERS],
        name="folds_averages",
        first="Booster",
        caption="Cross-validation of the published boosters after calibration, every labelled object tested once by "
        "models and a calibration that had not seen it: these figures stand behind the catalogue.",
    )


def fold_classes(scores: Scores, data: str) -> Table:
    """Precision, recall and F1 of each class over all cross-validation folds."""
    rows = [
        (
            klass,
            *(with_interval(scores.get("folds", m, metric, klass, data), 2) for m in BOOSTERS for metric in _THREE),
            _support(scores, BOOSTERS, klass, scheme="folds"),
        )
        for klass in scores.classes("folds")
    ]
    return Table(
        name="folds_classes",
        caption="Cross-validation after calibration, class by class with 95 % intervals: a class with wide intervals "
        "or low precision is one not to rest a claim on.",
        groups=(("", 1), *((name_of(m), 3) for m in BOOSTERS), ("", 1)),
        header=("Class", *("Precision", "Recall", "F1 score") * 2, "Objects"),
        rows=tuple(rows),
    )


def leak(scores: Scores) -> Iterator[Item]:
    """Warn of what SMOTE before the split would pretend, beside the honest figures; nothing if one is missing."""
    pretended = scores.get("leak", "lightgbm", "f1", "macro", "smote")
    honest = scores.get("random", "lightgbm", "f1", "macro", "smote")
    if pretended is None or honest is None:
        return
    shows = pretended.value > honest.value
    yield Note(
        f"Do not quote: SMOTE before the split {'would pretend' if shows else 'gives'} a macro F1 of "
        f"{printed(pretended)}; the honest figure is {printed(honest)}. In the leak, synthetic objects and what they "
        "are made of are on either side of the split"
        + ("." if shows else ", which flatters a score where there are enough objects to show it; here it does not."),
        warning=True,
    )
    accuracy, real = (scores.get(scheme, "lightgbm", "accuracy", data="smote") for scheme in ("leak", "random"))
    rows = {"macro F1": (pretended, honest), "accuracy": (accuracy, real)}
    yield Table(
        name="leak_test",
        caption="LightGBM with SMOTE before the split (a deliberate leak) and inside the training set only: a "
        "published figure close to the first column deserves a question.",
        header=("Measure", "Pretended", "Honest", "Pretended minus honest"),
        rows=tuple((name, with_interval(a), with_interval(b), _difference(a, b)) for name, (a, b) in rows.items()),
    )


def _averages(scores: Scores, lines: Sequence[tuple[str, str, str, str]], name: str, first: str, caption: str) -> Table:
    columns = {
        "Accuracy": ("all", "accuracy"),
        "Macro precision": ("macro", "precision"),
        "Macro recall": ("macro", "recall"),
        "Macro F1": ("macro", "f1"),
        "Log loss": ("all", "log_loss"),
    }
    return Table(
        name=name,
        caption=caption,
        header=(first, *columns),
        rows=tuple(
            (
                text,
                *(with_interval(scores.get(scheme, model, metric, klass, data)) for klass, metric in columns.values()),
            )
            for text, scheme, model, data in lines
        ),
    )


def _difference(first: Score | None, second: Score | None) -> str:
    return f"{first.value - second.value:+.3f}" if first and second else MISSING


def _support(scores: Scores, models: Sequence[str], klass: str, metric: str = "f1", scheme: str = "random") -> str:
    found = (scores.get(scheme, model, metric, klass) for model in models)
    return count(next((score.support for score in found if score), None))
