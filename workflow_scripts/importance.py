"""Permutation importance (Breiman 2001): how much a model loses when one feature no longer means anything."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.evaluate import macro_f1

Reals = NDArray[np.float64]


def permutation(
    predict_proba: Callable[[Reals], Reals],
    x: Reals,
    y: NDArray[np.integer],
    used: NDArray[np.bool_],
    shuffles: int,
    rng: np.random.Generator,
) -> tuple[Reals, Reals]:
    """Mean loss of macro F1 when a feature is shuffled among the objects, and its standard deviation, each (p,).

    x is (n, p), y (n,) class numbers, used (p,) false for features that the model does not look at, whose loss is 0.
    """
    whole = macro_f1(predict_proba(x), y)
    loss = np.zeros((x.shape[1], shuffles))
    for j in np.flatnonzero(used):
        for i in range(shuffles):
            shuffled = x.copy()
            shuffled[:, j] = rng.permutation(x[:, j])
            loss[j, i] = whole - macro_f1(predict_proba(shuffled), y)
    return loss.mean(axis=1), loss.std(axis=1)
