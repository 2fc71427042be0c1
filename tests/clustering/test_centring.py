from dataclasses import replace

import numpy as np
import pytest
from simulated_region import Cluster, Region, region

from workflow_scripts.clustering import summary
from workflow_scripts.clustering.centring import centred
from workflow_scripts.clustering.membership import membership
from workflow_scripts.clustering.space import Centre, angles_deg, space
from workflow_scripts.clustering.stars import Locus
from workflow_scripts.crossmatch.positions import unit_vectors

CLUSTER = Cluster(Locus(6.0, -9.0, 2.5), n=300)


def made(seed: int, centre: tuple[float, float] = (120.0, 40.0), n_field: int = 3000) -> Region:
    return region(np.random.default_rng(seed), (CLUSTER,), n_field=n_field, centre=centre, radius_deg=1.0)


def apart_deg(one: Centre, other: tuple[float, float]) -> float:
    vectors = [unit_vectors(np.array([ra]), np.array([dec]))[0] for ra, dec in ((one.ra_deg, one.dec_deg), other)]
    return float(angles_deg(vectors[0][None], vectors[1])[0])


@pytest.mark.parametrize("centre", [(120.0, 40.0), (359.95, -30.0), (50.0, 89.9), (50.0, -90.0)])
def test_a_centre_that_is_off_is_found_and_size_and_members_with_it(centre: tuple[float, float]) -> None:
    """A catalogue 0.3 deg off: without another centre r50 is 0.31 deg in place of 0.15."""
    field = made(1, centre)
    off = Centre(centre[0], centre[1] + (0.3 if centre[1] < 80 else -0.3))
    found, right = (membership(field.stars, CLUSTER.locus, where) for where in (off, Centre(*centre)))
    assert found.reason is None
    assert apart_deg(found.centre, centre) < 0.03
    assert found.significance == pytest.approx(right.significance, abs=1)
    assert (found.members != right.members).sum() <= 3
    radius = summary.half_radius(space(field.stars, found.centre).radius_deg, found.probability)[0]
    true = summary.half_radius(space(field.stars, Centre(*centre)).radius_deg, (field.truth == 0).astype(float))[0]
    assert radius == pytest.approx(true, rel=0.1)
    assert summary.half_radius(space(field.stars, off).radius_deg, found.probability)[0] > 1.5 * true


def test_means_are_along_the_axes_of_the_centre_found() -> None:
    """At declination 80 the axes of a place 0.5 deg away in right ascension differ by 2.8 deg: 0.4 mas/yr of 10.8."""
    field = made(2, (100.0, 80.0))
    found = membership(field.stars, CLUSTER.locus, Centre(100.0 + 0.5 / np.cos(np.radians(80)), 80.0))
    row = summary.clusters("C", space(field.stars, found.centre), found, "DR3", Centre(100.0, 80.0)).to_pylist()[0]
    assert row["pmra_mas_yr"] == pytest.approx(6.0, abs=4 * row["pmra_se_mas_yr"] + 0.02)
    assert row["pmdec_mas_yr"] == pytest.approx(-9.0, abs=4 * row["pmdec_se_mas_yr"] + 0.02)


def test_a_centre_that_is_right_moves_by_its_error_alone() -> None:
    """Of 300 members in a Plummer sphere of 0.15 deg it is 0.15 / root(300) times 1.2 on each axis."""
    moved = [apart_deg(membership(made(seed).stars, CLUSTER.locus).centre, (120.0, 40.0)) for seed in range(8)]
    assert np.sqrt(np.mean(np.square(moved)) / 2) == pytest.approx(0.15 / np.sqrt(300) * 1.2, rel=0.5)


def test_a_ragged_footprint_does_not_draw_the_centre() -> None:
    """Half of the field was not observed: its members gather 0.07 deg off, where 30,000 stars show that they lean."""
    field = made(3, n_field=30_000)
    seen = field.stars["ra_deg"].to_numpy() < 120.03
    stars, members = space(field.stars.filter(seen), Centre(120.0, 40.0)), (field.truth == 0)[seen].astype(float)
    assert apart_deg(centred(stars, members).middle, (120.0, 40.0)) < 0.03
    members_alone = replace(stars, sky=stars.sky[members > 0], points=stars.points[members > 0])
    assert apart_deg(centred(members_alone, np.full(int(members.sum()), 0.999)).middle, (120.0, 40.0)) > 0.05


def test_without_members_the_centre_stays() -> None:
    stars = space(made(4).stars, Centre(120.0, 40.0))
    assert centred(stars, np.zeros(len(stars.points))) is stars


def test_only_radii_and_the_middle_change() -> None:
    field = made(6)
    off = space(field.stars, Centre(120.3, 40.1, 25.0))
    found = centred(off, (field.truth == 0).astype(float))
    assert found.points is off.points
    assert found.middle.radial_velocity_km_s == 25.0
    np.testing.assert_allclose(found.radius_deg, space(field.stars, found.middle).radius_deg, atol=1e-9)
