"""The stages from labels to probabilities, one after the other, on a small sample whose classes overlap."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from workflow_scripts import models, probabilities, tables, training
from workflow_scripts.features import FEATURES, names
from workflow_scripts.labels import LABELS
from workflow_scripts.models import Settings
from workflow_scripts.stages import importance, leak_test, predict, split, train, train_final

SIZES = {"EW": 120, "EA": 60, "CEP": 24}
SETTINGS = Settings(rounds=25, learning_rate=0.2, trees=60)
INFORMATIVE = names("default")[0]
BASIC = {"feature_set": "default", "keep_dominant": 0.5, "settings": SETTINGS, "seed": 3, "threads": 1}


def write_sample(folder, seed):
    """Objects and features of two shards; one feature tells the classes apart, one is always missing."""
    rng = np.random.default_rng(seed)
    class_ = np.repeat(list(SIZES), list(SIZES.values()))
    n = len(class_)
    object_id = [f"{seed}-{i:04d}" for i in range(n)]
    columns = {column.name: rng.normal(size=n) for column in FEATURES.columns[2:]}
    columns[INFORMATIVE] += 5.0 * np.searchsorted(sorted(SIZES), class_)
    columns[names("default")[1]] = pa.nulls(n, pa.float64())
    rows = pa.table({"object_id": object_id, "band": ["V"] * n} | columns)
    shards = [folder / f"{seed}-{i}.parquet" for i in range(2)]
    for i, path in enumerate(shards):
        tables.write(rows.take(np.flatnonzero(np.arange(n) % 2 == i)), path, FEATURES)
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    listed = {"object_id": object_id, "survey": ["SIMULATED"] * n, "ra_deg": ra, "dec_deg": dec, "class": class_}
    tables.write(listed | {"catalogue_period_d": pa.nulls(n)}, folder / f"objects-{seed}.parquet", tables.OBJECTS)
    return folder / f"objects-{seed}.parquet", shards


def make_split(folder, objects, shards, **changes):
    settings = {"classes": {}, "ignore_labels": [], "test_share": 0.3, "folds": 3, "sky_blocks": True, "seed": 3}
    files = {name: folder / f"{name}.parquet" for name in ("split", "labels")}
    split.main([objects], shards, **files, **settings | changes)
    return folder / "split.parquet"


class Run:
    """A folder with a labelled sample and its split."""

    def __init__(self, folder):
        self.folder = folder
        objects, self.shards = write_sample(folder, 1)
        self.split = make_split(folder, objects, self.shards)

    def files(self, name):
        return self.folder / f"{name}.model", self.folder / f"{name}.json", self.folder / f"{name}.parquet"

    def train(self, scheme, model, data, name=None):
        files = self.files(name or f"{scheme}-{model}-{data}")
        train.main(self.split, self.shards, *files, scheme=scheme, model=model, data=data, **BASIC)
        return files


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("run"))


def test_split_and_labels_account_for_every_object(run):
    labels = tables.read(run.folder / "labels.parquet", LABELS)
    assert set(labels["status"].to_pylist()) == {"used"}
    rows = tables.read(run.split, tables.SPLIT)
    assert rows["object_id"].to_pylist() == labels["object_id"].to_pylist()
    assert rows["class"].to_pylist() == labels["class"].to_pylist()
    for column in ("random", "sky"):
        assert set(rows[column].to_pylist()) == {"train", "validation", "test"}
    assert set(rows["fold"].to_pylist()) == {0, 1, 2}


def test_merged_ignored_and_lost_objects_are_in_the_labels(tmp_path):
    objects, shards = write_sample(tmp_path, 1)
    options = {"classes": {"E": ["EA", "EW"], "C": ["CEP"]}, "sky_blocks": False}
    rows = tables.read(make_split(tmp_path, objects, shards[:1], **options), tables.SPLIT)
    assert rows.num_rows == 102
    assert set(rows["class"].to_pylist()) == {"E", "C"}
    assert set(rows["sky"].to_pylist()) == {""}
    status = tables.read(tmp_path / "labels.parquet", LABELS)["status"].to_pylist()
    assert (status.count("used"), status.count("too few observations")) == (102, 102)


def test_a_star_under_two_identifiers_is_never_trained_and_tested_on(tmp_path, caplog):
    """Surveys name a star again in each field and on each detector: its light curves are no independent test."""
    objects, shards = write_sample(tmp_path, 1)
    listed = tables.read(objects, tables.OBJECTS).to_pylist()
    for row in listed[1::2]:  # the second of each pair lies half an arcsecond from the first; they share their class
        first = listed[int(row["object_id"][-4:]) - 1]
        row |= {"ra_deg": first["ra_deg"], "dec_deg": first["dec_deg"] - np.copysign(0.5 / 3600, first["dec_deg"])}
    tables.write(pa.Table.from_pylist(listed, tables.OBJECTS.schema), objects, tables.OBJECTS)
    with caplog.at_level("INFO"):
        rows = tables.read(make_split(tmp_path, objects, shards), tables.SPLIT).sort_by("object_id")
    for column in ("random", "sky", "fold"):
        assert rows[column][::2].to_pylist() == rows[column][1::2].to_pylist()
    sample = training.sample(rows, tables.read_all(shards, FEATURES), [INFORMATIVE], "fold1", np.random.default_rng(0))
    assert set(sample.part) == {"train", "validation", "test"}
    assert sample.part[::2].tolist() == sample.part[1::2].tolist()
    assert "204 objects share their place with another one: 102 stars" in caplog.text


@pytest.mark.parametrize(
    ("scheme", "model", "data"),
    [("random", "lightgbm", "smote"), ("sky", "xgboost", "weighted"), ("fold1", "forest", "original")],
)
def test_train_writes_the_probabilities_of_its_test_objects(run, scheme, model, data):
    files = run.train(scheme, model, data)
    tested = probabilities.read([files[2]])
    rows = tables.read(run.split, tables.SPLIT).to_pylist()
    column, part = ("fold", 1) if scheme == "fold1" else (scheme, "test")
    assert tested.object_id.tolist() == [row["object_id"] for row in rows if row[column] == part]
    assert tested.true.tolist() == [row["class"] for row in rows if row[column] == part]
    assert tested.classes == ("CEP", "EA", "EW")
    # one feature of about 50 tells the classes apart, by 5 standard deviations; always EW would be right for 0.59
    assert np.mean(tested.predicted == tested.true) > 0.7
    description = json.loads(files[1].read_text())
    assert (description["model"], description["data"]) == (model, data)
    assert description["features"] == names("default")
    assert np.allclose(tested.training_prior, description["training_prior"], rtol=0)


def test_training_again_gives_the_same_bytes(run):
    first = run.train("fold0", "lightgbm", "original")
    second = run.train("fold0", "lightgbm", "original", name="again")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize("model", ["lightgbm", "xgboost"])
def test_the_final_model_makes_the_median_of_the_folds_rounds(run, model):
    folds = [run.train(f"fold{k}", model, "original")[1] for k in range(3)]
    fakes = []
    for rounds, path in zip((4, 9, 30), folds, strict=True):
        fakes.append(path.with_name(f"fake-{path.name}"))
        fakes[-1].write_text(json.dumps(json.loads(path.read_text()) | {"rounds": rounds}))
    files = run.files(f"final-{model}")
    train_final.main(run.split, run.shards, fakes, *files[:2], model=model, data="original", **BASIC)
    assert models.load(*files[:2]).rounds == 9
    # half of the 120 EW and all others are fitted, test parts included
    assert np.allclose(models.describe(files[1]).training_prior, np.array([24, 60, 60]) / 144, rtol=1e-12)


def test_predict_gives_every_object_of_a_shard_its_probabilities_by_each_model(run, tmp_path):
    files = [run.train("random", model, "smote") for model in ("xgboost", "lightgbm")]
    _, shards = write_sample(tmp_path, 2)
    out = [tmp_path / "x.parquet", tmp_path / "l.parquet"]
    predict.main([f[0] for f in files], [f[1] for f in files], shards[1], out)
    for trained, path in zip(files, out, strict=True):
        predicted = probabilities.read([path])
        assert predicted.object_id.tolist() == [f"2-{i:04d}" for i in range(1, 204, 2)]
        assert set(predicted.true) == {None}
        assert np.allclose(predicted.training_prior, models.load(*trained[:2]).training_prior, rtol=0)
    assert not np.array_equal(*(probabilities.read([path]).probability for path in out))


def test_predict_of_an_empty_shard_is_empty(run, tmp_path):
    files = run.train("random", "xgboost", "smote")
    tables.write(FEATURES.schema.empty_table(), tmp_path / "none.parquet", FEATURES)
    predict.main([files[0]], [files[1]], tmp_path / "none.parquet", [tmp_path / "p.parquet"])
    assert len(probabilities.read([tmp_path / "p.parquet"])) == 0


def test_predict_refuses_two_bands(run, tmp_path):
    files = run.train("random", "xgboost", "smote")
    one = tables.read(run.shards[0], FEATURES)
    tables.write(pa.concat_tables([one, one]), tmp_path / "two.parquet", FEATURES)
    with pytest.raises(tables.DataError, match=r"local\.bands"):
        predict.main([files[0]], [files[1]], tmp_path / "two.parquet", [tmp_path / "p.parquet"])


def test_importance_finds_the_only_informative_feature(run):
    files = run.train("random", "lightgbm", "original")
    out = run.folder / "importance.parquet"
    importance.main(*files[:2], run.split, run.shards, out, permutations=3, seed=3)
    rows = {row["feature"]: row for row in tables.read(out, tables.IMPORTANCE).to_pylist()}
    assert list(rows) == names("default")
    assert max(rows, key=lambda name: rows[name]["permutation"]) == INFORMATIVE
    assert max(rows, key=lambda name: rows[name]["gain"]) == INFORMATIVE
    assert rows[names("default")[1]]["permutation"] == 0
    assert np.isclose(sum(row["gain"] for row in rows.values()), 1, atol=1e-12)
    assert {row["model"] for row in rows.values()} == {"lightgbm"}


def test_importance_of_many_objects_rests_on_a_stratified_draw(run, monkeypatch):
    files = run.train("random", "lightgbm", "original")
    monkeypatch.setattr(importance, "MOST_OBJECTS", 20)
    seen = []

    def permutation(_, x, y, *__):
        seen.append(np.bincount(y))
        return np.zeros(x.shape[1]), np.zeros(x.shape[1])

    monkeypatch.setattr(importance, "permutation", permutation)
    importance.main(*files[:2], run.split, run.shards, run.folder / "i.parquet", permutations=1, seed=3)
    tested = {"CEP": 7, "EA": 18, "EW": 36}
    assert seen[0].tolist() == [int(20 / 61 * n + 0.5) for n in tested.values()]


def test_the_leak_is_marked_and_its_objects_are_labelled_synthetic(run, caplog):
    out = run.folder / "leak.parquet"
    options = {name: BASIC[name] for name in ("feature_set", "keep_dominant", "settings", "seed", "threads")}
    with caplog.at_level("INFO"):
        leak_test.main(run.split, run.shards, out, test_share=0.3, **options)
    assert "DEMONSTRATION" in caplog.text
    leaked = probabilities.read([out])
    # Half of the 120 EW stay, which is as many as EA has: SMOTE fills CEP up to 60, and 30 % of each are tested.
    assert len(leaked) == 3 * 18
    assert any(name.startswith("synthetic-") for name in leaked.object_id)


def test_an_edited_model_is_refused(run, tmp_path):
    files = run.train("random", "lightgbm", "original")
    (tmp_path / "m.model").write_bytes(files[0].read_bytes() + b" ")
    with pytest.raises(tables.DataError, match="damaged or of another model"):
        predict.main([tmp_path / "m.model"], [files[1]], run.shards[0], [tmp_path / "p.parquet"])


def test_settings_reach_the_model(run):
    files = run.files("short")
    basic = BASIC | {"settings": replace(SETTINGS, rounds=2)}
    train.main(run.split, run.shards, *files, scheme="random", model="xgboost", data="original", **basic)
    assert models.describe(files[1]).rounds == 2
