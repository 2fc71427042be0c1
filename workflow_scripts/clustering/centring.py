"""Where on the sky a cluster is: catalogues' centres are off by tens of arcminutes (Dias 2002: 0.3 deg in a tenth)."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.clustering.space import Centre, Space, angles_deg, axes, position
from workflow_scripts.crossmatch.positions import unit_vectors

Reals = NDArray[np.float64]

_STEPS = 50
_LEAST_SCALE = 1e-6  # rad
_UNEVEN = 3.0  # standard errors by which the field has to lie to one side


def centred(stars: Space, probability: Reals) -> Space:
    """Give the stars with radii from the centre around which members by probability (n,) gather.

    It is that of highest likelihood for a Plummer sphere of the members' median distance. Where the field's stars,
    which measure area (as in profile.py), show that a part around it was not observed, their own lean is taken off:
    a ragged footprint does not draw the centre. Motions stay along the axes they have.
    """
    if not probability.any():
        return stars
    vectors = unit_vectors(*stars.sky.T)
    outward, plane = _axes(stars.middle)
    ahead = vectors @ outward
    seen = ahead > 0
    offset = _gathered(vectors[seen] @ plane.T / ahead[seen, None], probability[seen])
    centre = outward + offset @ plane
    centre /= np.linalg.norm(centre)
    x, y, z = centre
    ra_deg, dec_deg = np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arctan2(z, np.hypot(x, y)))
    middle = Centre(float(ra_deg), float(dec_deg), stars.middle.radial_velocity_km_s)
    return replace(stars, radius_deg=angles_deg(vectors, centre), middle=middle)


def _axes(middle: Centre) -> tuple[Reals, Reals]:
    """Direction (3,) of a centre, and east and north there (2, 3)."""
    place = position(middle)
    return unit_vectors(place.ra_deg, place.dec_deg)[0], np.concatenate(axes(place))


def _gathered(plane: Reals, probability: Reals) -> Reals:
    """Centre (2,) of members by probability among places (n, 2) on a plane."""
    core = plane[probability >= min(0.5, probability.max())]
    centre = np.median(core, axis=0)
    scale = max(float(np.median(np.linalg.norm(core - centre, axis=1))), _LEAST_SCALE)
    lean = np.zeros(2)
    for corrected in (False, True):
        for _ in range(_STEPS):
            if corrected:
                lean, _ = _lean(plane - centre, 1 - probability, scale)
            near = probability / (1 + np.sum((plane - centre) ** 2, axis=1) / scale**2)
            centre = centre + (near @ (plane - centre) - probability.sum() * lean) / near.sum()
        found, error = _lean(plane - centre, 1 - probability, scale)
        if (np.abs(found) < _UNEVEN * error).all():
            break
    return np.asarray(centre)


def _lean(offset: Reals, field: Reals, scale: float) -> tuple[Reals, Reals]:
    """How far the field's stars lie to one side, seen through the profile, and its standard error, each (2,).

    This is the derivative of the mean profile of the field, which members' mean derivative equals at the centre.
    """
    near = 1 / (1 + np.sum(offset**2, axis=1) / scale**2)
    weight = field * near**2
    pull = near[:, None] * offset
    return weight @ pull / weight.sum(), np.sqrt(weight**2 @ pull**2) / weight.sum()
