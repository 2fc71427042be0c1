"""The ensemble rule: agreement, both priors, and the shares that are published with it."""

import numpy as np
import pytest

from workflow_scripts import calibrate, ensemble, prior
from workflow_scripts.calibrate import Calibration
from workflow_scripts.probabilities import Predictions
from workflow_scripts.tables import DataError

CLASSES = ("EA", "EW", "RR")
MIX = np.array([0.5, 0.3, 0.2])
TRAINED = np.array([0.2, 0.4, 0.4])
CALIBRATION = Calibration(CLASSES, tuple(MIX), {"lightgbm": 2.0, "xgboost": 0.8}, 0.9, (0.5, 0.5, 0.5))


def predictions(probability: np.ndarray, classes: tuple[str, ...] = CLASSES) -> Predictions:
    n = len(probability)
    ids = np.array([f"o{i}" for i in range(n)], dtype=object)
    return Predictions(ids, np.full(n, None), classes, probability, np.broadcast_to(TRAINED, probability.shape))


@pytest.fixture
def both() -> tuple[Predictions, Predictions]:
    rng = np.random.default_rng(3)
    shared = rng.gamma(0.4, size=(200, 3)) + 0.02
    first, second = (shared * rng.uniform(0.5, 2, size=(200, 3)) for _ in range(2))
    return tuple(predictions(p / p.sum(axis=1, keepdims=True)) for p in (first, second))


def test_agreement_by_hand():
    neutral = Calibration(CLASSES, tuple(TRAINED), {"lightgbm": 1.0, "xgboost": 1.0}, 0.9, ())
    first = predictions(np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1]]))
    second = predictions(np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]]))
    found = ensemble.classify(first, second, neutral, "labelled")
    assert found.agree.tolist() == [True, False]
    assert found.best.tolist() == [0, 1]  # (0.5 + 0.1) / 2 < (0.4 + 0.8) / 2
    np.testing.assert_allclose(found.mean, [[0.6, 0.25, 0.15], [0.3, 0.6, 0.1]], rtol=1e-12)


def test_labelled_prior_is_the_calibration_alone(both):
    found = ensemble.classify(*both, CALIBRATION, "labelled")
    for name, booster in zip(("lightgbm", "xgboost"), both, strict=True):
        expected = CALIBRATION.calibrated(name, booster.probability, TRAINED)
        np.testing.assert_array_equal(getattr(found, name), expected)
    np.testing.assert_array_equal(found.labelled, found.mean)
    np.testing.assert_array_equal(found.prior, MIX)


def test_estimated_prior_is_em_on_the_mean_then_bayes(both):
    off, on = (ensemble.classify(*both, CALIBRATION, choice) for choice in ("labelled", "estimated"))
    expected = prior.estimate(off.labelled, MIX)
    np.testing.assert_array_equal(on.estimated_prior, expected)
    np.testing.assert_array_equal(off.estimated_prior, expected)
    np.testing.assert_array_equal(on.prior, expected)
    np.testing.assert_array_equal(on.labelled, off.labelled)
    np.testing.assert_allclose(on.lightgbm, prior.shift(off.lightgbm, MIX, expected), rtol=1e-14)
    assert np.abs(on.mean - on.labelled).max() > 0.01  # the choice is not without effect here


@pytest.mark.parametrize("choice", ["labelled", "estimated"])
def test_agreed_class_is_that_of_the_mean(both, choice):
    found = ensemble.classify(*both, CALIBRATION, choice)
    assert 0 < found.agree.sum() < 200
    np.testing.assert_array_equal(found.best[found.agree], found.lightgbm.argmax(axis=1)[found.agree])
    np.testing.assert_allclose(found.mean.sum(axis=1), 1, rtol=1e-12)


def test_other_mix_is_found_through_two_miscalibrated_boosters():
    """Two boosters trained at one mix, stated with wrong temperatures, classify a sample of another mix."""
    rng, n, actual = np.random.default_rng(11), 4000, np.array([0.15, 0.25, 0.6])
    true = rng.choice(3, size=n, p=actual)
    x = rng.normal(2.5 * np.eye(3)[true], 1)
    joint = TRAINED * np.exp(2.5 * x)
    exact = joint / joint.sum(axis=1, keepdims=True)
    stated = []
    for temperature in (2.0, 0.8):
        labelled = prior.shift(exact, TRAINED, MIX)
        stated.append(predictions(prior.shift(calibrate.soften(labelled, 1 / temperature), MIX, TRAINED)))
    found = ensemble.classify(*stated, CALIBRATION, "estimated")
    # Binomial error 0.008 with the overlap of the classes: 3 of these.
    np.testing.assert_allclose(found.estimated_prior, actual, atol=0.025)
    np.testing.assert_allclose(found.mean.mean(axis=0), actual, atol=0.025)


def test_other_classes_are_an_error(both):
    other = predictions(both[0].probability, ("EA", "EW", "SR"))
    with pytest.raises(DataError, match="xgboost has classes"):
        ensemble.classify(both[0], other, CALIBRATION, "labelled")


def test_prior_rows_by_hand():
    certain = predictions(np.eye(3)[[0, 0, 0, 2]])
    found = ensemble.classify(certain, certain, CALIBRATION, "labelled")
    rows = ensemble.prior_rows("field", found, MIX, certain.training_prior)
    assert [row["class"] for row in rows] == list(CLASSES)
    assert {row["sample"] for row in rows} == {"field"}
    assert [row["labelled"] for row in rows] == list(MIX)
    assert [row["training"] for row in rows] == pytest.approx(list(TRAINED))
    assert [row["predicted"] for row in rows] == [0.75, 0, 0.25]
    # Certain to 1e-15 and then softened by T = 2: certain to 1e-7. The labelled shares count as so many more objects.
    estimated = (np.array([3, 0, 1]) + prior.WEIGHT * MIX) / (4 + prior.WEIGHT)
    assert [row["estimated"] for row in rows] == pytest.approx(list(estimated), abs=1e-5)


def test_empty_sample():
    nothing = predictions(np.empty((0, 3)))
    found = ensemble.classify(nothing, nothing, CALIBRATION, "estimated")
    assert found.agree.shape == found.best.shape == (0,)
    np.testing.assert_array_equal(found.prior, MIX)
