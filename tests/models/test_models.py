"""Contract of every model, and the files of a trained one."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from workflow_scripts import models
from workflow_scripts.models import Description, Settings, TrainingData
from workflow_scripts.prepare import Preparation
from workflow_scripts.tables import DataError

NAMES = sorted(p.stem for p in Path(models.__file__).parent.glob("*.py") if p.stem not in ("__init__", "model"))
SETTINGS = Settings(rounds=60, learning_rate=0.1, trees=12)


def blobs(n, seed=0):
    """Three classes with unequal sizes; feature 0 and 1 inform, 2 is noise, 3 is constant."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([[0, 1, 2], rng.choice(3, n - 3, p=[0.6, 0.3, 0.1])])
    x = np.column_stack([y + 0.5 * rng.normal(size=n), -y + 0.7 * rng.normal(size=n), rng.normal(size=n), np.ones(n)])
    return x, y


def data(weight=None):
    x, y = blobs(300)
    x_validation, y_validation = blobs(80, 1)
    return TrainingData(x, y, np.ones(300) if weight is None else weight, x_validation, y_validation)


@pytest.fixture(scope="module", params=NAMES)
def fitted(request):
    return request.param, models.plugin(request.param).fit(data(), SETTINGS, seed=3, threads=1)


def description(name, result, **changes):
    values = {
        "model": name,
        "data": "original",
        "classes": ("A", "B", "C"),
        "features": ("a", "b", "c", "d"),
        "preparation": None,
        "usual": (0.5, None, -1e-7, None),
        "rounds": result.rounds,
        "training_prior": (0.6, 0.3, 0.1),
        "gain": tuple(result.gain.tolist()),
        "library": result.library,
        "sha256": models.sha256(result.content),
    }
    return Description(**values | changes)


def test_the_three_models_of_qiao_2024_are_there():
    assert NAMES == ["forest", "lightgbm", "xgboost"]


def test_probabilities_sum_to_one_and_find_the_classes(fitted):
    name, result = fitted
    x, y = blobs(200, 2)
    probability = models.plugin(name).predictor(result.content)(x)
    assert probability.shape == (200, 3)
    assert probability.dtype == np.float64
    assert probability.min() >= 0
    assert np.allclose(probability.sum(axis=1), 1, atol=1e-12)  # rounding of three divisions
    # the Bayes error of these classes is about 0.11, the most frequent class alone would give an accuracy of 0.6
    assert np.mean(probability.argmax(axis=1) == y) > 0.8


def test_fitting_twice_gives_the_same_bytes(fitted):
    name, result = fitted
    again = models.plugin(name).fit(data(), SETTINGS, seed=3, threads=1)
    assert again.content == result.content
    assert np.array_equal(again.gain, result.gain)


def test_another_seed_gives_another_model(fitted):
    name, result = fitted
    assert models.plugin(name).fit(data(), SETTINGS, seed=4, threads=1).content != result.content


@pytest.mark.parametrize("name", ["lightgbm", "forest"])
def test_the_number_of_threads_changes_no_byte(name):
    one, two = (models.plugin(name).fit(data(), SETTINGS, seed=3, threads=threads) for threads in (1, 2))
    assert one.content == two.content


def test_gain_is_a_share_and_ignores_what_cannot_inform(fitted):
    _, result = fitted
    assert np.isclose(result.gain.sum(), 1, atol=1e-12)
    assert result.gain[3] == 0
    assert result.gain[2] < min(result.gain[0], result.gain[1])


def test_the_files_predict_what_the_fitted_bytes_predict(fitted, tmp_path):
    name, result = fitted
    files = tmp_path / "m.model", tmp_path / "m.json"
    models.save(result.content, description(name, result), *files)
    trained = models.load(*files)
    x, _ = blobs(50, 5)
    assert np.array_equal(trained.predict_proba(x), models.plugin(name).predictor(result.content)(x))
    assert (trained.classes, trained.features, trained.rounds) == (("A", "B", "C"), ("a", "b", "c", "d"), result.rounds)
    assert trained.training_prior.tolist() == [0.6, 0.3, 0.1]
    assert np.array_equal(trained.gain(), result.gain)
    assert trained.predict_proba(x[:0]).shape == (0, 3)


