"""The demo's region: what it claims to be, on the sky and in motion."""

import numpy as np
import pytest

from workflow_scripts.clustering import simulate
from workflow_scripts.clustering.regions import Region
from workflow_scripts.clustering.space import Centre, space
from workflow_scripts.clustering.stars import STARS


def made(members: int = 300, field: int = 700, ra: float = 130.0, dec: float = 20.0, seed: int = 1):
    wanted = simulate.Simulated(members, field)
    return simulate.simulate(wanted, np.random.default_rng(seed), ra, dec, 1.0)


def members(stars) -> np.ndarray:
    return np.array([name.startswith("SIM1") for name in stars["source_id"].to_pylist()])


def test_numbers_are_those_asked_for_and_nothing_could_be_taken_for_gaia():
    stars = made(30, 70)
    assert stars.schema.equals(STARS.schema)
    assert (members(stars).sum(), stars.num_rows) == (30, 100)
    assert all(name.startswith("SIM") for name in stars["source_id"].to_pylist())
    assert len(set(stars["source_id"].to_pylist())) == 100
    assert "SIMULATED" in simulate.SURVEY


@pytest.mark.parametrize("place", [(130.0, 20.0), (0.0, -60.0), (130.0, 89.5), (0.0, 90.0), (40.0, -90.0)])
def test_cluster_is_where_it_should_be(place):
    stars, centre = made(ra=place[0], dec=place[1]), Centre(*place)
    seen = space(stars, centre)
    inside = members(stars)
    scatter = simulate.DISPERSION_KM_S / 4.74 * simulate.LOCUS.parallax_mas
    np.testing.assert_allclose(np.median(seen.points[inside], axis=0), simulate.LOCUS.array(), atol=0.1)
    assert np.std(seen.points[inside, 0]) == pytest.approx(scatter, rel=0.2)
    assert np.median(seen.radius_deg[inside]) == pytest.approx(
        simulate.SCALE, rel=0.15
    )  # Plummer: half of it, projected
    assert np.median(seen.radius_deg[~inside]) == pytest.approx(0.5**0.5, rel=0.05)
    positions = (stars[axis].to_numpy() for axis in ("ra_deg", "dec_deg"))
    assert Region("", centre, 1.0).holds(*positions).all()


def test_errors_are_those_that_were_drawn():
    stars = made(2000, 0)
    off = (stars["parallax_mas"].to_numpy() - simulate.LOCUS.parallax_mas) / np.hypot(
        stars["parallax_error_mas"].to_numpy(), 0.005
    )
    assert np.std(off) == pytest.approx(1, abs=0.05)


def test_same_seed_same_stars():
    assert made().equals(made())
    assert not made().equals(made(seed=2))


@pytest.mark.parametrize(("n_members", "field"), [(0, 100), (100, 0)])
def test_either_may_be_absent(n_members, field):
    assert members(made(n_members, field)).sum() == n_members
