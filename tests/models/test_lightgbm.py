import lightgbm
import numpy as np

from workflow_scripts.models import Settings, TrainingData
from workflow_scripts.models import lightgbm as plugin


def rows(n=400, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    x = rng.normal(size=(n, 2)) + 0.5 * y[:, None]
    x[rng.random(n) < 0.3, 1] = np.nan
    return x, y


def fit(rounds=500, seed=0):
    x, y = rows(seed=seed)
    return plugin.fit(TrainingData(x, y, np.ones(len(y)), *rows(seed=9)), Settings(rounds, 0.2, 1), 1, 1)


def test_early_stopping_keeps_the_best_round():
    fitted = fit()
    assert 0 < fitted.rounds < 500 - plugin.PATIENCE  # two overlapping Gaussians are learnt in a few rounds
    x, y = rows(seed=9)
    losses = []
    for rounds in range(1, fitted.rounds + 20):
        predict = plugin.predictor(fit(rounds).content)
        losses.append(-np.log(predict(x)[np.arange(len(y)), y]).mean())
    assert int(np.argmin(losses)) + 1 == fitted.rounds


def test_the_content_is_text_that_lightgbm_reads_with_as_many_trees():
    fitted = fit()
    assert fitted.content.startswith(b"tree\n")
    assert lightgbm.Booster(model_str=fitted.content.decode()).num_trees() == 2 * fitted.rounds
    assert fitted.library == f"lightgbm {lightgbm.__version__}"


def test_a_missing_value_is_a_value_of_its_own():
    rng = np.random.default_rng(0)
    y = np.arange(300) % 2
    x = np.column_stack([np.where(y == 1, np.nan, 0.0), rng.normal(size=300)])
    fitted = plugin.fit(TrainingData(x, y, np.ones(300), x, y), Settings(50, 0.2, 1), 1, 1)
    predicted = plugin.predictor(fitted.content)(np.array([[np.nan, 0.0], [0.0, 0.0]]))
    assert predicted.argmax(axis=1).tolist() == [1, 0]
