import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import f1_score

from workflow_scripts import models, prepare, training
from workflow_scripts.models import Settings
from workflow_scripts.split import parts, stratified
from workflow_scripts.tables import DataError

SETTINGS = Settings(rounds=40, learning_rate=0.1, trees=15)
SIZES = {"B": 40, "A": 120, "C": 20}


def overlapping(sizes=SIZES, seed=0, distance=0.7, features=5):
    """Classes that overlap, with a few missing values."""
    rng = np.random.default_rng(seed)
    class_ = np.repeat(np.array(list(sizes), dtype=object), list(sizes.values()))
    center = distance * rng.normal(size=(len(sizes), features))
    x = np.repeat(center, list(sizes.values()), axis=0) + rng.normal(size=(len(class_), features))
    x[rng.random(x.shape) < 0.03] = np.nan
    return class_, x


def sample(seed=0, **options):
    class_, x = overlapping(seed=seed, **options)
    rng = np.random.default_rng(seed)
    part = parts(class_, stratified(class_, 0.3, rng), rng)
    object_id = np.array([f"star{i:04d}" for i in range(len(class_))], dtype=object)
    return training.Sample(object_id, class_, part, x, tuple(f"f{i}" for i in range(x.shape[1])))


def train(chosen, model="lightgbm", data="original", keep=1.0, seed=7, settings=SETTINGS):
    content, description = training.train(chosen, model, data, keep, settings, np.random.default_rng(seed), 1)
    return models.Trained(description, models.plugin(model).predictor(content))


