import json

import numpy as np
import xgboost

from workflow_scripts.models import Settings, TrainingData
from workflow_scripts.models import xgboost as plugin


def rows(n=400, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    x = rng.normal(size=(n, 2)) + 0.5 * y[:, None]
    return x, y


def fit(rounds=500):
    x, y = rows()
    return plugin.fit(TrainingData(x, y, np.ones(len(y)), *rows(seed=9)), Settings(rounds, 0.2, 1), 1, 1)


def test_early_stopping_keeps_the_best_round():
    fitted = fit()
    assert 0 < fitted.rounds < 500 - plugin.PATIENCE  # three overlapping Gaussians are learnt in a few rounds
    x, y = rows(seed=9)
    losses = []
    for rounds in range(1, fitted.rounds + 20):
        predict = plugin.predictor(fit_without_stop(rounds).content)
        losses.append(-np.log(predict(x)[np.arange(len(y)), y]).mean())
    assert int(np.argmin(losses)) + 1 == fitted.rounds


def fit_without_stop(rounds):
    x, y = rows()
    return plugin.fit(TrainingData(x, y, np.ones(len(y)), x[:0], y[:0]), Settings(rounds, 0.2, 1), 1, 1)


def test_the_content_is_json_with_as_many_rounds():
    fitted = fit()
    assert json.loads(fitted.content)["learner"]["objective"]["name"] == "multi:softprob"
    booster = xgboost.Booster()
    booster.load_model(bytearray(fitted.content))
    assert booster.num_boosted_rounds() == fitted.rounds
    assert fitted.library == f"xgboost {xgboost.__version__}"


def test_probabilities_are_those_of_xgboost_to_single_precision():
    fitted = fit()
    booster = xgboost.Booster()
    booster.load_model(bytearray(fitted.content))
    x, _ = rows(seed=3)
    assert np.allclose(plugin.predictor(fitted.content)(x), booster.predict(xgboost.DMatrix(x)), atol=1e-6)


def test_a_missing_value_is_a_value_of_its_own():
    rng = np.random.default_rng(0)
    y = np.arange(300) % 2
    x = np.column_stack([np.where(y == 1, np.nan, 0.0), rng.normal(size=300)])
    fitted = plugin.fit(TrainingData(x, y, np.ones(300), x, y), Settings(50, 0.2, 1), 1, 1)
    predicted = plugin.predictor(fitted.content)(np.array([[np.nan, 0.0], [0.0, 0.0]]))
    assert predicted.argmax(axis=1).tolist() == [1, 0]
