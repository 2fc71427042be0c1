"""One cluster from many seeds of Deep Embedded Clustering: how often each star is in the group chosen.

A single fit depends on its initial weights, which Alvaro 2020 picked by eye for each cluster; here every seed counts
the same, those that fail are named and left out, and the spread is part of the result.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.clustering import dec
from workflow_scripts.clustering.stars import Groups, Reals
from workflow_scripts.tables import DataError

FEWEST_SEEDS = 10
GROWTH = 1.5  # times the size of K-Means' group at which a group has swallowed field
SHRINKAGE = 1 / 3  # of its size, at which it has been split

Choose = Callable[[Groups], int | None]


@dataclass(frozen=True)
class SeedOutcome:
    """One seed: stars in the group chosen from K-Means in the latent space and after, groups left, why left out."""

    seed: int
    n_latent: int
    n_members: int
    n_groups: int
    left_out: str = ""


@dataclass(frozen=True)
class Consensus:
    """Share (n,) of the seeds kept in which a star is in the chosen group; all 0 if no seed is kept.

    agreement: mean F1 of a kept seed's group against the members of the consensus, and its standard deviation: the
    spread. halves: F1 between the members by the even and by the odd ones of the seeds kept. NaN where undefined.
    """

    share: Reals
    seeds: tuple[SeedOutcome, ...]
    agreement: float
    agreement_std: float
    halves: float

    @property
    def members(self) -> NDArray[np.bool_]:
        """Stars (n,) in the chosen group of more than half of the seeds."""
        return np.asarray(self.share > 0.5)

    @property
    def n_kept(self) -> int:
        """Seeds that count."""
        return sum(not outcome.left_out for outcome in self.seeds)


def consensus(
    x: Reals, settings: dec.Settings, seeds: Sequence[int], choose: Choose, fewest: int = FEWEST_SEEDS
) -> Consensus:
    """Fit stars with features x (n, d) once per seed and count in how many fits each is in the cluster's group.

    choose picks one of the groups of K-Means in the latent space by its number, or None; after the second phase the
    cluster is the group that holds most of its stars: that phase splits clusters, and the rule would then pick a
    splinter wherever the locus of the literature is off. A seed is left out, and says why, if its loss is not finite,
    no group is chosen, fewer than two groups are left, or the group has more than 1.5 times or less than a third of
    the stars of the group chosen before the second phase. Raises DataError with fewer than `fewest` different seeds,
    with seeds given twice, or as dec.fits.
    """
    if len(set(seeds)) < fewest or len(set(seeds)) < len(seeds):
        raise DataError(f"{len(set(seeds))} different seeds of {len(seeds)}; a consensus needs {fewest} or more")
    outcomes, kept = [], []
    for fit in dec.fits(x, settings, seeds):
        outcome, members = _judge(fit, choose)
        outcomes.append(outcome)
        if not outcome.left_out:
            kept.append(members)
    return _summary(np.array(kept).reshape(-1, len(x)), tuple(outcomes))


def _judge(fit: dec.Fit, choose: Choose) -> tuple[SeedOutcome, NDArray[np.bool_]]:
    before = choose(fit.latent)
    chosen = fit.latent.label == (-2 if before is None else before)
    members = _followed(fit.groups, chosen)
    n_before, n_after = int(chosen.sum()), int(members.sum())
    why = fit.diverged
    if not why and not members.any():
        why = "no group could be chosen"
    elif not why and fit.groups.n_groups < 2:
        why = "all stars in one group"
    elif not why and n_after > GROWTH * n_before:
        why = f"the group grew from {n_before} to {n_after} stars"
    elif not why and n_after < SHRINKAGE * n_before:
        why = f"the group was split: {n_after} of {n_before} stars left"
    return SeedOutcome(fit.seed, n_before, n_after, fit.groups.n_groups, why), members


def _followed(groups: Groups, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Stars of the group that holds most of the chosen ones; none if no chosen star is in a group."""
    counts = np.bincount(groups.label[chosen & (groups.label >= 0)], minlength=1)
    return np.asarray(groups.label == (counts.argmax() if counts.any() else -2))


def f1(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """F1 of two sets of stars (n,), the same either way round; NaN if both are empty."""
    return float(2 * (a & b).sum() / n) if (n := a.sum() + b.sum()) else float("nan")


def _summary(kept: NDArray[np.bool_], outcomes: tuple[SeedOutcome, ...]) -> Consensus:
    if not len(kept):
        return Consensus(np.zeros(kept.shape[1]), outcomes, float("nan"), float("nan"), float("nan"))
    share = kept.mean(axis=0)
    each = np.array([f1(members, share > 0.5) for members in kept])
    halves = f1(kept[::2].mean(axis=0) > 0.5, kept[1::2].mean(axis=0) > 0.5) if len(kept) > 1 else float("nan")
    return Consensus(share, outcomes, float(each.mean()), float(each.std()), halves)
