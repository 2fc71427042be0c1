"""From a split and features to a trained model and the probabilities of its test objects (Qiao 2024, 3.1).

Everything that is learnt, medians and scales of the features included, is learnt from the training part.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts import balance, models, prepare
from workflow_scripts.models import Description, Settings, Trained, TrainingData
from workflow_scripts.prepare import Preparation
from workflow_scripts.probabilities import Predictions
from workflow_scripts.split import parts, stratified
from workflow_scripts.tables import DataError

Reals = NDArray[np.float64]
Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Sample:
    """n labelled objects: object_id, class_ and part (train, validation or test), each (n,), and features x (n, p)."""

    object_id: Texts
    class_: Texts
    part: Texts
    x: Reals
    features: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in alphabetical order, which is that of their numbers."""
        return tuple(sorted(set(self.class_)))

    @property
    def y(self) -> NDArray[np.integer]:
        """Class number of each object, (n,)."""
        return np.searchsorted(np.array(self.classes, dtype=object), self.class_)


def sample(split: pa.Table, features: pa.Table, names: Sequence[str], scheme: str, rng: np.random.Generator) -> Sample:
    """Join the labelled objects (tables.SPLIT) with their features, in the order of object_id.

    scheme is random, sky, foldK (fold K is tested on, a stratified tenth of the others is validation) or final
    (everything is for training). Raises DataError if an object has no features or one of them is infinite.
    """
    split = split.sort_by("object_id")
    object_id, class_ = (_texts(split[name]) for name in ("object_id", "class"))
    row_of = {name: i for i, name in enumerate(features["object_id"].to_pylist())}
    missing = [name for name in object_id if name not in row_of]
    if missing:
        raise DataError(f"{len(missing)} objects of the split have no features, such as {missing[:3]}; run again")
    x = matrix(features, names)[[row_of[name] for name in object_id]]
    return Sample(object_id, class_, _parts(split, class_, scheme, rng), x, tuple(names))


def matrix(features: pa.Table, names: Sequence[str]) -> Reals:
    """Feature columns by name, (n, p), NaN for missing; raises DataError if one is unknown or infinite."""
    unknown = sorted(set(names) - set(features.column_names))
    if unknown:
        raise DataError(f"there are no features {unknown}; the model is of another version: train it again")
    x = np.column_stack([features[name].to_numpy() for name in names]).astype(np.float64)
    infinite = [name for name, column in zip(names, x.T, strict=True) if np.isinf(column).any()]
    if infinite:
        raise DataError(f"features {infinite} have infinite values; a value that cannot be computed must be null")
    return x


def train(
    sample: Sample,
    model: str,
    data: str,
    keep_dominant: float,
    settings: Settings,
    rng: np.random.Generator,
    threads: int,
) -> tuple[bytes, Description]:
    """Fit a model (lightgbm, xgboost or forest) to original, smote or weighted data; its bytes and description.

    The share keep_dominant of the most frequent class is used. SMOTE data, and any data for the forest, are
    imputed and scaled. Raises DataError if a class has no training object.
    """
    rows = np.flatnonzero(sample.part == "train")
    rows = rows[balance.undersample(sample.y[rows], keep_dominant, rng)]
    _check_classes(sample, rows)
    plugin = models.plugin(model)
    needs_complete = data == "smote" or plugin.COMPLETE
    preparation = prepare.fit(sample.x[rows]) if needs_complete else None
    fitted_to = _training_data(sample, rows, preparation, data, rng)
    fitted = plugin.fit(fitted_to, settings, _seed(rng), threads)
    description = Description(
        model=model,
        data=data,
        classes=sample.classes,
        features=sample.features,
        preparation=preparation,
        usual=_usual(sample.x[rows], preparation),
        rounds=fitted.rounds,
        training_prior=tuple((np.bincount(fitted_to.y, fitted_to.weight) / fitted_to.weight.sum()).tolist()),
        gain=tuple(fitted.gain.tolist()),
        library=fitted.library,
        sha256=models.sha256(fitted.content),
    )
    return fitted.content, description


