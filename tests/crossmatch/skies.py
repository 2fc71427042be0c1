"""SIMULATED skies of the tests, and the crossmatch written down literally: haversines, loops, no tree."""

import numpy as np
import pyarrow as pa

from workflow_scripts.crossmatch import Positions
from workflow_scripts.crossmatch.sorting import sort_by_healpix

ARCSEC = np.pi / 180 / 3600
# Places where catalogues go wrong: both poles, the edges of right ascension, the corners of HEALPix base cells.
HARD_PLACES = [(0, 90), (77, -90), (0, 0), (359.9999, -41), (180, 0), (45, 41.8103149), (90, 41.8103149), (315, -66)]


def clumps(seed, count, places=HARD_PLACES, spread_arcsec=6.0, repeated=0):
    """Clumps of sources around places, some of them repeated at the very same position."""
    rng = np.random.default_rng(seed)
    ra, dec = np.array(places, dtype=np.float64)[rng.integers(len(places), size=count)].T
    ra, dec = offset(ra, dec, rng.uniform(0, 360, count), np.abs(rng.normal(0, spread_arcsec, count)))
    if repeated:
        ra[-repeated:], dec[-repeated:] = ra[:repeated], dec[:repeated]
    return Positions(ra, dec)


def all_sky(seed, count):
    rng = np.random.default_rng(seed)
    return Positions(rng.uniform(0, 360, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count))))


def shaken(positions, seed, scatter_arcsec, share=0.7):
    """Part of a catalogue seen again with errors, in another order."""
    rng = np.random.default_rng(seed)
    kept = rng.permutation(len(positions))[: int(share * len(positions))]
    distance = np.abs(rng.normal(0, scatter_arcsec, len(kept)))
    return Positions(*offset(positions.ra_deg[kept], positions.dec_deg[kept], rng.uniform(0, 360, len(kept)), distance))


def joined(*parts):
    return Positions(np.concatenate([p.ra_deg for p in parts]), np.concatenate([p.dec_deg for p in parts]))


def offset(ra_deg, dec_deg, angle_deg, distance_arcsec):
    """Positions in some direction (from north over east) at some distance, by the tangent plane: small distances."""
    ra, dec, angle = np.radians(ra_deg), np.radians(dec_deg), np.radians(angle_deg)
    north, east = distance_arcsec * ARCSEC * np.cos(angle), distance_arcsec * ARCSEC * np.sin(angle)
    x = np.cos(dec) - north * np.sin(dec)
    z = np.sin(dec) + north * np.cos(dec)
    new_ra = np.degrees(ra + np.arctan2(east, x)) % 360
    return np.where(new_ra >= 360, 0.0, new_ra), np.degrees(np.arctan2(z, np.hypot(x, east)))


def haversine_arcsec(ra1, dec1, ra2, dec2):
    """Great-circle distance: hav(d) = hav(dec2 - dec1) + cos(dec1) cos(dec2) hav(ra2 - ra1)."""
    a1, d1, a2, d2 = map(np.radians, (ra1, dec1, ra2, dec2))
    hav = np.sin((d2 - d1) / 2) ** 2 + np.cos(d1) * np.cos(d2) * np.sin((a2 - a1) / 2) ** 2
    return 2 * np.arcsin(np.sqrt(np.minimum(hav, 1))) / ARCSEC


def literal_match(a, b, rule):
    """Rows of the result as dictionaries, by the words of the rule."""
    isolation = rule.radius_arcsec if rule.isolation_arcsec is None else rule.isolation_arcsec
    distance = haversine_arcsec(a.ra_deg[:, None], a.dec_deg[:, None], b.ra_deg[None, :], b.dec_deg[None, :])
    rows = []
    for i in range(len(a)):
        near = sorted((distance[i, j], j) for j in range(len(b)) if distance[i, j] <= isolation)
        if not near or near[0][0] > rule.radius_arcsec:
            continue
        separation, j = near[0]
        claims = sorted((distance[k, j], k) for k in range(len(a)) if distance[k, j] <= rule.radius_arcsec)
        if rule.mode == "mutual" and claims[0][1] != i:
            continue
        if rule.mode == "unique" and len(near) > 1:
            continue
        rows.append(
            {
                "a_row": i,
                "b_row": j,
                "separation_arcsec": separation,
                "n_neighbours": len(near),
                "second_separation_arcsec": near[1][0] if len(near) > 1 else None,
                "n_rivals": len(claims) - 1,
                "a_moved": bool(a.moved is not None and a.moved[i]),
                "b_moved": bool(b.moved is not None and b.moved[j]),
            }
        )
    return rows


def same(found, expected):
    """Compare tables of pairs: whole numbers and flags exactly, angles within 1e-8 arcsec, the haversine's rounding."""
    assert found.num_rows == len(expected)
    for one, other in zip(found.to_pylist(), expected, strict=True):
        for name, value in other.items():
            if isinstance(value, float):
                assert abs(one[name] - value) < 1e-8, (name, one, other)
            else:
                assert one[name] == value, (name, one, other)


def sorted_file(positions, path, row_group=250_000, **columns):
    """Write a catalogue as a sorted file with its row numbers; give positions in the order of the file."""
    rows = {"ra_deg": positions.ra_deg, "dec_deg": positions.dec_deg, "row": np.arange(len(positions)), **columns}
    sort_by_healpix(pa.table(rows), path, row_group=row_group)
    return path
