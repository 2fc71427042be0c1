"""How far an object lies from all labelled ones: a classifier gives every object a class, also where it knows nothing.

Distance to the k-th nearest labelled object (Ramaswamy, Rastogi & Shim 2000) in robustly scaled features.
"""

import numpy as np

from workflow_scripts import prepare
from workflow_scripts.probabilities import Reals, Texts
from workflow_scripts.tables import DataError

NEIGHBOURS = 10
CLIP = 10.0  # robust standard deviations, so that one wild feature does not decide alone


def score(features: Reals, object_id: Texts, labelled: Reals, labelled_id: Texts) -> Reals:
    """Root mean square distance per feature of each object to its 10th nearest labelled one, (n,).

    features is (n, d), labelled (m, d), NaN where missing. Each feature is imputed by its median among the
    labelled objects and scaled as theirs (prepare.fit), and clipped to +-10; one that no labelled object has is left
    out. A labelled object leaves itself out. Raises DataError with fewer than two labelled objects.
    """
    # ASSUME a missing feature is an ordinary one: an object is no outlier for want of, say, a colour.
    from sklearn.neighbors import NearestNeighbors

    if len(labelled) < 2:
        raise DataError(f"{len(labelled)} labelled objects with features; the outlier score needs at least 2")
    if not len(features):
        return np.empty(0)
    usable = np.isfinite(labelled).any(axis=0)
    as_labelled = prepare.fit(labelled[:, usable])
    features, labelled = (as_labelled.apply(x[:, usable]).clip(-CLIP, CLIP) for x in (features, labelled))
    k = min(NEIGHBOURS, len(labelled) - 1)
    search = NearestNeighbors(n_neighbors=k + 1, algorithm="brute", n_jobs=1).fit(labelled)
    distance, index = search.kneighbors(features)
    itself_is_near = (labelled_id[index[:, :k]] == object_id[:, None]).any(axis=1)
    return np.asarray(np.where(itself_is_near, distance[:, k], distance[:, k - 1]) / np.sqrt(usable.sum()))


def limit(labelled: Reals, labelled_id: Texts, share: float) -> float:
    """Score that this share of the labelled objects exceeds, each measured against the others."""
    return float(np.quantile(score(labelled, labelled_id, labelled, labelled_id), 1 - share))
