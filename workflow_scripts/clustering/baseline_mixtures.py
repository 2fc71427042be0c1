"""Gaussian mixtures in proper motion and parallax: blind over the field, and of two components around a locus."""

import numpy as np

from workflow_scripts.clustering import scaling
from workflow_scripts.clustering.stars import Groups, Locus, Notes, Probabilities, Reals, ordered
from workflow_scripts.tables import DataError

FEWEST = 20  # stars in the window, below which nothing is fitted
SMALLEST = 10  # stars of the compact component, below which it has collapsed
THINNEST = 0.003  # windows: its smallest standard deviation, below which it has collapsed


def blind(space: Reals, n_components: int, seed: int) -> Groups:
    """Divide stars (n, 3) from space.space by the likeliest component of a mixture fitted to the whole field.

    The axes are robustly scaled after clipping. Raises DataError with fewer than 10 stars per component.
    """
    from sklearn.mixture import GaussianMixture

    if len(space) < 10 * n_components:
        raise DataError(f"{len(space)} stars, too few for {n_components} components; ask for fewer, of 10 stars each")
    x = scaling.robust(scaling.clipped(space))
    return ordered(GaussianMixture(n_components, random_state=seed, n_init=3).fit_predict(x), x)


def windowed(space: Reals, locus: Locus, window: scaling.Window) -> Probabilities:
    """Probability of the compact one of two components, fitted to the stars (n, 3) in the window around the locus.

    Stars outside have probability 0. The notes have the number of stars in the window and, as `empty`, why all
    probabilities are 0: fewer than 20 stars, or a compact component that has collapsed or left the locus.
    """
    near = window.around(locus, space)
    probability = np.zeros(len(space))
    notes: Notes = {"n_window": float(near.sum())}
    if near.sum() < FEWEST:
        notes["empty"] = f"{int(near.sum())} stars in the window, fewer than {FEWEST}"
        return Probabilities(probability, notes)
    inside, why = _compact((space[near] - locus.array()) / window.half_widths(locus))
    if why:
        notes["empty"] = why
    else:
        probability[near] = inside
    return Probabilities(probability, notes)


def _compact(x: Reals) -> tuple[Reals, str]:
    """Probability (m,) of the component that starts narrow at 0, x (m, 3) in -1..1, and why it is no cluster."""
    from sklearn.mixture import GaussianMixture

    start = np.stack([np.eye(3) / 0.15**2, np.eye(3) / 0.6**2])
    # ASSUME the field in the window is a Gaussian, however wide: a baseline, not the final probabilities.
    mixture = GaussianMixture(
        2, means_init=np.zeros((2, 3)), precisions_init=start, weights_init=(0.3, 0.7), max_iter=500
    ).fit(x)
    narrow = int(np.linalg.det(mixture.covariances_).argmin())
    probability = mixture.predict_proba(x)[:, narrow]
    thinnest = float(np.sqrt(np.linalg.eigvalsh(mixture.covariances_[narrow])[0]))
    if probability.sum() < SMALLEST or thinnest < THINNEST:
        return (
            probability,
            f"the compact component collapsed: {probability.sum():.1f} stars, {thinnest:.2g} wide",
        )
    if np.abs(mixture.means_[narrow]).max() > 0.5:
        return probability, "the compact component left the locus"
    return probability, ""
