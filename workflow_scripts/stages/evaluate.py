"""Stage of rule evaluate: figures of merit and confusion of every model on every test, before calibration."""

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa

from workflow_scripts import edge, evaluate, tables
from workflow_scripts.probabilities import Predictions, read

_LOG = logging.getLogger(__name__)


def main(probabilities: list[Path], split: Path, metrics: Path, confusion: Path, seed: int) -> None:
    """Score the test objects of each scheme, and in the folds also the objects on which both boosters agree."""
    generator = np.random.default_rng(seed)
    parts = tables.read(split, tables.SPLIT)
    scored: dict[evaluate.Trained, Predictions] = {}
    figures: list[evaluate.Row] = []
    for trained, files in evaluate.grouped(probabilities).items():
        scored[trained] = evaluate.tested(read(files), parts, trained[0])
        figures += [f.row(*trained) for f in evaluate.score(scored[trained], generator)]
        _LOG.info("%s %s, %s data: %d objects", *trained, len(scored[trained]))
    for data in sorted({data for scheme, _, data in scored if scheme == "folds"}):
        first, second = (scored["folds", model, data] for model in ("lightgbm", "xgboost"))
        figures += [f.row("folds", "ensemble", data) for f in evaluate.score_agreement(first, second, generator)]
    tables.write(pa.Table.from_pylist(figures, tables.METRICS.schema), metrics, tables.METRICS)
    counts = [row for trained, p in scored.items() for row in evaluate.confusion_rows(p, *trained)]
    tables.write(pa.Table.from_pylist(counts, tables.CONFUSION.schema), confusion, tables.CONFUSION)


if __name__ == "__main__":
    edge.run(main)
