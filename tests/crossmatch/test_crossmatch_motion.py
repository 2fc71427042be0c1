"""Proper motions: closed forms, a literal transcription, astropy, and what the usual short cut does near a pole."""

import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st
from skies import ARCSEC, all_sky, haversine_arcsec

from workflow_scripts.crossmatch import propagate
from workflow_scripts.crossmatch.positions import Positions, separations_arcsec, unit_vectors
from workflow_scripts.tables import DataError

MAS = ARCSEC / 1000


def moved(ra, dec, pm_ra, pm_dec, years):
    return propagate(*(np.atleast_1d(np.asarray(v, dtype=float)) for v in (ra, dec, pm_ra, pm_dec)), years)


def between(one, other):
    return separations_arcsec(unit_vectors(one.ra_deg, one.dec_deg), unit_vectors(other.ra_deg, other.dec_deg))


def stars(seed, count):
    """Stars over the sky, a quarter near a pole, with motions up to 10 arcsec per year."""
    rng = np.random.default_rng(seed)
    sky = all_sky(seed, count)
    dec = sky.dec_deg.copy()
    polar = rng.random(count) < 0.25
    dec[polar] = np.sign(dec[polar]) * (90 - 10 ** rng.uniform(-4, 0, np.count_nonzero(polar)))
    speed, angle = 10 ** rng.uniform(0, 4, count), rng.uniform(0, 2 * np.pi, count)
    return sky.ra_deg, dec, speed * np.sin(angle), speed * np.cos(angle)


@pytest.mark.parametrize("years", [-16.0, 0.5, 100.0])
def test_along_the_equator_and_a_meridian(years):
    # A straight line: after an angle pm t as seen from the start, the star is at atan(pm t).
    angle = np.degrees(np.arctan(800 * MAS * years))
    along = moved(10, 0, 800, 0, years)
    assert along.ra_deg[0] == pytest.approx(10 + angle, abs=1e-13)
    assert along.dec_deg[0] == 0
    up = moved(10, 20, 0, 800, years)
    assert (up.ra_deg[0], up.dec_deg[0]) == (pytest.approx(10, abs=1e-13), pytest.approx(20 + angle, abs=1e-13))


def test_across_right_ascension_zero():
    found = moved([359.9999, 0.0001], [0, 0], [1000, -1000], [0, 0], 1.0)
    assert found.ra_deg == pytest.approx([359.9999 + 1 / 3600 - 360, 0.0001 - 1 / 3600 + 360], abs=1e-12)
    assert ((found.ra_deg >= 0) & (found.ra_deg < 360)).all()


def test_over_the_pole():
    # 0.36 arcsec short of the pole, 1 arcsec further: 0.64 arcsec beyond it on the other side.
    found = moved(40, 90 - 0.36 / 3600, 0, 1000, 1.0)
    assert found.ra_deg[0] == pytest.approx(220, abs=1e-8)
    assert found.dec_deg[0] == pytest.approx(90 - 0.64 / 3600, abs=1e-13)


def test_agrees_with_a_literal_transcription_star_by_star():
    ra, dec, pm_ra, pm_dec = stars(1, 200)
    found = propagate(ra, dec, pm_ra, pm_dec, 16.0)
    for i in range(200):
        a, d = np.radians(ra[i]), np.radians(dec[i])
        r = np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
        p = np.array([-np.sin(a), np.cos(a), 0.0])
        q = np.cross(r, p)
        v = r + (p * pm_ra[i] + q * pm_dec[i]) * MAS * 16.0
        v /= np.linalg.norm(v)
        at = unit_vectors(found.ra_deg[i : i + 1], found.dec_deg[i : i + 1])[0]
        assert np.linalg.norm(at - v) < 1e-15  # some units in the last place: 2e-10 arcsec


def test_agrees_with_astropy_within_a_nano_arcsecond():
    ra, dec, pm_ra, pm_dec = stars(2, 3000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no distance and no radial velocity are given, as intended
        start = SkyCoord(ra * u.deg, dec * u.deg, pm_ra_cosdec=pm_ra * u.mas / u.yr, pm_dec=pm_dec * u.mas / u.yr)
        end = start.apply_space_motion(dt=-16 * u.yr)
    oracle = Positions(end.ra.deg, end.dec.deg)
    assert between(propagate(ra, dec, pm_ra, pm_dec, -16.0), oracle).max() * 1000 < 1e-6  # mas


def test_the_short_cut_fails_near_the_pole_and_this_does_not():
    # Measured by others: up to 43.9 arcsec off for stars at 89-90 degrees over 16 years.
    right = moved(40, 89.9, 5000, 0, 16.0)
    short_cut = 40 + 5000 * 16 / 3.6e6 / np.cos(np.radians(89.9))
    assert haversine_arcsec(short_cut, 89.9, right.ra_deg[0], right.dec_deg[0]) > 5
    assert haversine_arcsec(40, 89.9, right.ra_deg[0], right.dec_deg[0]) == pytest.approx(80, rel=1e-6)


@given(st.integers(0, 10**6), st.floats(-100, 100))
def test_distance_travelled_is_the_arc_tangent_of_the_motion(seed, years):
    ra, dec, pm_ra, pm_dec = stars(seed, 5)
    travelled = between(Positions(ra, dec), propagate(ra, dec, pm_ra, pm_dec, years))
    expected = np.arctan(np.hypot(pm_ra, pm_dec) * MAS * abs(years)) / ARCSEC
    assert travelled == pytest.approx(expected, abs=1e-9, rel=1e-10)


def test_unknown_motions_leave_the_position_and_are_flagged():
    nan, inf = np.nan, np.inf
    ra, dec = np.array([10.1, 20.2, 30.3, 40.4]), np.array([1.1, 2.2, 3.3, 4.4])
    found = propagate(ra, dec, np.array([nan, 5, inf, 5]), np.array([5, nan, 5, 5]), 16.0)
    assert found.moved.tolist() == [False, False, False, True]
    assert (found.ra_deg[:3] == ra[:3]).all()
    assert (found.dec_deg[:3] == dec[:3]).all()
    assert found.ra_deg[3] != ra[3]


def test_every_source_may_have_its_own_epoch_or_none():
    found = moved([10, 10, 10], [0, 0, 0], [100, 100, 100], [0, 0, 0], np.array([1.0, 10.0, np.nan]))
    assert found.moved.tolist() == [True, True, False]
    assert found.ra_deg - 10 == pytest.approx([0.1 / 3600, 1 / 3600, 0], abs=1e-13)


def test_no_stars_and_bad_positions():
    assert len(moved([], [], [], [], 5.0)) == 0
    with pytest.raises(DataError, match="positions to propagate: 1 of 1"):
        moved(10, 91, 0, 0, 5.0)
