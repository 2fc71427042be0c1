"""Stage of rule importance: what the features are worth to a model, by gain and by permutation."""

import logging
from pathlib import Path

import numpy as np

from workflow_scripts import edge, models, tables, training
from workflow_scripts.features import FEATURES
from workflow_scripts.importance import permutation
from workflow_scripts.split import stratified

MOST_OBJECTS = 2000  # test objects that are shuffled and predicted, for speed

_LOG = logging.getLogger(__name__)


def main(
    model_file: Path,
    description_file: Path,
    split: Path,
    features: list[Path],
    importance: Path,
    permutations: int,
    seed: int,
) -> None:
    """Shuffle each feature among test objects of the random split, or a stratified draw of them if they are many."""
    rng = np.random.default_rng(seed)
    trained = models.load(model_file, description_file)
    measured = tables.read_all(features, FEATURES)
    sample = training.sample(tables.read(split, tables.SPLIT), measured, trained.features, "random", rng)
    tested = np.flatnonzero(sample.part == "test")
    if len(tested) > MOST_OBJECTS:
        tested = tested[stratified(sample.class_[tested], MOST_OBJECTS / len(tested), rng)]
    used = trained.gain() > 0
    _LOG.info("%d test objects, %d of %d features are used", len(tested), used.sum(), len(used))
    x, y = sample.x[tested], sample.y[tested]
    mean, std = permutation(trained.predict_proba, x, y, used, permutations, rng)
    columns = {"model": [trained.description.model] * len(used), "feature": trained.features, "gain": trained.gain()}
    tables.write(columns | {"permutation": mean, "permutation_std": std}, importance, tables.IMPORTANCE)


if __name__ == "__main__":
    edge.run(main)
