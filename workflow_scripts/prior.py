"""Class priors: probabilities moved from one class mix to another, and the mix of a sample estimated from them.

Saerens, Latinne & Decaestecker 2002, Neural Computation 14, 21.
"""

import logging

import numpy as np

from workflow_scripts.probabilities import Reals, Texts
from workflow_scripts.tables import DataError

TOLERANCE = 1e-6  # largest change of a class's share in the last step
MAX_ITERATIONS = 10_000

_LOG = logging.getLogger(__name__)


def shares(true: Texts, classes: tuple[str, ...]) -> Reals:
    """Share of each class among labels (n,) as (k,); raises DataError if a class has none or a label no class."""
    positions = {name: i for i, name in enumerate(classes)}
    unknown = sorted({str(name) for name in true if name not in positions})
    counts = np.bincount([positions[name] for name in true if name in positions], minlength=len(classes))
    if unknown or not counts.all():
        empty = [name for name, count in zip(classes, counts, strict=True) if not count]
        raise DataError(
            f"labels {unknown} are no class of the models and classes {empty} have no labelled object; "
            "the split and the models are of different runs: run `split` and `train` again"
        )
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def shift(probability: Reals, old: Reals, new: Reals) -> Reals:
    """Probabilities (n, k) under class prior old as they are under prior new; either is (k,) or (n, k).

    p_new(c|x) = p_old(c|x) new_c / old_c, normalised over c (Saerens 2002, eq. 4). Raises DataError if old has a
    class with share 0: a model that never saw a class says nothing about it.
    """
    if not (np.asarray(old) > 0).all():
        raise DataError(
            "a class has share 0 in the data that a model was trained on, expected every class in every fold; "
            "put its label in ignore_labels, join it to another class, or use fewer folds"
        )
    weighted = probability * (np.asarray(new) / old)
    return np.asarray(weighted / weighted.sum(axis=1, keepdims=True))


def estimate(
    probability: Reals, prior: Reals, tolerance: float = TOLERANCE, max_iterations: int = MAX_ITERATIONS
) -> Reals:
    """Class shares (k,) of a sample from its probabilities (n, k) under prior (k,), by expectation maximisation.

    The mean of the shifted probabilities becomes the next prior until no share changes by tolerance (Saerens
    2002, eq. 9). An empty sample keeps the prior; what has not converged is logged and the last step returned.
    """
    # ASSUME the sample differs from the labelled one in its class mix alone: a class looks the same in both.
    current: Reals = np.asarray(prior, dtype=np.float64)
    change = 0.0
    for _ in range(max_iterations if len(probability) else 0):
        following: Reals = shift(probability, prior, current).mean(axis=0)
        change = float(np.abs(following - current).max())
        current = following
        if change < tolerance:
            return current
    if change:
        _LOG.warning("class prior not converged: %d steps, last change %.2g > %.2g", max_iterations, change, tolerance)
    return current
