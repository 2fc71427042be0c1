"""Classifiers, one file per model, and the record of a trained one that is kept on disk.

A trained model is two files: the library's own text (LightGBM), JSON (XGBoost) or ONNX (forest), and a JSON
description of what it was trained on and how features are prepared for it.
"""

import hashlib
import importlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, cast

import numpy as np

from workflow_scripts.models.model import Fitted, Plugin, Predictor, Reals, Settings, TrainingData
from workflow_scripts.prepare import Preparation
from workflow_scripts.tables import DamagedError, DataError, whole

__all__ = [
    "Description",
    "Fitted",
    "Settings",
    "Trained",
    "TrainingData",
    "describe",
    "load",
    "plugin",
    "save",
    "sha256",
]


@dataclass(frozen=True)
class Description:
    """What stands beside a model's file.

    model and data name the model and the kind of training data; usual holds the median of each feature that no object
    lacked in training, null for the others and where a preparation imputes; training_prior holds the class shares in
    the data it was fitted to, weights and synthetic objects included; gain holds each feature's share of the split
    gain; sha256 is that of the model's file.
    """

    model: str
    data: str
    classes: tuple[str, ...]
    features: tuple[str, ...]
    preparation: Preparation | None
    usual: tuple[float | None, ...]
    rounds: int
    training_prior: tuple[float, ...]
    gain: tuple[float, ...]
    library: str
    sha256: str


@dataclass(frozen=True)
class Trained:
    """A trained model, ready to predict; k classes, p features."""

    description: Description
    predictor: Predictor

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order of the probabilities."""
        return self.description.classes

    @property
    def features(self) -> tuple[str, ...]:
        """Features in the order in which predict_proba takes them."""
        return self.description.features

    @property
    def training_prior(self) -> Reals:
        """Class shares in the data that the model was fitted to, (k,)."""
        return np.array(self.description.training_prior)

    @property
    def rounds(self) -> int:
        """Boosting rounds, or trees of the forest."""
        return self.description.rounds

    def gain(self) -> Reals:
        """Share of each feature in the split gain (forest: in the loss of impurity), (p,); sums to 1."""
        return np.array(self.description.gain)

    def predict_proba(self, x: Reals) -> Reals:
        """Class probabilities, (n, k), of features x (n, p), NaN for missing.

        A booster learns what it means that a feature is missing. Of one that no object lacked in training it has learnt
        nothing: LightGBM would take 0 for it, XGBoost a branch at random. The median stands in for it.
        """
        # ASSUME a feature that no object lacked in training and one lacks now has the usual value.
        if x.ndim != 2 or x.shape[1] != len(self.features):
            raise ValueError(f"x has shape {x.shape}, the model takes {len(self.features)} features")
        if not len(x):
            return np.empty((0, len(self.classes)))
        if preparation := self.description.preparation:
            return self.predictor(preparation.apply(x))
        return self.predictor(np.where(np.isnan(x), np.array(self.description.usual, dtype=np.float64), x))


def plugin(model: str) -> Plugin:
    """Plug-in of a model by name: lightgbm, xgboost or forest."""
    return cast(Plugin, importlib.import_module(f"{__name__}.{model}"))


def save(content: bytes, description: Description, model_file: Path, description_file: Path) -> None:
    """Write a model's bytes and its description, each whole or not at all."""
    with whole(model_file) as part:
        part.write_bytes(content)
    with whole(description_file) as part:
        part.write_text(json.dumps(asdict(description), sort_keys=True, indent=1) + "\n", encoding="utf-8")


def load(model_file: Path, description_file: Path) -> Trained:
    """Read a trained model; raises DataError if a file is missing, damaged, or the two do not belong together."""
    description = describe(description_file)
    try:
        content = model_file.read_bytes()
    except OSError as error:
        raise DataError(f"the model {model_file} cannot be read ({error}); run the rule that makes it") from error
    if sha256(content) != description.sha256:
        raise DamagedError(
            model_file,
            f"{model_file} is damaged or of another model: its sha256 is {sha256(content)}, {description_file} gives "
            f"{description.sha256}; delete both and run again",
        )
    return Trained(description, plugin(description.model).predictor(content))


def sha256(content: bytes) -> str:
    """SHA-256 of a model's bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def describe(path: Path) -> Description:
    """Read a description; raises DataError if it is not one."""
    try:
        return _description(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise DataError(f"the description {path} cannot be read ({error}); run the rule that makes it") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(
            path,
            f"{path} is not the description of a trained model ({type(error).__name__}: {error}); delete it and the "
            f"model beside it and run again",
        ) from error


def _description(given: Mapping[str, Any]) -> Description:
    values: dict[str, Any] = {f.name: given[f.name] for f in fields(Description)}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    if values["preparation"]:
        values["preparation"] = Preparation(**{name: tuple(v) for name, v in values["preparation"].items()})
    description = Description(**values)
    sizes = (len(description.gain), len(description.training_prior))
    if sizes != (len(description.features), len(description.classes)):
        raise ValueError(f"gain and training_prior have {sizes} values, features and classes others")
    return description
