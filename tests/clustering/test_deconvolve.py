import numpy as np
import pytest
from scipy.stats import multivariate_normal

from workflow_scripts.clustering import deconvolve, mixture, profile
from workflow_scripts.clustering.deconvolve import Gaussian

N = 4000


def covariances(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    roots = rng.normal(size=(n, 3, 3)) * scale
    return roots @ roots.transpose(0, 2, 1) + 1e-4 * np.eye(3)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def test_density_is_that_of_the_convolved_gaussian(rng: np.random.Generator) -> None:
    points, errors = rng.normal(size=(50, 3)), covariances(rng, 50, 0.7)
    shape = Gaussian(np.array([0.2, -0.1, 0.4]), covariances(rng, 1, 1.0)[0])
    expected = [
        multivariate_normal(shape.mean, shape.covariance + error).logpdf(point)
        for point, error in zip(points, errors, strict=True)
    ]
    np.testing.assert_allclose(deconvolve.log_density(points, deconvolve.pack(errors), shape), expected, rtol=1e-10)


def test_squared_distance_without_errors_is_mahalanobis(rng: np.random.Generator) -> None:
    points, shape = rng.normal(size=(20, 3)), Gaussian(np.ones(3), np.diag([1.0, 4.0, 9.0]))
    expected = (((points - 1) / (1, 2, 3)) ** 2).sum(axis=1)
    np.testing.assert_allclose(deconvolve.squared_distance(points, np.zeros((20, 6)), shape), expected, rtol=1e-12)


def test_step_without_errors_is_weighted_mean_and_covariance(rng: np.random.Generator) -> None:
    points, weight = rng.normal(size=(100, 3)) @ rng.normal(size=(3, 3)), rng.uniform(size=100)
    new = deconvolve.updated(points, np.zeros((100, 6)), weight, Gaussian(np.zeros(3), np.eye(3)), np.zeros(3))
    np.testing.assert_allclose(new.mean, np.average(points, axis=0, weights=weight), atol=1e-12)
    np.testing.assert_allclose(new.covariance, np.cov(points.T, aweights=weight, ddof=0), atol=1e-12)


def test_step_agrees_with_a_literal_transcription_of_bovy(rng: np.random.Generator) -> None:
    points, errors, q = rng.normal(size=(30, 3)), covariances(rng, 30, 0.5), rng.uniform(size=30)
    m, v = np.array([0.1, 0.2, 0.3]), covariances(rng, 1, 1.0)[0]
    inverse = np.linalg.inv(v + errors)
    b = m + np.einsum("ij,njk,nk->ni", v, inverse, points - m)
    spread = v - v @ inverse @ v
    mean = (q[:, None] * b).sum(axis=0) / q.sum()
    outer = (b - mean)[:, :, None] * (b - mean)[:, None, :]
    covariance = (q[:, None, None] * (outer + spread)).sum(axis=0) / q.sum()
    new = deconvolve.updated(points, deconvolve.pack(errors), q, Gaussian(m, v), np.zeros(3))
    np.testing.assert_allclose(new.mean, mean, rtol=1e-10)
    np.testing.assert_allclose(new.covariance, covariance, rtol=1e-9)


def test_steps_recover_the_spread_behind_correlated_errors(rng: np.random.Generator) -> None:
    errors, true = covariances(rng, N, 0.6), np.diag([0.04, 0.09, 0.01])
    noise = np.einsum("nij,nj->ni", np.linalg.cholesky(errors), rng.normal(size=(N, 3)))
    points = rng.multivariate_normal(np.zeros(3), true, N) + noise
    found = Gaussian(np.zeros(3), np.eye(3))
    for _ in range(300):
        found = deconvolve.updated(points, deconvolve.pack(errors), np.ones(N), found, np.zeros(3))
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), [0.2, 0.3, 0.1], atol=0.02)  # 3 standard errors
    assert np.var(points, axis=0).min() > 0.3  # the errors are what is seen without deconvolution


