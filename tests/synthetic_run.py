"""A small run, made up table by table, for the tests of the report."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from workflow_scripts import tables, trained_on
from workflow_scripts.assumptions import Assumption
from workflow_scripts.label_sample import LABEL_AGREEMENT
from workflow_scripts.labels import LABELS
from workflow_scripts.report import catalogue, content
from workflow_scripts.surveys.curve_status import STATUS
from workflow_scripts.verification import VERIFICATION

CLASSES = ("CEP", "DSCT", "EA", "EB", "EW", "Mira", "ROT", "RRAB", "RRC", "SR")
FEATURES = tuple(f"feature_{i:02d}" for i in range(30))
SIMULATED = "SIMULATED survey"


def run(
    classes: Sequence[str] = CLASSES,
    models: Sequence[str] = ("lightgbm", "xgboost", "forest"),
    has_sky: bool = True,
    has_periods: bool = True,
    has_science: bool = True,
    surveys: tuple[str, str] = (SIMULATED, SIMULATED),
) -> content.Run:
    """A whole run; switches take away what a real run may lack."""
    samples = ("labelled", "field") if has_science else ("labelled",)
    rng = np.random.default_rng(3)
    objects = {name: _objects(name, survey, classes, rng) for name, survey in zip(samples, surveys, strict=False)}
    catalogues = {name: _catalogue(rows, classes, 0.9, rng) for name, rows in objects.items()}
    return content.Run(
        name="synthetic",
        configuration={
            "run": "synthetic",
            "samples": {name: {"role": "labelled"} for name in samples},
            "training": {"data": "original"},
            "catalogue": {"conformal_level": 0.9},
        },
        assumptions=[
            Assumption("ASSUME", "workflow_scripts/clean.py", 17, "a magnitude of 99 is <no> magnitude & says nothing"),
            Assumption("DEVIATES", "workflow_scripts/balance.py", 3, "Qiao 2024 2.2: something else is done"),
        ],
        samples=_table(tables.SAMPLES, [
            {"sample": name, "role": "labelled" if name == "labelled" else "science", "survey": survey,
             "n_objects": len(objects[name]), "n_light_curves": len(objects[name]) - 2,
             "n_points": 180 * len(objects[name])}
            for name, survey in zip(samples, surveys, strict=False)
        ]),
        labels=_labels(objects["labelled"]),
        split=split(objects["labelled"]["object_id"].to_pylist()),
        metrics=metrics(classes, models, has_sky),
        confusion=_confusion(classes, rng),
        importance=_importance(rng),
        calibration_metrics=_calibration_metrics(classes),
        reliability=_reliability(rng),
        risk_coverage=_risk_coverage(),
        period_agreement=_periods(classes) if has_periods else tables.PERIODS.schema.empty_table(),
        period_errors=_table(tables.PERIOD_ERRORS, [
            {"class": c, "kind": kind, "n": int(n), "share": n / 100, "catalogue_period_d": 0.7321, "n_obs": 180.0,
             "amplitude": 0.25, "faint_fraction": None, "second_peak_power": 0.1}
            for c in classes for kind, n in (("exact", 70), ("half", 29.5), ("daily alias", 0.5)) if has_periods
        ]),
        priors=_table(tables.PRIORS, [
            {"sample": name, "class": c, "labelled": 0.1, "training": 0.1, "estimated": 0.1 + 0.01 * i,
             "predicted": 0.1}
            for name in samples for i, c in enumerate(classes)
        ]),
        catalogue_schema=catalogue_schema(classes),
        feature_schema=pa.schema(
            tables.Column(f, pa.float64(), "mag", "bins" if "_1" in f else f"meaning of {f}").field() for f in FEATURES
        ),
        objects=objects,
        cleaning={name: _cleaning(rows, rng) for name, rows in objects.items()},
        catalogues=catalogues,
        suspected={name: _catalogue(rows, classes, 0.1, rng) for name, rows in objects.items()},
        light_curves={name: light_curves(chosen_ids(rows), rng) for name, rows in catalogues.items()},
        colours=colours(labelled=0.95, **({"field": 0.3} if has_science else {})),
    )  # fmt: skip


def colours(**shares: float) -> dict[str, pa.Table]:
    """Colours of a hundred objects of each sample: BP - RP of this share of them, J - K of every hundredth."""
    known = {name: {"bp_rp": round(100 * part), "j_k": 1} for name, part in shares.items()}
    return {
        name: pa.table({colour: pa.array([None] * (100 - n) + [0.7] * n, pa.float64()) for colour, n in own.items()})
        for name, own in known.items()
    }


def split(ids: Sequence[str], n_shared: int = 0) -> pa.Table:
    """The split of objects, the first n_shared of which lie two by two at one place."""
    star = [ids[i // 2 * 2] if i < n_shared else name for i, name in enumerate(ids)]
    parts = {"class": "EA", "random": "train", "sky": "", "fold": 0}
    return _table(tables.SPLIT, [{"object_id": i, "star": s, **parts} for i, s in zip(ids, star, strict=True)])


def chosen_ids(rows: pa.Table) -> list[str]:
    return [name for lists in catalogue.choose(rows).values() for part in lists for name in part]


def light_curves(ids: Sequence[str], rng: np.random.Generator, n: int = 160) -> pa.Table:
    """Eclipses and sawtooths with a period of 0.61234 d, five seasons."""
    rows = []
    for i, name in enumerate(ids):
        time = np.sort(rng.uniform(0, 1800, n)) + 55000
        phase = (time / 0.61234) % 1
        shape = 0.8 * phase if i % 2 else 0.6 * (np.exp(-(((phase - 0.5) / 0.05) ** 2)) + 0.5 * (phase < 0.06))
        error = rng.uniform(0.02, 0.09, n)
        mag = (15 + shape + rng.normal(0, error)).astype(np.float32)
        rows.append({"object_id": name, "band": "V", "time": time, "mag": mag, "mag_err": error.astype(np.float32)})
    return pa.Table.from_pylist(rows, tables.LIGHT_CURVES.schema)


def metrics(classes: Sequence[str], models: Sequence[str], has_sky: bool) -> pa.Table:
    """Every figure differs from every other, so that a cell in the wrong place shows."""
    trained = [("random", m, d) for m in models for d in ("original", "smote", "weighted")]
    trained += [(s, m, "original") for s in ("sky", "folds")[not has_sky :] for m in ("lightgbm", "xgboost")]
    trained += [("leak", "lightgbm", "smote"), ("folds", "ensemble", "original")]
    names = [(c, metric) for c in (*classes, "macro", "weighted") for metric in ("precision", "recall", "f1")]
    names += [("all", m) for m in ("accuracy", "balanced_accuracy", "log_loss")]
    rows = []
    for t, (scheme, model, data) in enumerate(trained):
        for i, (class_, metric) in enumerate([*names, *([("all", "coverage")] if model == "ensemble" else [])]):
            value = 0.6 + 0.39 * ((7 * i + 13 * t) % 101) / 101
            rows.append({"scheme": scheme, "model": model, "data": data, "class": class_, "metric": metric,
                         "value": value, "low": value - 0.0123, "high": value + 0.0098, "support": 40 + i})  # fmt: skip
    return _table(tables.METRICS, rows)


def catalogue_schema(classes: Sequence[str]) -> pa.Schema:
    columns = [
        *catalogue.READ.columns[:1],
        tables.Column("class", pa.string(), "", "class on which both agree"),
        tables.Column("probability", pa.float64(), "", "probability of class, mean of both boosters"),
        *(tables.Column(f"p_{c}", pa.float64(), "", f"probability of class {c}", True) for c in classes),
        tables.Column("period_d", pa.float64(), "d", "period by the rule of the class", True),
        *(c for c in catalogue.READ.columns if c.name in (catalogue.CHANCE, catalogue.OUTLIER)),
        tables.Column("label", pa.string(), "", "class in the label catalogue", True),
        trained_on.COLUMN,
        *(tables.Column(f, pa.float64(), "mag", f"meaning of {f}", True) for f in (*FEATURES, "bp_rp")),
    ]
    return tables.Table("catalogue", tuple(columns)).schema


def whole_catalogue(rows: pa.Table, classes: Sequence[str]) -> pa.Table:
    """Rows with every column of the schema, null where the report does not look."""
    schema = catalogue_schema(classes)
    columns = {f.name: rows[f.name] if f.name in rows.column_names else pa.nulls(len(rows), f.type) for f in schema}
    return pa.table(columns, schema=schema)


def _table(table: tables.Table, rows: list[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(rows, table.schema)


def _objects(sample: str, survey: str, classes: Sequence[str], rng: np.random.Generator) -> pa.Table:
    n = 60 * len(classes)
    # Sizes fall by a factor from class to class, as they do in the sky; every class has some.
    given = np.concatenate(
        [np.repeat(np.arange(len(classes)), 9), rng.geometric(0.3, n)[: n - 9 * len(classes)] % len(classes)]
    )
    return _table(tables.OBJECTS, [
        {"object_id": f"{sample}_{i:04d}", "survey": survey, "ra_deg": 1.0, "dec_deg": -1.0,
         "class": classes[c] if sample == "labelled" and i % 17 else None, "catalogue_period_d": 0.6 if i % 3 else None}
        for i, c in enumerate(given)
    ])  # fmt: skip


def _labels(objects: pa.Table) -> pa.Table:
    rows = []
    for i, row in enumerate(objects.to_pylist()):
        status = "no label" if row["class"] is None else ("too few observations" if i % 29 == 5 else "used")
        rows.append({"object_id": row["object_id"], "label": row["class"], "class": row["class"], "status": status})
    return _table(LABELS, rows)


def _cleaning(objects: pa.Table, rng: np.random.Generator) -> pa.Table:
    rows = []
    for i, name in enumerate(objects["object_id"].to_pylist()[2:]):
        cuts = {f"n_{cut}": int(rng.integers(0, 6)) for cut in tables.CUTS}
        kept = 20 if i % 29 == 3 else 170
        counts = {"n_raw": kept + sum(cuts.values()), **cuts, "n_kept": kept}
        rows.append({"object_id": name, "band": "V", **counts, "kept": kept >= 50})
    return _table(tables.CLEANING, rows)


def _catalogue(objects: pa.Table, classes: Sequence[str], part: float, rng: np.random.Generator) -> pa.Table:
    """Rows with the index below (catalogue) or above (suspected) 85 % of the kept ones."""
    ids = objects["object_id"].to_pylist()[40:]
    cut = int(0.85 * len(ids))
    ids = ids[:cut] if part > 0.5 else ids[cut:]
    return _table(catalogue.READ, [
        {"object_id": name, "class": classes[(i if i < 90 else int(rng.geometric(0.35))) % len(classes)],
         "probability": float(rng.beta(8, 1)), "period_d": None if i % 23 == 0 else 0.61234,
         "false_alarm_probability": None if i % 23 == 0 else (1e-9, 0.00099, 0.001, 1.0)[i % 4],
         "trained_on": f"labelled_{i:04d}" if name.startswith("field") and i % 19 == 3 else None,
         "out_of_distribution": i % 31 == 0}
        for i, name in enumerate(ids)
    ])  # fmt: skip


def _confusion(classes: Sequence[str], rng: np.random.Generator) -> pa.Table:
    rows = []
    for model in ("lightgbm", "xgboost"):
        for i, true in enumerate(classes):
            for j, predicted in enumerate(classes):
                count = int(rng.integers(30, 6000)) if i == j else int(rng.poisson(25 if abs(i - j) == 1 else 0.4))
                rows.append(
                    {
                        "scheme": "folds",
                        "model": model,
                        "data": "original",
                        "true": true,
                        "predicted": predicted,
                        "count": count,
                    }
                )
    rows.append(
        {
            "scheme": "random",
            "model": "lightgbm",
            "data": "smote",
            "true": classes[0],
            "predicted": classes[0],
            "count": 1,
        }
    )
    return _table(tables.CONFUSION, rows)


def _importance(rng: np.random.Generator) -> pa.Table:
    rows = []
    for model in ("lightgbm", "xgboost"):
        gain = np.sort(rng.dirichlet(np.full(len(FEATURES), 0.4)))[::-1]
        rows += [
            {
                "model": model,
                "feature": f,
                "gain": float(g),
                "permutation": float(g * rng.uniform(0.1, 0.6)),
                "permutation_std": 0.004,
            }
            for f, g in zip(FEATURES, gain, strict=True)
        ]
    return _table(tables.IMPORTANCE, rows)


def _calibration_metrics(classes: Sequence[str]) -> pa.Table:
    rows = []
    own = [
        "ece_before",
        "ece_after",
        "ece_class_max_before",
        "ece_class_max_after",
        "log_loss_before",
        "log_loss_after",
        "accuracy_before",
        "accuracy_after",
        "macro_f1_before",
        "macro_f1_after",
    ]
    for m, model in enumerate(("lightgbm", "xgboost", "ensemble")):
        values = {("all", name): 0.01 * (i + 1) + 0.001 * m for i, name in enumerate(own)}
        if model == "ensemble":
            values |= {(c, "conformal_coverage"): 0.88 + 0.003 * i for i, c in enumerate((*classes, "macro", "all"))}
            values |= {(c, "conformal_set_size"): 1.1 + 0.03 * i for i, c in enumerate((*classes, "macro", "all"))}
            values |= {(c, "conformal_single_share"): 0.8 for c in (*classes, "macro", "all")}
            values |= {(c, "ece_after"): 0.001 * (i + 1) for i, c in enumerate(classes)}
        else:
            values["all", "temperature"] = 1.1 + 0.1 * m
        rows += [
            {
                "scheme": "folds",
                "model": model,
                "data": "original",
                "class": c,
                "metric": metric,
                "value": v,
                "low": None,
                "high": None,
                "support": 77,
            }
            for (c, metric), v in values.items()
        ]
    scored = [r for r in metrics(classes, (), has_sky=False).to_pylist() if r["scheme"] == "folds"]
    ends = ("value", "low", "high")
    return _table(tables.METRICS, rows + [r | {end: r[end] - 0.05 for end in ends} for r in scored])


def _reliability(rng: np.random.Generator) -> pa.Table:
    rows = []
    for model in ("lightgbm", "xgboost", "ensemble"):
        for stage, slope in (("before", 0.8), ("after", 1.0)):
            for b in range(15):
                n = int(4 * 1.5**b) if b > 2 else 0
                centre = (b + 0.5) / 15
                value = min(1.0, max(0.0, slope * centre + float(rng.normal(0, 0.02)))) if n else None
                rows.append(
                    {
                        "model": model,
                        "stage": stage,
                        "low": b / 15,
                        "high": (b + 1) / 15,
                        "confidence": centre if n else None,
                        "accuracy": value,
                        "count": n,
                    }
                )
    return _table(tables.RELIABILITY, rows)


def _risk_coverage() -> pa.Table:
    rows = [{"rule": "agreement", "coverage": 0.91, "accuracy": 0.965}]
    for m, model in enumerate(("lightgbm", "xgboost", "ensemble")):
        rows += [
            {"rule": model, "coverage": float(c), "accuracy": float(1 - 0.06 * c**2 - 0.004 * m)}
            for c in np.linspace(0.02, 1, 50)
        ]
        rows.append(
            {"rule": f"{model} at the same coverage", "coverage": 0.91, "accuracy": 1 - 0.06 * 0.91**2 - 0.004 * m}
        )
    return _table(tables.RISK_COVERAGE, rows)


def _periods(classes: Sequence[str]) -> pa.Table:
    rules = ("harmonic", "lomb_scargle", "by_class", "by_true_class")
    return _table(tables.PERIODS, [
        {"class": c, "rule": rule, "exact": 0.5 + 0.03 * i + 0.01 * r, "with_half_and_double": 0.9 + 0.001 * i,
         "support": 30 + i}
        for r, rule in enumerate(rules) for i, c in enumerate((*classes, "all"))
    ])  # fmt: skip


def agreement() -> pa.Table:
    """Two label catalogues of six stars, of which they agree on three."""
    rows = [("EA", "(no counterpart)", 1, 0), ("EA", "EA", 2, 2), ("EA", "EB", 1, 1), ("EB", "EA", 2, 0)]
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=LABEL_AGREEMENT.schema)


def downloads() -> pa.Table:
    """What became of three stars whose light curves were asked for."""
    rows = [
        ("a", "found", None, ["17"], 0.1, 90, 2),
        ("b", "found", None, ["18", "19"], 0.3, 60, 0),
        ("c", "no_data", "no object of the survey within 1.5 arcsec in these bands", [], None, 0, 0),
    ]
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=STATUS.schema)


def verification() -> pa.Table:
    """A published catalogue that has some of the stars."""
    rows = [
        ("drake_2014", "EA", 50, 23, 3, 4, 12, 0.75),
        ("drake_2014", "EB", 10, 0, 0, 0, 0, None),
        ("drake_2014", "all", 60, 23, 3, 4, 12, 0.75),
    ]
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=VERIFICATION.schema)
