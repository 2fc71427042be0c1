"""Stage of rule calibrate: what turns the boosters' probabilities into calibrated ones, and how well it does."""

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa

from workflow_scripts import calibrate, edge, evaluate, prior, probabilities, tables

_LOG = logging.getLogger(__name__)


def main(
    lightgbm: list[Path],
    xgboost: list[Path],
    split: Path,
    calibration: Path,
    metrics: Path,
    reliability: Path,
    risk_coverage: Path,
    conformal_level: float,
    seed: int,
) -> None:
    """Fit on all held-out predictions what is published; measure on each fold what the others give."""
    parts = tables.read(split, tables.SPLIT)
    ids = parts["object_id"].to_pylist()
    files = {"lightgbm": lightgbm, "xgboost": xgboost}
    boosters = {name: probabilities.read(paths).select(ids) for name, paths in files.items()}
    first = boosters["lightgbm"]
    labelled_prior = prior.shares(np.array(parts["class"].to_pylist(), dtype=object), first.classes)
    published = calibrate.fit(boosters, labelled_prior, conformal_level)
    calibrate.save(published, calibration)
    _LOG.info("%d objects; temperatures %s", len(ids), published.temperature)
    held_out = calibrate.cross_fit(boosters, labelled_prior, conformal_level, parts["fold"].to_numpy())
    data = lightgbm[0].stem.partition("-")[2]
    report = calibrate.report(boosters, held_out, published, data)
    figures = report.metrics + calibrate.score(boosters, held_out, data, np.random.default_rng(seed))
    tables.write(pa.Table.from_pylist(figures, tables.METRICS.schema), metrics, tables.METRICS)
    tables.write(pa.Table.from_pylist(report.reliability, tables.RELIABILITY.schema), reliability, tables.RELIABILITY)
    curves = evaluate.risk_coverage(held_out.probability, first.true_index)
    tables.write(pa.Table.from_pylist(curves, tables.RISK_COVERAGE.schema), risk_coverage, tables.RISK_COVERAGE)


if __name__ == "__main__":
    edge.run(main)
