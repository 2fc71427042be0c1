"""Kernel density in two regions: the definition written out, and fields where it finds nothing."""

import itertools
import math
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from simulated_region import disc, field_motions
from small_fields import LOCUS, f1, field

from workflow_scripts.clustering import kernel_density
from workflow_scripts.tables import DataError

FIELD = field(3000, 300)
SEPARATION = np.hypot((FIELD.sky[:, 0] + 180) % 360 - 180, FIELD.sky[:, 1])
MOTIONS = FIELD.space[:, :2]


def test_cluster_is_what_the_inner_region_has_in_excess():
    found = kernel_density.fit(MOTIONS, SEPARATION, 0.4, 0.8, 0.5)
    likely = found.probability > 0.5
    assert f1(likely, FIELD.members) > 0.85  # proper motions alone: field stars at the same motion come along
    assert np.linalg.norm(np.median(MOTIONS[likely], axis=0) - LOCUS.array()[:2]) < 0.1
    inner = SEPARATION < 0.4
    assert found.notes["n_expected"] == pytest.approx((FIELD.members & inner).sum(), rel=0.1)
    field_stars = ~FIELD.members
    ratio = (field_stars & inner).sum() / (field_stars & (SEPARATION > 0.8)).sum()
    assert found.notes["scale"] == pytest.approx(ratio, rel=0.15)


def test_probability_is_its_definition_written_out():
    found = kernel_density.fit(MOTIONS, SEPARATION, 0.4, 0.8, 0.6)

    def density(at, region):
        return np.exp(-((MOTIONS[region] - at) ** 2).sum(axis=1) / (2 * 0.6**2)).sum()

    off = []
    for star in np.flatnonzero(found.probability > 0.5):
        both, alone = (density(MOTIONS[star], r) for r in (SEPARATION < 0.4, SEPARATION > 0.8))
        off.append(abs(found.probability[star] - (1 - found.notes["scale"] * alone / both)))
    assert max(off) < 0.07  # a cell is a fifth of the smoothing
    assert np.mean(off) < 0.01


def squares(motions, inner, outer, scale, smoothing):
    """Chance of each square's stars in the inner region, and the squares of each star: the definition written out."""
    chance, of_star = {}, [[] for _ in motions]
    for size, dx, dy in itertools.product((4, 8, 16, 32), (0, 0.5), (0, 0.5)):
        names = [(size, dx, dy, *np.floor(m / smoothing / size + (dx, dy))) for m in motions]
        counts = [Counter(name for name, there in zip(names, r, strict=True) if there) for r in (inner, outer)]
        for name in counts[0] | counts[1]:
            k, n = counts[0][name], counts[0][name] + counts[1][name]
            if size == 4 or n <= 500:
                p = scale / (1 + scale)
                chance[name] = math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))
        for squares_of_it, name in zip(of_star, names, strict=True):
            squares_of_it.append(name)
    return chance, of_star


def test_members_are_in_squares_that_chance_does_not_fill():
    found = kernel_density.fit(MOTIONS, SEPARATION, 0.4, 0.8, 0.6)
    chance, of_star = squares(MOTIONS, SEPARATION < 0.4, SEPARATION > 0.8, found.notes["scale"], 0.6)
    assert found.notes["n_places"] == len(chance)
    assert math.erfc(found.notes["peak"] / math.sqrt(2)) / 2 == pytest.approx(min(chance.values()), rel=1e-6)
    dense = np.array([min(chance.get(name, 1) for name in names) * len(chance) < 0.01 for names in of_star])
    assert not (found.probability[~dense] > 0).any()
    counts = [int((region & ~dense).sum()) for region in (SEPARATION < 0.4, SEPARATION > 0.8)]
    assert found.notes["scale"] == counts[0] / counts[1]


def test_regions_of_different_coverage_need_no_areas():
    gap = ~((FIELD.sky[:, 1] > 0) & (SEPARATION > 0.8))  # half of the outer region is missing
    found = kernel_density.fit(MOTIONS[gap], SEPARATION[gap], 0.4, 0.8, 0.5)
    whole = kernel_density.fit(MOTIONS, SEPARATION, 0.4, 0.8, 0.5)
    assert found.notes["scale"] == pytest.approx(2 * whole.notes["scale"], rel=0.2)
    assert f1(found.probability > 0.5, FIELD.members[gap]) > 0.85


@pytest.mark.parametrize("seed", range(5))
def test_field_without_a_cluster_says_so(seed):
    empty = field(3000, 0, seed)
    separation = np.hypot((empty.sky[:, 0] + 180) % 360 - 180, empty.sky[:, 1])
    found = kernel_density.fit(empty.space[:, :2], separation, 0.4, 0.8, 0.5)
    assert found.notes["peak"] < 5
    assert "no excess" in found.notes["empty"]
    assert (found.probability == 0).all()


