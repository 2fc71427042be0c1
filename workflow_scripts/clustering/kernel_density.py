"""Membership from proper motions alone, by kernel density in two regions of the sky (Clusterix 2.0).

Balaguer-Nunez et al. 2020: the density of proper motions in the inner region is cluster plus field, in the outer
region field alone; their difference over the former is the probability of membership at a proper motion.
"""

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.clustering.stars import Notes, Probabilities, Reals
from workflow_scripts.tables import DataError

FEWEST = 20  # stars in either region
NOISE = 3.0  # standard deviations of the kernel density by which the cluster must exceed the field
PEAK = 5.0  # the same at the cluster's peak, one of many places looked at
_ROUNDS = 10  # of finding the excess and scaling by the rest
_CELLS = 3  # per smoothing length
_MOST_CELLS = 3000  # along an axis
_RANGE = (0.05, 99.95)  # percentiles that the grid covers


def fit(
    motions: Reals, separation_deg: Reals, inner_deg: float, outer_deg: float, smoothing_mas_yr: float
) -> Probabilities:
    """Probability from proper motions (n, 2) in mas/yr and separations (n,) from the field's centre.

    The inner region is closer than inner_deg, the outer one farther than outer_deg; what lies between tells nothing.
    Kernels are Gaussians of standard deviation smoothing_mas_yr. Stars where the excess is below three standard
    deviations, and those off the grid (0.1 % on each axis, counted as n_off_grid), have probability 0. Further notes:
    scale (stars of the field in the inner region per one in the outer), n_expected (sum of the probabilities in the
    inner region), peak (largest excess in standard deviations), and empty, which says why all probabilities are 0: that
    is below five, or a region has fewer than 20 stars. Raises DataError for a smoothing that is not positive.
    """
    if not smoothing_mas_yr > 0:
        raise DataError(f"smoothing of {smoothing_mas_yr:g} mas/yr; give a positive one")
    inner, outer = separation_deg < inner_deg, separation_deg > outer_deg
    for region, name in ((inner, f"within {inner_deg:g} deg"), (outer, f"beyond {outer_deg:g} deg")):
        if (n := int(region.sum())) < FEWEST:
            why = f"{n} stars {name} of the centre, fewer than the {FEWEST} that a density needs"
            return Probabilities(np.zeros(len(motions)), {"empty": why})
    low, high = np.percentile(motions, _RANGE, axis=0)
    cell = max(smoothing_mas_yr / _CELLS, (high - low).max() / _MOST_CELLS)
    place = np.floor((motions - low) / cell).astype(np.int64)
    shape = (int((high[0] - low[0]) // cell) + 1, int((high[1] - low[1]) // cell) + 1)
    on_grid = ((place >= 0) & (place < shape)).all(axis=1)
    cell_of = np.ravel_multi_index(tuple(place[on_grid].T), shape)
    both, field = (np.bincount(cell_of[r[on_grid]], minlength=shape[0] * shape[1]) for r in (inner, outer))
    share, notes = _excess(both.reshape(shape), field.reshape(shape), smoothing_mas_yr / cell)
    probability = np.zeros(len(motions))
    probability[on_grid] = share.ravel()[cell_of]
    notes["n_expected"] = float(probability[inner].sum())
    notes["n_off_grid"] = float((~on_grid).sum())
    return Probabilities(probability, notes)


def _excess(both: NDArray[np.integer], field: NDArray[np.integer], width: float) -> tuple[Reals, Notes]:
    """Share of the cluster in each cell from counts in two regions, smoothed by width cells, and the notes."""
    # DEVIATES Balaguer-Nunez 2020: the regions are scaled by their counts where no excess is, not by their areas, so
    # that a field with gaps needs no map of them.
    inner, outer = _smooth(both, width), _smooth(field, width)
    inner_variance, outer_variance = (_smooth(c, width / np.sqrt(2)) / (4 * np.pi * width**2) for c in (both, field))
    quiet = np.ones(both.shape, dtype=bool)
    for _ in range(_ROUNDS):
        scale = both[quiet].sum() / max(field[quiet].sum(), 1)
        excess = inner - scale * outer
        # The variance of a kernel density is the density under the squared kernel; at least that of one star.
        variance = np.maximum(inner_variance + scale**2 * outer_variance, 1 / (2 * np.pi * width**2) ** 2)
        significance = excess / np.sqrt(variance)
        quiet = significance < NOISE
    notes: Notes = {"scale": float(scale), "peak": float(significance.max())}
    if significance.max() < PEAK:
        notes["empty"] = f"no excess of {PEAK:g} standard deviations at any proper motion"
        return np.zeros(both.shape), notes
    return np.where(quiet, 0.0, excess / np.maximum(inner, 1e-300)), notes


def _smooth(counts: NDArray[np.generic], width: float) -> Reals:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(counts.astype(np.float64), width, mode="constant", truncate=5))
