import numpy as np
import pytest
from small_fields import measured

from workflow_scripts.clustering.deconvolve import PACKED
from workflow_scripts.clustering.moments import COLUMNS, moments, variance_errors
from workflow_scripts.clustering.space import CORRELATIONS
from workflow_scripts.clustering.stars import STARS


def test_mean_of_perfect_stars_has_the_paper_s_error() -> None:
    points = np.random.default_rng(1).normal((1, 2, 3), (0.1, 0.2, 0.3), (400, 3))
    found = moments(measured(points, 0.0), np.ones(400))
    assert found
    np.testing.assert_allclose(found.mean, points.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(found.dispersion, points.std(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.standard_error, points.std(axis=0) / 20, rtol=1e-6)


def test_dispersion_has_the_errors_taken_out_and_the_mean_s_error_has_them_in() -> None:
    rng = np.random.default_rng(2)
    points = rng.normal(0, 0.3, (3000, 3)) + rng.normal(0, 0.4, (3000, 3))
    found = moments(measured(points, 0.4), np.ones(3000))
    assert found
    np.testing.assert_allclose(found.dispersion, 0.3, atol=0.03)  # 3 standard errors
    np.testing.assert_allclose(found.standard_error, 0.5 / np.sqrt(3000), rtol=0.05)


def test_standard_errors_cover_the_truth() -> None:
    pulls = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        points = rng.normal(0, 0.3, (50, 3)) + rng.normal(0, 0.4, (50, 3))
        found = moments(measured(points, 0.4), np.ones(50))
        assert found
        pulls.append(found.mean / found.standard_error)
    assert np.std(pulls) == pytest.approx(1, abs=0.1)  # 600 pulls: 3 %, and 2 % for the fitted spread


def test_limits_of_dispersions_hold_the_truth_in_two_thirds_of_the_cases() -> None:
    held = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        one = moments(measured(rng.normal(0, 0.3, (80, 3)) + rng.normal(0, 0.2, (80, 3)), 0.2), np.ones(80))
        assert one
        assert (one.dispersion_low < one.dispersion).all()
        held.append((one.dispersion_low < 0.3) & (one.dispersion_high > 0.3))
    assert np.mean(held) == pytest.approx(0.68, abs=0.06)  # three times the scatter of 600


@pytest.mark.parametrize("places", [(0, 1), (0, 2), (1, 2)])
def test_limits_hold_the_truth_where_motions_and_parallax_are_correlated(places: tuple[int, int]) -> None:
    """As in a cluster near by, whose depth is in both. If the others were known the limits were a fifth as wide."""
    i, j = places
    true = np.eye(3) * 0.3**2
    true[i, j] = true[j, i] = 0.9 * 0.3**2
    held, n = [], 300
    for seed in range(n):
        rng = np.random.default_rng(seed)
        points = rng.multivariate_normal(np.zeros(3), true, 80) + rng.normal(0, 0.1, (80, 3))
        one = moments(measured(points, 0.1), np.ones(80))
        assert one
        held.append((one.dispersion_low < 0.3) & (one.dispersion_high > 0.3))
    # Each axis to three times its scatter.
    assert np.mean(held, axis=0) == pytest.approx(0.68, abs=3 * np.sqrt(0.68 * 0.32 / n))


def test_dispersion_that_is_none_has_no_lower_limit() -> None:
    """Errors of 0.1 explain all: of what a few hundred stars leave by chance one in six is a sigma off."""
    low = []
    for seed in range(50):
        one = moments(measured(np.random.default_rng(seed).normal(0, 0.1, (300, 3)), 0.1), np.ones(300))
        assert one
        assert (one.dispersion_high < 0.06).all()
        low.append(one.dispersion_low)
    assert np.mean(np.array(low) > 0) == pytest.approx(0.16, abs=0.09)  # three times the scatter of 150


def test_doubtful_stars_count_by_their_weight() -> None:
    points = np.repeat([[0.0, 0, 0], [1.0, 1, 1]], 10, axis=0)
    found = moments(measured(points, 0.1), np.repeat([1.0, 0.25], 10))
    assert found
    np.testing.assert_allclose(found.mean, 0.2, rtol=1e-3)
    assert moments(measured(points, 0.1), np.zeros(20)) is None


def literally(precision: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Fisher's information of the covariance, summed star by star and inverted; roots of its variances' diagonal."""
    information = np.zeros((6, 6))
    basis = []
    for i, j in PACKED:
        change = np.zeros((3, 3))
        change[i, j] = change[j, i] = 1
        basis.append(change)
    for w, p in zip(weight, precision, strict=True):
        for a in range(6):
            for b in range(6):
                information[a, b] += w * np.trace(p @ basis[a] @ p @ basis[b]) / 2
    inverse = np.linalg.inv(information)
    return np.sqrt([inverse[k, k] for k, (i, j) in enumerate(PACKED) if i == j])


def precisions(rng: np.random.Generator, n: int) -> np.ndarray:
    root = rng.normal(size=(n, 3, 3)) * [[[1.0], [1.0], [0.05]]]  # a parallax spreads less than motions
    return np.linalg.inv(root @ root.transpose(0, 2, 1) + np.diag([0.1, 0.1, 1e-3]))


@pytest.mark.parametrize("seed", range(5))
def test_errors_of_variances_are_those_of_the_formula_as_it_is_written(seed: int) -> None:
    rng = np.random.default_rng(seed)
    precision, weight = precisions(rng, 60), rng.uniform(0, 1, 60)
    np.testing.assert_allclose(variance_errors(precision, weight), literally(precision, weight), rtol=1e-9)


def test_errors_of_variances_of_perfect_stars_are_the_textbook_s_whatever_the_correlations() -> None:
    covariance = np.array([[1.0, 0.9, -0.05], [0.9, 1.2, -0.06], [-0.05, -0.06, 0.01]])
    found = variance_errors(np.tile(np.linalg.inv(covariance), (50, 1, 1)), np.ones(50))
    np.testing.assert_allclose(found, np.diag(covariance) * np.sqrt(2 / 50), rtol=1e-9)


def test_errors_of_variances_do_not_hang_on_units_and_shrink_with_the_root_of_the_weight() -> None:
    rng = np.random.default_rng(4)
    precision, weight, unit = precisions(rng, 40), rng.uniform(0, 1, 40), np.array([1.0, 1e-5, 1e5])
    found = variance_errors(precision, weight)
    np.testing.assert_allclose(variance_errors(precision, 4 * weight), found / 2, rtol=1e-12)
    other = variance_errors(precision / np.outer(unit, unit), weight)
    np.testing.assert_allclose(other, found * unit**2, rtol=1e-6)


def test_correlations_are_those_of_the_stars_with_the_errors_taken_out() -> None:
    true = np.array([[1.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 1.0]])
    rng, n = np.random.default_rng(5), 4000
    seen = rng.multivariate_normal([1, 2, 3], true, n) + rng.normal(0, 0.7, (n, 3))
    found, with_errors = moments(measured(seen, 0.7), np.ones(n)), moments(measured(seen, 0.0), np.ones(n))
    assert found
    assert with_errors
    np.testing.assert_allclose(found.correlation, (0.6, -0.3, 0.2), atol=3 * 1.5 / np.sqrt(n))  # errors of 0.7 in them
    np.testing.assert_allclose(with_errors.correlation, np.corrcoef(seen.T)[[0, 0, 1], [1, 2, 2]], rtol=1e-6)


def test_columns_hold_the_correlations_by_the_names_that_stars_have() -> None:
    points = np.random.default_rng(6).normal(0, 0.3, (50, 3))
    points[:, 2] += points[:, 1]
    found = moments(measured(points, 0.0), np.ones(50))
    assert found
    given = found.columns()
    assert list(given) == [column.name for column in COLUMNS]
    assert set(given) & set(STARS.names) >= set(CORRELATIONS.values())
    assert given["parallax_pmdec_corr"] == pytest.approx(np.corrcoef(points.T)[1, 2], abs=1e-6)
    assert given["parallax_pmdec_corr"] > 0.5 > abs(given["pmra_pmdec_corr"])


def test_depth_of_a_near_cluster_is_in_the_dispersion_of_its_motions_and_the_correlation_takes_it_out() -> None:
    """The Hyades: 110 mas/yr at 21 mas, 3 pc deep at 47 pc. 0.4 km/s is 1.8 mas/yr, the depth makes 7 of it."""
    rng, n = np.random.default_rng(7), 500
    distance_pc = 47.0 + rng.normal(0, 3.0, n)
    parallax = 1000 / distance_pc
    still = rng.normal(0, 1.8, (n, 2))
    motion = np.array([105.0, 0.0]) * parallax[:, None] / 21.3 + still
    found = moments(measured(np.column_stack([motion, parallax]), 0.0), np.ones(n))
    assert found
    assert found.dispersion[0] > 3.5 * 1.8
    assert found.dispersion[1] == pytest.approx(1.8, rel=0.1)  # no mean motion, nothing of the depth
    assert found.correlation[1] > 0.95
    alone = found.dispersion[0] * np.sqrt(1 - found.correlation[1] ** 2)
    assert alone == pytest.approx(1.8, rel=3 / np.sqrt(2 * n))


def test_stars_that_do_not_say_how_far_they_spread_have_no_limits() -> None:
    """Three perfect stars lie in a plane; with errors, or a fourth star, there are limits."""
    points = np.random.default_rng(3).normal(0, 0.3, (4, 3))
    plane = moments(measured(points[:3], 0.0), np.ones(3))
    assert plane
    np.testing.assert_allclose(plane.dispersion, points[:3].std(axis=0), rtol=1e-6)
    assert np.isnan([plane.dispersion_low, plane.dispersion_high]).all()
    for seen in (measured(points, 0.0), measured(points[:3], 0.05)):
        found = moments(seen, np.ones(len(seen.points)))
        assert found
        assert np.isfinite([found.dispersion_low, found.dispersion_high]).all()
    assert np.isnan(variance_errors(np.zeros((5, 3, 3)), np.ones(5))).all()  # of no information at all
    assert np.isnan(variance_errors(precisions(np.random.default_rng(1), 5), np.zeros(5))).all()