def pure_field(n, seed):
    """Motions, and separations from the centre of a disc of 1 deg, of stars of the field alone."""
    rng = np.random.default_rng(seed)
    return field_motions(rng, n)[:, :2], np.hypot(*disc(rng, n, 1.0).T)


# The seeds are those of the first twenty at which a limit of five standard deviations gave a cluster.
@pytest.mark.parametrize(("n", "seed"), [(40_000, 12), (200_000, 6), (200_000, 12), (434_000, 7)])
def test_large_field_without_a_cluster_says_so(n, seed):
    found = kernel_density.fit(*pure_field(n, seed), 0.66, 0.924, 0.5)
    assert "no excess" in found.notes["empty"]
    assert (found.probability == 0).all()


@pytest.mark.parametrize(("members", "recall"), [(500, 0.75), (200, 0.5)])  # measured 0.81 and 0.60
def test_fast_cluster_is_found_among_the_rarest_motions_of_a_large_field(members, recall):
    # Like the Hyades: 21 mas away, so fast and spread over five smoothing lengths; no field star moves like that.
    motions, separation = pure_field(434_000, 1)
    rng = np.random.default_rng(2)
    motions = np.vstack([motions, rng.normal((104.9, -28.0), 2.7, (members, 2))])
    separation = np.append(separation, np.hypot(*rng.normal(0, 0.2, (2, members))))
    found = kernel_density.fit(motions, separation, 0.66, 0.924, 0.5)
    likely, truth = found.probability > 0.5, np.arange(len(motions)) >= 434_000
    assert (likely & truth).sum() > recall * members
    assert (likely & ~truth).sum() <= 0.02 * members


def test_stars_alone_at_a_motion_are_a_cluster_when_chance_would_not_put_all_inside():
    motions, separation = pure_field(20_000, 1)
    plain = kernel_density.fit(motions, separation, 0.66, 0.924, 0.5)
    odds = plain.notes["scale"] / (1 + plain.notes["scale"])
    least = math.log(0.01 / plain.notes["n_places"]) / math.log(odds)  # 47 stars: the outer region is small
    for n, is_cluster in ((int(0.9 * least), False), (int(1.1 * least), True)):
        more = np.vstack([motions, np.full((n, 2), 200.2)])
        found = kernel_density.fit(more, np.append(separation, np.zeros(n)), 0.66, 0.924, 0.5)
        assert ("empty" not in found.notes) == is_cluster
        assert (found.probability[-n:] == is_cluster).all()


def test_extreme_motions_change_nothing_for_the_others_and_cost_no_memory():
    far = np.array([[5000.0, 0.0], [-5000.0, 4000.0], [0.0, -5000.0], [3000.0, 5000.0], [-9000.0, -9000.0]])
    plain, peaks = kernel_density.fit(MOTIONS, SEPARATION, 0.4, 0.8, 0.5), []
    for motions, separation in ((MOTIONS, SEPARATION), (np.vstack([MOTIONS, far]), np.append(SEPARATION, np.zeros(5)))):
        tracemalloc.start()
        found = kernel_density.fit(motions, separation, 0.4, 0.8, 0.5)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    np.testing.assert_allclose(found.probability[:-5], plain.probability, atol=0.01)  # five stars more in the scale
    assert (found.probability[-5:] == 0).all()
    assert peaks[1] < 1.1 * peaks[0]


@pytest.mark.parametrize(
    ("inner", "outer", "why"),
    [(0.001, 0.8, "stars within 0.001 deg of the centre, fewer than the 20"), (0.4, 5.0, "0 stars beyond 5 deg")],
)
def test_region_of_few_stars_finds_nothing_and_says_so(inner, outer, why):
    found = kernel_density.fit(MOTIONS, SEPARATION, inner, outer, 0.5)
    assert why in found.notes["empty"]
    assert found.probability.tolist() == [0.0] * len(MOTIONS)


def test_twenty_stars_in_a_region_are_enough():
    inner, outer = np.sort(SEPARATION)[[20, -21]]
    assert "stars" not in str(kernel_density.fit(MOTIONS, SEPARATION, inner, outer, 0.5).notes.get("empty", ""))
    assert (
        "19 stars within" in kernel_density.fit(MOTIONS, SEPARATION, np.sort(SEPARATION)[19], outer, 0.5).notes["empty"]
    )


@pytest.mark.parametrize("smoothing", [0.0, float("nan")])
def test_smoothing_must_be_positive(smoothing):
    with pytest.raises(DataError, match=r"smoothing of (0|nan)"):
        kernel_density.fit(MOTIONS, SEPARATION, 0.4, 0.8, smoothing)
