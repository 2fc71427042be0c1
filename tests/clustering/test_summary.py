from dataclasses import replace

import numpy as np
import pytest
from simulated_region import Cluster, region
from small_fields import measured

from workflow_scripts.clustering import summary
from workflow_scripts.clustering.membership import Membership, membership
from workflow_scripts.clustering.moments import Moments
from workflow_scripts.clustering.space import CORRELATIONS, Centre, Space, space
from workflow_scripts.clustering.stars import Locus

CLUSTER = Cluster(Locus(-2.0, -4.0, 1.2))
CONE = Centre(130.0, 20.0)


def test_distance_has_the_zero_point_and_the_systematic_error() -> None:
    found = summary.distances(0.983, 0.0, "DR3")
    assert found["distance_pc"] == pytest.approx(1000)
    assert found["distance_low_pc"] == pytest.approx(1000 / 1.011)
    assert found["distance_high_pc"] == pytest.approx(1000 / 0.989)
    assert summary.distances(0.971, 0.0, "DR2")["distance_pc"] == pytest.approx(1000)


def test_simulated_stars_have_neither() -> None:
    found = summary.distances(2.0, 0.5, "simulated")
    assert found == {"distance_pc": 500, "distance_low_pc": 400, "distance_high_pc": pytest.approx(2000 / 3)}


def test_distance_of_a_parallax_that_is_not_positive_does_not_exist() -> None:
    assert summary.distances(-0.1, 0.02, "DR3")["distance_pc"] is None
    near_zero = summary.distances(0.0, 0.02, "DR3")
    assert near_zero["distance_pc"] == pytest.approx(1000 / 0.017)
    assert near_zero["distance_high_pc"] is None


def test_half_radius_is_weighted_by_probability() -> None:
    assert summary.half_radius(np.array([0.3, 0.1, 0.2]), np.array([1.0, 1.0, 1.0]))[0] == 0.2
    assert summary.half_radius(np.array([0.3, 0.1, 0.2]), np.array([1.0, 0.1, 0.1]))[0] == 0.3


def test_limits_of_the_half_radius_hold_the_truth_in_two_thirds_of_the_cases() -> None:
    rng, n = np.random.default_rng(3), 400
    held = []
    for _ in range(n):
        half, low, high = summary.half_radius(rng.random(60), np.ones(60))
        assert low <= half <= high
        held.append(low <= 0.5 <= high)
    assert np.mean(held) == pytest.approx(0.68, abs=3 * np.sqrt(0.68 * 0.32 / n))


def test_limits_of_the_half_radius_of_one_star_are_its_radius() -> None:
    assert summary.half_radius(np.array([0.3, 0.1]), np.array([0.0, 1.0])) == [0.1, 0.1, 0.1]


def at(ra_deg: list[float], dec_deg: list[float]) -> Space:
    stars = measured(np.zeros((len(ra_deg), 3)), 0.1)
    return replace(stars, sky=np.column_stack([ra_deg, dec_deg]))


def test_rim_is_what_lies_beyond_nine_tenths_of_the_way_to_the_farthest_star() -> None:
    stars, p = at([0, 0, 0, 0, 0], [0, 0.89, 0.91, -0.95, 1.0]), np.array([1.0, 0.5, 0.25, 0.25, 0.0])
    assert summary.rim_share(stars, p, Centre(0, 0)) == pytest.approx(0.25)
    assert summary.rim_share(at([0, 0], [0, 0]), np.ones(2), Centre(0, 0)) == 0.0


@pytest.mark.parametrize("ra_deg", [0.0, 359.9, 180.0])
@pytest.mark.parametrize("dec_deg", [0.0, 60.0, 90.0])
def test_rim_is_the_cone_s_wherever_the_cluster_is_in_it(ra_deg: float, dec_deg: float) -> None:
    """A cluster 0.93 deg off in a cone of 1 deg is in the rim, all of it, and so it is at a pole and at 0 h."""
    ra, down = np.full(5, ra_deg), np.array([0.0, 0.2, 0.92, 0.94, 1.0])
    stars, p = at((ra % 360).tolist(), (dec_deg - down).tolist()), np.array([0.0, 0, 1, 1, 0])
    assert summary.rim_share(stars, p, Centre(ra_deg, dec_deg)) == 1.0
    whole = replace(stars, middle=Centre(ra_deg, dec_deg - 0.93), radius_deg=np.abs(down - 0.93))
    assert summary.rim_share(whole, p, Centre(ra_deg, dec_deg)) == 1.0


