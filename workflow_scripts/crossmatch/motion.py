"""Positions at another epoch by proper motion.

Gaia positions are of 2016.0, 2MASS of about 2000, AllWISE of 2010: a star with 94 mas/yr leaves a radius of 1.5 arcsec
within 16 years.
"""

from dataclasses import dataclass

import numpy as np

from workflow_scripts.crossmatch.positions import ARCSEC_PER_RADIAN, Flags, Positions, Reals, checked, unit_vectors

_MAS_PER_RADIAN = 1000 * ARCSEC_PER_RADIAN


@dataclass(frozen=True)
class Motion:
    """Columns of the proper motion and the epochs: from epoch_yr to target_epoch_yr [Julian years].

    pm_ra is the column of mu_alpha cos(dec), pm_dec that of mu_delta, both in mas/yr; epoch_yr is a number or the
    column that holds each source's own.
    """

    target_epoch_yr: float
    epoch_yr: float | str
    pm_ra: str = "pmra"
    pm_dec: str = "pmdec"


def propagate(ra_deg: Reals, dec_deg: Reals, pm_ra: Reals, pm_dec: Reals, years: Reals | float) -> Positions:
    """Positions after some years, shapes (n,), of proper motions (mu_alpha cos dec, mu_delta) [mas/yr].

    u(t) = u + (pm_ra e + pm_dec n) t, normalised, with the unit vector u and its east e and north n: motion along a
    straight line, The Hipparcos and Tycho Catalogues (ESA SP-1200) vol. 1, section 1.5.5, without radial velocity.
    Adding pm_ra t / cos(dec) to the right ascension instead is wrong by tens of arcsec near the poles.
    A source whose motion or epoch is not known (NaN) keeps its position, and `moved` is false.
    Raises DataError for positions out of range.
    """
    start = checked(ra_deg, dec_deg, "positions to propagate")
    moved = np.isfinite(pm_ra) & np.isfinite(pm_dec) & np.isfinite(years)
    ra, dec = np.where(moved, 0.0, start.ra_deg), np.where(moved, 0.0, start.dec_deg)
    t = np.broadcast_to(np.asarray(years, dtype=np.float64), moved.shape)[moved]
    ra[moved], dec[moved] = _moved(start.ra_deg[moved], start.dec_deg[moved], pm_ra[moved] * t, pm_dec[moved] * t)
    return Positions(ra, dec, moved)


def _moved(ra_deg: Reals, dec_deg: Reals, east_mas: Reals, north_mas: Reals) -> tuple[Reals, Reals]:
    ra = np.radians(ra_deg)
    sin_ra, cos_ra = np.sin(ra), np.cos(ra)
    x, y, z = unit_vectors(ra_deg, dec_deg).T
    cos_dec = np.sin(np.radians(90 - np.abs(dec_deg)))
    east, north = east_mas / _MAS_PER_RADIAN, north_mas / _MAS_PER_RADIAN
    x = x - east * sin_ra - north * z * cos_ra
    y = y + east * cos_ra - north * z * sin_ra
    z = z + north * cos_dec
    turned = np.degrees(np.arctan2(y, x)) % 360
    return np.where(turned == 360, 0.0, turned), np.degrees(np.arctan2(z, np.hypot(x, y)))


def known(moved: Flags | None, count: int) -> Flags:
    """Return the flags, all false where there are none; shape (count,)."""
    return np.zeros(count, dtype=np.bool_) if moved is None else moved
