"""Stars as plain arrays, with or without a cluster, for the tests of the clustering methods."""

from dataclasses import dataclass

import numpy as np

from workflow_scripts.clustering.space import Centre, Space
from workflow_scripts.clustering.stars import Locus

LOCUS = Locus(-6.0, 4.0, 3.0)


@dataclass(frozen=True)
class Field:
    """Astrometry (n, 3), positions (n, 2) and who is a member."""

    space: np.ndarray
    sky: np.ndarray
    members: np.ndarray


def field(n_field: int = 1500, n_cluster: int = 300, seed: int = 3, spread: float = 0.3) -> Field:
    """A wide field round RA 0, some of its parallaxes negative, and a compact cluster at LOCUS."""
    rng = np.random.default_rng(seed)
    stars = np.column_stack([rng.normal(0, 5, (n_field, 2)), rng.gamma(2, 0.6, n_field) - 0.2])
    cluster = LOCUS.array() + rng.normal(size=(n_cluster, 3)) * (spread, spread, spread / 3)
    sky = np.vstack([rng.uniform(-1, 1, (n_field, 2)), rng.normal(0, 0.15, (n_cluster, 2))])
    order = rng.permutation(n_field + n_cluster)
    sky[:, 0] %= 360
    return Field(np.vstack([stars, cluster])[order], sky[order], order >= n_field)


def measured(points: np.ndarray, sigma: float) -> Space:
    """Stars with points (n, 3) in the space of a cluster, each with the error sigma on all three axes."""
    n = len(points)
    errors = np.tile(np.array([1, 0, 0, 1, 0, 1]) * sigma**2, (n, 1))
    sky, radius = np.zeros((n, 2)), np.linspace(0.1, 1, n)
    typical, notes = np.full(3, sigma), {"errors": "deconvolved"}
    return Space(points, errors, sky, radius, np.full(n, 15.0), typical, notes, Centre(0.0, 0.0))


def f1(found: np.ndarray, truth: np.ndarray) -> float:
    return 2 * (found & truth).sum() / (found.sum() + truth.sum())


def one_thread() -> None:
    """Let TensorFlow use one thread, as in a run on one core; before it starts."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
