"""What a model is: the records that every plug-in of this package takes and gives.

A plug-in is a file with three names: COMPLETE (true if the model cannot take missing values), `fit`, which learns
from TrainingData, and `predictor`, which makes the fitted model's bytes predict. Nothing is pickled: the bytes
are a published text or ONNX format that later versions of the library read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
PATIENCE = 50  # rounds without a better validation loss after which a booster ends
Predictor = Callable[[Reals], Reals]  # features (n, p), NaN for missing -> probabilities (n, k)


@dataclass(frozen=True)
class Settings:
    """Most boosting rounds, learning rate of the boosters, trees of the forest."""

    rounds: int
    learning_rate: float
    trees: int


@dataclass(frozen=True)
class TrainingData:
    """Rows to learn from: x (n, p) with NaN for missing, y (n,) class numbers from 0, weight (n,) with mean 1.

    The validation rows stop the boosters early; without any, all rounds are made.
    """

    x: Reals
    y: NDArray[np.integer]
    weight: Reals
    x_validation: Reals
    y_validation: NDArray[np.integer]

    @property
    def n_classes(self) -> int:
        """Count the classes."""
        return int(self.y.max()) + 1


@dataclass(frozen=True)
class Fitted:
    """A fitted model: its bytes, its rounds or trees, the share of each feature in the gain (p,), and the library."""

    content: bytes
    rounds: int
    gain: Reals
    library: str


class Plugin(Protocol):
    """Module of one model."""

    COMPLETE: bool

    def fit(self, data: TrainingData, settings: Settings, seed: int, threads: int) -> Fitted:
        """Fit the model; every class number must occur in data.y."""

    def predictor(self, content: bytes) -> Predictor:
        """Make the model's bytes predict, in one thread; raises an exception of the library's if they are damaged."""


def shares(values: NDArray[np.floating]) -> Reals:
    """Scale values to sum to 1; zeros stay zeros."""
    values = np.asarray(values, dtype=np.float64)
    return values / (values.sum() or 1.0)
