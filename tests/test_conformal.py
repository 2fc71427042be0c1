"""Conformal sets: limits by hand, the definition written out, and the coverage they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_scripts import conformal


def two_classes(scores_of_first: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Objects of class 0 with these scores 1 - p, in a problem of two classes."""
    p = 1 - np.array(scores_of_first)
    return np.column_stack([p, 1 - p]), np.zeros(len(p), dtype=np.intp)


def test_limit_by_hand():
    # n = 9, level 0.9: rank ceil(10 * 0.9) = 9, the largest of nine scores.
    probability, true = two_classes([0.1, 0.2, 0.3, 0.4, 0.5, 0.05, 0.15, 0.25, 0.35])
    assert conformal.limits(probability, true, 0.9)[0] == pytest.approx(0.5)
    # n = 19, level 0.8: rank ceil(20 * 0.8) = 16.
    probability, true = two_classes([i / 20 for i in range(19)])
    assert conformal.limits(probability, true, 0.8)[0] == pytest.approx(15 / 20)


@pytest.mark.parametrize("n", [0, 1, 8])
def test_too_few_objects_give_no_limit(n):
    # ceil((n + 1) * 0.9) > n up to n = 8.
    probability, true = two_classes([0.1] * n)
    assert conformal.limits(probability.reshape(n, 2), true, 0.9)[0] == np.inf


def test_class_without_limit_is_in_every_set():
    assert conformal.sets(np.array([[1.0, 0.0]]), np.array([0.5, np.inf])).tolist() == [[True, True]]


def test_no_set_is_empty():
    probability = np.array([[0.5, 0.3, 0.2], [0.9, 0.1, 0.0]])
    assert conformal.sets(probability, np.array([0.2, 0.2, 0.2])).tolist() == [[True, False, False]] * 2


def test_score_at_the_limit_is_inside():
    probability, true = two_classes([i / 10 for i in range(1, 10)])
    limit = conformal.limits(probability, true, 0.5)
    assert conformal.sets(probability, limit)[:, 0].sum() == 5  # the 5th smallest score and those below it


@given(st.integers(0, 2**31), st.sampled_from([0.6, 0.8, 0.9]))
def test_sets_are_their_definition_written_out(seed, level):
    rng = np.random.default_rng(seed)
    probability, true = rng.dirichlet([1, 1, 1], size=60), rng.integers(3, size=60)
    limit = conformal.limits(probability, true, level)
    for c in range(3):
        scores = sorted(1 - p[c] for p, t in zip(probability, true, strict=True) if t == c)
        rank = int(np.ceil(round((len(scores) + 1) * level, 6)))
        assert limit[c] == (scores[rank - 1] if rank <= len(scores) else np.inf)
    for p, members in zip(probability, conformal.sets(probability, limit), strict=True):
        accepted = [bool(1 - p[c] <= limit[c]) for c in range(3)]
        assert members.tolist() == (accepted if any(accepted) else [c == p.argmax() for c in range(3)])


def test_every_class_is_covered_as_promised():
    """Exchangeable data: coverage of class c is (rank)/(n_c + 1) on average, whatever the probabilities are worth."""
    rng = np.random.default_rng(3)
    level, n, repeats = 0.9, (200, 40, 20), 400
    covered = np.zeros(3)
    for _ in range(repeats):
        true = np.repeat(np.arange(3), np.array(n) + 1)
        # Poor probabilities on purpose: little knowledge, and class 2 hardly ever preferred.
        raw = rng.gamma(1, size=(len(true), 3)) + 0.5 * np.eye(3)[true]
        probability = raw * [3, 2, 1] / (raw * [3, 2, 1]).sum(axis=1, keepdims=True)
        first = np.searchsorted(true, np.arange(3))  # one new object per class
        known = np.delete(np.arange(len(true)), first)
        limit = conformal.limits(probability[known], true[known], level)
        covered += (1 - probability[first] <= limit).diagonal()
    expected = np.array([np.ceil(round((m + 1) * level, 6)) / (m + 1) for m in n])
    # 4 binomial standard errors of 400 repeats.
    np.testing.assert_allclose(covered / repeats, expected, atol=4 * np.sqrt(0.09 / repeats))
    assert (expected >= level).all()


def test_sets_do_not_depend_on_the_class_mix():
    rng = np.random.default_rng(4)
    probability, true = rng.dirichlet([1, 1], size=300), rng.integers(2, size=300)
    keep = (true == 1) | (np.arange(300) % 3 == 0)  # class 0 thinned
    both = conformal.limits(probability, true, 0.9)[1], conformal.limits(probability[keep], true[keep], 0.9)[1]
    assert both[0] == both[1]
