"""Membership from proper motions alone, by kernel density in two regions of the sky (Clusterix 2.0).

Balaguer-Nunez et al. 2020: the density of proper motions in the inner region is cluster plus field, in the outer
region field alone; their difference over the former is the probability of membership at a proper motion.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.clustering.stars import Notes, Probabilities, Reals
from workflow_scripts.tables import DataError

FEWEST = 20  # stars in either region
# Most probability that a field without a cluster has an excess anywhere. Measured, simulated fields uniform on the sky:
# none in 1000 of 3,000 stars, 500 of 40,000, 200 of 200,000, 100 of 434,000; none in 40 of the motions of M67, the
# Pleiades or Blanco 1 with shuffled separations.
FALSE_ALARM = 0.01
# Standard deviations of the kernel density at a star by which the cluster must exceed the field. Chosen on M67, the
# Pleiades and Blanco 1 (F1 of .914, .921, .919; 3 gives .916, .917, .928) and 200 stars like the Hyades in 434,000
# (60 % found; 3 finds 40 %).
NOISE = 2.5
_SIDES = (4, 8, 16, 32)  # smoothing lengths; the first is the square in which the kernel has most of its weight
_MOST = 500  # stars in a wider square: where narrower ones have as many, it would only see slopes of the field
_ROUNDS = 10  # of finding the excess and scaling by the rest
_CELLS = 5  # per smoothing length
_HALO = 5 * _CELLS  # cells to where a kernel ends
_TILE = 128  # cells along a tile, without the halo
_SIZE = _TILE + 2 * _HALO


def fit(
    motions: Reals, separation_deg: Reals, inner_deg: float, outer_deg: float, smoothing_mas_yr: float
) -> Probabilities:
    """Probability from proper motions (n, 2) in mas/yr and separations (n,) from the field's centre.

    The inner region is closer than inner_deg, the outer one farther than outer_deg; what lies between tells nothing.
    Kernels are Gaussians of standard deviation smoothing_mas_yr. Stars have probability 0 outside the squares of proper
    motion in which the inner region has more stars than one field in a hundred has in any square by chance, and where
    the excess is below 2.5 standard deviations of the kernel density. Notes: scale (stars of the field in the inner
    region per one in the outer), n_expected (sum of the probabilities in the inner region), n_places (squares looked
    at), peak (excess of the least likely one in standard deviations of a Gaussian, at most 37), and empty, which says
    why all probabilities are 0: no such square, or a region of fewer than 20 stars. Raises DataError for a smoothing
    that is not positive.
    """
    if not smoothing_mas_yr > 0:
        raise DataError(f"smoothing of {smoothing_mas_yr:g} mas/yr; give a positive one")
    inner, outer = separation_deg < inner_deg, separation_deg > outer_deg
    for region, name in ((inner, f"within {inner_deg:g} deg"), (outer, f"beyond {outer_deg:g} deg")):
        if (n := int(region.sum())) < FEWEST:
            why = f"{n} stars {name} of the centre, fewer than the {FEWEST} that a density needs"
            return Probabilities(np.zeros(len(motions)), {"empty": why})
    dense, notes = _excess(motions / smoothing_mas_yr, inner, outer)
    probability = np.zeros(len(motions))
    place = np.floor(motions / smoothing_mas_yr * _CELLS).astype(np.int64)
    for tile in np.unique(place[dense] // _TILE, axis=0):
        near, cell = _near(place, tile)
        both, field = (np.bincount(cell[near & r], minlength=_SIZE**2).reshape(_SIZE, _SIZE) for r in (inner, outer))
        stars = dense & (place // _TILE == tile).all(axis=1)
        probability[stars] = _share(both, field, float(notes["scale"])).ravel()[cell[stars]]
    notes["n_expected"] = float(probability[inner].sum())
    return Probabilities(probability, notes)


@dataclass(frozen=True)
class _Squares:
    """Squares of one size: which one each star is in, stars in the inner region and in both, and which count."""

    of_star: NDArray[np.integer]
    inner: NDArray[np.integer]
    both: NDArray[np.integer]
    tested: NDArray[np.bool_]


def _excess(motions: Reals, inner: NDArray[np.bool_], outer: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Notes]:
    """Stars in squares that the inner region fills beyond chance, from motions in smoothing lengths, and the notes.

    Where there is no cluster, each star of a square is in the inner region with the same probability whatever its
    motion, so that their number is binomial (Przyborowski & Wilenski 1940), however few or unevenly spread stars are.
    """
    from scipy.stats import binom, norm

    # DEVIATES Balaguer-Nunez 2020: the regions are scaled by their counts where no excess is, not by their areas, so
    # that a field with gaps needs no map of them.
    grids = list(_squares(motions, inner, outer))
    n_places = sum(int(g.tested.sum()) for g in grids)
    dense = np.zeros(len(motions), dtype=bool)
    for _ in range(_ROUNDS):
        before, scale = dense, (inner & ~dense).sum() / max((outer & ~dense).sum(), 1)
        # Bonferroni's limit: squares overlap, so that the true rate is lower.
        chance = [np.where(g.tested, binom.sf(g.inner - 1, g.both, scale / (1 + scale)), 1.0) for g in grids]
        dense = np.any([(c * n_places < FALSE_ALARM)[g.of_star] for c, g in zip(chance, grids, strict=True)], axis=0)
        if (dense == before).all():
            break
    least = min(float(c.min()) for c in chance)
    peak = float(norm.isf(max(least, 1e-300)))
    notes: Notes = {"scale": float(scale), "n_places": float(n_places), "peak": peak}
    if not dense.any():
        notes["empty"] = f"no excess at any proper motion that less than {FALSE_ALARM:.0%} of fields would have"
    return dense, notes


def _squares(motions: Reals, inner: NDArray[np.bool_], outer: NDArray[np.bool_]) -> Iterator[_Squares]:
    """Squares that hold stars, of each size, also moved by half a side so that none splits a cluster everywhere."""
    for side in _SIDES:
        for shift in ((0, 0), (0, 0.5), (0.5, 0), (0.5, 0.5)):
            of_star = _number(np.floor(motions / side + shift).astype(np.int64))
            n_inner, n_outer = (np.bincount(of_star[r], minlength=of_star.max() + 1) for r in (inner, outer))
            both = n_inner + n_outer
            yield _Squares(of_star, n_inner, both, (both > 0) & ((side == _SIDES[0]) | (both <= _MOST)))


def _number(place: NDArray[np.int64]) -> NDArray[np.integer]:
    """Give the number (n,) of the square at each place (n, 2); those without stars have none and cost no memory."""
    x, y = (place - place.min(axis=0)).T
    numbers: NDArray[np.integer] = np.unique(x * (y.max() + 1) + y, return_inverse=True)[1]
    return numbers.astype(np.int32)


def _near(place: NDArray[np.int64], tile: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Stars (n,) of a tile and its halo, and the number of the cell that each of them is in."""
    x, y = (place - tile * _TILE + _HALO).T
    return (x >= 0) & (x < _SIZE) & (y >= 0) & (y < _SIZE), x * _SIZE + y


def _share(both: NDArray[np.integer], field: NDArray[np.integer], scale: float) -> Reals:
    """Share of the cluster in each cell from the counts in the two regions; 0 where the excess is within the noise."""
    inner, outer = _smooth(both, _CELLS), _smooth(field, _CELLS)
    # The variance of a kernel density is the density under the squared kernel; at least that of one star.
    inner_variance, outer_variance = (_smooth(c, _CELLS / np.sqrt(2)) / (4 * np.pi * _CELLS**2) for c in (both, field))
    variance = np.maximum(inner_variance + scale**2 * outer_variance, 1 / (2 * np.pi * _CELLS**2) ** 2)
    excess = inner - scale * outer
    return np.where(excess < NOISE * np.sqrt(variance), 0.0, excess / np.maximum(inner, 1e-300))


def _smooth(counts: NDArray[np.integer], width: float) -> Reals:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(counts.astype(np.float64), width, mode="constant", truncate=5))
