"""Probability of each star to belong to a cluster, from a cluster and a field fitted to a window around its locus."""

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts.clustering import mixture
from workflow_scripts.clustering.centring import centred
from workflow_scripts.clustering.deconvolve import Gaussian, squared_distance
from workflow_scripts.clustering.mixture import Mixture, Sample
from workflow_scripts.clustering.space import Centre, Notes, Space, space, window
from workflow_scripts.clustering.stars import Locus
from workflow_scripts.tables import DataError

Reals = NDArray[np.float64]
Errors = Literal["deconvolved", "ignored"]

MEMBER = 0.5  # a star is counted as a member above this probability
_WINDOWS = 2  # the second is around the mean found in the first, so that the result does not hang on the first locus
# ASSUME fifteen stars in the window are enough for a fit of some twenty parameters, which the evidence judges: of
# clusters of 12 to 25 simulated members 75 to 100 % are found where no field is around, and none in fields without one.
_LEAST_STARS = 15
_LEAST_MEMBERS = 10
_FIELD_GAUSSIANS = (0, 1, 2)
_FIRST_SPREAD = 0.2  # of the cluster, of the window's half width
_FARTHEST_LOCUS = 0.5  # of the window's half width
_EVIDENCE = 10.0  # "very strong" by Kass & Raftery 1995 (J. Am. Stat. Assoc. 90, 773), of the BIC
_ALMOST_ALL = 0.99
# ASSUME a cluster's spread is at most this share of the window's half width: the nearest, the Hyades, are 5 to 7 % deep
# and their motions as different, which is 0.28 of it; groups of a smooth field have 0.25 to 0.5, and no evidence.
_WIDEST = 0.35
# ASSUME a star so far out that less than half a member is expected beyond (Chauvenet's criterion) is no member, however
# empty the field is there: the field's density so far out is not known well enough to say that nothing else can be.
_EXPECTED_BEYOND = 0.5


@dataclass(frozen=True)
class Membership:
    """Members of a cluster among the n stars of a region.

    probability (n,) is 0 outside the window, and for all stars if no cluster could be fitted, of which reason tells.
    locus is the cluster's mean and covariance (3, 3) its spread, errors taken out, along the axes of the centre
    (mas/yr, mas/yr, mas). significance in sigma compares the fit with that of a field alone;
    it is 0 where reason tells why there is no cluster. centre is the place on the sky that the members fit best.
    """

    probability: Reals
    locus: Locus
    covariance: Reals
    significance: float
    reason: str | None
    centre: Centre
    notes: Notes = field(default_factory=dict)

    @property
    def members(self) -> NDArray[np.bool_]:
        """Stars (n,) that are more likely members than not."""
        return self.probability > MEMBER


def membership(
    stars: pa.Table, locus: Locus, centre: Centre | None = None, errors: Errors = "deconvolved"
) -> Membership:
    """Find the members of the cluster at a locus among a table STARS.

    The locus comes from a catalogue or from a group (space.locus_of). The mean direction of the stars stands for the
    centre of the cluster if none is given. errors "ignored" fits the plain mixture even where errors exist.

    Raises DataError for no stars, repeated stars, positions out of range and a locus that is not finite.
    """
    if errors not in get_args(Errors):
        raise DataError(f"membership: errors is {errors!r}, expected one of {', '.join(get_args(Errors))}")
    whole = space(stars, centre)
    return members_near(whole if errors == "deconvolved" else whole.without_errors(), locus)


