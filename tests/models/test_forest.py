import numpy as np
import onnx
from sklearn.ensemble import RandomForestClassifier

from workflow_scripts.models import Settings, TrainingData, forest

TREES = 25


def rows(n=400, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 4
    return rng.normal(size=(n, 5)) * np.array([1, 1, 1, 1e3, 1e-3]) + 0.7 * y[:, None], y


def fit():
    x, y = rows()
    return forest.fit(TrainingData(x, y, np.ones(len(y)), x[:0], y[:0]), Settings(1, 0.1, TREES), 1, 1)


def test_onnx_agrees_with_the_forest_of_scikit_learn():
    x, y = rows()
    expected = RandomForestClassifier(TREES, random_state=1).fit(x, y, np.ones(len(y)))
    unseen, _ = rows(seed=1)
    found = forest.predictor(fit().content)(unseen)
    # single precision: a value within 1e-7 of a threshold may go the other way, which 400 objects do not show
    assert np.allclose(found, expected.predict_proba(unseen), atol=1e-6)


def test_gain_is_the_impurity_importance():
    x, y = rows()
    expected = RandomForestClassifier(TREES, random_state=1).fit(x, y, np.ones(len(y)))
    assert np.allclose(fit().gain, expected.feature_importances_, rtol=1e-12)


def test_the_content_is_a_valid_onnx_graph_without_dates():
    graph = onnx.load_from_string(fit().content)
    onnx.checker.check_model(graph)
    assert [output.name for output in graph.graph.output] == ["label", "probabilities"]
