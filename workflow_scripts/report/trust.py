"""How far the probabilities, the agreement of the boosters and the periods can be trusted."""

from collections.abc import Iterator

import pyarrow as pa

from workflow_scripts import prior
from workflow_scripts.figures.style import name_of
from workflow_scripts.report.page import Item, Note, Table, count, figure, share
from workflow_scripts.report.scores import Score, Scores, printed

_RULES = {
    "harmonic": "Best harmonic fit",
    "lomb_scargle": "Lomb-Scargle",
    "by_class": "By class given",
    "by_true_class": "By true class",
}


def calibration(scores: Scores) -> Table:
    """Give accuracy, macro F1, calibration error and log loss before and after, and the temperature, of each model."""
    columns = {
        "Accuracy before": "accuracy_before",
        "Accuracy after": "accuracy_after",
        "Macro F1 before": "macro_f1_before",
        "Macro F1 after": "macro_f1_after",
        "ECE before": "ece_before",
        "ECE after": "ece_after",
        "Worst class before": "ece_class_max_before",
        "Worst class after": "ece_class_max_after",
        "Log loss before": "log_loss_before",
        "Log loss after": "log_loss_after",
        "Temperature": "temperature",
    }
    models = dict.fromkeys(model for model, _ in scores.trained("folds"))
    return Table(
        name="calibration",
        caption="Before and after calibration, on held-out folds: expected calibration error (ECE) and log loss should "
        "fall (an ECE of 0.02 means that a probability is off by two in a hundred on average); accuracy and macro F1 "
        "after are those of the catalogue's classes under the labelled sample's class mix.",
        header=("Model", *columns),
        rows=tuple((name_of(m), *(printed(scores.get("folds", m, c), 4) for c in columns.values())) for m in models),
    )


def coverage(scores: Scores, level: float) -> Item:
    """Coverage and size of the conformal sets class by class; a note if none was measured."""
    if not _coverages(scores):
        return Note("Conformal sets were not measured in this run.")
    averages = [("mean of the classes", "macro"), ("all objects", "all")]
    return Table(
        name="conformal_coverage",
        caption=f"Conformal sets on held-out folds: each class should be covered in about {share(level)} of its "
        "objects; a class well below that, or with large sets, is one that the models do not know.",
        header=("Class", "Coverage", "Mean set size", "Sets of one class", "ECE of the class", "Objects"),
        rows=tuple(
            _coverage(scores, name, klass) for name, klass in (*((c, c) for c in _coverages(scores)), *averages)
        ),
    )


def smallest_coverage(scores: Scores) -> tuple[str, Score] | None:
    """Class whose conformal sets hold the true class least often, with that share."""
    return min(_coverages(scores).items(), key=lambda row: row[1].value, default=None)


def _coverages(scores: Scores) -> dict[str, Score]:
    found = {name: scores.get("folds", "ensemble", "conformal_coverage", name) for name in scores.classes("folds")}
    return {name: score for name, score in found.items() if score}


def _coverage(scores: Scores, name: str, klass: str) -> tuple[str, ...]:
    covered, single = (
        scores.get("folds", "ensemble", m, klass) for m in ("conformal_coverage", "conformal_single_share")
    )
    size = printed(scores.get("folds", "ensemble", "conformal_set_size", klass), 2)
    error = printed(scores.get("folds", "ensemble", "ece_after", klass))
    shares = [share(score.value if score else None) for score in (covered, single)]
    return name, shares[0], size, shares[1], error, count(covered.support if covered else None)


def priors(rows: pa.Table) -> Iterator[Table]:
    """Class shares of each sample: labelled, in training, estimated from the predictions, and predicted."""
    columns = ("labelled", "training", "estimated", "predicted")
    for sample in dict.fromkeys(rows["sample"].to_pylist()):
        own = [r for r in rows.to_pylist() if r["sample"] == sample]
        yield Table(
            name=f"priors_{sample}",
            caption=f"{sample}: where the estimated share of a class is far from the labelled one, probabilities under "
            "the labelled prior do not hold for this sample. The estimate counts the labelled shares as "
            f"{prior.WEIGHT:g} further objects: of a small sample it says little that is new.",
            header=("Class", "Labelled", "Training", "Estimated (EM)", "Predicted"),
            rows=tuple((r["class"], *(share(r[c]) for c in columns)) for r in own),
        )


def periods(rows: pa.Table) -> Item:
    """Agreement of the periods with the catalogue's, class by class; a note if no object has a catalogue period."""
    lines = {(r["class"], r["rule"]): r for r in rows.to_pylist() if r["support"]}
    rules = [rule for rule in dict.fromkeys(rows["rule"].to_pylist()) if any(key[1] == rule for key in lines)]
    if not rules:
        return Note("No object of this run has a catalogue period: the periods were not checked.")
    classes = dict.fromkeys(key[0] for key in lines if key[0] != "all") | dict.fromkeys(
        key[0] for key in lines if key[0] == "all"
    )

    def cells(name: str, rule: str) -> tuple[str, str]:
        row = lines.get((name, rule))
        return (share(row["exact"]), share(row["with_half_and_double"])) if row else (share(None), share(None))

    return Table(
        name="periods",
        caption="Objects whose period agrees with the catalogue's within 1 %: a large step from the first to the "
        "second figure of a pair means half or double periods, as for eclipsing binaries.",
        groups=(("", 1), *((_RULES.get(rule, rule), 2) for rule in rules), ("", 1)),
        header=("Class", *("exact", "with half and double") * len(rules), "Objects"),
        rows=tuple(
            (
                name,
                *(cell for rule in rules for cell in cells(name, rule)),
                count(next(lines[name, rule]["support"] for rule in rules if (name, rule) in lines)),
            )
            for name in classes
        ),
    )


def period_errors(rows: pa.Table) -> Iterator[Item]:
    """Kinds of wrong periods, and what the stars of each have in common; nothing without catalogue periods."""
    lines = rows.to_pylist()
    if not lines:
        return
    yield Table(
        name="period_errors",
        caption="How the period of the best harmonic fit differs from the catalogue's, before any class is known, with "
        "medians of the stars concerned: what the wrong ones have and the exact ones have not, is why. Kinds of less "
        "than 1 % of a class are in evaluation/period_errors.parquet alone.",
        header=(
            "Class",
            "Period is",
            "Objects",
            "Share",
            "P [d]",
            "Epochs",
            "Amplitude [mag]",
            "Faint share",
            "2nd power",
        ),
        rows=tuple(
            (
                line["class"],
                line["kind"],
                count(line["n"]),
                share(line["share"]),
                *(figure(line[name]) for name in ("catalogue_period_d", "n_obs", "amplitude")),
                *(figure(line[name]) for name in ("faint_fraction", "second_peak_power")),
            )
            for line in lines
            if line["share"] >= 0.01
        ),
    )