def members_near(whole: Space, locus: Locus) -> Membership:
    """Find the members of the cluster at a locus among stars that are already along the axes of its centre."""
    if not np.isfinite(locus.array()).all():
        raise DataError(f"membership: the locus is {locus}, expected three numbers; give the catalogue's or a group's")
    place, notes, around = locus, dict(whole.notes), whole
    for nth in range(_WINDOWS):
        sample = window(around, place)
        n = len(sample.offset)
        notes["stars_in_window"] = float(n)
        if n < _LEAST_STARS:
            reason = f"only {n} stars within {_text(sample.half)} of the locus, expected at least {_LEAST_STARS}"
            return Membership(np.zeros(len(sample.inside)), place, np.zeros((3, 3)), 0.0, reason, whole.middle, notes)
        found = _best(sample, Gaussian(np.zeros(3), np.diag((_FIRST_SPREAD * sample.half) ** 2)))
        place = Locus(*(place.array() + found.parts[0].mean).tolist())
        fault, astray = _collapse(sample, found), _astray(sample, place, locus)
        if fault or astray:
            break
        if nth + 1 < _WINDOWS:
            everywhere = np.zeros(len(sample.inside))
            everywhere[sample.inside] = found.probability
            around = centred(whole, everywhere)
    members, sigma = np.zeros(len(sample.inside)), 0.0
    if not fault:
        alone = _best(sample, None)
        sigma = significance(found, alone)
        if (gain := alone.bic(n) - found.bic(n)) < _EVIDENCE:
            fault = f"a field alone explains the stars as well: a cluster gains {gain:.1f} in BIC, expected at least 10"
    fault = fault or astray
    if not fault:
        far = squared_distance(sample.offset, sample.errors, found.parts[0]) > farthest(float(found.probability.sum()))
        members[sample.inside] = np.where(far, 0, found.probability)
        if (count := int((members > MEMBER).sum())) < _LEAST_MEMBERS:
            fault, members = f"only {count} members, expected at least {_LEAST_MEMBERS}", np.zeros_like(members)
    notes |= _described(found)
    middle = whole.middle if fault else around.middle
    return Membership(members, place, found.parts[0].covariance, 0.0 if fault else sigma, fault, middle, notes)


def significance(found: Mixture, alone: Mixture) -> float:
    """Sigma of a fit with a cluster over one without: root of 2 ln(L / L0) above the number of parameters added.

    One place is judged, as if no other had been looked at; of a chance that it is a field's it gives the order only.
    """
    ratio = 2 * (found.log_likelihood - alone.log_likelihood)
    return float(np.sqrt(max(ratio - max(found.n_parameters - alone.n_parameters, 0), 0.0)))


def farthest(n_members: float) -> float:
    """Squared distance, chi-squared of 3 degrees of freedom, beyond which half of one of n_members is expected."""
    from scipy.special import chdtri

    return float(chdtri(3, min(_EXPECTED_BEYOND / n_members, 1.0)))


def _best(sample: Sample, cluster: Gaussian | None) -> Mixture:
    """Fit with the number of field Gaussians that the BIC prefers."""
    fits = [mixture.fit(sample, n_field, cluster) for n_field in _FIELD_GAUSSIANS]
    return min(fits, key=lambda fitted: fitted.bic(len(sample.offset)))


def _collapse(sample: Sample, found: Mixture) -> str | None:
    """Say why a fit is no cluster, or nothing."""
    n, total = len(sample.inside), float(found.probability.sum())
    spread = np.sqrt(np.diag(found.parts[0].covariance))
    if total < _LEAST_MEMBERS:
        return f"the probabilities add up to {total:.1f} members, expected at least {_LEAST_MEMBERS}"
    if total > _ALMOST_ALL * n:
        return f"{total:.0f} of the region's {n} stars would be members: there is no field to tell them from"
    if (spread > _WIDEST * sample.half).any():
        return f"the group fitted is as wide as the field ({_text(spread)}): no compact group here"
    return None


def _astray(sample: Sample, place: Locus, locus: Locus) -> str | None:
    """Say where a fit has gone that left its locus, or nothing."""
    if (np.abs(place.array() - locus.array()) > _FARTHEST_LOCUS * sample.half).any():
        return f"the fit went to another group at {_text(place.array())}; give that as the locus if it is meant"
    return None


def _described(found: Mixture) -> Notes:
    notes: Notes = {"field_gaussians": float(len(found.parts) - 1), "steps": float(found.steps)}
    if found.sky:
        notes |= {"profile_scale_deg": found.sky.scale_deg, "profile_slope": found.sky.slope}
    return notes


def _text(values: Reals) -> str:
    return f"{values[0]:.3g} mas/yr, {values[1]:.3g} mas/yr, {values[2]:.3g} mas"
