"""The network of Deep Embedded Clustering against its equations written out in numpy."""

import itertools

import numpy as np
import pytest
from small_fields import one_thread

from workflow_scripts.clustering.network import Network, batches

SIZES = (3, 8, 6, 4)
X = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def network() -> Network:
    one_thread()
    return Network(SIZES, n_groups=5, learning_rate=0.05, momentum=0.9)


@pytest.fixture
def fresh(network) -> Network:
    network.restart(np.random.default_rng(7))
    network.centre_on(np.random.default_rng(8).normal(size=(5, 4)).astype(np.float32))
    return network


def weights_of_seed(seed: int) -> list[np.ndarray]:
    """The encoder's matrices as restart draws them: a draw for every array, those of the biases unused."""
    rng, matrices = np.random.default_rng(seed), []
    for before, after in itertools.pairwise(SIZES):
        matrices.append(rng.uniform(-1, 1, (before, after)) / np.sqrt(before))
        rng.uniform(size=after)
    return matrices


def encoded(x: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
    for i, matrix in enumerate(matrices):
        x = x @ matrix
        x = np.maximum(x, 0) if i < len(matrices) - 1 else x
    return x


def soft(latent: np.ndarray, centres: np.ndarray) -> np.ndarray:
    closeness = 1 / (1 + ((latent[:, None] - centres) ** 2).sum(axis=2))
    return closeness / closeness.sum(axis=1, keepdims=True)


def test_layers_and_initial_weights_are_those_of_the_paper(fresh):
    np.testing.assert_allclose(fresh.encode(X), encoded(X, weights_of_seed(7)), atol=1e-5)


def test_assignment_is_students_t(fresh):
    centres = np.random.default_rng(8).normal(size=(5, 4))
    q = fresh.assign(X)
    np.testing.assert_allclose(q, soft(fresh.encode(X), centres), atol=1e-5)
    np.testing.assert_allclose(q.sum(axis=1), 1, atol=1e-5)


def test_centre_moves_down_the_gradient_of_the_divergence(fresh):
    centres = np.random.default_rng(8).normal(size=(5, 4))
    latent, before = fresh.encode(X).astype(float), fresh.assign(X)
    p = np.eye(5, dtype=np.float32)[np.arange(len(X)) % 5]

    def divergence(c: np.ndarray) -> float:
        return float(-np.log((soft(latent, c) * p).sum(axis=1)).mean())

    loss = fresh.refine(X, np.arange(len(X), dtype=np.int32)[None], p)
    assert loss == pytest.approx(divergence(centres), abs=1e-4)
    # Xie 2016 eq. 5, by differences, and one step of size 0.05 from rest.
    step = np.zeros((5, 4))
    for i, j in np.ndindex(5, 4):
        shift = np.zeros((5, 4))
        shift[i, j] = 1e-5
        step[i, j] = -0.05 * (divergence(centres + shift) - divergence(centres - shift)) / 2e-5
    moved = soft(fresh.encode(X).astype(float), centres + step)
    np.testing.assert_allclose(fresh.assign(X), moved, atol=2e-5)
    assert np.abs(moved - before).max() > 0.001


def test_training_reconstructs_better_and_the_loss_says_so(fresh):
    first = fresh.pretrain(X, 1, 32, np.random.default_rng(1))
    last = fresh.pretrain(X, 60, 32, np.random.default_rng(1))
    assert last < 0.3 * first


def test_momentum_does_not_outlive_a_phase(fresh):
    p = np.eye(5, dtype=np.float32)[np.zeros(len(X), dtype=int)]
    rows = np.arange(len(X), dtype=np.int32)[None]
    fresh.pretrain(X, 3, 32, np.random.default_rng(1))
    fresh.refine(X, rows, fresh.assign(X))  # target equals assignment: no gradient
    still = fresh.encode(X)
    fresh.refine(X, rows, fresh.assign(X))
    np.testing.assert_allclose(fresh.encode(X), still, atol=1e-5)
    fresh.refine(X, rows, p)
    assert np.abs(fresh.encode(X) - still).max() > 1e-4


def test_loss_that_is_not_finite_ends_the_training_and_is_given(fresh):
    assert not np.isfinite(fresh.pretrain(X * np.float32(1e25), 30, 32, np.random.default_rng(1)))
    fresh.restart(np.random.default_rng(7))
    assert np.isfinite(fresh.pretrain(X, 1, 32, np.random.default_rng(1)))  # the next seed is not harmed


def test_same_seed_same_bytes(fresh):
    def latent() -> bytes:
        rng = np.random.default_rng(5)
        fresh.restart(rng)
        fresh.pretrain(X, 3, 32, rng)
        return fresh.encode(X).tobytes()

    assert latent() == latent()


def test_many_stars_are_encoded_in_parts(fresh, monkeypatch):
    whole, q = fresh.encode(X), fresh.assign(X)
    monkeypatch.setattr("workflow_scripts.clustering.network._AT_ONCE", 7)
    np.testing.assert_allclose(fresh.encode(X), whole, atol=1e-6)
    np.testing.assert_allclose(fresh.assign(X), q, atol=1e-6)


@pytest.mark.parametrize(("n", "size", "shape"), [(10, 4, (3, 4)), (8, 4, (2, 4)), (3, 4, (1, 4))])
def test_batches_hold_every_row_and_fill_up_from_the_start(n, size, shape):
    rows = batches(np.arange(n), size)
    assert rows.shape == shape
    assert rows.ravel()[:n].tolist() == list(range(n))
    assert set(rows.ravel()[n:].tolist()) <= set(range(n))
