"""HDBSCAN on the graph of neighbours: the groups of the exact method, and fields that are hard on a graph."""

import numpy as np
import pytest
from sklearn.cluster import HDBSCAN
from small_fields import LOCUS, f1, field

from workflow_scripts.clustering import hdbscan, scaling
from workflow_scripts.tables import DataError

FIELD = field(600, 120)


def cluster_of(groups, space):
    """Group that most of the stars at the locus are in."""
    near = np.linalg.norm(space - LOCUS.array(), axis=1) < 0.3
    return np.bincount(groups.label[near & (groups.label >= 0)]).argmax()


def test_cluster_is_a_group_and_the_field_another():
    groups = hdbscan.fit(FIELD.space, min_cluster_size=30, min_samples=10)
    assert groups.n_groups == 2
    assert f1(groups.members(cluster_of(groups, FIELD.space)), FIELD.members) > 0.9


@pytest.mark.parametrize("min_samples", [5, 10])
@pytest.mark.parametrize("seed", range(4))
def test_graph_of_neighbours_gives_the_groups_of_all_distances(seed, min_samples):
    space = field(500, 100, seed).space
    exact = HDBSCAN(min_cluster_size=20, min_samples=min_samples, copy=True).fit_predict(scaling.robust(space))
    groups = hdbscan.fit(space, 20, min_samples)
    assert groups.n_groups == exact.max() + 1
    pairs = list(zip(exact.tolist(), groups.label.tolist(), strict=True))
    common = sum(max(pairs.count((a, b)) for b in set(groups.label.tolist())) for a in set(exact.tolist()))
    assert common >= 0.995 * len(space)


def test_stars_in_separate_clouds_are_joined():
    rng = np.random.default_rng(1)
    clouds = [rng.normal(size=(100, 3)) + 1000 * np.array(place) for place in ([0, 0, 0], [1, 0, 0], [0, 3, 0.5])]
    groups = hdbscan.fit(np.vstack(clouds), 20, 5)
    assert groups.n_groups == 3
    assert [len(set(groups.label[i : i + 100].tolist()) - {-1}) for i in (0, 100, 200)] == [1, 1, 1]
    assert sorted(np.bincount(groups.label[groups.label >= 0]).tolist()) == pytest.approx([100, 100, 100], abs=25)


def test_two_thousand_copies_of_one_star_are_a_group():
    space = np.vstack([field(300, 0).space, np.tile(LOCUS.array(), (2000, 1))])
    with pytest.raises(DataError, match="the same for all stars"):  # more than half: no scale
        hdbscan.fit(space, 20, 5)
    space = np.vstack([field(300, 0).space, np.tile(LOCUS.array(), (100, 1))])
    groups = hdbscan.fit(space, 20, 5)
    assert len(set(groups.label[-100:].tolist())) == 1
    assert groups.label[-1] >= 0


def test_even_field_without_groups_of_that_size_has_none():
    grid = np.stack(np.meshgrid(*[np.arange(8.0)] * 3), axis=-1).reshape(-1, 3)
    groups = hdbscan.fit(grid, min_cluster_size=300, min_samples=10)
    assert groups.n_groups == 0
    assert (groups.label == -1).all()


def test_too_few_stars():
    with pytest.raises(DataError, match="20 stars, HDBSCAN needs 50"):
        hdbscan.fit(FIELD.space[:20], 50, 10)
    with pytest.raises(DataError, match="20 stars, HDBSCAN needs 30"):
        hdbscan.fit(FIELD.space[:20], 10, 30)


def test_as_many_stars_as_needed_and_fewer_than_neighbours():
    assert len(hdbscan.fit(FIELD.space[:20], 20, 5).label) == 20
