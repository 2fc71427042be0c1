"""Boundary lines of the autocorrelation: mean +- 4 sigma at each lag, however the light curves are divided."""

import literal_order
import numpy as np
import pytest
from star import measure, one_curve

from workflow_scripts.features.boundaries import add, boundary_lines, lag_sums
from workflow_scripts.lightcurve.ragged import LightCurves


def curves_of(mags):
    lengths = [len(mag) for mag in mags]
    points = np.concatenate(mags) if mags else np.empty(0)
    return LightCurves(np.r_[0, np.cumsum(lengths)].astype(np.int64), points, points, points)


@pytest.fixture(scope="module")
def mags():
    rng = np.random.default_rng(8)
    return [15 + rng.normal(size=n).cumsum() * s for n, s in zip(range(30, 90), rng.uniform(0.1, 9, 60), strict=True)]


@pytest.fixture(scope="module")
def lines(mags):
    return boundary_lines(lag_sums(curves_of(mags)))


def literal_lines(mags):
    """Mean and standard deviation of at least 20 autocorrelations at each lag, then the moving average."""
    functions = [literal_order.autocorrelation(mag) for mag in mags]
    lower, upper, lag = [], [], 0
    while len(values := [f[lag] for f in functions if len(f) > lag]) >= 20:
        lower.append(np.mean(values) - 4 * np.std(values, ddof=1))
        upper.append(np.mean(values) + 4 * np.std(values, ddof=1))
        lag += 1
    return np.array([[np.mean(line[max(0, i - 5) : i + 6]) for i in range(lag)] for line in (lower, upper)])


def test_lines_equal_their_definition(mags, lines):
    # Single precision of the autocorrelation, and units of 2**-24.
    np.testing.assert_allclose(lines, literal_lines(mags), atol=2e-6)


def test_lines_end_where_fewer_than_20_light_curves_reach(lines):
    assert lines.shape == (2, 69)  # of lengths 30 ... 89, 20 have 70 points or more
    assert (lines[0] < lines[1]).all()


@pytest.mark.parametrize("parts", [1, 2, 7, 60])
def test_any_division_into_parts_in_any_order_gives_the_same_bytes(mags, lines, parts):
    order = np.random.default_rng(parts).permutation(len(mags))
    shards = [curves_of([mags[i] for i in shard]) for shard in np.array_split(order, parts)]
    found = boundary_lines(add(*(lag_sums(shard) for shard in shards)))
    assert found.tobytes() == lines.tobytes()


def test_sums_of_nothing_and_of_constant_light_curves():
    assert lag_sums(curves_of([])).shape == (3, 0)
    assert add().shape == (3, 0)
    flat = lag_sums(curves_of([np.full(9, 15.1), np.array([15.0]), np.empty(0)]))
    assert flat.shape == (3, 0)
    assert boundary_lines(flat).shape == (2, 0)


def test_largest_possible_autocorrelation_does_not_overflow():
    """Two equal outliers at the ends of 20,000 points: N / 2 at the longest lag, 1e8 when squared."""
    mag = np.zeros(20_000)
    mag[[0, -1]] = 1.0
    mag[1] = 1e-9  # so that the two are not the only values
    sums = lag_sums(curves_of([mag]))
    assert sums[2, -1] * 2.0**-24 == pytest.approx((20_000 / 2) ** 2, rel=1e-3)
    assert (add(*[sums] * 1000)[2] > 0).any()
    assert (add(*[sums] * 1000) >= add(*[sums] * 999))[[0, 2]].all()


def test_points_above_and_below_are_counted_up_to_the_end_of_the_lines():
    walk = one_curve(1) | {"mag": 15 + np.random.default_rng(1).normal(size=120).cumsum()}
    short = {"ac_lower": np.full(5, -9.0), "ac_upper": np.full(5, -9.0)}
    none = {"ac_lower": np.empty(0), "ac_upper": np.empty(0)}
    assert measure([walk | short])["n_above"][0] == 5
    assert measure([walk | short])["n_below"][0] == 0
    assert np.isnan(measure([walk | none])["n_above"][0])
    usual = measure([walk])
    assert usual["n_above"][0] + usual["n_below"][0] > 20
