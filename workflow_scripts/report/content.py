"""The report's content in reading order: from what went in to what came out, and how far it can be trusted."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from workflow_scripts.assumptions import Assumption
from workflow_scripts.figures.style import name_of
from workflow_scripts.report import archives, catalogue, drawings, inputs, models, settings, trust
from workflow_scripts.report.page import Item, Note, Page, Section, Table, count, share
from workflow_scripts.report.scores import Scores, printed, with_interval


@dataclass(frozen=True)
class Run:
    """All that a run wrote about itself; tables as tables.py declares them, those in mappings by name of the sample.

    catalogues and suspected have the columns catalogue.READ; catalogue_schema and feature_schema are
    those of the whole tables, with units and meanings. light_curves must hold the objects that catalogue.choose names.
    colours has the columns inputs.COLOURS, as far as the models use them, of all classified objects.
    """

    name: str
    configuration: Mapping[str, Any]
    assumptions: Sequence[Assumption]
    samples: pa.Table
    labels: pa.Table
    split: pa.Table
    metrics: pa.Table
    confusion: pa.Table
    importance: pa.Table
    calibration_metrics: pa.Table
    reliability: pa.Table
    risk_coverage: pa.Table
    period_agreement: pa.Table
    period_errors: pa.Table
    priors: pa.Table
    catalogue_schema: pa.Schema
    feature_schema: pa.Schema
    objects: Mapping[str, pa.Table]
    cleaning: Mapping[str, pa.Table]
    catalogues: Mapping[str, pa.Table]
    suspected: Mapping[str, pa.Table]
    light_curves: Mapping[str, pa.Table]
    colours: Mapping[str, pa.Table] = field(default_factory=dict)
    agreement: Mapping[str, pa.Table] = field(default_factory=dict)
    downloads: Mapping[str, pa.Table] = field(default_factory=dict)
    verification: Mapping[str, pa.Table] = field(default_factory=dict)


def page(run: Run) -> Page:
    """Give the report of a run."""
    scores, calibrated = Scores(run.metrics), Scores(run.calibration_metrics)
    data, level = run.configuration["training"]["data"], run.configuration["catalogue"]["conformal_level"]
    sections = {
        "What went in": [
            *inputs.went_in(run.samples, run.objects, run.cleaning, run.labels, run.colours),
            *inputs.repeated(run.split),
            *archives.gave(run.agreement, run.downloads),
        ],
        "What each cut removed": inputs.cuts(run.cleaning, run.labels),
        "Which model": models.items(scores, calibrated, data),
        "Which classes are confused": drawings.confusions(run.confusion, data),
        "Which features matter": _features(run),
        "Are the probabilities right": _calibration(run, calibrated, level),
        "Do two boosters help": _ensemble(run, calibrated),
        "Are the periods right": [trust.periods(run.period_agreement), *trust.period_errors(run.period_errors)],
        "The catalogue": [
            *catalogue.contents(run.catalogues, run.suspected, run.catalogue_schema),
            *archives.verified(run.verification),
        ],
        "Objects to look at": _gallery(run),
        "Configuration and assumptions": settings.items(run.configuration, run.assumptions),
    }
    return Page(
        title=f"Variable Sky: run {run.name}",
        banner=_banner(run.samples),
        summary=(_counts(run), _figures(run, calibrated, data)),
        sections=tuple(Section(title, tuple(items)) for title, items in sections.items()),
    )


def _banner(samples: pa.Table) -> str:
    names = inputs.simulated(samples)
    if not names:
        return ""
    return f"This run contains SIMULATED data: {', '.join(names)}. No telescope has seen these objects."


def _counts(run: Run) -> Table:
    """Every object that went in is in exactly one of the columns after the first."""
    listed = {s["sample"]: s["n_objects"] for s in run.samples.to_pylist()}
    rows = []
    for name, table in run.catalogues.items():
        sure, doubtful = len(table), len(run.suspected[name])
        kept = inputs.objects_kept(run.cleaning[name])
        rejected, unclassified = listed[name] - kept, kept - sure - doubtful
        rows.append((name, *map(count, (listed[name], rejected, unclassified, sure + doubtful, sure, doubtful))))
    return Table(
        name="objects",
        caption="What became of the objects. Rejected: no light curve, or too few points left. Not classified: a label "
        "that is ignored or missing in a labelled sample. Suspected: the two boosters disagree.",
        header=("Sample", "Objects in", "Rejected", "Not classified", "Classified", "Catalogue", "Suspected"),
        rows=tuple(rows),
    )


def _figures(run: Run, calibrated: Scores, data: str) -> Table:
    return Table(
        name="key_figures",
        caption="The figures that the catalogue stands on, after calibration, with 95 % intervals, from objects that "
        "neither the models nor the calibration had seen, in the labelled sample's class mix.",
        header=("What", "Figure"),
        rows=tuple(_key_figures(run, calibrated, data)),
    )


def _key_figures(run: Run, calibrated: Scores, data: str) -> Iterator[tuple[str, str]]:
    for model in models.BOOSTERS:
        yield f"Accuracy of {name_of(model)}", with_interval(calibrated.get("folds", model, "accuracy", data=data))
        yield f"Macro F1 of {name_of(model)}", with_interval(calibrated.get("folds", model, "f1", "macro", data))
    agreed = calibrated.get("folds", "ensemble", "coverage")
    if agreed:
        yield "Share of objects on which both agree", with_interval(agreed)
        yield "Accuracy where both agree", with_interval(calibrated.get("folds", "ensemble", "accuracy"))
        yield "Macro F1 where both agree", with_interval(calibrated.get("folds", "ensemble", "f1", "macro"))
    weakest = [(calibrated.get("folds", "lightgbm", "f1", c, data), c) for c in calibrated.classes("folds")]
    known = [(score, name) for score, name in weakest if score]
    if known:
        score, name = min(known, key=lambda row: row[0].value)
        yield f"Weakest class of LightGBM: F1 of {name} ({count(score.support)} objects)", with_interval(score)
    for model in (*models.BOOSTERS, "ensemble"):
        error = calibrated.get("folds", model, "ece_after")
        if error:
            yield f"Calibration error (ECE) after calibration, {name_of(model)}", printed(error)
    smallest = trust.smallest_coverage(calibrated)
    if smallest:
        yield f"Smallest conformal coverage of a class: {smallest[0]}", share(smallest[1].value)
    for row in run.period_agreement.to_pylist():
        if (row["class"], row["rule"]) == ("all", "by_class") and row["support"]:
            text = f"{share(row['exact'])}; {share(row['with_half_and_double'])} with half and double"
            yield f"Periods that agree with the catalogue's ({count(row['support'])} objects)", text


def _features(run: Run) -> Iterator[Item]:
    yield from drawings.importances(run.importance)
    yield Table(
        name="features",
        caption="The features that the models use: a name in the figures above is explained here.",
        header=("Feature", "Unit", "Meaning and reference"),
        rows=tuple(_explained(run.feature_schema, dict.fromkeys(run.importance["feature"].to_pylist()))),
        left=3,
    )


def _explained(schema: pa.Schema, names: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Name, unit and meaning; parts of one feature, such as the bins of a light curve, share a line."""
    rows = (catalogue.meaning(schema, name) for name in names)
    for (unit, meaning), parts in itertools.groupby(rows, key=lambda row: row[1:]):
        own = [name for name, _, _ in parts]
        yield own[0] if len(own) == 1 else f"{own[0]} to {own[-1]}", unit, meaning


def _calibration(run: Run, calibrated: Scores, level: float) -> Iterator[Item]:
    yield from drawings.reliabilities(run.reliability)
    yield trust.calibration(calibrated)
    yield trust.coverage(calibrated, level)


def _ensemble(run: Run, calibrated: Scores) -> Iterator[Item]:
    agreed, accuracy = (calibrated.get("folds", "ensemble", metric) for metric in ("coverage", "accuracy"))
    if agreed and accuracy:
        yield Note(
            f"On held-out folds the calibrated boosters agree on a share of {with_interval(agreed)} of the objects; "
            f"the accuracy among these is {with_interval(accuracy)}."
        )
    yield from drawings.risks(run.risk_coverage)
    yield from trust.priors(run.priors)


def _gallery(run: Run) -> Iterator[Item]:
    yield Note("Two cycles of each light curve, folded with the catalogue's period; p is the calibrated probability.")
    for sample, table in run.catalogues.items():
        yield from catalogue.pictures(sample, table, run.light_curves[sample])
