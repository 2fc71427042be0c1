import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_scripts.balance import smote, undersample, weights
from workflow_scripts.tables import DataError


def blobs(sizes, seed=0):
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(sizes)), sizes)
    return rng.normal(size=(len(y), 3)) + y[:, None], y


def train(y):
    return np.full(len(y), "train", dtype=object)


def test_undersampling_halves_the_dominant_class_alone():
    y = np.array([1] * 6 + [0] * 3 + [1] * 5 + [2] * 4)
    kept = undersample(y, 0.5, np.random.default_rng(0))
    assert np.bincount(y[kept]).tolist() == [3, 6, 4]  # 11 / 2, rounded half up
    assert np.array_equal(kept, np.unique(kept))


def test_qiao_2024_numbers():
    """Qiao 2024, 2.2: the EW stars were reduced by half to 8867, 44,838 stars became 35,972."""
    y = np.repeat([0, 1], [17733, 44838 - 17733])
    y[17733:] = 1 + np.arange(44838 - 17733) % 9
    assert len(undersample(y, 0.5, np.random.default_rng(0))) == 35972


def test_a_share_of_one_keeps_everything():
    y = np.array([0, 1, 1, 1])
    assert undersample(y, 1.0, np.random.default_rng(0)).tolist() == [0, 1, 2, 3]


def test_undersampling_is_random_but_repeatable():
    y = np.zeros(100, dtype=int)
    first, second, other = (undersample(y, 0.5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
    # a random half of 100 numbers has the mean 49.5 and a standard error of 2.9; a sorted cut would give 24.5
    assert abs(first.mean() - 49.5) < 12


def test_the_dominant_class_never_vanishes():
    assert len(undersample(np.zeros(10, dtype=int), 0.001, np.random.default_rng(0))) == 1


def test_smote_fills_every_class_and_keeps_the_real_rows_first():
    x, y = blobs([40, 12, 3])
    x_new, y_new = smote(x, y, train(y), 5)
    assert np.bincount(y_new).tolist() == [40, 40, 40]
    assert np.array_equal(x_new[: len(x)], x)
    assert np.array_equal(y_new[: len(y)], y)


def test_a_synthetic_row_lies_between_two_real_rows_of_its_class():
    x, y = blobs([30, 8, 2])
    x_new, y_new = smote(x, y, train(y), 5)
    for point, class_ in zip(x_new[len(x) :], y_new[len(y) :], strict=True):
        real = x[y == class_]
        detour = np.linalg.norm(real - point, axis=1)
        between = detour[:, None] + detour[None, :] - np.linalg.norm(real[:, None] - real[None, :], axis=2)
        np.fill_diagonal(between, np.inf)
        assert between.min() < 1e-9  # a sum of two lengths of order 1 in double precision


def test_smote_uses_all_other_members_of_a_class_smaller_than_six():
    x, y = blobs([30, 2])
    x_new, _ = smote(x, y, train(y), 1)
    a, b = x[y == 1]
    share = (x_new[len(x) :] - a) @ (b - a) / ((b - a) @ (b - a))
    assert len(share) == 28
    assert share.min() >= 0
    assert share.max() <= 1


@pytest.mark.parametrize("part", ["test", "validation"])
def test_smote_refuses_rows_that_are_not_for_training(part):
    x, y = blobs([10, 5])
    parts = train(y)
    parts[7] = part
    with pytest.raises(ValueError, match=rf"training rows alone, got parts .*'{part}'"):
        smote(x, y, parts, 0)


def test_smote_refuses_missing_values():
    x, y = blobs([10, 5])
    x[0, 0] = np.nan
    with pytest.raises(ValueError, match="Preparation"):
        smote(x, y, train(y), 0)


def test_smote_cannot_fill_a_class_of_one():
    x, y = blobs([10, 1])
    with pytest.raises(DataError, match="single training object"):
        smote(x, y, train(y), 0)


def test_smote_is_repeatable():
    x, y = blobs([20, 5])
    assert np.array_equal(smote(x, y, train(y), 3)[0], smote(x, y, train(y), 3)[0])
    assert not np.array_equal(smote(x, y, train(y), 3)[0], smote(x, y, train(y), 4)[0])


def test_weights_are_n_over_k_times_the_class_count():
    assert weights(np.array([0, 0, 0, 1])).tolist() == [4 / 6, 4 / 6, 4 / 6, 4 / 2]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=60))
def test_weighted_classes_weigh_the_same_and_the_mean_is_one(numbers):
    y = np.array(numbers)
    weight = weights(y)
    total = np.bincount(y, weight)
    present = total[total > 0]
    assert np.allclose(present, len(y) / len(present), rtol=1e-12)  # rounding of at most 60 sums
    assert np.isclose(weight.mean(), 1, rtol=1e-12)


def test_weights_equal_those_of_scikit_learn():
    from sklearn.utils.class_weight import compute_sample_weight

    y = np.array([0, 2, 2, 1, 2, 0, 2])
    assert np.allclose(weights(y), compute_sample_weight("balanced", y), rtol=1e-15)  # the same three operations
