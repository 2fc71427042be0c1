import numpy as np

from workflow_scripts.importance import permutation


def rows(n=300):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    return np.column_stack([rng.normal(size=n), y, rng.normal(size=n)]), y


def oracle(x):
    """Give the class that feature 1 names."""
    return np.eye(3)[x[:, 1].astype(int)]


EVERY = np.ones(3, dtype=bool)


def test_only_the_informative_feature_matters():
    x, y = rows()
    mean, std = permutation(oracle, x, y, EVERY, 5, np.random.default_rng(1))
    assert mean[[0, 2]].tolist() == [0, 0]
    assert std[[0, 2]].tolist() == [0, 0]
    # a perfect score falls to chance, 1/3, within the noise of 300 objects (standard error 0.03 per shuffle)
    assert abs(mean[1] - 2 / 3) < 0.06
    assert 0 < std[1] < 0.1


def test_a_feature_that_is_not_used_is_not_shuffled():
    x, y = rows()
    calls = []

    def counted(values):
        calls.append(values)
        return oracle(values)

    mean, _ = permutation(counted, x, y, np.array([False, True, False]), 4, np.random.default_rng(1))
    assert len(calls) == 1 + 4
    assert mean[0] == 0
    assert mean[1] > 0


def test_the_given_features_stay_as_they_are_and_the_draw_is_repeatable():
    x, y = rows()
    before = x.copy()
    first = permutation(oracle, x, y, EVERY, 2, np.random.default_rng(3))
    second = permutation(oracle, x, y, EVERY, 2, np.random.default_rng(3))
    assert np.array_equal(x, before)
    assert np.array_equal(first, second)


def test_equal_to_scikit_learn_in_the_mean():
    from sklearn.inspection import permutation_importance

    x, y = rows()

    class Oracle:
        def fit(self, *_):
            return self

        def score(self, x, y):
            from sklearn.metrics import f1_score

            return f1_score(y, oracle(x).argmax(axis=1), average="macro")

    expected = permutation_importance(Oracle(), x, y, n_repeats=30, random_state=0).importances_mean
    mean, _ = permutation(oracle, x, y, EVERY, 30, np.random.default_rng(0))
    assert np.allclose(mean, expected, atol=0.03)  # other draws; the standard error of each mean is 0.005
