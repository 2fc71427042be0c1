"""K-Means: the number of groups by silhouette, its edges, and too few stars."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from workflow_scripts.clustering import kmeans
from workflow_scripts.tables import DataError


def blobs(k: int, n: int = 60, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = 10 * np.column_stack([np.cos(2 * np.pi * np.arange(k) / k), np.sin(2 * np.pi * np.arange(k) / k)])
    truth = np.repeat(np.arange(k), n)
    return centres[truth] + rng.normal(size=(k * n, 2)), truth


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = set(zip(a.tolist(), b.tolist(), strict=True))
    return len(pairs) == len(set(a.tolist())) == len(set(b.tolist()))


def test_fixed_number_finds_the_blobs():
    x, truth = blobs(5)
    groups = kmeans.fit(x, 5, seed=0)
    assert same_partition(groups.label, truth)
    assert groups.n_groups == 5


def test_silhouette_finds_the_number_of_groups_inside_the_range():
    x, truth = blobs(5)
    groups = kmeans.scan(x, range(2, 9), seed=0)
    assert groups.n_groups == groups.notes["n_groups_asked"] == 5
    assert groups.notes["edge"] == "none"
    assert same_partition(groups.label, truth)
    # All 300 stars are in the sample, so the score is the silhouette itself, on the labels of the library.
    assert groups.notes["silhouette_5"] == pytest.approx(silhouette_score(x, truth))
    assert groups.notes["silhouette"] == max(groups.notes[f"silhouette_{k}"] for k in range(2, 9))


@pytest.mark.parametrize(("numbers", "edge"), [((5, 6, 7), "lower"), ((3, 4, 5), "upper"), ((5,), "none")])
def test_best_number_on_the_edge_of_the_range_is_reported(numbers, edge):
    assert kmeans.scan(blobs(5)[0], numbers, seed=0).notes["edge"] == edge


def test_silhouette_of_a_large_field_is_sampled():
    x, truth = blobs(3, n=1700)
    sampled = kmeans.scan(x, (3,), seed=0).notes["silhouette_3"]
    of_all = silhouette_score(x, truth)
    assert sampled == pytest.approx(of_all, abs=0.01)
    assert sampled != of_all


def test_same_seed_same_labels():
    x = np.random.default_rng(2).normal(size=(500, 3))
    first, again = (kmeans.fit(x, 8, seed=4) for _ in range(2))
    assert first.label.tobytes() == again.label.tobytes()


def test_more_groups_than_different_stars():
    with pytest.raises(DataError, match="3 different stars among 3, too few for 4 groups"):
        kmeans.fit(np.eye(3), 4, seed=0)
    with pytest.raises(DataError, match="3 different stars among 300"):
        kmeans.fit(np.repeat(np.eye(3), 100, axis=0), 4, seed=0)


@pytest.mark.parametrize("numbers", [(), (1, 2)])
def test_range_without_numbers_or_with_one_group(numbers):
    with pytest.raises(DataError, match="give numbers of 2 and more"):
        kmeans.scan(blobs(3)[0], numbers, seed=0)


def test_every_star_a_group_of_its_own_has_no_silhouette():
    assert kmeans.scan(np.eye(4), (2, 4), seed=0).notes["silhouette_4"] == -1.0
