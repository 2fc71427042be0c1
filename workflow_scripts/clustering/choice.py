"""Which of the groups is the cluster, told without looking at any list of members."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.clustering.scaling import NORMAL_IQR
from workflow_scripts.clustering.stars import KM_S, Groups, Locus, Reals
from workflow_scripts.crossmatch.positions import unit_vectors

FEWEST = 10  # stars without which a group is no candidate
CHANCE = 1e-3  # of a group of field stars to look as compact as one that is taken for a cluster
# ASSUME motions from before Gaia are right to 5 mas/yr and distances to a factor of 1.5 and 0.2 mas: so they are for
# 80 % of the 1,076 clusters that Dias 2002 and Cantat-Gaudin 2020 have with both. Beyond, it may be another cluster.
_FARTHEST_MAS_YR, _FARTHEST_RATIO, _FARTHEST_MAS = 5.0, 1.5, 0.2
# ASSUME two fits are of one cluster if their means agree to 2.5 km/s and 0.1 mas/yr, and to a tenth of the parallax and
# 0.05 mas: half of what the window of the membership holds. Fits of one cluster agreed to 0.15 km/s on three real
# fields and a dozen simulated ones; clusters nearer to each other come out as one.
_SAME_KM_S, _SAME_MAS_YR, _SAME_SHARE, _SAME_MAS = 2.5, 0.1, 0.1, 0.05


@dataclass(frozen=True)
class Choice:
    """A group, the rule that chose it, and its figure of merit.

    gathered: the group whose median is nearest to the locus given, of those that are not far from it and gather on the
    sky; locus: the nearest of all, where none does; merit is the distance, in scatters of the field.
    compactness: the group most concentrated on the sky against all other stars; near: the same, of those that are not
    far from the half of a locus that is known; merit is the largest difference between the two cumulative
    distributions of the distance from the group's median position.
    """

    group: int
    rule: str
    merit: float


def choose(groups: Groups, space: Reals, sky: Reals, locus: Locus | None) -> Choice | None:
    """Choose the cluster's group of stars with astrometry space (n, 3) and positions sky (n, 2), RA and Dec in deg.

    Groups of fewer than 10 stars are no candidates. A group gathers on the sky if it is more concentrated than one
    group of field stars in 1,000 would be; the errors of old motions reach as far as to groups of the field that do
    not. Half a locus only tells groups that are far from it: distances to it along what is known would be of groups of
    the field as well. None if there is no candidate or, without a whole locus, if none gathers.
    """
    candidates = [group for group in range(groups.n_groups) if groups.members(group).sum() >= FEWEST]
    if not candidates:
        return None
    median = {group: Locus(*np.median(space[groups.members(group)], axis=0).tolist()) for group in candidates}
    near = candidates if locus is None else [group for group in candidates if not is_far(median[group], locus)]
    whole = locus is not None and locus.complete
    found = {group: _concentration(sky, groups.members(group)) for group in (near if whole else candidates)}
    gathered = [group for group in found if found[group][1] < CHANCE / len(candidates)]
    compact = [group for group in gathered if group in near]
    if locus is not None and whole:
        width = _width(space)
        distance = {g: float(np.linalg.norm((m.array() - locus.array()) / width)) for g, m in median.items()}
        group = min(compact or candidates, key=distance.__getitem__)
        return Choice(group, "gathered" if compact else "locus", distance[group])
    if not gathered:
        return None
    group = max(compact or gathered, key=lambda g: found[g][0])
    return Choice(group, "near" if compact and locus is not None else "compactness", found[group][0])


def is_far(found: Locus, literature: Locus) -> bool:
    """Say whether what was found is too far from the literature's locus to be surely the same cluster.

    What the literature does not know (NaN) is not far.
    """
    pmra, pmdec, parallax = found.array() - literature.array()
    nearest = max(min(found.parallax_mas, literature.parallax_mas), 0)
    apart = abs(parallax) > (_FARTHEST_RATIO - 1) * nearest + _FARTHEST_MAS
    return bool(apart or np.hypot(pmra, pmdec) > _FARTHEST_MAS_YR)


def is_same(found: Locus, other: Locus) -> bool:
    """Say whether two fits to the same stars are of the same cluster."""
    pmra, pmdec, parallax = found.array() - other.array()
    nearest = max(min(found.parallax_mas, other.parallax_mas), 0)
    near = np.hypot(pmra, pmdec) <= _SAME_KM_S / KM_S * nearest + _SAME_MAS_YR
    return bool(near and abs(parallax) <= _SAME_SHARE * nearest + _SAME_MAS)


def _width(space: Reals) -> Reals:
    """Robust standard deviation (3,) of stars (n, 3); infinite along an axis without scatter, which tells nothing."""
    low, high = np.percentile(space, (25, 75), axis=0)
    return np.where(high > low, (high - low) / NORMAL_IQR, np.inf)


def _concentration(sky: Reals, inside: NDArray[np.bool_]) -> tuple[float, float]:
    """Excess of the group's cumulative distribution of distance over that of the other stars, and its chance."""
    from scipy.stats import ks_2samp

    if inside.all():
        return 0.0, 1.0
    direction = unit_vectors(*sky.T)
    separation = np.linalg.norm(direction - np.median(direction[inside], axis=0), axis=1)
    result = ks_2samp(separation[inside], separation[~inside], alternative="greater", method="asymp")
    return float(result.statistic), float(result.pvalue)
