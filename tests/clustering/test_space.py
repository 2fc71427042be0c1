from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from simulated_region import Cluster, basis, region, table, to_sky

from workflow_scripts.clustering.space import Centre, locus_of, space, turned, window
from workflow_scripts.clustering.stars import KM_S, Locus
from workflow_scripts.tables import DataError

CLUSTER = Cluster(Locus(5.0, -20.0, 4.0), n=200, sigma_km_s=0.0)
PLACES = [(130.0, 20.0), (0.0, -30.0), (359.99, 65.0), (77.0, 89.9), (10.0, -90.0)]


def simulated(centre: tuple[float, float] = (130.0, 20.0), **given: object) -> pa.Table:
    return region(np.random.default_rng(2), (CLUSTER,), n_field=0, centre=centre, **given).stars  # type: ignore[arg-type]


def without(stars: pa.Table, *names: str) -> pa.Table:
    for name in names:
        place = stars.column_names.index(name)
        stars = stars.set_column(place, stars.schema.field(name), pa.nulls(stars.num_rows, pa.float64()))
    return stars


@pytest.mark.parametrize("centre", PLACES)
def test_motions_are_along_the_axes_of_the_centre_everywhere(centre: tuple[float, float]) -> None:
    stars = simulated(centre)
    found = space(stars, Centre(*centre))
    sigma = found.errors[:, [0, 3, 5]] ** 0.5
    assert np.abs((found.points - CLUSTER.locus.array()) / np.hypot(sigma, 0.005)).max() < 5
    assert found.radius_deg.max() < 1.0
    if abs(centre[1]) > 89:  # in catalogue axes a pole scrambles the motions
        assert np.ptp(stars["pmra_mas_yr"].to_numpy()) > 20


def test_radius_is_the_angle_to_the_centre() -> None:
    place, _ = to_sky(np.array([[0.0, 0.0], [0.5, 0.0], [0.0, -0.25]]), (359.9, 60.0))
    stars = simulated().slice(0, 3)
    for name, values in (("ra_deg", place[:, 0]), ("dec_deg", place[:, 1])):
        stars = stars.set_column(stars.column_names.index(name), stars.schema.field(name), pa.array(values))
    np.testing.assert_allclose(space(stars, Centre(359.9, 60.0)).radius_deg, [0, 0.5, 0.25], atol=2e-5)  # tangent


def test_centre_is_the_mean_direction_if_none_is_given() -> None:
    stars = region(np.random.default_rng(2), (), n_field=4000, centre=(0.0, 40.0)).stars
    near = space(stars).radius_deg
    assert abs(np.median(near) - 0.5**0.5) < 0.03


def test_errors_turn_with_the_motions() -> None:
    stars = simulated((10.0, 90.0))
    place = stars.column_names.index("pmra_pmdec_corr")
    stars = stars.set_column(place, stars.schema.field(place), pa.array(np.full(stars.num_rows, 0.9)))
    found = space(stars, Centre(10.0, 90.0))
    sigma = np.column_stack([stars[f"{name}_error_mas_yr"].to_numpy() for name in ("pmra", "pmdec")])
    # Turning keeps the determinant, and around a pole the correlation takes every sign.
    determinant = found.errors[:, 0] * found.errors[:, 3] - found.errors[:, 1] ** 2
    np.testing.assert_allclose(determinant, (sigma**2).prod(axis=1) * (1 - 0.81), rtol=1e-3)
    assert found.errors[:, 1].min() < 0 < found.errors[:, 1].max()


def test_missing_kind_of_errors_is_said_and_none_is_used() -> None:
    found = space(without(simulated(), "pmra_error_mas_yr", "pmdec_error_mas_yr"))
    assert found.notes["errors"] == "not deconvolved: no star has pmra_error_mas_yr, pmdec_error_mas_yr"
    assert not found.errors.any()


def test_missing_single_errors_are_the_median_and_counted() -> None:
    stars = simulated()
    values = stars["parallax_error_mas"].to_pylist()
    values[0] = None
    place = stars.column_names.index("parallax_error_mas")
    found = space(stars.set_column(place, stars.schema.field(place), pa.array(values)))
    assert found.notes["stars_with_median_errors"] == 1
    assert found.errors[0, 5] == pytest.approx(np.median(values[1:]) ** 2)


