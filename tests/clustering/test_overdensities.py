import numpy as np
import pytest
from simulated_region import Cluster, region

from workflow_scripts.clustering import crowding
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
    found = crowding.peaks(np.concatenate([field, group]), crowding.DISTANT)
    np.testing.assert_allclose(found[0], (5.1, -7.3, 1.25), atol=0.31)
    assert crowding.peaks(field, crowding.DISTANT) == []


def test_few_stars_hold_no_cluster_and_no_stars_are_refused() -> None:
    stars = region(np.random.default_rng(1), CLUSTERS[:1], n_field=100).stars
    assert blind.overdensities(stars.slice(0, 20)) == []
    with pytest.raises(DataError, match="no stars"):
        blind.overdensities(stars.slice(0, 0))


def assert_found(found: list[blind.Overdensity], truth: np.ndarray) -> None:
    """Each cluster of the truth is one of those found, and no other is."""
    assert len(found) == truth.max() + 1
    for i in range(len(found)):
        assert max(f1(one.membership.members, truth == i) for one in found) > 0.93


def f1(members: np.ndarray, true: np.ndarray) -> float:
    return float(2 * (members & true).sum() / (members.sum() + true.sum()))


@pytest.mark.parametrize("dec_deg", [-90.0, 89.8])
def test_a_pole_is_a_place_like_any_other(dec_deg: float) -> None:
    made = region(np.random.default_rng(11), CLUSTERS, n_field=2000, centre=(50.0, dec_deg))
    assert_found(blind.overdensities(made.stars), made.truth)


def test_small_cluster_of_a_large_field_is_found_where_it_crowds() -> None:
    # Over the whole sky 41 of the 69 stars that move like it are the field's, in a tile of 0.15 deg none of 18.
    small = Cluster(Locus(-1.0, -2.0, 0.5), n=30, scale_deg=0.04, place_deg=(0.7, -0.6))
    made = region(np.random.default_rng(1), (small,), n_field=30_000, radius_deg=2.0)
    assert_found(blind.overdensities(made.stars), made.truth)


PAIRS = {
    "0.6 mas/yr and 0.8 deg apart": (
        Cluster(Locus(-0.6, -1.1, 0.45), n=300, scale_deg=0.06, place_deg=(-0.4, 0.0)),
        Cluster(Locus(-0.1, -0.7, 0.45), n=200, scale_deg=0.06, place_deg=(0.4, 0.0)),
    ),
    "a small one 0.3 mas/yr and 0.4 deg from a large one": (
        Cluster(Locus(-0.6, -1.1, 0.45), n=500, scale_deg=0.06),
        Cluster(Locus(-0.4, -0.9, 0.45), n=60, scale_deg=0.06, place_deg=(0.4, 0.0)),
    ),
    "4 mas/yr, 0.7 mas and 1 deg apart": (
        Cluster(Locus(20.0, -40.0, 7.5), n=200, scale_deg=0.2, place_deg=(-0.5, 0.0)),
        Cluster(Locus(22.8, -37.4, 6.8), n=100, scale_deg=0.2, place_deg=(0.5, 0.0)),
    ),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_second_of_two_clusters_alike_is_found(pair: tuple[Cluster, Cluster]) -> None:
    made = region(np.random.default_rng(1), pair, n_field=3000)
    assert_found(blind.overdensities(made.stars), made.truth)


def test_list_does_not_hang_on_the_order_of_the_rows() -> None:
    stars = region(np.random.default_rng(11), CLUSTERS, n_field=2000).stars
    names = np.array(stars["source_id"].to_pylist())
    order = np.random.default_rng(1).permutation(stars.num_rows)
    for one, other in zip(blind.overdensities(stars), blind.overdensities(stars.take(order)), strict=True):
        assert (one.locus, one.centre, one.significance) == (other.locus, other.centre, other.significance)
        assert set(names[one.membership.members]) == set(names[order][other.membership.members])


def test_halo_of_a_rich_cluster_is_no_second_one() -> None:
    rich = Cluster(Locus(-11.0, -3.0, 1.15), n=2000, sigma_km_s=1.0, scale_deg=0.3)
    made = region(np.random.default_rng(1), (rich,), n_field=3000)
    assert_found(blind.overdensities(made.stars), made.truth)


def crowded(rng: np.random.Generator, n: int, together: bool) -> np.ndarray:
    """Points (2n, 5): a third of the field crowds on the sky; if together, these stars also move alike."""
    place = np.where(np.arange(n)[:, None] < n // 3, rng.normal(0.4, 0.05, (n, 2)), rng.uniform(-1, 1, (n, 2)))
    motion = rng.normal((0, 0, 1), (3, 3, 0.5), (n, 3))
    motion[: n // 3 if together else 0] *= 0.02
    return np.column_stack([motion, place])


def test_concentration_is_measured_against_all_stars_of_the_sky() -> None:
    rng = np.random.default_rng(1)
    assert crowding.concentrations(crowded(rng, 3000, together=False)) == []
    first = crowding.concentrations(crowded(rng, 3000, together=True))[0]
    np.testing.assert_allclose(first.middle[3:], 0.4, atol=first.side[-1] / 2)


@pytest.mark.parametrize("seed", [30, 31])
def test_crowded_field_without_a_cluster_has_none(seed: int) -> None:
    assert blind.overdensities(region(np.random.default_rng(seed), (), n_field=15_000).stars) == []


def test_cluster_that_fills_the_field_is_found() -> None:
    wide = Cluster(Locus(8.0, -12.0, 3.0), n=600, scale_deg=3.0)
    made = region(np.random.default_rng(1), (wide,), n_field=2000)
    found = blind.overdensities(made.stars)
    assert len(found) == 1
    assert f1(found[0].membership.members, made.truth == 0) > 0.8  # no profile on the sky helps


def test_members_beyond_the_stars_of_the_first_fit_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = Cluster(Locus(8.0, -12.0, 3.0), n=200, scale_deg=0.3)
    made = region(np.random.default_rng(1), (wide,), n_field=3000)
    monkeypatch.setattr(blind, "_TRIAL", 500)
    assert_found(blind.overdensities(made.stars), made.truth)
