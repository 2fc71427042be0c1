import numpy as np
import pytest
from simulated_region import Cluster, region

from workflow_scripts.clustering import overdensities as blind
from workflow_scripts.clustering.stars import Locus
from workflow_scripts.tables import DataError

CLUSTERS = (
    Cluster(Locus(-2.0, -4.0, 1.2), n=150, place_deg=(0.3, 0.2)),
    Cluster(Locus(8.0, -12.0, 3.0), n=80, scale_deg=0.3, place_deg=(-0.3, 0.0)),
    Cluster(Locus(-1.0, -2.0, 0.5), n=150, scale_deg=0.06, place_deg=(0.0, -0.5)),
)


@pytest.mark.parametrize("n_clusters", [1, 3])
@pytest.mark.parametrize("seed", [11, 12])
def test_exactly_the_clusters_there_are_found(seed: int, n_clusters: int) -> None:
    made = region(np.random.default_rng(seed), CLUSTERS[:n_clusters], n_field=2000)
    found = blind.overdensities(made.stars)
    assert len(found) == n_clusters
    assert [one.significance for one in found] == sorted((one.significance for one in found), reverse=True)
    for i, cluster in enumerate(CLUSTERS[:n_clusters]):
        near = [one for one in found if np.allclose(one.locus.array(), cluster.locus.array(), atol=0.2)]
        assert len(near) == 1
        members, true = near[0].membership.members, made.truth == i
        assert 2 * (members & true).sum() / (members.sum() + true.sum()) > 0.93


@pytest.mark.parametrize("seed", range(20, 24))
def test_field_without_a_cluster_has_none(seed: int) -> None:
    assert blind.overdensities(region(np.random.default_rng(seed), (), n_field=2000).stars) == []


def test_cluster_is_centred_where_its_stars_crowd() -> None:
    made = region(np.random.default_rng(11), CLUSTERS[:1], n_field=2000, centre=(0.0, 60.0))
    one = blind.overdensities(made.stars)[0]
    assert one.centre.dec_deg == pytest.approx(60.2, abs=0.1)
    assert one.centre.ra_deg == pytest.approx(0.3 / np.cos(np.radians(60.2)), abs=0.2)


def test_threshold_is_a_significance() -> None:
    stars = region(np.random.default_rng(11), CLUSTERS[:1], n_field=2000).stars
    sigma = blind.overdensities(stars)[0].significance
    assert sigma > 2 * blind.SIGNIFICANCE
    assert blind.overdensities(stars, sigma + 0.1) == []


def test_peak_is_the_cell_of_the_stars() -> None:
    rng = np.random.default_rng(1)
    field = rng.uniform((-20, -20, -0.5), (20, 20, 3.5), (20_000, 3))
    group = rng.normal((5.1, -7.3, 1.25), 0.05, (60, 3))
    found = blind.peaks(np.concatenate([field, group]), blind.DISTANT)
    np.testing.assert_allclose(found[0], (5.1, -7.3, 1.25), atol=0.31)
    assert blind.peaks(field, blind.DISTANT) == []


def test_few_stars_hold_no_cluster_and_no_stars_are_refused() -> None:
    stars = region(np.random.default_rng(1), CLUSTERS[:1], n_field=100).stars
    assert blind.overdensities(stars.slice(0, 20)) == []
    with pytest.raises(DataError, match="no stars"):
        blind.overdensities(stars.slice(0, 0))
