"""The blind mode: clusters of a field of which nothing is known, each with its significance.

A crowded place is where more stars of alike motion and parallax lie than the field explains: first on some part of the
sky, then, for clusters that fill the field, on all of it. There a mixture with a compact group must fit the stars
better than a smooth field. The members of a cluster found are taken out, and the search goes on among the other stars.

Clusters that differ neither in motion nor in parallax come out as one, even 0.5 deg apart on the sky: the fit knows one
centre. So do two at one place and within about 1 mas/yr at 1.2 mas, or neither is found, as their sum is not compact.
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workflow_scripts.clustering.membership import Membership, members_near
from workflow_scripts.clustering.space import Centre, locus_of, space
from workflow_scripts.clustering.stars import Locus
from workflow_scripts.crossmatch.positions import unit_vectors

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

SIGNIFICANCE = 8.0
_PEAKS = 12  # of each grid
_FAILURES = 24  # places on the sky, or on all of it, that hold no cluster before the search is given up
_LEAST_EXCESS = 10.0  # stars: the fewest members that a fit accepts (membership.py)
_LEAST_RATIO = 4.0  # peaks of a grid, in units of the root of what is around: low, as the fit decides (_PEAKS limits)
# Simulated field of 434,000 stars: of 260,000 boxes of more than ten stars 17 are above 4 sigma by chance, 3 above 4.5,
# none above 5. Simulated clusters of 20 to 50 stars in 2,000 and 20,000: all above 8.2 sigma in the fit are found.
_LEAST_SIGMA = 5.0
_TILES_DEG = (0.15, 0.5, 1.5)  # show simulated clusters of Plummer radii of 0.03 to 0.4 deg; wider ones fill the field
_TRIAL = 30_000  # stars around a place that the first fit sees: field enough, and ten times as fast as 434,000
_NEIGHBOURS = 8


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


@dataclass(frozen=True)
class Place:
    """A box in pmra, pmdec (mas/yr), parallax (mas) and on the sky (deg, deg): its middle and sides (5,)."""

    middle: Reals
    side: Reals

    def holds(self, points: Reals) -> Flags:
        """Say which points (n, 5) are in the box."""
        return np.asarray((np.abs(points - self.middle) < self.side / 2).all(axis=1))

    def is_at(self, other: "Place") -> bool:
        """Say whether the middle of one is as near as the smaller one is wide."""
        return bool((np.abs(self.middle - other.middle) < np.minimum(self.side, other.side)).all())


def overdensities(stars: pa.Table, least_significance: float = SIGNIFICANCE) -> list[Overdensity]:
    """Clusters among a table STARS, the most significant first; an empty list if the field has none.

    Raises DataError for no stars, repeated stars and positions out of range.
    """
    # Sums depend on the order of the rows in their last digits, a fit's steps on those: one order gives one list.
    order = pc.sort_indices(stars, [("source_id", "ascending")])
    rows = stars.take(order)
    back = np.argsort(order.to_numpy())
    return [
        replace(one, membership=replace(one.membership, probability=one.membership.probability[back]))
        for one in sorted(_found(rows, least_significance), key=lambda one: -one.significance)
    ]


def _found(stars: pa.Table, least: float) -> list[Overdensity]:
    """Look in parts of the sky, then in all of it; after each find look again among the stars not taken."""
    region = space(stars)
    points = np.column_stack([region.points, _plane(_vectors(stars))])
    found: list[Overdensity] = []
    taken = np.zeros(stars.num_rows, dtype=np.bool_)
    for look in (concentrations, _everywhere):
        failed: list[Place] = []
        places = look(points[~taken])
        while len(failed) < _FAILURES:
            place = next((one for one in places if not any(one.is_at(other) for other in failed)), None)
            if place is None:
                break
            one = _examined(stars, place.holds(points) & ~taken, ~taken, look is concentrations)
            if one is None or one.significance < least:
                failed.append(place)
                continue
            found.append(one)
            taken |= one.membership.members
            places = look(points[~taken])
    return found


def concentrations(points: Reals) -> list[Place]:
    """Boxes where stars of alike motion lie closer together on the sky than all stars do, the most significant first.

    points (n, 5) in mas/yr, mas/yr, mas, deg, deg. Expected in a box are the stars of its motion times the share of all
    stars that lie there: unevenness of the field itself does not count. Significance in sigma is the root of
    2 (N ln(N / E) - (N - E)), the ratio of the Poisson likelihoods (Cash 1979, ApJ 228, 939). Boxes are three cells
    wide in motion and overlap by half.
    """
    skies = [sky for side in _TILES_DEG for sky in _tilings(points[:, 3:], np.full(2, side), np.arange(len(points)))]
    listed: list[tuple[float, Place]] = []
    for grid in (NEARBY, DISTANT):
        inside = np.flatnonzero(((points[:, :3] > grid.first) & (points[:, :3] < grid.last)).all(axis=1))
        for motion in _tilings(points[:, :3], 3 * grid.cell, inside):
            for sky in skies:
                listed += _crowded_boxes(points, motion, sky)
    return [place for _, place in sorted(listed, key=lambda one: -one[0])]


@dataclass(frozen=True)
class _Tiling:
    """Boxes side by side over points: which points (m,), the box (m,) of each, and how many points are in each box."""

    side: Reals
    shift: Reals
    which: NDArray[np.intp]
    box: NDArray[np.intp]
    count: NDArray[np.intp]

    def middle(self, points: Reals) -> Reals:
        """Middle of the box of each point (m, d)."""
        return np.asarray((np.floor(points / self.side + self.shift) - self.shift + 0.5) * self.side)


def _tilings(points: Reals, side: Reals, which: NDArray[np.intp]) -> list[_Tiling]:
    """Boxes over some of the points (n, d), unmoved and moved by half their side in each direction."""
    if not len(which):
        return []
    result = []
    for shift in np.array(list(product((0.0, 0.5), repeat=len(side)))):
        cell = np.floor(points[which] / side + shift).astype(np.int64)
        cell -= cell.min(axis=0)
        key = np.ravel_multi_index(tuple(cell.T), tuple(cell.max(axis=0) + 1))
        box, count = np.unique(key, return_inverse=True, return_counts=True)[1:]
        result.append(_Tiling(side, shift, which, box, count))
    return result


def _crowded_boxes(points: Reals, motion: _Tiling, sky: _Tiling) -> list[tuple[float, Place]]:
    """Significance and place of the boxes of one tiling in motion and one on the sky that hold too many stars."""
    enough = motion.count[motion.box] > _LEAST_EXCESS
    which, box, tile = motion.which[enough], motion.box[enough], sky.box[motion.which[enough]]
    key, first, count = np.unique(box * len(sky.count) + tile, return_index=True, return_counts=True)
    expected = motion.count[key // len(sky.count)] * (sky.count[key % len(sky.count)] / len(points))
    ratio = 2 * (count * np.log(count / expected) - (count - expected))
    crowded = (count - expected > _LEAST_EXCESS) & (ratio > _LEAST_SIGMA**2)
    example = points[which[first[crowded]]]
    middle = np.concatenate([motion.middle(example[:, :3]), sky.middle(example[:, 3:])], axis=1)
    side = np.concatenate([motion.side, sky.side])
    return [(float(root), Place(m, side)) for root, m in zip(np.sqrt(ratio[crowded]), middle, strict=True)]


def _everywhere(points: Reals) -> list[Place]:
    """Peaks of both grids as places that span the sky."""
    return [
        Place(np.array([*peak, 0, 0]), np.array([*(3 * grid.cell), np.inf, np.inf]))
        for grid in (NEARBY, DISTANT)
        for peak in peaks(points[:, :3], grid)
    ]


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


def _examined(stars: pa.Table, near: Flags, free: Flags, local: bool) -> Overdensity | None:
    """Fit a cluster to the stars that are free where those near a place crowd on the sky; None if there is none.

    Stars of the clusters known are left out, as they would draw the fit to them.
    """
    if near.sum() < _LEAST_EXCESS:
        return None
    centre = _crowded(stars, near)
    seen = _nearest(stars, centre, free) if local else free
    part = space(stars.filter(pa.array(seen)), centre)
    fitted = members_near(part, locus_of(part, near[seen]))
    if not fitted.reason and seen.sum() < free.sum():
        seen = free
        fitted = members_near(space(stars.filter(pa.array(free)), centre), fitted.locus)
    if fitted.reason:
        return None
    probability = np.zeros(stars.num_rows)
    probability[seen] = fitted.probability
    return Overdensity(fitted.locus, centre, fitted.significance, replace(fitted, probability=probability))


def _crowded(stars: pa.Table, near: Flags) -> Centre:
    """Place on the sky of the star whose eighth neighbour among these is the nearest."""
    from scipy.spatial import KDTree

    vectors = _vectors(stars)[near]
    distance = KDTree(vectors).query(vectors, k=min(_NEIGHBOURS, len(vectors)))[0][:, -1]
    place = int(np.flatnonzero(near)[np.argmin(distance)])
    return Centre(stars["ra_deg"][place].as_py(), stars["dec_deg"][place].as_py())


def _nearest(stars: pa.Table, centre: Centre, among: Flags) -> Flags:
    """Those of the stars that are in the circle around a centre which holds as many as a trial needs."""
    if among.sum() <= _TRIAL:
        return among
    cosine = _vectors(stars) @ unit_vectors(np.array([centre.ra_deg % 360]), np.array([centre.dec_deg]))[0]
    return np.asarray(among & (cosine >= -np.partition(-cosine[among], _TRIAL)[_TRIAL]))


def _vectors(stars: pa.Table) -> Reals:
    ra, dec = (stars[name].to_numpy().astype(np.float64) for name in ("ra_deg", "dec_deg"))
    return unit_vectors(ra % 360, dec)


def _plane(vectors: Reals) -> Reals:
    """Give unit vectors (n, 3) as seen along their mean, (n, 2) in deg: no place on the sky is a seam or a pole."""
    middle = vectors.mean(axis=0)
    across = np.cross(middle, np.eye(3)[np.argmin(np.abs(middle))])
    axes = np.stack([across, np.cross(middle, across)])
    return np.asarray(np.degrees(vectors @ (axes / np.linalg.norm(axes, axis=1, keepdims=True)).T))