def split_table(n=30):
    return pa.table(
        {
            "object_id": [f"s{i:02d}" for i in range(n)],
            "class": ["A", "B", "B"] * (n // 3),
            "random": ["train", "validation", "test"] * (n // 3),
            "sky": [""] * n,
            "fold": np.arange(n) // 3 % 3,
            "star": [f"s{i:02d}" for i in range(n)],
        }
    )


def feature_table(n=30, extra=2):
    values = np.arange(n + extra, dtype=float)
    return pa.table(
        {
            "object_id": [f"s{i:02d}" for i in range(n + extra)],
            "band": ["r"] * (n + extra),
            "one": pa.array([None if v == 4 else v for v in values], pa.float64()),
            "two": -values,
        }
    )


def join(scheme="random", split=None, features=None, names=("two", "one")):
    rng = np.random.default_rng(5)
    return training.sample(
        split_table() if split is None else split, feature_table() if features is None else features, names, scheme, rng
    )


def test_features_are_joined_by_object_in_the_order_asked_for():
    backwards = np.arange(31, -1, -1)
    joined = join(split=split_table().take(backwards[2:]), features=feature_table().take(backwards))
    assert joined.object_id.tolist() == [f"s{i:02d}" for i in range(30)]
    assert np.array_equal(joined.x[:, 0], -np.arange(30.0))
    assert np.isnan(joined.x[4, 1])
    assert np.array_equal(np.delete(joined.x[:, 1], 4), np.delete(np.arange(30.0), 4))
    assert joined.part[:3].tolist() == ["train", "validation", "test"]
    assert joined.features == ("two", "one")


def test_class_numbers_are_alphabetical():
    joined = join()
    assert joined.classes == ("A", "B")
    assert joined.y.tolist() == [0, 1, 1] * 10


def test_a_fold_tests_its_own_objects_and_validates_on_a_tenth_of_the_others():
    joined = join("fold1")
    fold = split_table()["fold"].to_numpy()
    assert np.array_equal(joined.part == "test", fold == 1)
    # 7 A and 13 B, or the like, are left: a tenth of each, rounded
    left = [np.sum((fold != 1) & (joined.class_ == name)) for name in "AB"]
    assert np.sum(joined.part == "validation") == sum(int(0.1 * n + 0.5) for n in left)


def test_the_final_scheme_trains_on_everything():
    assert set(join("final").part) == {"train"}


def test_a_scheme_that_is_switched_off_is_an_error():
    with pytest.raises(DataError, match="'sky' has no test part"):
        join("sky")


def test_an_object_without_features_is_an_error():
    with pytest.raises(DataError, match=r"2 objects .* have no features, such as \['s28', 's29'\]"):
        join(features=feature_table().slice(0, 28))


def test_an_infinite_feature_is_named():
    features = feature_table().set_column(3, "two", pa.array([np.inf] + [0.0] * 31))
    with pytest.raises(DataError, match=r"\['two'\] have infinite"):
        join(features=features)


def test_an_unknown_feature_is_named():
    with pytest.raises(DataError, match=r"no features \['three'\]"):
        join(names=("one", "three"))


@pytest.mark.parametrize("model", ["lightgbm", "xgboost", "forest"])
@pytest.mark.parametrize("data", ["original", "smote", "weighted"])
def test_every_model_learns_from_every_kind_of_data(model, data):
    chosen = sample(distance=3.0)
    tested = training.predict_test(train(chosen, model, data), chosen)
    assert tested.object_id.tolist() == chosen.object_id[chosen.part == "test"].tolist()
    assert np.mean(tested.predicted == tested.true) > 0.9  # centres several standard deviations apart hardly overlap
    assert np.allclose(tested.probability.sum(axis=1), 1, atol=1e-12)  # rounding


@pytest.mark.parametrize(("model", "data"), [("lightgbm", "smote"), ("xgboost", "original"), ("forest", "weighted")])
def test_test_rows_change_nothing_that_is_learnt(model, data):
    chosen = sample()
    changed = np.where((chosen.part == "test")[:, None], 1e3 * chosen.x, chosen.x)
    other = training.Sample(chosen.object_id, chosen.class_, chosen.part, changed, chosen.features)
    assert train(other, model, data).description == train(chosen, model, data).description


def test_the_constants_of_the_preparation_are_those_of_the_training_rows():
    chosen = sample()
    expected = prepare.fit(chosen.x[chosen.part == "train"])
    assert train(chosen, data="smote").description.preparation == expected
    assert train(chosen, "forest").description.preparation == expected
    assert train(chosen, data="original").description.preparation is None
    assert train(chosen, "xgboost", data="weighted").description.preparation is None


def test_training_priors_are_the_shares_in_the_data_fitted():
    chosen = sample()
    counts = np.array([np.sum(chosen.class_[chosen.part == "train"] == name) for name in "ABC"])
    assert counts.argmax() == 0
    halved = np.array([int(counts[0] / 2 + 0.5), counts[1], counts[2]])
    equal = np.full(3, 1 / 3)
    for data, keep, expected in [
        ("original", 1.0, counts / counts.sum()),
        ("original", 0.5, halved / halved.sum()),
        ("smote", 1.0, equal),
        ("weighted", 0.5, equal),
    ]:
        assert np.allclose(train(chosen, "forest", data, keep).training_prior, expected, rtol=1e-12)  # rounding


def test_missing_values_reach_the_boosters():
    rng = np.random.default_rng(0)
    class_ = np.array(["A", "B"] * 60, dtype=object)
    x = np.column_stack([np.where(class_ == "A", np.nan, 1.0), rng.normal(size=120)])
    chosen = training.Sample(class_, class_, np.full(120, "train", dtype=object), x, ("a", "b"))
    for model in ("lightgbm", "xgboost"):
        predicted = train(chosen, model).predict_proba(np.array([[np.nan, 0.0], [1.0, 0.0]]))
        assert predicted.argmax(axis=1).tolist() == [0, 1]


@pytest.mark.parametrize("model", ["lightgbm", "xgboost"])
def test_value_that_nobody_lacked_in_training_is_the_median_where_it_is_missing(model):
    rng = np.random.default_rng(0)
    class_ = np.array(["A", "B", "C"] * 60, dtype=object)
    step = np.select([class_ == "A", class_ == "B"], [-1.6, -0.9], -0.2)
    x = np.column_stack([step + rng.normal(0, 0.05, 180), rng.normal(size=180), np.full(180, np.nan)])
    x[::9, 1] = np.nan
    chosen = training.Sample(class_, class_, np.full(180, "train", dtype=object), x, ("a", "b", "c"))
    trained = train(chosen, model)
    middle = float(np.median(x[:, 0]))
    assert trained.description.usual == (middle, None, None)
    missing, usual = trained.predict_proba(np.array([[np.nan, 0.0, np.nan], [middle, 0.0, np.nan]]))
    np.testing.assert_array_equal(missing, usual)
    assert missing.argmax() == 1  # not the class at 0, which LightGBM would take it for
    assert train(chosen, model, "smote").description.usual == (None, None, None)  # imputed by its preparation


def test_a_class_without_training_objects_is_an_error():
    chosen = sample()
    part = np.where(chosen.class_ == "C", "test", chosen.part)
    with pytest.raises(DataError, match=r"classes \['C'\] have no object in the training part"):
        train(training.Sample(chosen.object_id, chosen.class_, part, chosen.x, chosen.features))


def test_training_is_repeatable_and_follows_the_seed():
    chosen = sample()
    first, second, other = (train(chosen, data="smote", keep=0.5, seed=seed).description for seed in (1, 1, 2))
    assert first == second
    assert first.sha256 != other.sha256


def test_smote_before_the_split_pretends_scores():
    """The leak that the house's rule prevents: clearly better scores of the same model on the same stars."""
    chosen = sample(sizes={"A": 300, "B": 60, "C": 25})
    honest = training.predict_test(train(chosen, data="smote"), chosen)
    leaked = training.leak(chosen, 1.0, 0.3, SETTINGS, np.random.default_rng(7), 1)
    scores = [f1_score(p.true, p.predicted, average="macro") for p in (honest, leaked)]
    assert scores[1] > scores[0] + 0.1


def test_the_leaked_test_part_is_a_share_of_the_filled_up_sample():
    chosen = sample(sizes={"A": 100, "B": 40, "C": 10})
    leaked = training.leak(chosen, 1.0, 0.3, SETTINGS, np.random.default_rng(7), 1)
    assert len(leaked) == 3 * 30
    assert len(set(leaked.object_id)) == len(leaked)
    synthetic = [name for name in leaked.object_id if name.startswith("synthetic-")]
    assert 0 < len(synthetic) < len(leaked)
    assert max(synthetic) <= "synthetic-000150"
    assert set(leaked.object_id) - set(synthetic) <= set(chosen.object_id)


def test_sizes_count_the_parts():
    assert training.sizes(join()) == {"test": 10, "train": 10, "validation": 10}