def test_radial_velocity_is_taken_out_of_a_wide_field() -> None:
    # Like the Hyades: 39 km/s of radial velocity; the motion converges by 39 sin(5 deg) km/s = 15 mas/yr at 5 deg.
    centre, locus, speed = (66.0, 16.0), Locus(100.0, -30.0, 21.0), 39.0
    velocity = np.array([speed / KM_S, 100.0 / 21, -30.0 / 21]) @ basis(*centre)
    place, _ = to_sky(np.array([[np.degrees(np.tan(np.radians(5))), 0.0]]), centre)
    motion = 21.0 * basis(*place[0])[1:] @ velocity
    star = table(place, np.array([[*motion, 21.0]]), np.full((1, 3), 0.1), np.array([12.0]))
    known, unknown = (space(star, Centre(*centre, v)) for v in (speed, 0.0))
    assert unknown.points[0, 0] < 100 - 14
    np.testing.assert_allclose(known.points[0], locus.array(), atol=100 * np.sin(np.radians(5)) ** 2)  # second order
    # A parallax that is wrong by its error makes the correction wrong, which the covariance knows.
    drift = speed / KM_S * np.sin(np.radians(5))
    assert known.errors[0, 2] == pytest.approx(drift * 0.1**2, rel=1e-2)
    assert known.errors[0, 0] == pytest.approx(0.1**2 * (1 + drift**2), rel=1e-2)


def test_window_grows_with_parallax_and_errors() -> None:
    stars = space(simulated())
    near, far = window(stars, Locus(0, 0, 10.0)), window(stars, Locus(0, 0, -0.5))
    np.testing.assert_allclose(near.half - far.half, [50 / KM_S, 50 / KM_S, 2.0])
    np.testing.assert_allclose(far.half, 3 * stars.typical)


def test_stars_without_a_magnitude_have_a_bin_of_their_own() -> None:
    g_mag = np.concatenate([np.full(50, np.nan), np.random.default_rng(1).uniform(8, 20, 1000)])
    stars = replace(space(simulated()), points=np.zeros((1050, 3)), errors=np.zeros((1050, 6)), g_mag=g_mag)
    stars = replace(stars, radius_deg=np.ones(1050))
    bins = window(stars, Locus(0, 0, 0)).bin
    assert np.bincount(bins).tolist() == [125] * 8 + [50]
    assert (bins[:50] == 8).all()
    assert g_mag[bins == 0].max() < g_mag[bins == 1].min()


@pytest.mark.parametrize(
    ("centre", "expected"),
    [
        (Centre(0.0, 60.0), (3.0, 4.0)),
        (Centre(0.0, 90.0), (3.0, 4.0)),
        (Centre(90.0, 90.0), (4.0, -3.0)),  # at a pole east and north are those of the right ascension
        (Centre(359.0, 60.0), (3 - 4 * np.radians(1) * np.sin(np.radians(60)), 4 + 3 * np.radians(0.866))),
        (Centre(0.0, 59.0, 47.4), (3.0, 4 + 10 * 2 * np.sin(np.radians(1)))),  # 47.4 km/s are 10 mas/yr at 1 mas
    ],
)
def test_motion_is_turned_to_the_axes_of_another_centre(centre: Centre, expected: tuple[float, float]) -> None:
    at = Centre(0.0, 90.0 if centre.dec_deg == 90 else 60.0)
    seen = turned(Locus(3.0, 4.0, 2.0), at, centre)
    assert seen.array() == pytest.approx([*expected, 2.0], abs=2e-3)  # of the next order in the angle of 1 deg


def test_locus_of_a_group_is_its_median() -> None:
    stars = space(simulated())
    np.testing.assert_allclose(locus_of(stars, np.ones(len(stars.points), bool)).array(), [5, -20, 4], atol=0.05)
    with pytest.raises(DataError, match="no stars; choose another group"):
        locus_of(stars, np.zeros(len(stars.points), bool))


def test_repeated_stars_are_refused() -> None:
    stars = simulated()
    with pytest.raises(DataError, match=r"has 101 rows but 100 different source_id.*drop the repeated rows"):
        space(pa.concat_tables([stars.slice(0, 100), stars.slice(0, 1)]))


def test_no_stars_are_refused() -> None:
    with pytest.raises(DataError, match="no stars with complete astrometry"):
        space(simulated().slice(0, 0))
