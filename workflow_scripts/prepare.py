"""Imputation and scaling of features, learnt from the training rows alone.

For SMOTE, whose neighbours need complete features of comparable scale, and for the random forest. The boosters
take missing values as they are.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

NORMAL_IQR = 1.3489795003921634  # interquartile range of a Gaussian of unit variance
COINCIDE = 1e-9  # quartiles this many standard deviations apart differ by rounding only


@dataclass(frozen=True)
class Preparation:
    """Median imputation and robust scaling: (x - center) / scale, and 0, the scaled median, where x is missing.

    center and scale hold one number per feature.
    """

    center: tuple[float, ...]
    scale: tuple[float, ...]

    def apply(self, x: Reals) -> Reals:
        """Complete and scaled features, (n, p), of features with NaN for missing, (n, p)."""
        return np.where(np.isnan(x), 0.0, (x - np.array(self.center)) / np.array(self.scale))


def fit(x: Reals) -> Preparation:
    """Learn medians and robust standard deviations from the training rows x (n, p), NaN for missing.

    The scale is the interquartile range over 1.349. A feature whose quartiles coincide is scaled by its standard
    deviation, a constant or always missing one is only centred.
    """
    columns = [_column(values[~np.isnan(values)]) for values in x.T]
    return Preparation(tuple(center for center, _ in columns), tuple(scale for _, scale in columns))


def _column(values: Reals) -> tuple[float, float]:
    if not len(values):
        return 0.0, 1.0
    low, center, high = np.percentile(values, [25, 50, 75])
    if values.min() == values.max():  # asked directly: the standard deviation of equal values may round to non-zero
        return float(center), 1.0
    quartiles, std = (high - low) / NORMAL_IQR, values.std()
    return float(center), float(quartiles if quartiles > COINCIDE * std else std) or 1.0
