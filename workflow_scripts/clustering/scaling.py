"""What the clustering methods see of a star: the features of Alvaro 2020, or proper motion and parallax alone.

The paper divides proper motions by parallax, which few distant stars with a parallax near zero stretch without
bound; after MinMax the other stars differ in parallax only. The plain features are the better default.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.clustering.stars import KM_S, Locus, Reals
from workflow_scripts.tables import DataError

Features = Literal["paper", "plain"]

CLIP = (0.5, 99.5)  # percentiles
NORMAL_IQR = 1.3489795  # interquartile range of a normal distribution of standard deviation 1

_PAPER = ("proper motion in RA over parallax", "proper motion in Dec over parallax", "modulus", "parallax")
_PLAIN = ("proper motion in RA", "proper motion in Dec", "parallax")


@dataclass(frozen=True)
class Window:
    """How far around a locus to look: a velocity on the sky and a share of the parallax, each with a floor.

    The floors stand for measurement errors and add in quadrature.
    """

    # ASSUME members are within 8 km/s and 20 % of the parallax; on M67, the Pleiades and Blanco 1 the windowed mixture
    # gives the same F1 to 0.005 with 5 km/s and 15 %, or larger floors.
    velocity_km_s: float = 8.0
    depth: float = 0.2
    motion_floor_mas_yr: float = 2.0
    parallax_floor_mas: float = 0.6

    def half_widths(self, locus: Locus) -> Reals:
        """Half widths (3,) in proper motion (twice, it is a circle) and parallax."""
        speed = self.velocity_km_s * locus.parallax_mas / KM_S
        radius = np.hypot(speed, self.motion_floor_mas_yr)
        return np.array([radius, radius, np.hypot(self.depth * locus.parallax_mas, self.parallax_floor_mas)])

    def around(self, locus: Locus, space: Reals) -> NDArray[np.bool_]:
        """Mask (n,) of the stars (n, 3) in the window."""
        x, y, z = ((space - locus.array()) / self.half_widths(locus)).T
        return np.asarray((np.hypot(x, y) < 1) & (np.abs(z) < 1))


def features(space: Reals, kind: Features) -> Reals:
    """Features of stars (n, 3) from space.space: (n, 4) as in Alvaro 2020 or (n, 3) plain ones, no units.

    paper: 1000 pmra/parallax, 1000 pmdec/parallax, their modulus, parallax, each scaled to 0-1 over the stars given.
    plain: pmra, pmdec, parallax, clipped at percentiles 0.5 and 99.5, centred, divided by the standard deviation.
    Raises DataError if a value is not finite, a parallax is zero (paper), or a feature is the same for all stars.
    """
    _check_finite(space)
    return _min_max(_over_parallax(space), _PAPER) if kind == "paper" else _standard(clipped(space), _PLAIN)


def robust(space: Reals) -> Reals:
    """Centre (n, 3) on medians and divide by interquartile range / 1.349; DataError as for features."""
    _check_finite(space)
    low, centre, high = np.percentile(space, (25, 50, 75), axis=0)
    _check_spread(high - low, _PLAIN)
    return np.asarray((space - centre) / (high - low) * NORMAL_IQR)


def clipped(space: Reals) -> Reals:
    """Pull each column of (n, d) into its percentiles 0.5-99.5, so that a few stars do not set the scale."""
    return np.asarray(np.clip(space, *np.percentile(space, CLIP, axis=0)))


def _over_parallax(space: Reals) -> Reals:
    pmra, pmdec, parallax = space.T
    if n_zero := int((parallax == 0).sum()):
        raise DataError(
            f"{n_zero} of {len(space)} stars have a parallax of exactly 0 mas, by which the features of Alvaro 2020 "
            "are divided; cut these stars, or use features: plain"
        )
    right, up = 1000 * pmra / parallax, 1000 * pmdec / parallax
    return np.column_stack([right, up, np.hypot(right, up), parallax])


def _min_max(x: Reals, names: tuple[str, ...]) -> Reals:
    low, high = x.min(axis=0), x.max(axis=0)
    _check_spread(high - low, names)
    return np.asarray((x - low) / (high - low))


def _standard(x: Reals, names: tuple[str, ...]) -> Reals:
    deviation = x.std(axis=0)
    _check_spread(np.ptp(x, axis=0), names)
    return np.asarray((x - x.mean(axis=0)) / deviation)


def _check_finite(space: Reals) -> None:
    if len(space) < 2:
        raise DataError(f"{len(space)} stars in the region; clustering needs at least 2: enlarge it or relax the cuts")
    if not np.isfinite(space).all():
        n_bad = int((~np.isfinite(space)).any(axis=1).sum())
        raise DataError(f"{n_bad} of {len(space)} stars lack a proper motion or parallax; keep complete rows only")


def _check_spread(width: Reals, names: tuple[str, ...]) -> None:
    if constant := [name for name, w in zip(names, width, strict=True) if not w > 0]:
        raise DataError(
            f"{', '.join(constant)}: the same for all stars, so nothing can be told from it; check the table"
        )
