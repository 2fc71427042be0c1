"""Remedies for unequal class sizes: undersampling, SMOTE and class weights (Qiao 2024, 2.2).

All of them touch the training part only: a synthetic object made before the split stands between two real ones
that may both be tested on, and the scores then measure interpolation.
"""

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.tables import DataError

NEIGHBOURS = 5  # Chawla 2002, 4.2

Reals = NDArray[np.float64]
Texts = NDArray[np.object_]
Indices = NDArray[np.intp]


def undersample(y: NDArray[np.integer], keep_dominant: float, rng: np.random.Generator) -> Indices:
    """Keep a random share of the most frequent class and all of the others; sorted row numbers (Qiao 2024, 2.2).

    y is (n,), class numbers; of equally frequent classes the first is the dominant one. The share is rounded, and
    never leaves the class without a row.
    """
    # DEVIATES Qiao 2024 2.2: only the training part is undersampled, so that test parts keep the natural class mix.
    members = np.flatnonzero(y == np.bincount(y).argmax())
    keep = max(1, int(keep_dominant * len(members) + 0.5))
    dropped = rng.permutation(members)[keep:]
    return np.setdiff1d(np.arange(len(y)), dropped)


def smote(x: Reals, y: NDArray[np.integer], part: Texts, seed: int) -> tuple[Reals, NDArray[np.integer]]:
    """Fill every class up to the most frequent one with points between neighbours of the class (Chawla 2002).

    x is (n, p), complete and scaled; y is (n,), class numbers; part is (n,). Returns the rows given, then the
    synthetic ones. The neighbours are 5, or all other members of the smallest class if those are fewer. Raises
    ValueError if a row is not of the training part or has a missing value, DataError if a class has a single row.
    """
    if (part != "train").any():
        raise ValueError(f"SMOTE is for training rows alone, got parts {sorted(set(part))}: split first")
    if not np.isfinite(x).all():
        raise ValueError("SMOTE needs complete features: apply a Preparation first")
    from imblearn.over_sampling import SMOTE

    smallest = int(np.bincount(y)[np.unique(y)].min())
    if smallest < 2:
        raise DataError(
            "a class has a single training object, SMOTE needs 2; merge the class with another one under classes, "
            "put its labels under ignore_labels, lower training.test_share, or leave SMOTE out: training.compare: [] "
            "and another training.data"
        )
    resampled: tuple[Reals, NDArray[np.integer]] = SMOTE(
        k_neighbors=min(NEIGHBOURS, smallest - 1), random_state=seed
    ).fit_resample(x, y)
    return resampled


def weights(y: NDArray[np.integer]) -> Reals:
    """Inverse-frequency weight of every row, n / (k n_class), so that all k classes weigh the same; mean 1, (n,)."""
    counts = np.bincount(y)
    weight: Reals = len(y) / (np.count_nonzero(counts) * counts[y].astype(np.float64))
    return weight