def test_one_object_is_predicted_as_among_others(fitted):
    name, result = fitted
    predict = models.plugin(name).predictor(result.content)
    x, _ = blobs(20, 6)
    assert np.array_equal(np.vstack([predict(row[None]) for row in x]), predict(x))


def test_weights_shift_the_probabilities_to_the_heavier_class(fitted):
    name, result = fitted
    weight = np.where(data().y == 2, 20.0, 1.0)
    heavy = models.plugin(name).fit(data(weight / weight.mean()), SETTINGS, seed=3, threads=1)
    x, _ = blobs(200, 7)
    plain, shifted = (models.plugin(name).predictor(one.content)(x)[:, 2].mean() for one in (result, heavy))
    assert shifted > plain


def test_without_validation_rows_all_rounds_are_made():
    x, y = blobs(200)
    rows = TrainingData(x, y, np.ones(200), x[:0], y[:0])
    settings = Settings(rounds=7, learning_rate=0.1, trees=7)
    assert {models.plugin(name).fit(rows, settings, seed=3, threads=1).rounds for name in NAMES} == {7}


def test_the_preparation_comes_before_the_model(fitted):
    name, result = fitted
    preparation = Preparation((1.0, 2.0, 3.0, 4.0), (2.0, 2.0, 2.0, 2.0))
    predictor = models.plugin(name).predictor(result.content)
    trained = models.Trained(description(name, result, preparation=preparation), predictor)
    x, _ = blobs(10, 8)
    x[0, 0] = np.nan
    assert np.array_equal(trained.predict_proba(x), predictor(preparation.apply(x)))


def test_the_description_is_sorted_json_and_survives_the_round_trip(fitted, tmp_path):
    name, result = fitted
    written = description(name, result, preparation=Preparation((0.1,) * 4, (0.3,) * 4))
    models.save(result.content, written, tmp_path / "m.model", tmp_path / "m.json")
    assert models.describe(tmp_path / "m.json") == written
    keys = list(json.loads((tmp_path / "m.json").read_text()))
    assert keys == sorted(f.name for f in dataclasses.fields(Description))


def test_damage_is_an_error_that_names_both_files(fitted, tmp_path):
    name, result = fitted
    files = tmp_path / "m.model", tmp_path / "m.json"
    models.save(result.content[: len(result.content) // 2], description(name, result), *files)
    with pytest.raises(DataError, match=r"m\.model is damaged or of another model.*m\.json.*run again"):
        models.load(*files)


def test_a_missing_model_is_an_error(fitted, tmp_path):
    name, result = fitted
    files = tmp_path / "m.model", tmp_path / "m.json"
    models.save(result.content, description(name, result), *files)
    files[0].unlink()
    with pytest.raises(DataError, match=r"m\.model cannot be read"):
        models.load(*files)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model": "lightgbm"}', "\xff\xfe", "null"])
def test_what_is_not_a_description_is_an_error(tmp_path, text):
    (tmp_path / "m.json").write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match=r"m\.json is not the description"):
        models.describe(tmp_path / "m.json")


def test_a_description_with_numbers_for_other_features_is_an_error(fitted, tmp_path):
    name, result = fitted
    wrong = description(name, result, features=("a", "b"))
    models.save(result.content, wrong, tmp_path / "m.model", tmp_path / "m.json")
    with pytest.raises(DataError, match="is not the description"):
        models.describe(tmp_path / "m.json")


def test_the_wrong_number_of_features_is_refused(fitted):
    name, result = fitted
    trained = models.Trained(description(name, result), models.plugin(name).predictor(result.content))
    with pytest.raises(ValueError, match="takes 4 features"):
        trained.predict_proba(np.zeros((5, 3)))
