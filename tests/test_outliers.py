"""Outlier scores: by hand in one dimension, the definition written out, and the planted outlier."""

import numpy as np
import pytest

from workflow_scripts import outliers
from workflow_scripts.tables import DataError


def names(n: int, prefix: str = "labelled") -> np.ndarray:
    return np.array([f"{prefix}-{i}" for i in range(n)], dtype=object)


@pytest.fixture
def labelled() -> np.ndarray:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(120, 4)) * [1, 10, 100, 0.1] + [0, 5, -50, 1]
    x[::7, 2] = np.nan
    x.setflags(write=False)
    return x


def literal(query: np.ndarray, own: str, labelled: np.ndarray, ids: np.ndarray) -> float:
    """The score of one object, step by step."""
    scaled_query, scaled = [], []
    for j in range(labelled.shape[1]):
        known = labelled[np.isfinite(labelled[:, j]), j]
        low, centre, high = np.percentile(known, [25, 50, 75])
        for out, value in [(scaled_query, query[j]), *((scaled, v) for v in labelled[:, j])]:
            filled = centre if np.isnan(value) else value
            out.append(min(10.0, max(-10.0, (filled - centre) / ((high - low) / 1.3489795))))
    scaled = np.array(scaled).reshape(labelled.shape[1], -1).T
    distances = [
        np.sqrt(np.mean((np.array(scaled_query) - row) ** 2))
        for row, name in zip(scaled, ids, strict=True)
        if name != own
    ]
    return sorted(distances)[9]


def test_distance_by_hand():
    # 21 values 0..20: median 10, interquartile range 10; the 10th nearest of 0, itself apart, is 10 away.
    x = np.arange(21.0)[:, None]
    score = outliers.score(x, names(21), x, names(21))
    assert score[0] == pytest.approx(10 * 1.3489795 / 10, rel=1e-6)  # distances from squares: half the digits
    assert score[10] == pytest.approx(5 * 1.3489795 / 10, rel=1e-6)  # five on either side
    # A stranger at the same place has that object as its nearest.
    assert outliers.score(x[:1], names(1, "new"), x, names(21))[0] == pytest.approx(9 * 0.13489795, rel=1e-6)


def test_score_is_its_definition_written_out(labelled):
    rng = np.random.default_rng(6)
    query = np.vstack([labelled[:5], rng.normal(size=(5, 4)) * [3, 30, 300, 0.3], [[np.nan, 1e6, 0, 1]]])
    ids = np.concatenate([names(5), names(6, "new")])
    expected = [literal(q, own, labelled, names(120)) for q, own in zip(query, ids, strict=True)]
    np.testing.assert_allclose(outliers.score(query, ids, labelled, names(120)), expected, rtol=1e-6)


def test_wild_object_stands_out_and_a_normal_one_does_not(labelled):
    limit = outliers.limit(labelled, names(120), 0.01)
    wild, normal = np.full((1, 4), 1e9), np.array([[0.0, 5.0, -50.0, 1.0]])
    score = outliers.score(np.vstack([wild, normal]), names(2, "new"), labelled, names(120))
    assert score[0] > limit > score[1]
    assert score[0] < 10 + 4  # the clip bounds it: 10 from the centre, and the neighbours are within a few


def test_share_of_the_labelled_beyond_the_limit(labelled):
    score = outliers.score(labelled, names(120), labelled, names(120))
    assert (score > outliers.limit(labelled, names(120), 0.1)).sum() == 12


def test_units_do_not_matter(labelled):
    query = labelled[:10] + 0.1
    factor = np.array([1e3, 1e-6, 60.0, 7.0])
    first = outliers.score(query, names(10, "new"), labelled, names(120))
    second = outliers.score(query * factor, names(10, "new"), labelled * factor, names(120))
    np.testing.assert_allclose(first, second, rtol=1e-6)


def test_order_of_rows_does_not_matter(labelled):
    order = np.random.default_rng(8).permutation(120)
    first = outliers.score(labelled, names(120), labelled, names(120))
    second = outliers.score(labelled[order], names(120)[order], labelled[order], names(120)[order])
    np.testing.assert_allclose(first[order], second, rtol=1e-6)


def test_constant_and_empty_features_are_harmless(labelled):
    # A constant adds nothing to a distance, so the mean square over 5 features is 4/5 of that over 4.
    more = np.column_stack([labelled, np.full(120, 3.0), np.full(120, np.nan)])
    first = outliers.score(labelled, names(120), labelled, names(120))
    np.testing.assert_allclose(outliers.score(more, names(120), more, names(120)), first * np.sqrt(4 / 5), rtol=1e-6)


def test_constant_whose_deviation_rounds_to_more_than_zero_has_no_scale():
    x = np.full((100, 1), 0.1)
    assert 0 < np.std(x) < 1e-15
    assert outliers.score(np.array([[0.10001]]), names(1, "new"), x, names(100))[0] == pytest.approx(1e-5)


def test_mostly_constant_feature_is_scaled_by_its_deviation():
    x = np.zeros((40, 1))
    x[:4] = 7.0  # interquartile range 0
    query = np.array([[7.0 + np.std(x)]])
    # The four at 7 are one deviation away; the 10th nearest is at 0.
    expected = (7 + np.std(x)) / np.std(x)
    assert outliers.score(query, names(1, "new"), x, names(40))[0] == pytest.approx(expected, rel=1e-6)


def test_fewer_labelled_than_neighbours():
    x = np.array([[0.0], [1.0], [2.0]])
    score = outliers.score(x, names(3), x, names(3))
    assert score[0] == pytest.approx(2 * score[1], rel=1e-6)  # the farthest other one: 2 away, and 1


def test_nothing_to_score_and_nothing_to_compare(labelled):
    assert outliers.score(np.empty((0, 4)), names(0), labelled, names(120)).shape == (0,)
    with pytest.raises(DataError, match="at least 2"):
        outliers.score(labelled, names(120), labelled[:1], names(1))
