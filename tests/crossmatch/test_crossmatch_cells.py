"""HEALPix cells: what the scheme defines, and how far neighbours reach, which all streaming rests on."""

import numpy as np
import pytest
from cdshealpix.nested import neighbours
from skies import all_sky

from workflow_scripts.crossmatch import cells
from workflow_scripts.crossmatch.positions import Positions, chord, unit_vectors


def fine(ra, dec):
    return cells.fine_cells(Positions(np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))))


def test_base_cells_are_where_the_scheme_has_them():
    # Gorski et al. 2005, figure 3: 0-3 around the north pole, 4-7 on the equator from right ascension 0, 8-11 south.
    ra = [45, 135, 225, 315, 0, 90, 180, 270, 45, 135, 225, 315]
    dec = [60] * 4 + [0] * 4 + [-60] * 4
    assert (fine(ra, dec) >> 58).tolist() == list(range(12))


def test_cells_of_a_higher_order_lie_within_those_of_a_lower():
    sky = all_sky(1, 1000)
    found = cells.fine_cells(sky)
    assert found.dtype == np.int64
    assert (found >= 0).all()
    assert (found < 12 * 4**29).all()
    assert (cells.coarse_cells(found) == found // 4**21).all()


def test_poles_and_edges_have_cells():
    assert fine([0, 0, 0, 359.9999999], [90, -90, 0, 0]).shape == (4,)
    assert fine([], []).tolist() == []


def test_around_holds_the_cells_and_eight_neighbours_each():
    found = cells.around(np.array([5000]))
    assert len(found) == 9
    assert 5000 in found
    assert (np.diff(found) > 0).all()
    assert all(5000 in cells.around(np.array([cell])) for cell in found)


def test_a_cell_in_a_corner_of_the_base_cells_has_seven_neighbours():
    sizes = {len(cells.around(np.array([cell]))) for cell in (0, 4**8 - 1, 4**8 // 3, 2 * (4**8 // 3))}
    assert sizes == {8, 9}


def moved_by(positions, angle, distance_arcsec):
    """Vectors at some distance in some direction, exactly."""
    u = unit_vectors(positions.ra_deg, positions.dec_deg)
    ra, dec = np.radians(positions.ra_deg), np.radians(positions.dec_deg)
    east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)], axis=1)
    north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=1)
    d = distance_arcsec / 3600 * np.pi / 180
    v = np.cos(d) * u + np.sin(d) * (np.sin(angle)[:, None] * east + np.cos(angle)[:, None] * north)
    x, y, z = v.T
    return Positions(np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arctan2(z, np.hypot(x, y))))


def awkward_sky(count):
    """Positions over the sky, half of them at the seams of the scheme: base cells, |sin dec| = 2/3, and the poles."""
    rng = np.random.default_rng(8)
    sky = all_sky(9, count)
    ra, z = sky.ra_deg.copy(), np.sin(np.radians(sky.dec_deg))
    width = 2.0**-cells.COARSE
    kind = rng.integers(6, size=count)
    seam = kind < 2
    ra[seam] = np.round(ra[seam] / 45) * 45 + rng.normal(0, 60 * width, np.count_nonzero(seam))
    belt = (kind == 1) | (kind == 2)
    z[belt] = np.sign(z[belt]) * 2 / 3 + rng.normal(0, width, np.count_nonzero(belt))
    pole = kind == 3
    z[pole] = np.sign(z[pole]) * (1 - np.abs(rng.normal(0, 3 * width**2, np.count_nonzero(pole))))
    return Positions(ra % 360, np.degrees(np.arcsin(np.clip(z, -1, 1)))), rng.uniform(0, 2 * np.pi, count)


def outside(count, distance_arcsec):
    """Number of places that lie neither in the cell of their start nor in its neighbours."""
    start, angle = awkward_sky(count)
    end = cells.coarse_cells(cells.fine_cells(moved_by(start, angle, distance_arcsec)))
    near = neighbours(cells.coarse_cells(cells.fine_cells(start)), cells.COARSE)
    return np.count_nonzero((near != end[:, None]).all(axis=1))


def test_neighbours_reach_as_far_as_is_promised():
    assert outside(300_000, cells.REACH_ARCSEC) == 0
    assert outside(300_000, 1.4 * cells.REACH_ARCSEC) == 0  # the margin: 8.4 arcmin
    assert outside(300_000, 2 * cells.REACH_ARCSEC) > 0


def test_reach_is_a_small_angle():
    assert chord(cells.REACH_ARCSEC) == pytest.approx(cells.REACH_ARCSEC / 3600 * np.pi / 180, rel=1e-6)


def test_beside_flags_what_is_next_to_a_range_and_not_the_range():
    found = np.flatnonzero(cells.beside(np.array([5000, 70_000]), np.array([5003, 70_000])))
    expected = set()
    for low, high in ((5000, 5003), (70_000, 70_000)):
        expected |= set(cells.around(np.arange(low, high + 1)).tolist()) - set(range(low, high + 1))
    assert set(found.tolist()) == expected


def test_distinct_cells():
    assert cells.distinct(np.array([0, 0, 3, 3, 3, 9])).tolist() == [0, 3, 9]
    assert cells.distinct(np.array([], dtype=np.int64)).tolist() == []
