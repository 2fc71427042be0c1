"""Mean, its error and dispersion of stars that belong to a cluster by a weight, their own errors taken out."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts.clustering import deconvolve
from workflow_scripts.clustering.deconvolve import PACKED, Gaussian
from workflow_scripts.clustering.space import CORRELATIONS, Space
from workflow_scripts.tables import Column

Reals = NDArray[np.float64]

_STEPS = 500
_QUANTITIES = {"pmra": "mas_yr", "pmdec": "mas_yr", "parallax": "mas"}
_UNITS = {"mas_yr": "mas/yr", "mas": "mas"}
# What V changes by with each number of its packed form: (6, 3, 3), and which of them are the variances.
_BASIS = np.array([[[float((i, j) in (pair, pair[::-1])) for j in range(3)] for i in range(3)] for pair in PACKED])
_VARIANCES = [PACKED.index((i, i)) for i in range(3)]
_SINGULAR = 1e12  # condition of what is inverted, in units of no scale: half of the digits are left


def _columns() -> list[Column]:
    columns = []
    for quantity, unit in _QUANTITIES.items():
        text, is_depth = _UNITS[unit], quantity == "parallax"
        every = {
            "": f"mean {quantity}",
            "_se": "standard error of the mean",
            "_dispersion": "dispersion, intrinsic if errors_deconvolved; "
            + ("upper limit of the depth" if is_depth else "depth times mean motion included"),
            "_dispersion_low": "the same at one sigma less variance; 0 = none",
            "_dispersion_high": "the same at one sigma more variance",
        }
        columns += [
            Column(f"{quantity}{what}_{unit}", pa.float64(), text, meaning, True) for what, meaning in every.items()
        ]
    axes = tuple(_QUANTITIES)
    for (i, j), name in CORRELATIONS.items():
        meaning = f"correlation of {axes[i]} and {axes[j]} in the covariance that the dispersions are of"
        columns.append(Column(name, pa.float64(), "", meaning, True, ucd="stat.correlation"))
    return columns


COLUMNS = _columns()  # of Moments, in METHODS and CLUSTERS


@dataclass(frozen=True)
class Moments:
    """Mean, its error, intrinsic dispersion and its limits of proper motion (two axes) and parallax, each (3,).

    The limits are those of the variance at one sigma: a dispersion whose lower limit is 0 need not be there at all.
    correlation (3,) is that of the intrinsic spreads, in the order of space.CORRELATIONS. A star at a parallax p moves
    by p / <p> of the mean motion m: a motion's dispersion d holds m / <p> times that of the parallax, and without what
    goes with the parallax it is d root(1 - r^2), r their correlation.
    """

    mean: Reals
    standard_error: Reals
    dispersion: Reals
    dispersion_low: Reals
    dispersion_high: Reals
    correlation: Reals

    def columns(self) -> dict[str, float]:
        """Give them by the names of COLUMNS."""
        every = {
            "": self.mean,
            "_se": self.standard_error,
            "_dispersion": self.dispersion,
            "_dispersion_low": self.dispersion_low,
            "_dispersion_high": self.dispersion_high,
        }
        columns = {
            f"{quantity}{what}_{unit}": float(values[i])
            for i, (quantity, unit) in enumerate(_QUANTITIES.items())
            for what, values in every.items()
        }
        return columns | dict(zip(CORRELATIONS.values(), self.correlation.tolist(), strict=True))


def moments(stars: Space, weight: Reals) -> Moments | None:
    """Moments of the stars that belong to a selection by weight (n,), with their errors taken out; None below 2 stars.

    A Gaussian of highest likelihood (Bovy 2011); the error of its mean is the inverse root of the sum of (V + S)^-1,
    that of each variance as in `variance_errors`.
    """
    chosen = weight > 1e-3
    points, errors, weight = stars.points[chosen], stars.errors[chosen], weight[chosen]
    if weight.sum() < 2:
        return None
    found = _fitted(points, errors, weight)
    total = np.tile(found.covariance, (len(points), 1, 1))
    for column, (i, j) in enumerate(PACKED):
        total[:, i, j] += errors[:, column]
        if i != j:
            total[:, j, i] += errors[:, column]
    precision: Reals = np.linalg.inv(total).astype(np.float64)
    mean_error = np.sqrt(np.diag(np.linalg.inv(np.einsum("n,nij->ij", weight, precision))))
    variance, error = np.diag(found.covariance), variance_errors(precision, weight)
    low, high = (np.sqrt(np.maximum(variance + sign * error, 0)) for sign in (-1, 1))
    correlation = np.array([found.covariance[i, j] / np.sqrt(variance[i] * variance[j]) for i, j in CORRELATIONS])
    return Moments(found.mean, mean_error, np.sqrt(variance), low, high, correlation)


def variance_errors(precision: Reals, weight: Reals) -> Reals:
    """Give the standard errors (3,) of a Gaussian's variances, of stars with precision P = (V + S)^-1, (n, 3, 3).

    They are the roots of the diagonal of Fisher's inverse, of I_ab = 1/2 sum over the stars of w tr(P E_a P E_b), E the
    six ways in which V may change: the covariances, which are as unknown, widen them. Of n stars without errors each is
    V root(2 / n). NaN where the stars do not say: three without errors lie in a plane, and P has no limit.
    """
    flat = precision.reshape(-1, 9)
    pairs = ((flat.T * weight) @ flat).reshape(3, 3, 3, 3)  # sum of w P_ij P_kl
    information = np.einsum("ijkl,ajk,bli->ab", pairs, _BASIS, _BASIS) / 2
    scale = np.sqrt(np.diag(information))
    scaled = information / np.outer(scale, scale) if (scale > 0).all() else np.zeros((6, 6))
    if not np.linalg.cond(scaled) < _SINGULAR:
        return np.full(3, np.nan)
    return np.asarray((np.sqrt(np.diag(np.linalg.inv(scaled))) / scale)[_VARIANCES])


def _fitted(points: Reals, errors: Reals, weight: Reals) -> Gaussian:
    """Gaussian of highest likelihood, fitted around the mean of the points."""
    start, least = np.average(points, axis=0, weights=weight), np.full(3, 1e-8)
    offset = points - start
    found = Gaussian(np.zeros(3), np.cov(offset.T, aweights=weight, ddof=0) + np.diag(least))
    for _ in range(_STEPS):
        last, found = found, deconvolve.updated(offset, errors, weight, found, least)
        if np.abs(found.covariance - last.covariance).max() < 1e-6 * np.abs(last.covariance).max():
            break
    return Gaussian(found.mean + start, found.covariance)
