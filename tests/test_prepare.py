import json
from dataclasses import asdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_scripts.prepare import NORMAL_IQR, Preparation, fit

NAN = np.nan


def test_centre_and_scale_are_median_and_interquartile_range():
    x = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]]).T
    assert fit(x) == Preparation((3.0,), (2.0 / NORMAL_IQR,))


def test_missing_values_do_not_count_and_become_the_median():
    x = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, NAN, NAN]]).T
    prepared = fit(x).apply(x)[:, 0]
    step = NORMAL_IQR / 2
    assert np.allclose(prepared, [-2 * step, -step, 0, step, 2 * step, 0, 0], rtol=1e-15)


def test_the_scale_of_gaussian_noise_is_its_standard_deviation():
    x = np.random.default_rng(0).normal(3, 7, (200000, 1))
    # standard error of the interquartile range's sigma: 1.17 sigma / sqrt(n), here 0.018
    assert abs(fit(x).scale[0] - 7) < 0.08


def test_a_feature_with_equal_quartiles_is_scaled_by_its_standard_deviation():
    x = np.array([[0.0] * 9 + [10.0]]).T
    assert fit(x) == Preparation((0.0,), (3.0,))


def test_quartiles_that_differ_by_rounding_coincide():
    x = np.array([[1.0] * 6 + [1.0 + 2e-16] * 3 + [11.0]]).T
    assert np.isclose(fit(x).scale[0], 3.0, rtol=1e-12)


def test_constant_and_always_missing_features_are_only_centred():
    x = np.array([[0.1, NAN]] * 7)
    assert fit(x) == Preparation((0.1, 0.0), (1.0, 1.0))
    assert fit(x).apply(np.array([[0.1, 5.0], [1.1, NAN]])).tolist() == [[0.0, 5.0], [1.0, 0.0]]


def test_equal_to_the_scaler_of_scikit_learn():
    from sklearn.preprocessing import RobustScaler

    x = np.random.default_rng(1).lognormal(size=(50, 4))
    expected = RobustScaler(unit_variance=True).fit_transform(x)
    assert np.allclose(fit(x).apply(x), expected, rtol=1e-12)  # the same formula with rounding of its constants


def test_a_row_that_was_not_fitted_does_not_change_another():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(30, 3))
    preparation = fit(x[:20])
    changed = np.vstack([x[:20], 100 * x[20:]])
    assert fit(changed[:20]) == preparation
    assert np.array_equal(preparation.apply(changed)[:20], preparation.apply(x)[:20])


def test_json_round_trip_is_exact():
    preparation = fit(np.random.default_rng(3).normal(size=(9, 2)))
    given = json.loads(json.dumps(asdict(preparation)))
    assert Preparation(**{name: tuple(values) for name, values in given.items()}) == preparation


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.just(NAN), st.floats(-1e6, 1e6)), min_size=1, max_size=40))
def test_the_result_is_always_finite(values):
    x = np.array([values]).T
    assert np.isfinite(fit(x).apply(x)).all()
