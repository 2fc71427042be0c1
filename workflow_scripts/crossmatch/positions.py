"""Positions on the sky: checks, unit vectors and separations.

Everything is done with unit vectors, so that right ascension 0/360 and the poles are places like any other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.parquet import DataError

Reals = NDArray[np.float64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]

ARCSEC_PER_RADIAN = 180 * 3600 / np.pi


@dataclass(frozen=True)
class Positions:
    """Positions of a catalogue, ICRS, shapes (n,): -180 <= ra_deg <= 360, -90 <= dec_deg <= 90 [deg].

    moved says which were propagated to the epoch of the match by their proper motion; None = none of them.
    """

    ra_deg: Reals
    dec_deg: Reals
    moved: Flags | None = None

    def __len__(self) -> int:
        """Count the sources."""
        return len(self.ra_deg)


def checked(ra_deg: Reals, dec_deg: Reals, where: str, first_row: int = 0) -> Positions:
    """Positions with 0 <= ra_deg < 360, after a check; where and first_row are for the message.

    Catalogues of fields across right ascension 0 often count from -180 to 180 deg.

    Raises DataError with the number of bad positions and the first of them.
    """
    if ra_deg.shape != dec_deg.shape or ra_deg.ndim != 1:
        raise DataError(f"{where}: ra_deg has shape {ra_deg.shape}, dec_deg {dec_deg.shape}; expected one shape (n,)")
    if not len(ra_deg):
        return Positions(ra_deg, dec_deg)
    lowest, highest = ra_deg.min(), ra_deg.max()
    if not (lowest >= -180 and highest <= 360 and dec_deg.min() >= -90 and dec_deg.max() <= 90):  # nan is not, either
        raise DataError(_out_of_range(ra_deg, dec_deg, where, first_row))
    ra = np.where(ra_deg < 0, ra_deg + 360, ra_deg) if lowest < 0 else ra_deg
    # 360 is also what a tiny negative one is rounded to.
    return Positions(np.where(ra == 360, 0.0, ra) if lowest < 0 or highest == 360 else ra, dec_deg)


def _out_of_range(ra_deg: Reals, dec_deg: Reals, where: str, first_row: int) -> str:
    with np.errstate(invalid="ignore"):
        good = (ra_deg >= -180) & (ra_deg <= 360) & (np.abs(dec_deg) <= 90)
    bad = int(np.argmin(good))
    return (
        f"{where}: {np.count_nonzero(~good)} of {len(good)} positions are missing, not finite or out of range; the "
        f"first is in row {first_row + bad} (from 0): ra = {ra_deg[bad]}, dec = {dec_deg[bad]}; expected "
        "0 to 360 (or -180 to 180) and -90 to 90 degrees; mend or drop these rows"
    )


def unit_vectors(ra_deg: Reals, dec_deg: Reals) -> Reals:
    """Give unit vectors (cos dec cos ra, cos dec sin ra, sin dec), shape (n, 3), of 0 <= ra_deg < 360, shape (n,).

    The cosine of the declination is the sine of the polar distance: exactly 0 at the poles.
    """
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    cos_dec = np.sin(np.radians(90 - np.abs(dec_deg)))
    vectors = np.empty((len(ra), 3))
    np.multiply(cos_dec, np.cos(ra), out=vectors[:, 0])
    np.multiply(cos_dec, np.sin(ra), out=vectors[:, 1])
    np.sin(dec, out=vectors[:, 2])
    return vectors


def separations_arcsec(one: Reals, other: Reals) -> Reals:
    """Angles between pairs of unit vectors (n, 3) [arcsec], shape (n,); good to 1e-10 arcsec up to some degrees.

    2 arcsin(chord / 2); the arc cosine of the scalar product would lose all small angles.
    """
    x, y, z = (one[:, k] - other[:, k] for k in range(3))
    half = np.sqrt(x * x + y * y + z * z) / 2
    return 2 * ARCSEC_PER_RADIAN * np.arcsin(np.minimum(half, 1.0))


def chord(angle_arcsec: float) -> float:
    """Distance between two unit vectors at an angle [arcsec]."""
    return float(2 * np.sin(angle_arcsec / ARCSEC_PER_RADIAN / 2))
