import numpy as np
import pytest
from simulated_region import Cluster, region
from small_fields import measured

from workflow_scripts.clustering import summary
from workflow_scripts.clustering.membership import Membership, membership
from workflow_scripts.clustering.moments import Moments
from workflow_scripts.clustering.space import CORRELATIONS, Centre, space
from workflow_scripts.clustering.stars import Locus

CLUSTER = Cluster(Locus(-2.0, -4.0, 1.2))


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


def test_row_of_a_simulated_cluster() -> None:
    made = region(np.random.default_rng(1), (CLUSTER,), n_field=5000)
    found = membership(made.stars, CLUSTER.locus)
    stars = space(made.stars, found.centre)
    row = summary.clusters("Test 1", stars, found, "DR3").to_pylist()[0]
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
    assert (row["n_stars"], row["reason"], row["release"]) == (len(true), None, "DR3")
    assert row["errors_deconvolved"]


def test_dispersion_that_holds_the_errors_says_so() -> None:
    made = region(np.random.default_rng(1), (CLUSTER,), n_field=5000, errors=False)
    stars = space(made.stars)
    row = summary.clusters("Test 1", stars, membership(made.stars, CLUSTER.locus), "DR3").to_pylist()[0]
    assert row["errors_deconvolved"] is False
    assert row["pmra_dispersion_mas_yr"] > 0.6 / 4.7405 * 1.2 + 0.01  # where they are taken out it is right to 0.02
    methods = summary.methods("Test 1", stars, {"DEC": made.truth == 0, "none": made.truth > 9}, {}).to_pylist()
    assert [one["errors_deconvolved"] for one in methods] == [False, None]


def test_row_without_members_is_null_and_says_why() -> None:
    stars = measured(np.zeros((40, 3)), 0.1)
    none = Membership(np.zeros(40), Locus(0, 0, 1), np.zeros((3, 3)), 0.0, "no cluster here", Centre(0.0, 0.0))
    row = summary.clusters("Test 2", stars, none, "DR2").to_pylist()[0]
    assert (row["n_members"], row["reason"]) == (0, "no cluster here")
    for name in (
        "pmra_mas_yr",
        "distance_pc",
        "r50_deg",
        "r50_low_deg",
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