def test_variance_does_not_fall_below_the_least() -> None:
    one = deconvolve.updated(
        np.ones((5, 3)), np.zeros((5, 6)), np.ones(5), Gaussian(np.zeros(3), np.eye(3)), np.ones(3)
    )
    np.testing.assert_allclose(one.covariance, np.eye(3))


# --- profile -----------------------------------------------------------------------------------------------------


def test_profile_recovers_a_plummer_sphere_in_half_a_disc(rng: np.random.Generator) -> None:
    # A footprint cut in half does not matter: the field's stars are cut too.
    field = np.sqrt(rng.uniform(size=20_000))
    u = rng.uniform(size=3000)
    cluster = 0.15 * np.sqrt(u / (1 - u))
    cluster = cluster[cluster < 1]
    rings = profile.rings(np.concatenate([field, cluster]))
    member = np.concatenate([np.zeros(len(field)), np.ones(len(cluster))])
    found = profile.fit(rings, member)
    assert found.slope == 2.0
    assert found.scale_deg == pytest.approx(0.15, rel=0.15)  # the grid's step is 18 %
    # As many field stars as cluster stars per area, where the ratio is 1.
    assert np.exp(found.log_ratio[member == 0]).mean() == pytest.approx(1, rel=1e-9)


def test_members_spread_like_the_field_have_a_flat_profile(rng: np.random.Generator) -> None:
    radius = np.sqrt(rng.uniform(size=5000))
    found = profile.fit(profile.rings(radius), (rng.uniform(size=5000) < 0.3).astype(float))
    assert np.ptp(found.log_ratio) < 0.3


# --- mixture -----------------------------------------------------------------------------------------------------


def sample(rng: np.random.Generator, n_cluster: int, n_field: int) -> mixture.Sample:
    half = np.array([2.0, 2.0, 1.0])
    offset = np.concatenate([rng.normal(size=(n_cluster, 3)) * 0.1, rng.uniform(-half, half, (n_field, 3))])
    n = len(offset)
    rings = profile.rings(np.sqrt(rng.uniform(size=n)))
    return mixture.Sample(offset, np.zeros((n, 6)), np.zeros(n, int), half, np.ones(n, bool), rings)


def test_mixture_finds_the_share_and_spread_of_the_cluster(rng: np.random.Generator) -> None:
    stars = sample(rng, 300, 1000)
    found = mixture.fit(stars, 0, Gaussian(np.zeros(3), np.eye(3) * 0.1))
    assert found.probability.sum() == pytest.approx(300, abs=10)
    np.testing.assert_allclose(np.sqrt(np.diag(found.parts[0].covariance)), 0.1, atol=0.015)
    np.testing.assert_allclose(found.share.sum(axis=1), 1)


def test_likelihood_of_uniform_stars_is_the_volume(rng: np.random.Generator) -> None:
    found = mixture.fit(sample(rng, 0, 500), 0, None)
    assert found.log_likelihood == pytest.approx(-500 * np.log(4 * 4 * 2))
    assert found.bic(500) == pytest.approx(1000 * np.log(32))
    assert not found.probability.any()


def test_field_part_stays_wider_than_a_cluster(rng: np.random.Generator) -> None:
    stars = sample(rng, 900, 100)
    found = mixture.fit(stars, 1, None)
    assert (np.sqrt(np.diag(found.parts[0].covariance)) >= mixture.SMOOTH * stars.half * 0.999).all()


def test_bic_prefers_the_mixture_that_made_the_stars(rng: np.random.Generator) -> None:
    first = Gaussian(np.zeros(3), np.eye(3) * 0.1)
    stars, empty = sample(rng, 100, 500), sample(rng, 0, 500)
    assert mixture.fit(stars, 0, first).bic(600) < mixture.fit(stars, 0, None).bic(600) - 10
    assert mixture.fit(empty, 0, first).bic(500) > mixture.fit(empty, 0, None).bic(500)
