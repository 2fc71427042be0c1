"""Deep Embedded Clustering (Xie, Girshick & Farhadi 2016) with the dimensions of Alvaro 2020, seed by seed.

An autoencoder learns a latent space, K-Means divides it, and encoder and group centres are then trained together:
the assignment q_ij of star i to group j is a Student t kernel of their distance, its target is p_ij = q_ij^2 / f_j,
normalised over j, with f_j = sum_i q_ij (Alvaro 2020 eq. 4.1), and the loss is the Kullback-Leibler divergence.
One fit depends on its seed; consensus.py makes a result of many.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.clustering import kmeans
from workflow_scripts.clustering.network import Network, Singles, batches
from workflow_scripts.clustering.stars import Groups, Reals, ordered

_LOST = 10.0  # times the variance of the features: an autoencoder that is so far off follows its own weights

# DEVIATES Alvaro 2020 4.4: learning rate 0.1 by default; with the 1 of the published code groups swallow the field.
# ASSUME 20,000 stars tell the groups of a field; all stars are then assigned.


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters.

    n_groups: 10 suits a cluster of a quarter of the stars (consensus on M67: F1 0.91-0.92; with 20, 0.89-0.92, as
    seeds split it), 20 a rare one (Blanco 1, 2 % of the stars: 0.86; with 10, 0.51, worse than the latent K-Means).
    hidden: sizes of the encoder's hidden layers, the paper's "clustering layer"; the latent space has n_groups
    dimensions. steps, update_every, tolerance: the second phase takes at most so many batches, renews its targets
    every so many, and ends once a smaller share of stars than the tolerance changes group between two renewals.
    most_stars: a field with more is learnt from this many, drawn by the seed. kmeans_steps: so many tell which of
    kmeans_starts is the best, which alone is carried on to its end.
    """

    n_groups: int = 10
    hidden: tuple[int, ...] = (50, 50, 40)
    learning_rate: float = 0.1
    momentum: float = 0.9
    batch: int = 128
    epochs: int = 30
    steps: int = 2000
    update_every: int = 20
    tolerance: float = 1e-3
    kmeans_starts: int = 20
    kmeans_steps: int = 20
    most_stars: int = 20_000


@dataclass(frozen=True)
class Fit:
    """One seed's groups before (K-Means in the latent space) and after, or why there are none (diverged)."""

    seed: int
    latent: Groups
    groups: Groups
    diverged: str = ""


def fits(x: Reals, settings: Settings, seeds: Sequence[int]) -> Iterator[Fit]:
    """Divide stars with features x (n, d) into groups, once per seed.

    A fit whose loss is not finite, or ten times that of the mean of all stars, has no groups and says in `diverged` in
    which phase. Raises DataError with fewer different stars than groups.
    """
    kmeans.check(x, settings.n_groups)
    sizes = (x.shape[1], *settings.hidden, settings.n_groups)
    network = Network(sizes, settings.n_groups, settings.learning_rate, settings.momentum)
    for seed in seeds:
        yield _fit(x.astype(np.float32), network, settings, seed)


def target(q: Singles) -> Singles:
    """Target p (n, k) of an assignment q (n, k): rows sum to 1, confident assignments and small groups gain."""
    weight = np.square(q) / q.sum(axis=0)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def filtered(groups: Groups, parallax_mas: Reals, quantile: float) -> Groups:
    """Leave in each group the stars with a parallax between quantiles q and 1 - q (Alvaro 2020 4.4).

    This takes 2 q of every group's stars, members included; the labels of the others stay as they are.
    """
    label = groups.label.copy()
    for group in range(groups.n_groups):
        low, high = np.quantile(parallax_mas[groups.members(group)], (quantile, 1 - quantile))
        label[groups.members(group) & ((parallax_mas < low) | (parallax_mas > high))] = -1
    return Groups(label, groups.n_groups, groups.notes | {"quantile": quantile})


def _fit(x: Singles, network: Network, settings: Settings, seed: int) -> Fit:
    rng = np.random.default_rng(seed)
    sample = x[np.sort(rng.permutation(len(x))[: settings.most_stars])]
    none = ordered(np.full(len(x), -1), x)
    network.restart(rng)
    loss = network.pretrain(sample, settings.epochs, settings.batch, rng)
    if not loss < _LOST * float(sample.var(axis=0).mean()):
        return Fit(seed, none, none, f"autoencoder: loss {loss:.3g}")
    network.centre_on(_centres(network.encode(sample), settings, int(rng.integers(2**31))))
    latent = ordered(network.assign(x).argmax(axis=1), x)
    loss = _refine(network, sample, settings, rng)
    if not np.isfinite(loss):
        return Fit(seed, latent, none, f"clustering: loss {loss}")
    return Fit(seed, latent, ordered(network.assign(x).argmax(axis=1), x))


def _centres(latent: Singles, settings: Settings, seed: int) -> Singles:
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    starts = KMeans(settings.n_groups, n_init=settings.kmeans_starts, max_iter=settings.kmeans_steps, random_state=seed)
    with threadpool_limits(1):  # more would change the last bits, and with them where the second phase ends
        best = starts.fit(latent).cluster_centers_
        return np.asarray(KMeans(settings.n_groups, init=best, n_init=1).fit(latent).cluster_centers_)


def _refine(network: Network, x: Singles, settings: Settings, rng: np.random.Generator) -> float:
    """Train until groups are stable; the last mean loss, maybe not finite."""
    rows = batches(rng.permutation(len(x)), settings.batch)
    loss, before = 0.0, np.full(len(x), -1)
    for first in range(0, settings.steps, settings.update_every):
        q = network.assign(x)
        label: NDArray[np.integer] = q.argmax(axis=1)
        if (label != before).mean() < settings.tolerance:
            break
        turn = np.arange(first, min(first + settings.update_every, settings.steps)) % len(rows)
        loss, before = network.refine(x, rows[turn], target(q)), label
        if not np.isfinite(loss):
            break
    return loss
