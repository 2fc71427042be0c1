"""Where a cluster's fit takes place: motions along one pair of axes, errors, and a window around a locus.

Right ascension and declination point elsewhere at every star: across a degree at declination 45 deg the axes turn by a
degree, and proper motion with them; at a pole they turn through the whole circle. All motions are therefore given
along the east and north of the cluster's centre, as in Gaia Collaboration, Helmi et al. 2018 (A&A 616, A12, eq. 2).
"""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts.clustering import profile
from workflow_scripts.clustering.deconvolve import pack
from workflow_scripts.clustering.mixture import Sample
from workflow_scripts.clustering.stars import KM_S, STARS, Locus, astrometry
from workflow_scripts.crossmatch.positions import Positions, checked, unit_vectors
from workflow_scripts.tables import DataError

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
Notes = dict[str, float | str]

ERRORS = ("pmra_error_mas_yr", "pmdec_error_mas_yr", "parallax_error_mas")
CORRELATIONS = {(0, 1): "pmra_pmdec_corr", (0, 2): "parallax_pmra_corr", (1, 2): "parallax_pmdec_corr"}

# ASSUME the stars of an open cluster are within 5 km/s and 20 % of its distance: the window holds it and field around.
_WIDEST_KM_S, _DEEPEST = 5.0, 0.2
_ERRORS_WIDE = 3.0  # median errors by which the window is widened
_UNKNOWN_ERROR = 0.15  # ASSUME mas/yr and mas where a table has no errors: Gaia DR3 at G = 18 (Lindegren 2021, Table 4)
_BIN_STARS, _MOST_BINS = 100, 8


@dataclass(frozen=True)
class Centre:
    """Place on the sky around which a cluster thins out, ICRS, deg, and its radial velocity in km/s if known.

    A cluster that comes towards us spreads out: at the edge of a wide field its motions differ by the velocity times
    the sine of the angle, 5 km/s for the Hyades. Without a radial velocity that stays in the spread.
    """

    ra_deg: float
    dec_deg: float
    radial_velocity_km_s: float = 0.0  # ASSUME none where no catalogue has one: right to 0.5 km/s within 1 deg


@dataclass(frozen=True)
class Space:
    """Stars along the axes of a centre: points (n, 3) in mas/yr, mas/yr, mas; errors (n, 6), packed; radius_deg (n,).

    Motions are without what the centre's radial velocity makes of them at each star's place and parallax. sky (n, 2)
    are RA and Dec in deg; typical (3,) is the median error of each; g_mag (n,) is NaN where unknown. radius_deg is from
    middle, the centre itself until another is fitted (centring.py); the axes stay those of the centre.
    """

    points: Reals
    errors: Reals
    sky: Reals
    radius_deg: Reals
    g_mag: Reals
    typical: Reals
    notes: Notes
    middle: "Centre"

    @property
    def deconvolved(self) -> bool:
        """Whether the stars have errors, which are then taken out of every spread."""
        return self.notes["errors"] == "deconvolved"

    def without_errors(self) -> "Space":
        """Give the same stars as if measured perfectly: every spread is then the cluster's or the field's."""
        ignored: Notes = {"errors": "ignored, as asked"} if self.deconvolved else {}
        return replace(self, errors=np.zeros_like(self.errors), notes=self.notes | ignored)


def space(stars: pa.Table, centre: Centre | None = None) -> Space:
    """Put a table STARS along the axes of the centre, or of the stars' mean direction.

    East and north turn from star to star, by the difference in right ascension times the sine of the declination: the
    motions of a cluster differ by 0.4 mas/yr across Blanco 1 for that alone, and point everywhere at a pole. What the
    centre's radial velocity adds to a motion with the distance from the centre, and to its error, is taken out.

    Stars whose errors lack one of the three kinds altogether are all taken without errors; where single errors
    are missing the kind's median stands in, and the notes say of how many.

    Raises DataError for no stars, repeated source_id and positions out of range.
    """
    # DEVIATES Alvaro 2020 sect. 4.2: no method sees motions along the axes of each star, as the paper's do.
    _check(stars)
    ra, dec = (stars[name].to_numpy().astype(np.float64) for name in ("ra_deg", "dec_deg"))
    places = checked(ra, dec, "stars of the region")
    vectors = unit_vectors(places.ra_deg, places.dec_deg)
    middle = position(centre) if centre else _middle(vectors)
    turn = _turn(places, middle)
    if centre:
        turn[:, :2, 2] = centre.radial_velocity_km_s / KM_S * (vectors @ np.stack(axes(middle))[:, 0].T)
    covariance, typical, notes = _covariances(stars)
    return Space(
        np.einsum("nij,nj->ni", turn, astrometry(stars)),
        pack(np.einsum("nij,njk,nlk->nil", turn, covariance, turn)),
        np.column_stack([places.ra_deg, places.dec_deg]),
        angles_deg(vectors, unit_vectors(middle.ra_deg, middle.dec_deg)),
        stars["g_mag"].to_numpy().astype(np.float64),
        typical,
        notes,
        centre or Centre(float(middle.ra_deg[0]), float(middle.dec_deg[0])),
    )


def angles_deg(vectors: Reals, centre: Reals) -> Reals:
    """Angles (n,) in deg between unit vectors (n, 3) and one unit vector."""
    chord = np.linalg.norm(vectors - centre, axis=1)
    return np.asarray(np.degrees(2 * np.arcsin(np.minimum(chord / 2, 1))))


def position(centre: Centre) -> Positions:
    """Give a centre as one position, checked."""
    return checked(np.array([float(centre.ra_deg)]), np.array([float(centre.dec_deg)]), "centre of the cluster")