@pytest.mark.parametrize(("scale_deg", "radius_deg", "cut"), [(0.6, 0.4, True), (0.15, 1.0, False)])
def test_cluster_that_goes_beyond_its_cone_is_known_by_its_rim(scale_deg: float, radius_deg: float, cut: bool) -> None:
    """Of a Plummer sphere r^2 / (a^2 + r^2) are within r: 14 % of what a cone of 0.4 deg has of 0.6 is in its rim."""
    big = Cluster(Locus(6, -9, 2.5), n=900, scale_deg=scale_deg)
    made = region(np.random.default_rng(2), (big,), n_field=int(5000 * radius_deg**2), radius_deg=radius_deg)
    found = membership(made.stars, big.locus, CONE)
    row = summary.clusters("C", space(made.stars, found.centre), found, "simulated", CONE).to_pylist()[0]
    within = [r**2 / (scale_deg**2 + r**2) for r in (summary.RIM * radius_deg, radius_deg)]
    expected, n = 1 - within[0] / within[1], row["sum_probability"]
    assert row["rim_share"] == pytest.approx(expected, abs=3 * np.sqrt(expected * (1 - expected) / n) + 0.01)
    assert (row["rim_share"] > summary.MOST_IN_RIM) == cut
    assert (row["r50_high_deg"] < scale_deg) == cut  # the true radius is beyond the limits where the cone cuts


def test_share_that_is_warned_of_makes_r50_an_eighth_too_small() -> None:
    """In closed form, of Plummer spheres in a cone of radius 1: r50 is where half of what is within 1 is reached."""
    for share, small in ((summary.MOST_IN_RIM, 0.12), (0.1, 0.40)):
        square = summary.RIM**2 * share / (1 - summary.RIM**2 - share)  # a^2 where 1 - M(RIM) / M(1) is the share
        assert 1 - summary.RIM**2 * (1 + square) / (summary.RIM**2 + square) == pytest.approx(share)
        half = 0.5 / (1 + square)
        assert 1 - np.sqrt(half / (1 - half)) == pytest.approx(small, abs=0.01)


def test_faintest_member_is_known_where_any_has_a_magnitude() -> None:
    stars, p = measured(np.random.default_rng(1).normal(0, 0.3, (5, 3)), 0.1), np.array([1.0, 0.9, 0.6, 0.4, 0.0])
    found = Membership(p, Locus(0, 0, 1), np.eye(3), 9.0, None, CONE)
    for g_mag, faintest in (
        ([12, 14, 13, 19, 20], 14),
        ([12, np.nan, 13, 19, 20], 13),
        ([np.nan] * 3 + [19, 20], None),
    ):
        seen = replace(stars, g_mag=np.array(g_mag, dtype=float))
        assert summary.clusters("C", seen, found, "simulated", CONE).to_pylist()[0]["g_faintest_mag"] == faintest


