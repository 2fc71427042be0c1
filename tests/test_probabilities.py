"""Predicted probabilities in memory and on disk."""

import hashlib

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_scripts import probabilities, tables
from workflow_scripts.probabilities import Predictions


def predictions(ids=("a", "b", "c"), true=("EA", None, "RR"), classes=("EA", "EW", "RR"), prior=(0.5, 0.25, 0.25)):
    probability = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.3, 0.5]])[: len(ids), : len(classes)]
    names, labels = (np.array(values, dtype=object) for values in (ids, true))
    return Predictions(names, labels, classes, probability, np.broadcast_to(np.array(prior), probability.shape))


def same(a: Predictions, b: Predictions) -> bool:
    return (
        a.classes == b.classes
        and a.object_id.tolist() == b.object_id.tolist()
        and a.true.tolist() == b.true.tolist()
        and np.array_equal(a.probability, b.probability)
        and np.array_equal(a.training_prior, b.training_prior)
    )


def test_most_probable_class_and_position_of_the_true_one():
    given = predictions(true=("EA", None, "unheard of"))
    assert given.predicted.tolist() == ["EA", "EW", "RR"]
    assert given.true_index.tolist() == [0, -1, -1]
    assert len(given) == 3


def test_tie_goes_to_the_first_class():
    half = np.full((1, 2), 0.5)
    tied = Predictions(np.array(["a"], dtype=object), np.array([None]), ("x", "y"), half, half)
    assert tied.predicted.tolist() == ["x"]


def test_selection_follows_the_order_asked_for():
    chosen = predictions().select(["c", "a"])
    assert chosen.object_id.tolist() == ["c", "a"]
    assert chosen.true.tolist() == ["RR", "EA"]
    assert chosen.probability.tolist() == [[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]]
    assert chosen.training_prior.shape == (2, 3)
    assert len(predictions().select([])) == 0


def test_object_without_prediction_is_named():
    with pytest.raises(tables.DataError, match=r"1 objects have no prediction, such as \['z'\]"):
        predictions().select(["a", "z"])


def test_file_gives_back_what_was_written(tmp_path):
    probabilities.write(predictions(), tmp_path / "p.parquet")
    assert same(probabilities.read([tmp_path / "p.parquet"]), predictions())


def test_no_objects_are_written_and_read(tmp_path):
    empty = predictions(ids=(), true=())
    probabilities.write(empty, tmp_path / "p.parquet")
    back = probabilities.read([tmp_path / "p.parquet"])
    assert (len(back), back.classes, back.probability.shape) == (0, ("EA", "EW", "RR"), (0, 3))


def test_folds_are_joined_in_order_each_with_its_own_prior(tmp_path):
    parts = [predictions(), predictions(ids=("d",), true=(None,), prior=(0.1, 0.1, 0.8))]
    paths = [tmp_path / f"{k}.parquet" for k in range(2)]
    for part, path in zip(parts, paths, strict=True):
        probabilities.write(part, path)
    both = probabilities.read(paths)
    assert both.object_id.tolist() == ["a", "b", "c", "d"]
    assert both.training_prior[2].tolist() == [0.5, 0.25, 0.25]
    assert both.training_prior[3].tolist() == [0.1, 0.1, 0.8]


def test_files_of_other_classes_are_refused(tmp_path):
    probabilities.write(predictions(), tmp_path / "a.parquet")
    probabilities.write(predictions(classes=("EA", "RR", "EW")), tmp_path / "b.parquet")
    with pytest.raises(tables.DataError, match=r"b\.parquet has classes .*a\.parquet has"):
        probabilities.read([tmp_path / "a.parquet", tmp_path / "b.parquet"])


def test_file_without_its_notes_is_refused(tmp_path):
    path = tmp_path / "p.parquet"
    probabilities.write(predictions(), path)
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    with pytest.raises(tables.DataError, match=r"p\.parquet does not say .*'classes'"):
        probabilities.read([path])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(2, 5))
def test_any_probabilities_survive_to_the_last_bit(tmp_path_factory, seed, n, k):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(k), n)
    names = np.array([f"o{i}" for i in range(n)], dtype=object)
    prior = np.broadcast_to(rng.dirichlet(np.ones(k)), (n, k))
    made = Predictions(names, np.full(n, None), tuple(map(str, range(k))), p, prior)
    folder = tmp_path_factory.mktemp("p")
    hashes = set()
    for name in ("a", "b"):
        probabilities.write(made, folder / name)
        hashes.add(hashlib.sha256((folder / name).read_bytes()).hexdigest())
    assert len(hashes) == 1
    assert same(probabilities.read([folder / "a"]), made)
