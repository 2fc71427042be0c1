"""The consensus of many seeds: shares by hand, seeds that are left out, and a simulated field."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from small_fields import LOCUS, f1, field, one_thread

from workflow_scripts.clustering import choice, consensus, dec, scaling
from workflow_scripts.clustering.stars import Groups
from workflow_scripts.tables import DataError

SEEDS = range(10)


def groups(*sizes: int, n: int = 100) -> Groups:
    """Group 0 of the first stars, 1 of the next, ..."""
    label = np.repeat(np.arange(len(sizes)), sizes)
    return Groups(np.append(label, np.full(n - len(label), -1)).astype(np.int32), len(sizes))


NONE = groups()
GOOD = groups(40, 60)


def run(monkeypatch, fits: dict[int, dec.Fit], choose=lambda g: 0 if g.n_groups else None):
    """Consensus of ten seeds, those not given being good."""

    def planned(_x, _settings, seeds) -> Iterator[dec.Fit]:
        return (fits.get(seed, dec.Fit(seed, GOOD, GOOD)) for seed in seeds)

    monkeypatch.setattr(dec, "fits", planned)
    return consensus.consensus(np.zeros((100, 3)), dec.Settings(), SEEDS, choose)


def test_share_and_spread_by_hand(monkeypatch):
    found = run(monkeypatch, {seed: dec.Fit(seed, GOOD, groups(20, 10, 70)) for seed in (0, 2, 4, 6)})
    assert found.share.tolist() == [1.0] * 20 + [0.6] * 20 + [0.0] * 60
    assert found.members.sum() == 40
    small = 2 * 20 / (20 + 40)
    assert found.agreement == pytest.approx((4 * small + 6) / 10)
    assert found.agreement_std == pytest.approx(np.std([small] * 4 + [1] * 6))
    assert found.halves == pytest.approx(small)  # 0, 2, 4, 6, 8 have 20 stars in common, the odd ones 40


def test_star_in_half_of_the_seeds_is_no_member(monkeypatch):
    found = run(monkeypatch, {seed: dec.Fit(seed, GOOD, groups(20, 10, 70)) for seed in range(5)})
    assert found.share[30] == 0.5
    assert found.members.sum() == 20


@pytest.mark.parametrize(
    ("fit", "why"),
    [
        (dec.Fit(3, NONE, NONE, "autoencoder: loss nan"), "autoencoder: loss nan"),
        (dec.Fit(3, GOOD, NONE), "no group could be chosen"),
        (dec.Fit(3, NONE, GOOD), "no group could be chosen"),
        (dec.Fit(3, groups(100), groups(100)), "all stars in one group"),
        (dec.Fit(3, GOOD, groups(61, 39)), "the group grew from 40 to 61 stars"),
        (dec.Fit(3, GOOD, groups(13, 12, 11, 64)), "the group was split: 13 of 40 stars left"),
    ],
)
def test_seed_that_fails_is_named_and_left_out(monkeypatch, fit, why):
    found = run(monkeypatch, {3: fit})
    assert [outcome.seed for outcome in found.seeds if outcome.left_out] == [3]
    assert found.seeds[3].left_out == why
    assert found.n_kept == 9
    assert found.share.tolist() == [1.0] * 40 + [0.0] * 60


@pytest.mark.parametrize("sizes", [(60, 40), (14, 13, 13, 60)])
def test_group_may_grow_by_half_and_shrink_to_a_third(monkeypatch, sizes):
    found = run(monkeypatch, {3: dec.Fit(3, GOOD, groups(*sizes))})
    assert found.n_kept == 10
    assert (found.seeds[3].n_latent, found.seeds[3].n_members) == (40, sizes[0])
    assert found.seeds[3].n_groups == len(sizes)


def test_cluster_is_followed_where_the_second_phase_cuts_a_splinter_off(monkeypatch):
    """Group 0 is nearest to a locus that is off: first the cluster, later the ten stars that were cut off from it."""
    split = dec.Fit(3, GOOD, groups(10, 30, 60))
    found = run(monkeypatch, {3: split})
    assert not found.seeds[3].left_out
    assert found.seeds[3].n_members == 30
    assert found.share.tolist() == [0.9] * 10 + [1.0] * 30 + [0.0] * 60


def test_no_seed_left_is_no_cluster(monkeypatch):
    found = run(monkeypatch, {seed: dec.Fit(seed, NONE, NONE, "clustering: loss inf") for seed in SEEDS})
    assert found.n_kept == found.members.sum() == 0
    assert found.share.tolist() == [0.0] * 100
    assert all(math.isnan(value) for value in (found.agreement, found.agreement_std, found.halves))


def test_one_seed_left_has_no_halves(monkeypatch):
    found = run(monkeypatch, {seed: dec.Fit(seed, NONE, NONE, "clustering: loss inf") for seed in range(9)})
    assert found.n_kept == 1
    assert (found.agreement, found.agreement_std) == (1.0, 0.0)
    assert math.isnan(found.halves)


@pytest.mark.parametrize("seeds", [range(9), [0] * 10, [*range(10), 9]])
def test_few_or_repeated_seeds_are_no_consensus(seeds):
    with pytest.raises(DataError, match="different seeds of"):
        consensus.consensus(np.zeros((100, 3)), dec.Settings(), seeds, lambda _: 0)


def test_f1_of_two_sets():
    a, b = np.array([True, True, False, False]), np.array([True, False, True, False])
    assert consensus.f1(a, b) == consensus.f1(b, a) == 0.5
    assert math.isnan(consensus.f1(~(a | ~a), ~(a | ~a)))


@pytest.mark.parametrize("locus", [LOCUS, None])
def test_consensus_on_a_simulated_field_is_as_good_as_its_seeds(locus):
    one_thread()
    stars = field(800, 160)
    settings = dec.Settings(n_groups=8, hidden=(20, 20), epochs=10, steps=200, kmeans_starts=2)

    def choose(found: Groups) -> int | None:
        chosen = choice.choose(found, stars.space, stars.sky, locus)
        return chosen.group if chosen else None

    found = consensus.consensus(scaling.features(stars.space, "plain"), settings, SEEDS, choose)
    assert found.n_kept >= 8
    assert f1(found.members, stars.members) > 0.85
    assert found.agreement > 0.8
    assert found.halves > 0.85
