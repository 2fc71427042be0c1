"""Kernel density in two regions: the definition written out, and fields where it finds nothing."""

import numpy as np
import pytest
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

    for star in np.flatnonzero(found.probability > 0.5)[::20]:
        both, alone = (density(MOTIONS[star], r) for r in (SEPARATION < 0.4, SEPARATION > 0.8))
        expected = 1 - found.notes["scale"] * alone / both
        assert found.probability[star] == pytest.approx(expected, abs=0.05)  # a cell is a third of the smoothing


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


def test_star_off_the_grid_is_counted_and_no_member():
    motions = np.vstack([MOTIONS, [[5000.0, 0.0]]])
    found = kernel_density.fit(motions, np.append(SEPARATION, 0.0), 0.4, 0.8, 0.5)
    assert found.probability[-1] == 0
    assert 0 < found.notes["n_off_grid"] < 0.005 * len(motions)


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
