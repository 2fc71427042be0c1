"""How far an object lies from all labelled ones: a classifier gives every object a class, also where it knows nothing.

Distance to the k-th nearest labelled object (Ramaswamy, Rastogi & Shim 2000) in robustly scaled features.
"""

import numpy as np

from workflow_scripts.probabilities import Reals, Texts
from workflow_scripts.tables import DataError

NEIGHBOURS = 10
CLIP = 10.0  # robust standard deviations, so that one wild feature does not decide alone
_NORMAL_IQR = 1.3489795  # interquartile range of a normal distribution of standard deviation 1


def score(features: Reals, object_id: Texts, labelled: Reals, labelled_id: Texts) -> Reals:
    """Root mean square distance per feature of each object to its 10th nearest labelled one, (n,).

    features is (n, d), labelled (m, d), NaN where missing. Each feature is imputed by its median among the
    labelled objects, centred on it, divided by its interquartile range / 1.349 (by its standard deviation where
    that is 0), and clipped to +-10; one that no labelled object has is left out. A labelled object leaves itself
    out. Raises DataError with fewer than two labelled objects.
    """
    # ASSUME a missing feature is an ordinary one: an object is no outlier for want of, say, a colour.
    from sklearn.neighbors import NearestNeighbors

    if len(labelled) < 2:
        raise DataError(f"{len(labelled)} labelled objects with features; the outlier score needs at least 2")
    if not len(features):
        return np.empty(0)
    usable = np.isfinite(labelled).any(axis=0)
    features, labelled = (_scaled(x[:, usable], labelled[:, usable]) for x in (features, labelled))
    k = min(NEIGHBOURS, len(labelled) - 1)
    search = NearestNeighbors(n_neighbors=k + 1, algorithm="brute", n_jobs=1).fit(labelled)
    distance, index = search.kneighbors(features)
    itself_is_near = (labelled_id[index[:, :k]] == object_id[:, None]).any(axis=1)
    return np.asarray(np.where(itself_is_near, distance[:, k], distance[:, k - 1]) / np.sqrt(usable.sum()))


def limit(labelled: Reals, labelled_id: Texts, share: float) -> float:
    """Score that this share of the labelled objects exceeds, each measured against the others."""
    return float(np.quantile(score(labelled, labelled_id, labelled, labelled_id), 1 - share))


def _scaled(features: Reals, labelled: Reals) -> Reals:
    low, centre, high = np.nanpercentile(labelled, (25, 50, 75), axis=0)
    deviation = np.nanstd(labelled, axis=0)
    width = np.where(high > low, (high - low) / _NORMAL_IQR, np.where(deviation > 0, deviation, 1))
    filled = np.where(np.isfinite(features), features, centre)
    return np.asarray(np.clip((filled - centre) / width, -CLIP, CLIP))
