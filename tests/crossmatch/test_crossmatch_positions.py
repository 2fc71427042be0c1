"""Unit vectors and separations: closed forms, the haversine, astropy; what is refused and how it is said."""

import numpy as np
import pytest
from astropy.coordinates import angular_separation
from hypothesis import given
from hypothesis import strategies as st
from skies import ARCSEC, HARD_PLACES, all_sky, clumps, haversine_arcsec

from workflow_scripts.crossmatch.positions import checked, chord, separations_arcsec, unit_vectors
from workflow_scripts.tables import DataError

# Coordinates are rounded to 1.4e-14 deg below 90 deg and 5.7e-14 deg below 360 deg: 5e-11 and 2e-10 arcsec; vectors to
# 1e-16, which is 2e-11 arcsec.
ROUNDING_ARCSEC = 5e-10


def vector(ra, dec):
    return unit_vectors(np.array([float(ra)]), np.array([float(dec)]))


def separation(ra1, dec1, ra2, dec2):
    return separations_arcsec(vector(ra1, dec1), vector(ra2, dec2))[0]


@pytest.mark.parametrize(
    ("ra", "dec", "expected"),
    [
        (0, 0, (1, 0, 0)),
        (90, 0, (0, 1, 0)),
        (180, 0, (-1, 0, 0)),
        (270, 0, (0, -1, 0)),
        (0, 45, (0.5**0.5, 0, 0.5**0.5)),
    ],
)
def test_unit_vector_of_a_place_known_by_heart(ra, dec, expected):
    # sin(pi) in floating point is 1.2e-16.
    assert vector(ra, dec)[0] == pytest.approx(expected, abs=3e-16)


@pytest.mark.parametrize("ra", [0.0, 12.3, 180.0, 359.999])
@pytest.mark.parametrize("dec", [90.0, -90.0])
def test_a_pole_is_one_place_whatever_its_right_ascension(ra, dec):
    assert vector(ra, dec).tolist() == [[0.0, 0.0, dec / 90]]


@pytest.mark.parametrize("size", [1e-6, 1e-3, 1.5, 60.0, 3600.0])
@pytest.mark.parametrize("dec", [-60.0, 0.0, 89.0])
def test_separation_along_a_meridian_is_the_difference_of_declinations(size, dec):
    assert separation(123.4, dec, 123.4, dec + size / 3600) == pytest.approx(size, abs=ROUNDING_ARCSEC, rel=1e-9)


@pytest.mark.parametrize("size", [1e-3, 1.5, 60.0])
@pytest.mark.parametrize("pole", [90, -90])
def test_separation_across_a_pole(size, pole):
    half = pole - np.sign(pole) * size / 2 / 3600
    assert separation(30, half, 210, half) == pytest.approx(size, abs=ROUNDING_ARCSEC)


@pytest.mark.parametrize("size", [1e-3, 1.5, 60.0])
def test_separation_across_the_edge_of_right_ascension(size):
    half = size / 2 / 3600
    assert separation(360 - half, 0, half, 0) == pytest.approx(size, abs=ROUNDING_ARCSEC)
    # sin(sep / 2) = cos(dec) sin(difference of right ascension / 2)
    expected = 2 * np.arcsin(0.5 * np.sin(size / 2 * ARCSEC)) / ARCSEC
    assert separation(360 - half, 60, half, 60) == pytest.approx(expected, abs=ROUNDING_ARCSEC)


def test_separations_of_opposite_and_equal_places():
    assert separation(10, 20, 190, -20) == pytest.approx(180 * 3600, rel=1e-7)  # the arc sine is steep there
    assert separation(359.1, -89.99, 359.1, -89.99) == 0


@pytest.mark.parametrize("make", [all_sky, clumps])
def test_separations_agree_with_the_haversine_and_astropy(make):
    one, other = make(1, 2000), make(2, 2000)
    found = separations_arcsec(unit_vectors(one.ra_deg, one.dec_deg), unit_vectors(other.ra_deg, other.dec_deg))
    expected = haversine_arcsec(one.ra_deg, one.dec_deg, other.ra_deg, other.dec_deg)
    small = expected < 3600 * 90
    # The haversine rounds at 1e-16 in the cosines too, and both lose digits towards 180 deg.
    assert np.abs(found - expected)[small].max() < 1e-8
    astropy = angular_separation(*map(np.radians, (one.ra_deg, one.dec_deg, other.ra_deg, other.dec_deg)))
    assert np.abs(found - astropy / ARCSEC)[small].max() < 1e-8


def test_vectors_and_separations_do_not_depend_on_the_place_in_the_array():
    sky = all_sky(3, 1001)
    whole = unit_vectors(sky.ra_deg, sky.dec_deg)
    one_by_one = np.concatenate([unit_vectors(sky.ra_deg[i : i + 1], sky.dec_deg[i : i + 1]) for i in range(1001)])
    assert (whole == one_by_one).all()
    between = separations_arcsec(whole[1:], whole[:-1])
    assert (between[7:] == separations_arcsec(whole[8:], whole[7:-1])).all()


@given(st.floats(1e-6, 600))
def test_chord_is_the_distance_of_two_unit_vectors(angle):
    vectors = unit_vectors(np.array([5.0, 5.0]), np.array([0.0, angle / 3600]))
    assert np.linalg.norm(vectors[0] - vectors[1]) == pytest.approx(chord(angle), rel=1e-7, abs=1e-15)


@pytest.mark.parametrize(("ra", "dec"), HARD_PLACES)
def test_good_positions_pass_unchanged(ra, dec):
    found = checked(np.array([float(ra)]), np.array([float(dec)]), "here")
    assert (found.ra_deg[0], found.dec_deg[0], found.moved) == (ra, dec, None)


@pytest.mark.parametrize(
    ("written", "meant"), [(360, 0), (-0.5, 359.5), (-180, 180), (-1e-20, 0), (-0.0, 0), (180, 180)]
)
def test_right_ascensions_written_differently(written, meant):
    assert checked(np.array([float(written)]), np.array([1.0]), "here").ra_deg[0] == meant


@pytest.mark.parametrize(
    "bad", [(np.nan, 0), (0, np.nan), (np.inf, 0), (-180.1, 0), (360.1, 0), (0, 90.1), (0, -np.inf)]
)
def test_bad_positions_are_counted_and_the_first_is_named(bad):
    ra, dec = np.zeros(9), np.zeros(9)
    ra[4], dec[4] = bad
    ra[7], dec[7] = bad
    message = (
        r"list\.csv: 2 of 9 positions .* first is in row 104 \(from 0\): ra = .*, dec = .*; expected 0 to 360 .*drop"
    )
    with pytest.raises(DataError, match=message):
        checked(ra, dec, "list.csv", first_row=100)


@pytest.mark.parametrize(("ra", "dec"), [(np.zeros(2), np.zeros(3)), (np.zeros((2, 1)), np.zeros((2, 1)))])
def test_arrays_of_other_shapes_are_refused(ra, dec):
    with pytest.raises(DataError, match=r"here: ra_deg has shape .*; expected one shape \(n,\)"):
        checked(ra, dec, "here")
