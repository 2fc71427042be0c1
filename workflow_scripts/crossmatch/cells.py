"""HEALPix cells in the nested scheme (Gorski et al. 2005), by the library of the CDS."""

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.crossmatch.positions import Positions, Rows

FINE = 29  # order of the column _healpix_29 of the HATS convention: cells of 0.4 mas
COARSE = 8  # order of the cells by which row groups are chosen: 13.7 arcmin
COUNT = 12 * 4**COARSE
# Any place within this distance of a coarse cell lies in the cell or in one of its neighbours. The first places
# outside them are 9 arcmin away (a test looks for them); the margin is for the library's rounding.
REACH_ARCSEC = 360.0


def fine_cells(positions: Positions) -> Rows:
    """Cells of order 29, shape (n,), of positions with right ascension below 360 deg."""
    from astropy.coordinates import Latitude, Longitude
    from cdshealpix.nested import lonlat_to_healpix

    if not len(positions):
        return np.empty(0, dtype=np.int64)
    ra, dec = Longitude(positions.ra_deg, "deg", copy=False), Latitude(positions.dec_deg, "deg", copy=False)
    found: Rows = lonlat_to_healpix(ra, dec, FINE, num_threads=1).astype(np.int64)
    return found


def coarse_cells(fine: Rows) -> Rows:
    """Cells of order 8 that hold cells of order 29; same shape."""
    return fine >> 2 * (FINE - COARSE)


def around(coarse: Rows) -> Rows:
    """Coarse cells (sorted, each once) and all their neighbours, sorted, each once."""
    from cdshealpix.nested import neighbours

    found = neighbours(coarse, COARSE, num_threads=1)
    wanted = np.zeros(COUNT, dtype=np.bool_)
    wanted[found[found >= 0]] = True  # -1 stands for the neighbour that a cell in a corner of the base cells lacks
    return np.flatnonzero(wanted)


def beside(low: Rows, high: Rows) -> NDArray[np.bool_]:
    """Flag the coarse cells that lie beside one of several ranges from low to high: a flag for each cell of the sky."""
    found = np.zeros(COUNT, dtype=np.bool_)
    for first, last in zip(low, high, strict=True):
        near = around(np.arange(first, last + 1))
        found[near[(near < first) | (near > last)]] = True
    return found


def distinct(sorted_cells: Rows) -> Rows:
    """Return the distinct values of sorted cells."""
    return sorted_cells[np.flatnonzero(np.diff(sorted_cells, prepend=-1))]
