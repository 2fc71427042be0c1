"""The blind mode: clusters of a field of which nothing is known, each with its significance.

A crowded place is where more stars of alike motion and parallax lie than the field explains: first on some part of the
sky, then, for clusters that fill the field, on all of it. There a mixture with a compact group must fit the stars
better than a smooth field. The members of a cluster found are taken out, and the search goes on among the other stars.
"""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workflow_scripts.clustering import crowding
from workflow_scripts.clustering.crowding import Place
from workflow_scripts.clustering.membership import Membership, members_near
from workflow_scripts.clustering.space import Centre, locus_of, space
from workflow_scripts.clustering.stars import Locus
from workflow_scripts.crossmatch.positions import unit_vectors

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

# ASSUME the clusters of a field differ in motion or parallax. Two that do not come out as one, even 0.5 deg apart on
# the sky, here and in the membership: the fit knows one centre. So do two at one place and within about 1 mas/yr at 1.2
# mas, or neither is found, as their sum is not compact.
SIGNIFICANCE = 8.0
_FAILURES = 24  # places on the sky, or on all of it, that hold no cluster before the search is given up
_TRIAL = 30_000  # stars around a place that the first fit sees: field enough, and ten times as fast as 434,000
_NEIGHBOURS = 8


@dataclass(frozen=True)
class Overdensity:
    """A cluster found: where it is in motion, parallax and on the sky, and its members.

    The locus is along the axes of its own centre.
    """

    locus: Locus
    centre: Centre
    significance: float
    membership: Membership


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
    for look in (crowding.concentrations, crowding.everywhere):
        failed: list[Place] = []
        places = look(points[~taken])
        while len(failed) < _FAILURES:
            place = next((one for one in places if not any(one.is_at(other) for other in failed)), None)
            if place is None:
                break
            one = _examined(stars, place.holds(points) & ~taken, ~taken, look is crowding.concentrations)
            if one is None or one.significance < least:
                failed.append(place)
                continue
            found.append(one)
            taken |= one.membership.members
            places = look(points[~taken])
    return found


def _examined(stars: pa.Table, near: Flags, free: Flags, local: bool) -> Overdensity | None:
    """Fit a cluster to the stars that are free where those near a place crowd on the sky; None if there is none.

    Stars of the clusters known are left out, as they would draw the fit to them.
    """
    if near.sum() < crowding.LEAST_EXCESS:
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
