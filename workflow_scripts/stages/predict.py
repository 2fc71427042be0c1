"""Stage of rule predict: class probabilities of all objects of a sample."""

import logging
from pathlib import Path

import numpy as np

from workflow_scripts import edge, models, tables, training
from workflow_scripts.features import FEATURES
from workflow_scripts.labels import one_band
from workflow_scripts.probabilities import write

_LOG = logging.getLogger(__name__)


def main(model_file: Path, description_file: Path, features: list[Path], probabilities: Path) -> None:
    """Predict every row of the feature tables, in their order."""
    trained = models.load(model_file, description_file)
    measured = tables.read_all(features, FEATURES)
    object_id = np.array(one_band(measured), dtype=object)
    unknown = np.full(len(object_id), None)
    predicted = training.predict(trained, object_id, unknown, training.matrix(measured, trained.features))
    write(predicted, probabilities)
    _LOG.info("%s: %d objects", trained.description.model, len(predicted))


if __name__ == "__main__":
    edge.run(main)