def predict(trained: Trained, object_id: Texts, true: Texts, x: Reals) -> Predictions:
    """Probabilities of objects with features x (n, p); true holds None where the class is unknown."""
    probability = trained.predict_proba(x)
    prior = np.broadcast_to(trained.training_prior, probability.shape)
    return Predictions(object_id, true, trained.classes, probability, prior)


def sizes(sample: Sample) -> dict[str, int]:
    """Count the objects of each part."""
    return dict(sorted(Counter(sample.part.tolist()).items()))


def predict_test(trained: Trained, sample: Sample) -> Predictions:
    """Probabilities of the test part."""
    test = sample.part == "test"
    return predict(trained, sample.object_id[test], sample.class_[test], sample.x[test])


def leak(
    sample: Sample,
    keep_dominant: float,
    test_share: float,
    settings: Settings,
    rng: np.random.Generator,
    threads: int,
) -> Predictions:
    """Demonstrate the mistake of SMOTE before the split: probabilities of LightGBM for the test part that results.

    The whole labelled sample is undersampled, imputed, scaled and filled up, then split, so that synthetic test
    objects lie between training objects and the other way round. For comparison only: the scores mean nothing.
    """
    rows = balance.undersample(sample.y, keep_dominant, rng)
    given, given_y = prepare.fit(sample.x[rows]).apply(sample.x[rows]), sample.y[rows]
    pretended = np.full(len(rows), "train", dtype=object)  # what smote refuses to do otherwise
    x, y = balance.smote(given, given_y, pretended, _seed(rng))
    synthetic = [f"synthetic-{i:06d}" for i in range(1, len(y) - len(rows) + 1)]
    object_id = np.array([*sample.object_id[rows], *synthetic], dtype=object)
    class_ = np.array(sample.classes, dtype=object)[y]
    leaked = Sample(object_id, class_, parts(class_, stratified(class_, test_share, rng), rng), x, sample.features)
    content, description = train(leaked, "lightgbm", "original", 1.0, settings, rng, threads)
    return predict_test(Trained(description, models.plugin("lightgbm").predictor(content)), leaked)


def _parts(split: pa.Table, class_: Texts, scheme: str, rng: np.random.Generator) -> Texts:
    if scheme == "final":
        return np.full(len(class_), "train", dtype=object)
    if scheme.startswith("fold"):
        return parts(class_, split["fold"].to_numpy() == int(scheme.removeprefix("fold")), rng, _texts(split["star"]))
    part = _texts(split[scheme])
    if not (part == "test").any():
        raise DataError(f"the split '{scheme}' has no test part; is it switched on in the run's configuration?")
    return part


def _training_data(
    sample: Sample, rows: NDArray[np.intp], preparation: Preparation | None, data: str, rng: np.random.Generator
) -> TrainingData:
    x, y = preparation.apply(sample.x) if preparation else sample.x, sample.y
    validation = sample.part == "validation"
    x_train, y_train = x[rows], y[rows]
    if data == "smote":
        x_train, y_train = balance.smote(x_train, y_train, sample.part[rows], _seed(rng))
    weight = balance.weights(y_train) if data == "weighted" else np.ones(len(y_train))
    return TrainingData(x_train, y_train, weight, x[validation], y[validation])


def _usual(x: Reals, preparation: Preparation | None) -> tuple[float | None, ...]:
    """Median of each feature of x (n, p) that no row lacks; None for the others, and for all if they are imputed."""
    if preparation:
        return tuple(None for _ in x.T)
    return tuple(None if np.isnan(column).any() else float(np.median(column)) for column in x.T)


def _check_classes(sample: Sample, rows: NDArray[np.intp]) -> None:
    lost = sorted(set(sample.classes) - set(sample.class_[rows]))
    if lost:
        raise DataError(f"classes {lost} have no object in the training part; merge or ignore them (classes)")


def _texts(column: pa.ChunkedArray) -> Texts:
    return np.array(column.to_pylist(), dtype=object)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))
