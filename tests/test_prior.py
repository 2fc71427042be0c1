"""Class priors: closed forms, the literal Bayes sum, and mixtures whose mix is known."""

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_scripts import evaluate, prior
from workflow_scripts.tables import DataError

# P(x|c) of a feature x with four values in three classes: posteriors follow without any model.
LIKELIHOOD = np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.6, 0.2, 0.1], [0.05, 0.15, 0.3, 0.5]])


def posterior(mix: np.ndarray) -> np.ndarray:
    """P(c|x) for every value x, (4, 3), in a population of this mix."""
    joint = LIKELIHOOD.T * mix
    return joint / joint.sum(axis=1, keepdims=True)


def population(mix: np.ndarray, n: int) -> np.ndarray:
    """Values x in exactly the shares of a population of this mix."""
    return np.repeat(np.arange(4), np.round(n * (mix @ LIKELIHOOD)).astype(int))


def test_shares_by_hand():
    labels = np.array(["EA", "EW", "EW", "RR"], dtype=object)
    assert prior.shares(labels, ("EA", "EW", "RR")).tolist() == [0.25, 0.5, 0.25]


@pytest.mark.parametrize(("labels", "said"), [(["EA", "SR"], r"labels \['SR'\]"), (["EA"], r"classes \['EW'\]")])
def test_shares_of_other_classes_are_an_error(labels, said):
    with pytest.raises(DataError, match=said):
        prior.shares(np.array(labels, dtype=object), ("EA", "EW"))


def test_shift_by_hand():
    # Even odds, and class 1 becomes three times as frequent as class 0: odds of 3 to 1.
    shifted = prior.shift(np.array([[0.5, 0.5]]), np.array([0.5, 0.5]), np.array([0.25, 0.75]))
    np.testing.assert_allclose(shifted, [[0.25, 0.75]], rtol=1e-15)  # one division


def test_shift_is_bayes_rule_written_out():
    rng = np.random.default_rng(1)
    probability, old = rng.dirichlet([1, 1, 1], size=7), rng.dirichlet([5, 5, 5], size=7)
    new = np.array([0.2, 0.5, 0.3])
    literal = np.empty_like(probability)
    for i in range(7):
        total = sum(new[c] / old[i, c] * probability[i, c] for c in range(3))
        for c in range(3):
            literal[i, c] = new[c] / old[i, c] * probability[i, c] / total
    np.testing.assert_allclose(prior.shift(probability, old, new), literal, rtol=1e-13)  # order of a sum of three


def test_shift_gives_the_posterior_of_the_other_mix():
    old, new = np.array([0.6, 0.3, 0.1]), np.array([0.1, 0.2, 0.7])
    np.testing.assert_allclose(prior.shift(posterior(old), old, new), posterior(new), rtol=1e-13)


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), st.lists(st.floats(0.01, 1), min_size=3, max_size=3))
def test_shift_there_and_back(first, second):
    old, new = np.array(first) / sum(first), np.array(second) / sum(second)
    there = prior.shift(posterior(old), old, new)
    np.testing.assert_allclose(there.sum(axis=1), 1, rtol=1e-14)
    # Prior ratios up to 1e4 are undone: a handful of roundings.
    np.testing.assert_allclose(prior.shift(there, new, old), posterior(old), rtol=1e-12)


def test_class_without_training_share_is_an_error():
    with pytest.raises(DataError, match="share 0"):
        prior.shift(np.array([[0.5, 0.5]]), np.array([0.0, 1.0]), np.array([0.5, 0.5]))


def test_certain_predictions_give_their_own_shares():
    certain = np.eye(3)[[0, 0, 1, 2, 2, 2, 2, 2, 2, 2]]
    np.testing.assert_allclose(prior.estimate(certain, np.full(3, 1 / 3), weight=0), [0.2, 0.1, 0.7], rtol=1e-12)


def test_labelled_shares_count_as_so_many_further_objects():
    certain, labelled = np.eye(3)[[0, 0, 1, 2, 2, 2, 2, 2, 2, 2]], np.array([0.5, 0.3, 0.2])
    expected = (np.array([2, 1, 7]) + 5 * labelled) / (10 + 5)
    np.testing.assert_allclose(prior.estimate(certain, labelled, weight=5), expected, rtol=1e-12)


def test_one_object_moves_the_shares_by_its_part():
    """The fixed point of c = (q(c) + 20 labelled) / 21 with q the object's probability under c, not the class alone."""
    labelled = np.array([0.5, 0.3, 0.2])
    found = prior.estimate(posterior(labelled)[:1], labelled, tolerance=1e-12)
    shifted = prior.shift(posterior(labelled)[:1], labelled, found)[0]
    np.testing.assert_allclose(found, (shifted + prior.WEIGHT * labelled) / (1 + prior.WEIGHT), rtol=1e-10)
    assert np.abs(found - labelled).max() < 1 / (1 + prior.WEIGHT)


