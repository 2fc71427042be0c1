"""Regions of the sky with a known cluster, as Gaia would see them; for the tests of the cluster branch."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from workflow_scripts.clustering.stars import STARS, Locus

KM_S = 4.740470463


@dataclass(frozen=True)
class Cluster:
    """A cluster: where it is, members, velocity dispersion, Plummer radius and offset from the region's centre."""

    locus: Locus
    n: int = 300
    sigma_km_s: float = 0.6
    scale_deg: float = 0.15
    place_deg: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Region:
    """Rows of STARS, and the cluster (from 0, -1 = field) that each star belongs to."""

    stars: pa.Table
    truth: np.ndarray = field(repr=False)


def region(
    rng: np.random.Generator,
    clusters: tuple[Cluster, ...],
    n_field: int = 3000,
    centre: tuple[float, float] = (130.0, 20.0),
    radius_deg: float = 1.0,
    errors: bool = True,
    faintest: float = 19.0,
) -> Region:
    """Field of the Galaxy's shape with clusters; motions and errors along the axes of the centre are turned back."""
    points, sky, truth = [field_motions(rng, n_field)], [disc(rng, n_field, radius_deg)], [np.full(n_field, -1)]
    for i, cluster in enumerate(clusters):
        x, y = plummer(rng, cluster)
        spread = cluster.sigma_km_s / KM_S * cluster.locus.parallax_mas
        points.append(cluster.locus.array() + rng.normal(size=(cluster.n, 3)) * (spread, spread, 0.005))
        sky.append(np.stack([x, y], axis=1) + cluster.place_deg)
        truth.append(np.full(cluster.n, i))
    place, motion, label = np.concatenate(sky), np.concatenate(points), np.concatenate(truth)
    inside = np.hypot(*place.T) < radius_deg
    place, motion, label = place[inside], motion[inside], label[inside]
    g_mag = faintest - rng.exponential(2.0, len(label)).clip(max=10)
    g_mag = np.where(label >= 0, g_mag - rng.exponential(0.7, len(label)), g_mag)  # members are brighter
    sigma = 0.02 + 0.1 * 10 ** (0.3 * (g_mag - 18))[:, None] * (1.0, 0.9, 0.9)
    vectors, turn = to_sky(place, centre)
    truly = np.einsum("nij,nj->ni", turn, motion[:, :2])
    seen = np.column_stack([truly, motion[:, 2]]) + rng.normal(size=sigma.shape) * sigma
    order = rng.permutation(len(label))
    rows = table(vectors[order], seen[order], sigma[order], g_mag[order], errors)
    return Region(rows, label[order])


def field_motions(rng: np.random.Generator, n: int) -> np.ndarray:
    """Motions and parallaxes of field stars: nearby ones are fast and rare."""
    parallax = rng.gamma(2.0, 0.45, n)
    return np.column_stack([rng.normal((-2, -3), 1.0, (n, 2)) + rng.normal(0, 5, (n, 2)) * parallax[:, None], parallax])


def disc(rng: np.random.Generator, n: int, radius: float) -> np.ndarray:
    r, angle = radius * np.sqrt(rng.uniform(size=n)), rng.uniform(0, 2 * np.pi, n)
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)


def plummer(rng: np.random.Generator, cluster: Cluster) -> np.ndarray:
    u, angle = rng.uniform(size=cluster.n), rng.uniform(0, 2 * np.pi, cluster.n)
    r = cluster.scale_deg * np.sqrt(u / (1 - u))
    return np.stack([r * np.cos(angle), r * np.sin(angle)])


def basis(ra_deg: float, dec_deg: float) -> np.ndarray:
    """Rows: outward, east, north."""
    a, d = np.radians(ra_deg), np.radians(dec_deg)
    return np.array(
        [
            [np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)],
            [-np.sin(a), np.cos(a), 0],
            [-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)],
        ]
    )


def to_sky(place_deg: np.ndarray, centre: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """RA and Dec (n, 2) of tangential places, and matrices (n, 2, 2) from the centre's axes to those at each star."""
    outward, east, north = basis(*centre)
    xi, eta = np.radians(place_deg).T
    vectors = outward + xi[:, None] * east + eta[:, None] * north
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ra = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0])) % 360
    dec = np.degrees(np.arcsin(vectors[:, 2]))
    turn = np.array([[[b[1] @ east, b[1] @ north], [b[2] @ east, b[2] @ north]] for b in map(basis, ra, dec)])
    return np.stack([ra, dec], axis=1), turn


def table(place: np.ndarray, seen: np.ndarray, sigma: np.ndarray, g_mag: np.ndarray, errors: bool = True) -> pa.Table:
    n = len(place)
    given = {
        "source_id": pa.array([str(10**18 + i) for i in range(n)]),
        "ra_deg": place[:, 0],
        "dec_deg": place[:, 1],
        "pmra_mas_yr": seen[:, 0],
        "pmdec_mas_yr": seen[:, 1],
        "parallax_mas": seen[:, 2],
        "g_mag": g_mag,
        "bp_rp_mag": 0.2 * (g_mag - 10),
    }
    names = ("pmra_error_mas_yr", "pmdec_error_mas_yr", "parallax_error_mas")
    given |= dict(zip(names, sigma.T, strict=True)) if errors else {}
    columns = [pa.array(given[c.name]) if c.name in given else pa.nulls(n, c.type) for c in STARS.columns]
    return pa.Table.from_arrays(columns, schema=STARS.schema)
