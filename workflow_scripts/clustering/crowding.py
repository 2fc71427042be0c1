"""Crowded places of a field: more stars of alike motion and parallax than it explains, on the sky or in all of it."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_EXCESS = 10.0  # stars: the fewest members that a fit accepts (membership.py)
_PEAKS = 12  # of each grid
_LEAST_RATIO = 4.0  # peaks of a grid, in units of the root of what is around: low, as the fit decides (_PEAKS limits)
# Simulated field of 434,000 stars: of 260,000 boxes of more than ten stars 17 are above 4 sigma by chance, 3 above 4.5,
# none above 5. Simulated clusters of 20 to 50 stars in 2,000 and 20,000: all above 8.2 sigma in the fit are found.
_LEAST_SIGMA = 5.0
# ASSUME clusters have radii of 0.03 to 0.4 deg, which tiles of these sides show, or fill the field.
_TILES_DEG = (0.15, 0.5, 1.5)


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
    enough = motion.count[motion.box] > LEAST_EXCESS
    which, box, tile = motion.which[enough], motion.box[enough], sky.box[motion.which[enough]]
    key, first, count = np.unique(box * len(sky.count) + tile, return_index=True, return_counts=True)
    expected = motion.count[key // len(sky.count)] * (sky.count[key % len(sky.count)] / len(points))
    ratio = 2 * (count * np.log(count / expected) - (count - expected))
    crowded = (count - expected > LEAST_EXCESS) & (ratio > _LEAST_SIGMA**2)
    example = points[which[first[crowded]]]
    middle = np.concatenate([motion.middle(example[:, :3]), sky.middle(example[:, 3:])], axis=1)
    side = np.concatenate([motion.side, sky.side])
    return [(float(root), Place(m, side)) for root, m in zip(np.sqrt(ratio[crowded]), middle, strict=True)]


def everywhere(points: Reals) -> list[Place]:
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
    is_peak &= inner - background > LEAST_EXCESS
    cells = np.argwhere(is_peak)
    order = np.argsort(-ratio[is_peak], kind="stable")[:_PEAKS]
    return [grid.first + grid.cell * (cells[i] + 0.5) for i in order]
