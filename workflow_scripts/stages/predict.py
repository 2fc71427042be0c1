"""Stage of rule predict: class probabilities of the objects of a shard."""

import logging
from pathlib import Path

import numpy as np

from workflow_scripts import edge, models, tables, training
from workflow_scripts.features import FEATURES
from workflow_scripts.labels import one_band
from workflow_scripts.probabilities import write

_LOG = logging.getLogger(__name__)


def main(model_files: list[Path], description_files: list[Path], features: Path, probabilities: list[Path]) -> None:
    """Predict every row of a feature table, in its order, with each of some models."""
    measured = tables.read(features, FEATURES)
    object_id = np.array(one_band(measured), dtype=object)
    unknown = np.full(len(object_id), None)
    for model_file, description_file, predictions in zip(model_files, description_files, probabilities, strict=True):
        trained = models.load(model_file, description_file)
        x = training.matrix(measured, trained.features)
        predicted = training.predict(trained, object_id, unknown, x)
        write(predicted, predictions)
        _LOG.info("%s: %d objects", trained.description.model, len(predicted))


if __name__ == "__main__":
    edge.run(main)
