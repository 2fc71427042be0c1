"""Two boosters as one classifier: where they agree, the class goes to the catalogue (Qiao 2024, 4.2)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workflow_scripts import prior, tables
from workflow_scripts.calibrate import Calibration
from workflow_scripts.probabilities import Predictions, Reals, Texts

Prior = Literal["labelled", "estimated"]


@dataclass(frozen=True)
class Classified:
    """n objects classified by both boosters; k classes.

    lightgbm and xgboost (n, k): calibrated probabilities under prior (k,), the one chosen. labelled (n, k): mean
    of both under the labelled prior. estimated_prior (k,): class shares of these n objects (prior.estimate).
    """

    object_id: Texts
    classes: tuple[str, ...]
    lightgbm: Reals
    xgboost: Reals
    prior: Reals
    labelled: Reals
    estimated_prior: Reals

    @property
    def mean(self) -> Reals:
        """Mean probability of both boosters under the prior chosen, (n, k)."""
        return (self.lightgbm + self.xgboost) / 2

    @property
    def agree(self) -> NDArray[np.bool_]:
        """Whether both boosters give the same class, (n,)."""
        return np.asarray(self.lightgbm.argmax(axis=1) == self.xgboost.argmax(axis=1))

    @property
    def best(self) -> NDArray[np.intp]:
        """Class of the highest mean probability, (n,): the agreed one where they agree."""
        return np.asarray(self.mean.argmax(axis=1))


def classify(lightgbm: Predictions, xgboost: Predictions, calibration: Calibration, chosen: Prior) -> Classified:
    """Calibrate both boosters' predictions of the same objects and bring them under the prior chosen.

    The sample's own class shares are estimated from the mean of both under the labelled prior. Raises DataError
    if the classes of the boosters and of the calibration differ.
    """
    for name, booster in (("lightgbm", lightgbm), ("xgboost", xgboost)):
        if booster.classes != calibration.classes:
            raise tables.DataError(
                f"{name} has classes {booster.classes}, the calibration {calibration.classes}; run `calibrate` again"
            )
    # DEVIATES Qiao 2024 4.2: what is compared are the classes after calibration, under a class mix that is stated.
    labelled_prior = np.array(calibration.labelled_prior)
    first = calibration.calibrated("lightgbm", lightgbm.probability, lightgbm.training_prior)
    second = calibration.calibrated("xgboost", xgboost.probability, xgboost.training_prior)
    mean = (first + second) / 2
    estimated = prior.estimate(mean, labelled_prior)
    if chosen == "estimated":
        first, second = (prior.shift(p, labelled_prior, estimated) for p in (first, second))
    used = estimated if chosen == "estimated" else labelled_prior
    return Classified(lightgbm.object_id, calibration.classes, first, second, used, mean, estimated)


def prior_rows(
    sample: str, classified: Classified, labelled_prior: Reals, training_prior: Reals
) -> list[dict[str, str | float]]:
    """Class shares of a sample: labelled (k,), in training (n, k), estimated and predicted; rows of tables.PRIORS.

    predicted counts the class of the highest mean probability of every object, agreed on or not.
    """
    n, k = len(classified.object_id), len(classified.classes)
    predicted = np.bincount(classified.best, minlength=k) / max(n, 1)
    training = training_prior.mean(axis=0) if n else np.full(k, np.nan)
    columns = (labelled_prior, training, classified.estimated_prior, predicted)
    names = ("labelled", "training", "estimated", "predicted")
    return [
        {"sample": sample, "class": c, **{name: float(v[i]) for name, v in zip(names, columns, strict=True)}}
        for i, c in enumerate(classified.classes)
    ]
