"""How a cluster thins out on the sky, against the field as it really lies there.

Surface density of Elson, Fall & Freeman 1987 (ApJ 323, 54): w(r) = (1 + (r / a)^2)^-gamma. The field's stars
themselves are the measure of area, so that a footprint of any shape, with holes and ragged edges, needs no description.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

_BINS = 200
_SCALES = 24
_SLOPES = (1.0, 1.5, 2.0, 3.0)  # 1 is King 1962 without its edge, 2 is Plummer


@dataclass(frozen=True)
class Rings:
    """Stars sorted into rings around a centre, of fewer stars the nearer, and the profiles that are tried.

    ring (n,) is each star's ring; log_shape (g, b) is the logarithm of profile g in ring b; scale_deg and slope (g,)
    are its parameters; the last profile is flat (scale infinite).
    """

    ring: NDArray[np.intp]
    log_shape: Reals
    scale_deg: Reals
    slope: Reals


@dataclass(frozen=True)
class Fitted:
    """Profile that fits best, its place among those tried, and log(cluster / field density) of each star, (n,)."""

    scale_deg: float
    slope: float
    log_ratio: Reals


def rings(radius_deg: Reals) -> Rings:
    """Sort stars at radius_deg (n,) from the centre into rings."""
    edges = np.quantile(radius_deg, np.linspace(0, 1, _BINS + 1)[1:-1] ** 2)
    ring = np.searchsorted(edges, radius_deg, side="right")
    count = np.bincount(ring, minlength=_BINS)
    middle = np.bincount(ring, radius_deg, minlength=_BINS) / np.maximum(count, 1)
    most = max(float(radius_deg.max()), 1e-6)
    scales = np.geomspace(most / 50, most, _SCALES)
    scale = np.append(np.repeat(scales, len(_SLOPES)), np.inf)
    slope = np.append(np.tile(_SLOPES, _SCALES), 0.0)
    return Rings(ring, -slope[:, None] * np.log1p((middle / scale[:, None]) ** 2), scale, slope)


def fit(stars: Rings, probability: Reals) -> Fitted:
    """Profile of highest likelihood of stars that are members by probability (n,), the others being the field.

    log_ratio is log w - log <w>, the mean taken over the field's stars: its mean density is 1 for cluster and field.
    """
    n = stars.log_shape.shape[1]
    members = np.bincount(stars.ring, probability, minlength=n)
    field = np.bincount(stars.ring, 1 - probability, minlength=n)
    if field.sum() < 1:  # members alone: they are all there is to measure area by
        field = np.bincount(stars.ring, minlength=n).astype(np.float64)
    level = np.log(np.exp(stars.log_shape) @ field / field.sum())
    best = int(np.argmax(stars.log_shape @ members - members.sum() * level))
    return Fitted(
        float(stars.scale_deg[best]),
        float(stars.slope[best]),
        (stars.log_shape[best] - level[best])[stars.ring],
    )
