"""Deep Embedded Clustering: its target by hand, the paper's settings, the filter, and fits on a simulated field."""

from dataclasses import replace

import numpy as np
import pytest
from small_fields import LOCUS, f1, field, one_thread

from workflow_scripts.clustering import choice, dec, scaling
from workflow_scripts.clustering.stars import Groups
from workflow_scripts.tables import DataError

FIELD = field()
X = scaling.features(FIELD.space, "plain")
QUICK = dec.Settings(n_groups=8, hidden=(20, 20), epochs=10, steps=400, kmeans_starts=3)


@pytest.fixture(scope="module", autouse=True)
def single_thread() -> None:
    one_thread()


@pytest.fixture(scope="module")
def fits() -> list[dec.Fit]:
    return list(dec.fits(X, QUICK, [1, 2]))


def group_f1(groups: Groups) -> float:
    chosen = choice.choose(groups, FIELD.space, FIELD.sky, LOCUS)
    return f1(groups.members(chosen.group), FIELD.members)


def test_target_by_hand():
    q = np.array([[0.8, 0.2], [0.4, 0.6]], dtype=np.float32)  # f = 1.2, 0.8
    expected = [[0.64 / 1.2, 0.04 / 0.8], [0.16 / 1.2, 0.36 / 0.8]]
    expected = [np.array(row) / sum(row) for row in expected]
    np.testing.assert_allclose(dec.target(q), expected, rtol=1e-6)


def test_cluster_is_found_before_and_after(fits):
    for fit in fits:
        assert fit.diverged == ""
        assert group_f1(fit.latent) > 0.7
        assert group_f1(fit.groups) > 0.8


def test_seeds_differ_and_a_seed_repeats_itself_whatever_came_before(fits):
    again = list(dec.fits(X, QUICK, [2]))
    assert [fit.seed for fit in fits] == [1, 2]
    assert again[0].groups.label.tobytes() == fits[1].groups.label.tobytes()
    assert again[0].latent.label.tobytes() == fits[1].latent.label.tobytes()
    assert fits[0].groups.label.tobytes() != fits[1].groups.label.tobytes()


def test_large_field_is_learnt_from_some_stars_and_all_are_assigned():
    fit = next(dec.fits(X, replace(QUICK, most_stars=600), [1]))
    assert len(fit.groups.label) == len(X)
    assert group_f1(fit.groups) > 0.7


def test_fit_without_a_second_phase_keeps_the_groups_of_kmeans():
    fit = next(dec.fits(X, replace(QUICK, steps=0), [1]))
    assert fit.groups.label.tobytes() == fit.latent.label.tobytes()


def test_divergence_of_the_autoencoder_is_said_not_raised():
    fit = next(dec.fits(X, replace(QUICK, learning_rate=1e6), [3]))
    assert fit.diverged.startswith("autoencoder: loss")
    assert fit.groups.n_groups == fit.latent.n_groups == 0


def test_autoencoder_that_is_lost_at_a_finite_loss_is_said(monkeypatch):
    # Seen with plain features and a learning rate of 1: 3.8e12 after one epoch, and finite.
    monkeypatch.setattr(dec.Network, "pretrain", lambda *_: 3.8e12)
    fit = next(dec.fits(X, QUICK, [3]))
    assert fit.diverged == "autoencoder: loss 3.8e+12"
    assert fit.latent.n_groups == 0


def test_divergence_of_the_clustering_is_said_not_raised(monkeypatch):
    monkeypatch.setattr(dec.Network, "refine", lambda *_: float("nan"))
    fit = next(dec.fits(X, QUICK, [3]))
    assert fit.diverged == "clustering: loss nan"
    assert fit.groups.n_groups == 0
    assert fit.latent.n_groups == 8


def test_settings_of_the_paper_run():
    paper = dec.Settings(10, (50, 50, 40), learning_rate=1.0)  # config/clusters_alvaro_2020.yaml
    fit = next(
        dec.fits(scaling.features(FIELD.space, "paper"), replace(paper, epochs=2, steps=40, kmeans_starts=1), [0])
    )
    assert fit.diverged == ""
    assert fit.groups.n_groups > 1


def test_filter_takes_the_ends_of_every_group():
    parallax = np.concatenate([np.arange(101.0), np.arange(101.0) + 500, [-9.0]])
    groups = Groups(np.repeat([0, 1, -1], [101, 101, 1]).astype(np.int32), 2)
    kept = dec.filtered(groups, parallax, 0.1)
    assert parallax[kept.members(0)].tolist() == list(range(10, 91))
    assert parallax[kept.members(1)].tolist() == list(range(510, 591))
    assert kept.label[-1] == -1
    assert kept.notes["quantile"] == 0.1
    assert dec.filtered(groups, parallax, 0.0).label.tolist() == groups.label.tolist()


def test_filter_of_no_groups_is_no_groups():
    nothing = Groups(np.full(5, -1, dtype=np.int32), 0)
    assert dec.filtered(nothing, np.arange(5.0), 0.1).n_groups == 0


def test_twenty_stars_are_enough_for_few_groups_and_too_few_for_many():
    few = next(dec.fits(X[:20], replace(QUICK, n_groups=2), [1]))
    assert len(few.groups.label) == 20
    with pytest.raises(DataError, match="20 different stars among 20, too few for 25 groups"):
        next(dec.fits(X[:20], replace(QUICK, n_groups=25), [1]))
    with pytest.raises(DataError, match="1 different stars among 20"):
        next(dec.fits(np.repeat(X[:1], 20, axis=0), QUICK, [1]))
