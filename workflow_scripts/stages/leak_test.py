"""Stage of rule leak_test: the scores that SMOTE before the split would pretend."""

import logging
from pathlib import Path

import numpy as np

from workflow_scripts import edge, tables, training
from workflow_scripts.features import FEATURES, FeatureSet, names
from workflow_scripts.models import Settings
from workflow_scripts.probabilities import write

_LOG = logging.getLogger(__name__)


def main(
    split: Path,
    features: list[Path],
    probabilities: Path,
    feature_set: FeatureSet,
    keep_dominant: float,
    test_share: float,
    settings: Settings,
    seed: int,
    threads: int,
) -> None:
    """Make the mistake on purpose and write the probabilities of its test part, synthetic objects included."""
    _LOG.warning("DEMONSTRATION of a leak: synthetic objects are made before the split; no result rests on this model")
    rng = np.random.default_rng(seed)
    measured = tables.read_all(features, FEATURES)
    sample = training.sample(tables.read(split, tables.SPLIT), measured, names(feature_set), "final", rng)
    leaked = training.leak(sample, keep_dominant, test_share, settings, rng, threads)
    write(leaked, probabilities)
    _LOG.info("%d tested, pretended accuracy %.3f", len(leaked), np.mean(leaked.predicted == leaked.true))


if __name__ == "__main__":
    edge.run(main)
