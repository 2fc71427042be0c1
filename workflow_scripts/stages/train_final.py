"""Stage of rule train_final: a model on all labelled objects, to classify the objects without label."""

import dataclasses
import logging
from pathlib import Path

import numpy as np

from workflow_scripts import edge, models, tables, training
from workflow_scripts.features import FEATURES, FeatureSet, names

_LOG = logging.getLogger(__name__)


def main(
    split: Path,
    features: list[Path],
    folds: list[Path],
    model_file: Path,
    description_file: Path,
    feature_set: FeatureSet,
    keep_dominant: float,
    settings: models.Settings,
    seed: int,
    model: str,
    data: str,
    threads: int,
) -> None:
    """Train for the median of the rounds after which the folds' models stopped: nothing is left to stop this one."""
    rounds = [models.describe(path).rounds for path in folds]
    settings = dataclasses.replace(settings, rounds=int(np.median(rounds)))
    _LOG.info("rounds of the folds: %s; median %d", rounds, settings.rounds)
    rng = np.random.default_rng(seed)
    measured = tables.read_all(features, FEATURES)
    sample = training.sample(tables.read(split, tables.SPLIT), measured, names(feature_set), "final", rng)
    _LOG.info("%s, %s data: %s, %d features", model, data, training.sizes(sample), len(sample.features))
    content, description = training.train(sample, model, data, keep_dominant, settings, rng, threads)
    models.save(content, description, model_file, description_file)


if __name__ == "__main__":
    edge.run(main)
