"""Stage of rule period_rules: the right period of each class, and how often each rule is right."""

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa

from workflow_scripts import calibrate, edge, period_errors, prior, probabilities, tables
from workflow_scripts import features as registry
from workflow_scripts import period_rules as rules

_LEVEL = 0.9  # of conformal sets, which nothing here depends on
_LOG = logging.getLogger(__name__)


def main(
    split: Path,
    objects: list[Path],
    features: list[Path],
    lightgbm: list[Path],
    xgboost: list[Path],
    period_rules: Path,
    agreement: Path,
    errors: Path,
) -> None:
    """Derive rules from all labelled objects; measure them on each fold as the other folds give them.

    The class given is the calibrated one, as in the catalogue: calibration moves objects from class to class.
    """
    known = tables.read_all(objects, tables.OBJECTS, ["object_id", "catalogue_period_d"])
    columns = rules.columns(registry.FEATURES.names)
    facts = [name for name in period_errors.FACTS if name in registry.FEATURES.names]
    measured = tables.read_all(features, registry.FEATURES, ["object_id", *dict.fromkeys([*columns, *facts])])
    rows = tables.read(split, tables.SPLIT).join(known, "object_id").join(measured, "object_id").sort_by("object_id")
    true = np.array(rows["class"].to_pylist(), dtype=object)
    signs = {column: rows[column].to_numpy() for column in columns}
    catalogue = rows["catalogue_period_d"].to_numpy()
    files, ids = {"lightgbm": lightgbm, "xgboost": xgboost}, rows["object_id"].to_pylist()
    boosters = {name: probabilities.read(paths).select(ids) for name, paths in files.items()}
    classes, fold = boosters["lightgbm"].classes, rows["fold"].to_numpy()
    found = rules.derive(true, signs, catalogue, classes)
    _LOG.info("%d of %d objects have a catalogue period; rules %s", np.isfinite(catalogue).sum(), len(true), found)
    rules.save(found, period_rules)
    held_out = calibrate.cross_fit(boosters, prior.shares(true, classes), _LEVEL, fold)
    predicted = np.array(classes, dtype=object)[held_out.probability["ensemble"].argmax(axis=1)]
    compared = {
        "harmonic": signs["period_d"],
        "lomb_scargle": signs["period_ls_d"],
        "by_class": rules.cross_fit(true, predicted, signs, catalogue, fold, classes),
        "by_true_class": rules.cross_fit(true, true, signs, catalogue, fold, classes),
    }
    shares = [row for name, p in compared.items() for row in rules.agreement(name, p, catalogue, true, classes)]
    tables.write(pa.Table.from_pylist(shares, tables.PERIODS.schema), agreement, tables.PERIODS)
    values = {name: rows[name].to_numpy() for name in facts}
    wrong = period_errors.summary(signs["period_d"], catalogue, true, classes, values)
    tables.write(pa.Table.from_pylist(wrong, tables.PERIOD_ERRORS.schema), errors, tables.PERIOD_ERRORS)


if __name__ == "__main__":
    edge.run(main)