def test_row_of_a_simulated_cluster() -> None:
    made = region(np.random.default_rng(1), (CLUSTER,), n_field=5000)
    found = membership(made.stars, CLUSTER.locus)
    stars = space(made.stars, found.centre)
    row = summary.clusters("Test 1", stars, found, "DR3", CONE).to_pylist()[0]
    true = made.truth == 0
    for name, value in zip(("pmra", "pmdec"), (-2.0, -4.0), strict=True):
        assert abs(row[f"{name}_mas_yr"] - value) < 4 * row[f"{name}_se_mas_yr"]
        assert row[f"{name}_dispersion_mas_yr"] == pytest.approx(0.6 / 4.7405 * 1.2, abs=0.02)
    assert abs(row["parallax_mas"] - 1.2) < 4 * row["parallax_se_mas"]
    assert row["distance_pc"] == pytest.approx(1000 / 1.217, rel=0.02)
    assert row["distance_low_pc"] < row["distance_pc"] < row["distance_high_pc"]
    assert row["n_members"] == pytest.approx(true.sum(), rel=0.05)
    assert row["contamination"] == pytest.approx((~true)[found.members].mean(), abs=0.02)
    assert (row["ra_deg"], row["dec_deg"]) == pytest.approx((130.0, 20.0), abs=0.03)
    assert row["r50_low_deg"] < row["r50_deg"] < row["r50_high_deg"]
    assert row["r50_deg"] == pytest.approx(0.15, abs=0.03)  # a Plummer sphere's scale holds half of it
    assert row["rim_share"] < summary.MOST_IN_RIM / 2
    assert row["g_faintest_mag"] == made.stars["g_mag"].to_numpy()[found.members].max()
    assert (row["n_stars"], row["reason"], row["release"]) == (len(true), None, "DR3")
    assert row["errors_deconvolved"]


def test_dispersion_that_holds_the_errors_says_so() -> None:
    made = region(np.random.default_rng(1), (CLUSTER,), n_field=5000, errors=False)
    stars = space(made.stars)
    row = summary.clusters("Test 1", stars, membership(made.stars, CLUSTER.locus), "DR3", CONE).to_pylist()[0]
    assert row["errors_deconvolved"] is False
    assert row["pmra_dispersion_mas_yr"] > 0.6 / 4.7405 * 1.2 + 0.01  # where they are taken out it is right to 0.02
    methods = summary.methods("Test 1", stars, {"DEC": made.truth == 0, "none": made.truth > 9}, {}).to_pylist()
    assert [one["errors_deconvolved"] for one in methods] == [False, None]


def test_row_without_members_is_null_and_says_why() -> None:
    stars = measured(np.zeros((40, 3)), 0.1)
    none = Membership(np.zeros(40), Locus(0, 0, 1), np.zeros((3, 3)), 0.0, "no cluster here", Centre(0.0, 0.0))
    row = summary.clusters("Test 2", stars, none, "DR2", CONE).to_pylist()[0]
    assert (row["n_members"], row["reason"]) == (0, "no cluster here")
    for name in (
        "pmra_mas_yr",
        "distance_pc",
        "r50_deg",
        "r50_low_deg",
        "rim_share",
        "g_faintest_mag",
        "ra_deg",
        "contamination",
        "parallax_dispersion_mas",
    ):
        assert row[name] is None


def test_methods_have_the_paper_s_layout() -> None:
    points = np.random.default_rng(1).normal((1, 2, 3), 0.1, (100, 3))
    known = Moments(np.array([1.0, 2, 3]), np.full(3, 0.01), *[np.full(3, 0.1)] * 3, np.array([0.1, 0.2, 0.3]))
    chosen = {"K-Means": np.arange(100) < 60, "membership": np.linspace(0, 1, 100), "DEC": np.zeros(100, bool)}
    rows = summary.methods("C", measured(points, 0.0), chosen, {"literature": known}).to_pylist()
    assert [(row["method"], row["n"]) for row in rows] == [
        ("literature", None),
        ("K-Means", 60),
        ("membership", 50),
        ("DEC", 0),
    ]
    assert rows[0]["pmdec_mas_yr"] == 2
    assert [rows[0][name] for name in CORRELATIONS.values()] == [0.1, 0.2, 0.3]
    assert rows[1]["parallax_pmra_corr"] == pytest.approx(np.corrcoef(points[:60].T)[0, 2], abs=1e-6)
    assert rows[3]["pmra_pmdec_corr"] is None
    assert rows[1]["parallax_se_mas"] == pytest.approx(points[:60, 2].std() / 60**0.5, rel=1e-5)
    assert rows[3]["pmra_mas_yr"] is None
