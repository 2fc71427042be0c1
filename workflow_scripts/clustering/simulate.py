"""A SIMULATED region: a field of the Galaxy's shape with a cluster, or none, as Gaia would see it."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from workflow_scripts.clustering.stars import KM_S, STARS, Locus, Reals

SURVEY = "demo region (SIMULATED)"


@dataclass(frozen=True)
class Simulated:
    """Numbers of stars of the cluster and of the field, 0 = none."""

    members: int = 300
    field: int = 2700


# ASSUME the demo's cluster: dispersion 0.6 km/s, Plummer radius 0.15 of the cone's radius; its numbers are made up.
DISPERSION_KM_S, SCALE, FAINTEST = 0.6, 0.15, 19.0
LOCUS = Locus(6.0, -9.0, 2.5)


def simulate(
    wanted: Simulated, rng: np.random.Generator, ra_deg: float, dec_deg: float, radius_deg: float, locus: Locus = LOCUS
) -> pa.Table:
    """Give STARS of a cone; source_id of members start with 1, of field stars with 2, both with SIM.

    Motions and errors are as seen on the sky at each star, at the poles too.
    """
    n, is_member = wanted.members + wanted.field, np.arange(wanted.members + wanted.field) < wanted.members
    spread = DISPERSION_KM_S / KM_S * locus.parallax_mas
    motion = np.where(
        is_member[:, None], locus.array() + rng.normal(size=(n, 3)) * (spread, spread, 0.005), _field(rng, n)
    )
    place = np.where(is_member[:, None], _plummer(rng, n, SCALE * radius_deg, radius_deg), _disc(rng, n, radius_deg))
    g_mag = FAINTEST - rng.exponential(2.0, n).clip(max=10) - is_member * rng.exponential(0.7, n)
    sigma = 0.02 + 0.1 * 10 ** (0.3 * (g_mag - 18))[:, None] * (1.0, 0.9, 0.9)
    ra, dec, turn = _on_sky(place, ra_deg, dec_deg)
    seen = np.column_stack([np.einsum("nij,nj->ni", turn, motion[:, :2]), motion[:, 2]])
    seen += rng.normal(size=(n, 3)) * sigma
    names = np.where(is_member, "SIM1", "SIM2")
    columns = {
        "source_id": pa.array([f"{kind}{i:06d}" for i, kind in enumerate(names)]),
        "ra_deg": ra,
        "dec_deg": dec,
        **dict(zip(("pmra_mas_yr", "pmdec_mas_yr", "parallax_mas"), seen.T, strict=True)),
        **dict(zip(("pmra_error_mas_yr", "pmdec_error_mas_yr", "parallax_error_mas"), sigma.T, strict=True)),
        "g_mag": g_mag,
        "bp_rp_mag": np.where(is_member, 0.0, rng.normal(0.4, 0.4, n)) + 0.2 * (g_mag - 10),
        "ruwe": 1 + np.abs(rng.normal(0, 0.1, n)),
    }
    arrays = [pa.array(columns[c.name]) if c.name in columns else pa.nulls(n, c.type) for c in STARS.columns]
    return pa.Table.from_arrays(arrays, schema=STARS.schema)


def _field(rng: np.random.Generator, n: int) -> Reals:
    """Motions and parallaxes of field stars (n, 3): nearby ones are fast and rare."""
    parallax = rng.gamma(2.0, 0.45, n)
    motion = rng.normal((-2, -3), 1.0, (n, 2)) + rng.normal(0, 5, (n, 2)) * parallax[:, None]
    return np.column_stack([motion, parallax])


def _disc(rng: np.random.Generator, n: int, radius: float) -> Reals:
    return _polar(rng, radius * np.sqrt(rng.uniform(size=n)))


def _plummer(rng: np.random.Generator, n: int, scale: float, radius: float) -> Reals:
    """Places (n, 2) of a Plummer profile that ends at 99 % of the radius."""
    edge = (0.99 * radius / scale) ** 2
    u = rng.uniform(0, edge / (1 + edge), n)
    return _polar(rng, scale * np.sqrt(u / (1 - u)))


def _polar(rng: np.random.Generator, r: Reals) -> Reals:
    angle = rng.uniform(0, 2 * np.pi, len(r))
    return np.column_stack([r * np.cos(angle), r * np.sin(angle)])


def _on_sky(place_deg: Reals, ra_deg: float, dec_deg: float) -> tuple[Reals, Reals, Reals]:
    """RA and Dec (n,) of tangential places (n, 2), and matrices (n, 2, 2) from the centre's axes to those there."""
    outward, east, north = (axis[0] for axis in _axes(np.array([ra_deg]), np.array([dec_deg])))
    xi, eta = np.radians(place_deg).T
    vectors = outward + xi[:, None] * east + eta[:, None] * north
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ra = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0])) % 360
    dec = np.degrees(np.arcsin(vectors[:, 2]))
    _, east_n, north_n = _axes(ra, dec)
    turn = np.stack([np.column_stack([a @ east, a @ north]) for a in (east_n, north_n)], axis=1)
    return ra, dec, turn


def _axes(ra_deg: Reals, dec_deg: Reals) -> tuple[Reals, Reals, Reals]:
    """Give unit vectors (n, 3) outward, east and north."""
    a, d = np.radians(ra_deg), np.radians(dec_deg)
    outward = np.column_stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
    east = np.column_stack([-np.sin(a), np.cos(a), np.zeros_like(a)])
    north = np.column_stack([-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)])
    return outward, east, north