def turned(locus: Locus, at: Centre, to: Centre) -> Locus:
    """Give the locus of a cluster at a place, along the axes there, along those of another centre, as `space` does.

    What the other centre's radial velocity adds to a motion at the place is taken out.
    """
    place = {"source_id": "", "ra_deg": at.ra_deg, "dec_deg": at.dec_deg, **vars(locus)}
    return Locus(*space(pa.Table.from_pylist([place], schema=STARS.schema), to).points[0].tolist())


def locus_of(stars: Space, members: Flags) -> Locus:
    """Locus of a group: the median of its stars' motions, along the axes of the centre, and parallaxes."""
    if not members.any():
        raise DataError("the group that a locus is asked of has no stars; choose another group")
    return Locus(*np.median(stars.points[members], axis=0).tolist())


def window(stars: Space, locus: Locus) -> Sample:
    """Stars of the window around a locus, as the mixture takes them; the window may hold none."""
    width, depth = _WIDEST_KM_S / KM_S * max(locus.parallax_mas, 0), _DEEPEST * max(locus.parallax_mas, 0)
    half = np.array([width, width, depth]) + _ERRORS_WIDE * stars.typical
    offset = stars.points - locus.array()
    inside = np.asarray((np.abs(offset) < half).all(axis=1))
    return Sample(
        offset[inside],
        stars.errors[inside],
        _magnitude_bins(stars.g_mag[inside]),
        half,
        inside,
        profile.rings(stars.radius_deg),
    )


def _check(stars: pa.Table) -> None:
    if not stars.num_rows:
        raise DataError("the region has no stars with complete astrometry; choose a larger cone or looser cuts")
    unique = len(stars["source_id"].unique())
    if unique < stars.num_rows:
        raise DataError(
            f"the region has {stars.num_rows} rows but {unique} different source_id; every star must be there once: "
            "drop the repeated rows"
        )


def _turn(places: Positions, middle: Positions) -> Reals:
    """Matrices (n, 3, 3) from each star's (pmra, pmdec, parallax) to the axes of the middle."""
    (east, north), (east_0, north_0) = axes(places), axes(middle)
    turn = np.zeros((len(east), 3, 3))
    for i, axis in enumerate((east_0[0], north_0[0])):
        turn[:, i, 0], turn[:, i, 1] = east @ axis, north @ axis
    turn[:, 2, 2] = 1
    return turn


def axes(places: Positions) -> tuple[Reals, Reals]:
    """East and north (n, 3) at places on the sky; at a pole they are those of the right ascension given."""
    ra, dec = np.radians(places.ra_deg), np.radians(places.dec_deg)
    east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)], axis=1)
    return east, np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=1)


def _middle(vectors: Reals) -> Positions:
    """Mean direction of unit vectors (n, 3), as one position."""
    x, y, z = vectors.mean(axis=0)
    return Positions(np.degrees(np.arctan2([y], [x])) % 360, np.degrees(np.arctan2([z], [np.hypot(x, y)])))


def _covariances(stars: pa.Table) -> tuple[Reals, Reals, Notes]:
    """Covariances (n, 3, 3) of the errors, median errors (3,) and what was missing."""
    # ASSUME errors are as large as the catalogue says. Those of Gaia DR2's parallaxes are 8 % too small (Luri 2018, A&A
    # 616, A9, Fig. 1: quasars), which dispersions then hold: parallaxes of Blanco 1 spread by 0.069 mas, by 0.063 if
    # all errors are 1.08 times as large, where one of its 365 members is none. Those of DR3 are too small as well, and
    # the zero point scatters: parallaxes of M67 spread by 0.020 mas at G = 13 to 15 (errors 0.021), 0.071 at 17 to 18
    # (0.11) and 0.096 at 18 to 19 (0.20), 0.025 for all, where r50 is 0.003. A dispersion of parallaxes is therefore an
    # upper limit of the depth.
    sigma = np.column_stack([stars[name].to_numpy().astype(np.float64) for name in ERRORS])
    covariance, missing = np.zeros((len(sigma), 3, 3)), np.isnan(sigma)
    absent = [name for name, gone in zip(ERRORS, missing.all(axis=0), strict=True) if gone]
    typical = np.array(
        [_UNKNOWN_ERROR if gone.all() else np.nanmedian(s) for s, gone in zip(sigma.T, missing.T, strict=True)]
    )
    if absent:
        return covariance, typical, {"errors": f"not deconvolved: no star has {', '.join(absent)}"}
    notes: Notes = {"errors": "deconvolved"}
    if missing.any():
        notes["stars_with_median_errors"] = float(missing.any(axis=1).sum())
        sigma = np.where(missing, typical, sigma)
    for i in range(3):
        covariance[:, i, i] = sigma[:, i] ** 2
    for (i, j), name in CORRELATIONS.items():
        # ASSUME errors whose correlation is not given are independent.
        correlation = np.nan_to_num(stars[name].to_numpy().astype(np.float64))
        covariance[:, i, j] = covariance[:, j, i] = correlation * sigma[:, i] * sigma[:, j]
    return covariance, typical, notes


def _magnitude_bins(g_mag: Reals) -> NDArray[np.intp]:
    """Bin of each star, (n,): equal numbers from bright to faint; stars without a magnitude have a bin of their own."""
    known = ~np.isnan(g_mag)
    n_bins = int(np.clip(known.sum() // _BIN_STARS, 1, _MOST_BINS))
    bins = np.full(len(g_mag), n_bins, dtype=np.intp)
    if known.any():
        edges = np.quantile(g_mag[known], np.linspace(0, 1, n_bins + 1)[1:-1])
        bins[known] = np.searchsorted(edges, g_mag[known], side="right")
    return np.unique(bins, return_inverse=True)[1]
