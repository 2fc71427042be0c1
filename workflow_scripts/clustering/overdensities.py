"""The blind mode: clusters of a field of which nothing is known, each with its significance.

Crowded places are looked for in proper motion and parallax on two grids, one for distant and one for nearby clusters.
A crowded place is a cluster if a mixture with a compact group fits the stars around it better than a smooth field.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts.clustering.membership import Membership, members_near
from workflow_scripts.clustering.space import Centre, space
from workflow_scripts.clustering.stars import Locus
from workflow_scripts.crossmatch.positions import unit_vectors

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

SIGNIFICANCE = 8.0
_PEAKS = 12  # of each grid
_LEAST_EXCESS, _LEAST_RATIO = 10.0, 4.0  # stars, and in units of the background's root
_NEIGHBOURS = 8
_SAME = 3.0  # two places within this many cells of a grid are one


@dataclass(frozen=True)
class Grid:
    """Cells in pmra, pmdec (mas/yr) and parallax (mas): their size and the first and last edge."""

    cell: Reals
    first: Reals
    last: Reals


# ASSUME a cluster's stars are spread over some 0.4 mas/yr beyond 500 pc and over some 2 mas/yr nearer than that.
DISTANT = Grid(np.array([0.2, 0.2, 0.1]), np.array([-20, -20, -0.5]), np.array([20, 20, 3.5]))
NEARBY = Grid(np.array([1.0, 1.0, 0.4]), np.array([-120, -120, 1.6]), np.array([120, 120, 30]))


@dataclass(frozen=True)
class Overdensity:
    """A cluster found: where it is in motion, parallax and on the sky, and its members."""

    locus: Locus
    centre: Centre
    significance: float
    membership: Membership


def overdensities(stars: pa.Table, least_significance: float = SIGNIFICANCE) -> list[Overdensity]:
    """Clusters among a table STARS, the most significant first; an empty list if the field has none.

    Raises DataError for no stars, repeated stars and positions out of range.
    """
    region = space(stars)
    found: list[Overdensity] = []
    taken = np.zeros(stars.num_rows, dtype=np.bool_)
    for grid in (NEARBY, DISTANT):
        for peak in peaks(region.points[~taken], grid):
            near = (np.abs(region.points - peak) < 1.5 * grid.cell).all(axis=1) & ~taken
            if near.sum() < _LEAST_EXCESS:
                continue
            one = _examined(stars, peak, near)
            if one.membership.reason or one.significance < least_significance or _is_known(one, found, grid):
                continue
            found.append(one)
            taken |= one.membership.members
    return sorted(found, key=lambda one: -one.significance)


def peaks(points: Reals, grid: Grid) -> list[Reals]:
    """Crowded places (3,) of points (n, 3) on a grid, the most crowded for its surroundings first.

    The stars of 3 x 3 x 3 cells against the mean of the 9 x 9 x 9 cells around them.
    """
    from scipy import ndimage

    shape = np.round((grid.last - grid.first) / grid.cell).astype(int)
    edges = [first + cell * np.arange(n + 1) for first, cell, n in zip(grid.first, grid.cell, shape, strict=True)]
    count = np.histogramdd(points, bins=edges)[0]
    inner = ndimage.uniform_filter(count, 3, mode="constant") * 27
    outer = ndimage.uniform_filter(count, 9, mode="constant") * 729
    background = np.maximum(outer - inner, 0) / 26
    ratio = (inner - background) / np.sqrt(background + 1)
    is_peak = (ratio == ndimage.maximum_filter(ratio, 5)) & (ratio > _LEAST_RATIO)
    is_peak &= inner - background > _LEAST_EXCESS
    cells = np.argwhere(is_peak)
    order = np.argsort(-ratio[is_peak], kind="stable")[:_PEAKS]
    return [grid.first + grid.cell * (cells[i] + 0.5) for i in order]


def _examined(stars: pa.Table, peak: Reals, near: Flags) -> Overdensity:
    """Fit a cluster at a crowded place, centred where its stars crowd on the sky."""
    centre = _crowded(stars, near)
    fitted = members_near(space(stars, centre), Locus(*peak.tolist()))
    return Overdensity(fitted.locus, centre, fitted.significance, fitted)


def _crowded(stars: pa.Table, near: Flags) -> Centre:
    """Place on the sky of the star whose eighth neighbour among these is the nearest."""
    from scipy.spatial import KDTree

    ra, dec = (stars[name].to_numpy().astype(np.float64)[near] for name in ("ra_deg", "dec_deg"))
    vectors = unit_vectors(ra % 360, dec)
    distance = KDTree(vectors).query(vectors, k=min(_NEIGHBOURS, len(vectors)))[0][:, -1]
    place = int(np.argmin(distance))
    return Centre(float(ra[place]), float(dec[place]))


def _is_known(one: Overdensity, found: list[Overdensity], grid: Grid) -> bool:
    here = one.locus.array()
    return any((np.abs(other.locus.array() - here) < _SAME * grid.cell).all() for other in found)
