"""Stage of rule train: one model on one kind of training data, and what it says of the objects it is tested on."""

import logging
from pathlib import Path

import numpy as np

from workflow_scripts import edge, models, tables, training
from workflow_scripts.features import FEATURES, FeatureSet, names
from workflow_scripts.probabilities import write

_LOG = logging.getLogger(__name__)


def main(
    split: Path,
    features: list[Path],
    model_file: Path,
    description_file: Path,
    probabilities: Path,
    feature_set: FeatureSet,
    keep_dominant: float,
    settings: models.Settings,
    seed: int,
    scheme: str,
    model: str,
    data: str,
    threads: int,
) -> None:
    """Train on the scheme's training part; predict its test part from the files as written."""
    rng = np.random.default_rng(seed)
    measured = tables.read_all(features, FEATURES)
    sample = training.sample(tables.read(split, tables.SPLIT), measured, names(feature_set), scheme, rng)
    _LOG.info("%s, %s data: %s, %d features", model, data, training.sizes(sample), len(sample.features))
    content, description = training.train(sample, model, data, keep_dominant, settings, rng, threads)
    models.save(content, description, model_file, description_file)
    _LOG.info("%d rounds, %.1f MB", description.rounds, len(content) / 1e6)
    tested = training.predict_test(models.load(model_file, description_file), sample)
    write(tested, probabilities)
    _LOG.info("%d tested, accuracy %.3f", len(tested), np.mean(tested.predicted == tested.true))


if __name__ == "__main__":
    edge.run(main)
