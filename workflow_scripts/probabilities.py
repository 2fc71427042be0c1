"""Predicted class probabilities in memory and on disk (tables.PROBABILITIES)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts import tables

Reals = NDArray[np.float64]
Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Predictions:
    """Probabilities of k classes for n objects, as a model gives them, under the class prior it was trained with.

    object_id and true are (n,), true holding None where the class is unknown; probability is (n, k) and sums to
    1 along a row; training_prior is (n, k): the class shares, weights included, in the data of the model that
    made each row.
    """

    object_id: Texts
    true: Texts
    classes: tuple[str, ...]
    probability: Reals
    training_prior: Reals

    def __len__(self) -> int:
        """Count the objects."""
        return len(self.object_id)

    @property
    def predicted(self) -> Texts:
        """Most probable class of each object, (n,)."""
        names: Texts = np.array(self.classes, dtype=object)[self.probability.argmax(axis=1)]
        return names

    @property
    def true_index(self) -> NDArray[np.intp]:
        """Position of the true class in classes, (n,); -1 where it is unknown or not among them."""
        positions = {name: i for i, name in enumerate(self.classes)}
        return np.array([positions.get(name, -1) for name in self.true], dtype=np.intp)

    def select(self, object_ids: Sequence[str]) -> "Predictions":
        """Rows of these objects, in this order; raises DataError if one has no prediction."""
        rows = {name: i for i, name in enumerate(self.object_id)}
        missing = [name for name in object_ids if name not in rows]
        if missing:
            raise tables.DataError(f"{len(missing)} objects have no prediction, such as {missing[:3]}; run again")
        index = np.array([rows[name] for name in object_ids], dtype=np.intp)
        return Predictions(
            self.object_id[index],
            self.true[index],
            self.classes,
            self.probability[index],
            self.training_prior[index],
        )


def write(predictions: Predictions, path: Path) -> None:
    """Write predictions of one model as a table; the classes and the training prior go to its metadata."""
    prior = predictions.training_prior[0] if len(predictions) else np.zeros(len(predictions.classes))
    notes = {"classes": json.dumps(predictions.classes), "training_prior": json.dumps(prior.tolist())}
    rows: dict[str, Any] = {
        "object_id": pa.array(predictions.object_id, pa.string()),
        "class": pa.array(predictions.true, pa.string()),
        "probability": pa.array(list(predictions.probability), pa.list_(pa.float64())),
    }
    tables.write(rows, path, tables.PROBABILITIES, notes)


def read(paths: Sequence[Path]) -> Predictions:
    """Read the predictions of one model, such as those of all folds, in the order given.

    Raises DataError if the files disagree about the classes.
    """
    parts = [_read(path) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        if part.classes != parts[0].classes:
            raise tables.DataError(f"{path} has classes {part.classes}, {paths[0]} has {parts[0].classes}")
    return Predictions(
        np.concatenate([p.object_id for p in parts]),
        np.concatenate([p.true for p in parts]),
        parts[0].classes,
        np.concatenate([p.probability for p in parts]),
        np.concatenate([p.training_prior for p in parts]),
    )


def _read(path: Path) -> Predictions:
    rows = tables.read(path, tables.PROBABILITIES)
    notes = rows.schema.metadata or {}
    if not {b"classes", b"training_prior"} <= set(notes):
        raise tables.DataError(f"{path} does not say its 'classes' and 'training_prior'; delete it and run again")
    with tables.undamaged(path, "a table of probabilities"):
        classes = tuple(json.loads(notes[b"classes"]))
        prior = np.array(json.loads(notes[b"training_prior"]))
    values = rows["probability"].combine_chunks().flatten().to_numpy().reshape(-1, len(classes))
    object_id, true = (np.array(rows[name].to_pylist(), dtype=object) for name in ("object_id", "class"))
    return Predictions(object_id, true, classes, values, np.broadcast_to(prior, values.shape))