def test_same_mix_is_kept():
    mix = np.array([0.5, 0.3, 0.2])
    # The mean posterior over a population is its mix: the first step already stands still.
    np.testing.assert_allclose(prior.estimate(posterior(mix)[population(mix, 1000)], mix), mix, atol=1e-12)


def test_other_mix_is_recovered_exactly():
    trained, actual = np.array([0.6, 0.3, 0.1]), np.array([0.1, 0.3, 0.6])
    sample = posterior(trained)[population(actual, 10_000)]
    found = prior.estimate(sample, trained, tolerance=1e-12, weight=0)
    # The population is exact, so only the rounding to whole objects (none here) and EM's last step remain.
    np.testing.assert_allclose(found, actual, atol=1e-7)


def test_other_mix_is_recovered_from_a_random_sample():
    rng = np.random.default_rng(7)
    trained, actual, n = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.2, 0.6]), 20_000
    true = rng.choice(3, size=n, p=actual)
    mean = np.array([-2.0, 0.0, 2.0])
    x = rng.normal(mean[true], 1)
    joint = trained * np.exp(-0.5 * (x[:, None] - mean) ** 2)
    found = prior.estimate(joint / joint.sum(axis=1, keepdims=True), trained)
    # Binomial error 0.5 / sqrt(n) = 0.0035, about doubled by the overlap of the classes; 3 of these.
    np.testing.assert_allclose(found, actual, atol=0.02)


def mean_losses(actual: np.ndarray, n: int) -> np.ndarray:
    """Log loss under the labelled and under the estimated shares, over 2000 objects or more in samples of n."""
    rng, mix, losses = np.random.default_rng(5), np.array([0.6, 0.3, 0.1]), []
    for _ in range(-(-2000 // n)):
        true = rng.choice(3, size=n, p=actual)
        sample = posterior(mix)[[rng.choice(4, p=LIKELIHOOD[c]) for c in true]]
        shifted = prior.shift(sample, mix, prior.estimate(sample, mix))
        losses.append([evaluate.log_losses(p, true).mean() for p in (sample, shifted)])
    return np.mean(losses, axis=0)


@pytest.mark.parametrize("n", [1, 3, 10, 40, 150, 1000])
def test_a_sample_of_the_labelled_mix_keeps_its_probabilities(n):
    """With the shares of greatest likelihood the log loss of one object was 6.4 instead of 0.63, of forty 0.84."""
    labelled, estimated = mean_losses(np.array([0.6, 0.3, 0.1]), n)
    assert estimated < labelled + 0.02  # the most that it costs on held-out stars, as prior.WEIGHT says


@pytest.mark.parametrize(("n", "gain"), [(1, 0.01), (10, 0.2), (40, 0.5), (1000, 0.75)])
def test_a_sample_of_another_mix_gains_with_its_size(n, gain):
    """The shares themselves, were they known, would gain 0.79: found 0.03, 0.23, 0.54 and 0.78."""
    labelled, estimated = mean_losses(np.array([0.1, 0.2, 0.7]), n)
    assert estimated < labelled - gain


@pytest.mark.parametrize("weight", [0, 4])
def test_estimate_is_the_literal_em(weight):
    trained = np.array([0.5, 0.25, 0.25])
    sample = posterior(trained)[[0, 1, 1, 2, 3, 3, 3]]
    current = trained.tolist()
    for _ in range(20):
        sums = [0.0, 0.0, 0.0]
        for row in sample:
            weights = [current[c] / trained[c] * row[c] for c in range(3)]
            sums = [s + w / sum(weights) for s, w in zip(sums, weights, strict=True)]
        current = [(s + weight * t) / (len(sample) + weight) for s, t in zip(sums, trained, strict=True)]
    np.testing.assert_allclose(prior.estimate(sample, trained, 0, 20, weight), current, rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 40))
def test_estimate_is_a_distribution(seed, n):
    rng = np.random.default_rng(seed)
    found = prior.estimate(rng.dirichlet(np.full(4, 0.3), size=n), np.full(4, 0.25), 1e-4)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1, abs=1e-12)


def test_what_does_not_converge_is_logged(caplog):
    trained = np.array([0.6, 0.3, 0.1])
    with caplog.at_level(logging.WARNING):
        prior.estimate(posterior(trained)[[3, 3, 2]], trained, 1e-9, max_iterations=3)
    assert "not converged: 3 steps" in caplog.text


def test_empty_sample_keeps_the_prior():
    assert prior.estimate(np.empty((0, 2)), np.array([0.3, 0.7])).tolist() == [0.3, 0.7]
