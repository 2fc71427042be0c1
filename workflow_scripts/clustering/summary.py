"""What a publication says of a cluster: means with errors, dispersions, distance, size, members and contamination."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts.clustering.membership import Membership
from workflow_scripts.clustering.moments import COLUMNS, Moments, moments
from workflow_scripts.clustering.space import Centre, Space, angles_deg, position
from workflow_scripts.crossmatch.positions import unit_vectors
from workflow_scripts.tables import Column, Table

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
Origin = Literal["DR2", "DR3", "simulated"]

# ASSUME one zero point of the parallaxes for all stars: the median of quasars, -0.029 mas in DR2 (Lindegren 2018, A&A
# 616, A2) and -0.017 mas in DR3 (Lindegren 2021, A&A 649, A4); it depends on magnitude, colour and place.
ZERO_POINT_MAS: dict[Origin, float] = {"DR2": -0.029, "DR3": -0.017, "simulated": 0.0}
# ASSUME systematic errors that all stars of a cluster share and no number of stars reduces, proper motion in mas/yr and
# parallax in mas: Vasiliev 2019 (MNRAS 489, 623) and Lindegren 2018 for DR2, Vasiliev & Baumgardt 2021 (MNRAS 505,
# 5978) for DR3.
SYSTEMATIC: dict[Origin, tuple[float, float]] = {"DR2": (0.066, 0.043), "DR3": (0.026, 0.011), "simulated": (0.0, 0.0)}

RIM = 0.9  # of the cone's radius: what lies beyond is its rim
# Share of the members in the rim above which the cone cuts the cluster: r50 of a Plummer sphere is then 12 % too small,
# 40 % at a share of 10 %. Such a sphere of a third of the cone's radius has 2 %, one of a sixth 0.6 %.
MOST_IN_RIM = 0.03

_TEXT, _REAL, _COUNT = pa.string(), pa.float64(), pa.int32()
_R50 = ("r50_deg", "r50_low_deg", "r50_high_deg")

_DECONVOLVED = Column("errors_deconvolved", pa.bool_(), "", "false = the dispersions hold the stars' errors", True)
METHODS = Table(
    "methods",
    (
        Column("cluster", _TEXT, "", "cluster"),
        Column(
            "method", _TEXT, "", "literature, a method, the final membership, or a published list's stars in the region"
        ),
        Column("n", _COUNT, "", "stars", True),
        *COLUMNS,
        _DECONVOLVED,
    ),
)

CLUSTERS = Table(
    "clusters",
    (
        Column("cluster", _TEXT, "", "cluster", ucd="meta.id;meta.main"),
        Column("release", _TEXT, "", "Gaia release of the stars; simulated = of none, without its systematic errors"),
        *(
            Column(
                f"{axis}_deg",
                _REAL,
                "deg",
                f"{text} of the centre that the members fit best, ICRS; motions are along its axes",
                True,
                ucd=f"pos.eq.{axis};meta.main",
            )
            for axis, text in (("ra", "right ascension"), ("dec", "declination"))
        ),
        Column("n_stars", _COUNT, "", "stars in the region"),
        Column("n_members", _COUNT, "", "stars with membership probability above 0.5"),
        Column("sum_probability", _REAL, "", "sum of the membership probabilities"),
        Column("contamination", _REAL, "", "expected share of field stars among the members", True),
        *COLUMNS,
        _DECONVOLVED,
        Column("pm_systematic_mas_yr", _REAL, "mas/yr", "systematic error of the mean proper motion, each axis"),
        Column("parallax_systematic_mas", _REAL, "mas", "systematic error of the mean parallax"),
        Column("parallax_zero_point_mas", _REAL, "mas", "zero point taken off for the distance; 0 if simulated"),
        Column("distance_pc", _REAL, "pc", "inverse of the mean parallax less the zero point", True),
        Column("distance_low_pc", _REAL, "pc", "distance at one sigma more parallax, statistical and systematic", True),
        Column("distance_high_pc", _REAL, "pc", "distance at one sigma less parallax", True),
        Column("r50_deg", _REAL, "deg", "radius that holds half of the sum of probabilities in the cone", True),
        Column("r50_low_deg", _REAL, "deg", "the same at one sigma fewer: half less 0.5 / root of the sum", True),
        Column("r50_high_deg", _REAL, "deg", "the same at one sigma more", True),
        Column(
            "rim_share",
            _REAL,
            "",
            f"share of the sum of probabilities beyond {RIM} of the cone's radius; above {MOST_IN_RIM} the cone cuts "
            "the cluster: r50 is a lower limit, and its limits are those within the cone",
            True,
        ),
        Column("g_faintest_mag", _REAL, "mag", "G of the faintest member; null = no member has a magnitude", True),
        Column("significance", _REAL, "", "sigma over a field alone: root of 2 ln(L / L0) less the parameters added"),
        Column("reason", _TEXT, "", "why there are no members; null = there are", True),
        Column("doubt", _TEXT, "", "why they may be another cluster's; null = no reason to think so", True),
    ),
)


def methods(
    cluster: str, stars: Space, selections: Mapping[str, Reals | Flags], literature: Mapping[str, Moments]
) -> pa.Table:
    """Give METHODS: the layout of Alvaro 2020, Table 4.2, of published values and selections, flags or weights (n,)."""
    # DEVIATES Alvaro 2020 sect. 4.4: the paper's errors are sigma / sqrt(N) of the group; here each star's own counts.
    rows: list[dict[str, object]] = [
        {"cluster": cluster, "method": name, "n": None, **known.columns()} for name, known in literature.items()
    ]
    for name, weight in selections.items():
        found = moments(stars, weight.astype(np.float64))
        row: dict[str, object] = {"cluster": cluster, "method": name, "n": int((weight > 0.5).sum())}
        rows.append(row | (found.columns() | {"errors_deconvolved": stars.deconvolved} if found else {}))
    return pa.Table.from_pylist(rows, schema=METHODS.schema)


def clusters(
    cluster: str, stars: Space, found: Membership, release: Origin, cone: Centre, doubt: str | None = None
) -> pa.Table:
    """Give the cluster's row of CLUSTERS, of stars around the centre found (Membership.centre); cone is the region's.

    Without members all that is measured on them is null, and reason tells why.
    """
    p, members = found.probability, found.members
    known = moments(stars, p) if members.any() else None
    motion, parallax = SYSTEMATIC[release]
    row: dict[str, object] = {
        "cluster": cluster,
        "release": release,
        "n_stars": len(p),
        "n_members": int(members.sum()),
        "sum_probability": float(p.sum()),
        "pm_systematic_mas_yr": motion,
        "parallax_systematic_mas": parallax,
        "parallax_zero_point_mas": ZERO_POINT_MAS[release],
        "significance": found.significance,
        "reason": found.reason,
        "doubt": doubt,
    }
    if known:
        row |= {"contamination": float((1 - p[members]).mean()), "g_faintest_mag": _faintest(stars.g_mag[members])}
        row |= {
            **dict(zip(_R50, half_radius(stars.radius_deg, p), strict=True)),
            "rim_share": rim_share(stars, p, cone),
        }
        row |= {"ra_deg": stars.middle.ra_deg % 360, "dec_deg": stars.middle.dec_deg}
        row |= {"errors_deconvolved": stars.deconvolved}
        row |= {**known.columns(), **distances(float(known.mean[2]), float(known.standard_error[2]), release)}
    return pa.Table.from_pylist([row], schema=CLUSTERS.schema)


def distances(parallax_mas: float, standard_error_mas: float, release: Origin) -> dict[str, float | None]:
    """Distance and its limits at one sigma, pc, by the names of CLUSTERS; None where the parallax is not positive."""
    error = float(np.hypot(standard_error_mas, SYSTEMATIC[release][1]))
    true = parallax_mas - ZERO_POINT_MAS[release]
    ends = {"distance_pc": true, "distance_low_pc": true + error, "distance_high_pc": true - error}
    return {name: 1000 / value if value > 0 else None for name, value in ends.items()}


def half_radius(radius_deg: Reals, probability: Reals) -> list[float]:
    """Radius within which half of the sum N of the probabilities lies, deg, and its limits at one sigma.

    Of N stars half with a scatter of root N / 2 are within the true radius. At least one must be positive.
    """
    order = np.argsort(radius_deg, kind="stable")
    sums = np.cumsum(probability[order])
    half, scatter = sums[-1] / 2, np.sqrt(sums[-1]) / 2
    places = np.searchsorted(sums, [half, half - scatter, half + scatter])
    return [float(radius) for radius in radius_deg[order][np.minimum(places, len(order) - 1)]]


def rim_share(stars: Space, probability: Reals, cone: Centre) -> float:
    """Share of the sum of the probabilities beyond RIM of the cone's radius. At least one must be positive.

    Distances are from the cone's centre, not from the cluster's, and the farthest star of the region is where the cone
    ends: a user's file may be narrower than the cone that was asked for. Other edges of a footprint are not looked at.
    """
    middle = position(cone)
    distance = angles_deg(unit_vectors(*stars.sky.T), unit_vectors(middle.ra_deg, middle.dec_deg))
    return float(probability[distance > RIM * distance.max()].sum() / probability.sum())


def _faintest(g_mag: Reals) -> float | None:
    known = g_mag[~np.isnan(g_mag)]
    return float(known.max()) if len(known) else None
