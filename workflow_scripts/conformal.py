"""Class-conditional conformal sets: the classes an object may have, so that each class is covered as promised.

Split conformal prediction with one limit per class (Vovk 2012, "Conditional validity of inductive conformal
predictors", Mondrian case); score of a class: 1 minus its probability (Sadinle, Lei & Wasserman 2019).
"""

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.probabilities import Reals


def limits(probability: Reals, true_index: NDArray[np.intp], level: float) -> Reals:
    """Largest score 1 - p at which a class still belongs to the set, (k,), from held-out (n, k) probabilities.

    For class c with n_c objects it is their ceil((n_c + 1) level)-th smallest score 1 - p_c, so that a new object
    of the class is covered with probability >= level. Infinite where n_c is too small for the level: the class
    is then in every set.
    """
    found = np.full(probability.shape[1], np.inf)
    for c in range(len(found)):
        scores = np.sort(1 - probability[true_index == c, c])
        # Rounded, so that (9 + 1) * 0.9 is the 9th and not, by the error of a product, the 10th.
        rank = int(np.ceil(np.round((len(scores) + 1) * level, 9)))
        if rank <= len(scores):
            found[c] = scores[rank - 1]
    return found


def sets(probability: Reals, limit: Reals) -> NDArray[np.bool_]:
    """Membership of each class in each object's set, (n, k), from probabilities (n, k) and limits (k,).

    An object that no class accepts gets its most probable class: sets are never empty, and coverage can only
    grow by it. The limits hold for any class mix, since each is made within one class; the probabilities must be
    under the prior that the limits were made with.
    """
    accepted = np.asarray(1 - probability <= limit)
    empty = ~accepted.any(axis=1)
    accepted[empty, probability[empty].argmax(axis=1)] = True
    return accepted
