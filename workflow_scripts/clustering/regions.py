"""Regions of the sky around the open clusters of Dias et al. 2002 (VizieR B/ocl), as in Alvaro 2020, section 4.1."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workflow_scripts.clustering.space import Centre, position
from workflow_scripts.crossmatch.positions import checked, unit_vectors
from workflow_scripts.tables import Column, DataError, Table

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

_TEXT, _REAL = pa.string(), pa.float64()

OPEN_CLUSTERS = Table(
    "open_clusters",
    (
        Column("cluster", _TEXT, "", "name in the catalogue", ucd="meta.id;meta.main"),
        Column("ra_deg", _REAL, "deg", "right ascension of the centre, J2000", ucd="pos.eq.ra;meta.main"),
        Column("dec_deg", _REAL, "deg", "declination of the centre, J2000", ucd="pos.eq.dec;meta.main"),
        Column("diameter_arcmin", _REAL, "arcmin", "apparent diameter", True, ucd="phys.angSize"),
        Column("distance_pc", _REAL, "pc", "distance", True, ucd="pos.distance"),
        Column("pmra_mas_yr", _REAL, "mas/yr", "proper motion in RA times cos Dec", True, ucd="pos.pm;pos.eq.ra"),
        Column("pmdec_mas_yr", _REAL, "mas/yr", "proper motion in Dec", True, ucd="pos.pm;pos.eq.dec"),
        Column("radial_velocity_km_s", _REAL, "km/s", "radial velocity", True, ucd="spect.dopplerVeloc.opt"),
    ),
)
_BYTES = {"diameter_arcmin": (42, 47), "distance_pc": (49, 53), "pmra_mas_yr": (68, 74), "pmdec_mas_yr": (81, 87)}
_BYTES |= {"radial_velocity_km_s": (105, 111)}

RADIUS_FACTOR = 1.5
_RICH = 40_000


@dataclass(frozen=True)
class Region:
    """A cone around a cluster."""

    cluster: str
    centre: Centre
    radius_deg: float

    def holds(self, ra_deg: Reals, dec_deg: Reals) -> Flags:
        """Say of positions (n,) whether they lie in the cone; right ascension 0 and the poles are no exception."""
        places = checked(ra_deg, dec_deg, f"stars around {self.cluster}")
        middle = position(self.centre)
        middle_vector = unit_vectors(middle.ra_deg, middle.dec_deg)
        chord = np.linalg.norm(unit_vectors(places.ra_deg, places.dec_deg) - middle_vector, axis=1)
        return np.asarray(chord <= 2 * np.sin(np.radians(self.radius_deg) / 2))


def read_dias(text: str) -> pa.Table:
    """Read clusters.dat of the catalogue of Dias et al. (fixed columns, its ReadMe) as OPEN_CLUSTERS.

    Raises DataError, with the line, for a position that cannot be read.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise DataError("the catalogue of open clusters is empty; fetch clusters.dat of VizieR B/ocl again")
    places = [_position(number, line) for number, line in enumerate(lines, start=1)]
    columns = {
        "cluster": [line[:17].strip() for line in lines],
        "ra_deg": [ra for ra, _ in places],
        "dec_deg": [dec for _, dec in places],
    } | {
        name: [_number(line, number, name, *where) for number, line in enumerate(lines, start=1)]
        for name, where in _BYTES.items()
    }
    return pa.table(columns, schema=OPEN_CLUSTERS.schema)


def select(clusters: pa.Table, named: Sequence[str], least_diameter_arcmin: float) -> pa.Table:
    """Clusters of a table OPEN_CLUSTERS that are large enough, and those that are named whatever their size, by name.

    One without a diameter is selected by its name alone: there is no telling how large a cone it needs.
    """
    # DEVIATES Alvaro 2020 sect. 4.1: "above 25 arcmin" is 25 or above: NGC 2682, which the paper studies, has 25.
    large = pc.fill_null(pc.greater_equal(clusters["diameter_arcmin"], least_diameter_arcmin), False)
    wanted = pc.or_(large, pc.is_in(clusters["cluster"], pa.array(named, pa.string())))
    return clusters.filter(wanted).sort_by("cluster")


def region(row: dict[str, object]) -> Region:
    """Region of one row of OPEN_CLUSTERS: a cone of 1.5 times half the diameter.

    Raises DataError for a diameter that is missing or 0.
    """
    name, diameter, velocity = row["cluster"], row["diameter_arcmin"], row["radial_velocity_km_s"]
    if not isinstance(diameter, float) or not diameter > 0:
        raise DataError(f"cluster {name} has diameter {diameter} in the catalogue, expected more than 0; give a radius")
    ra, dec = row["ra_deg"], row["dec_deg"]
    assert isinstance(ra, float)
    assert isinstance(dec, float)
    centre = Centre(ra, dec, velocity if isinstance(velocity, float) else 0.0)
    return Region(str(name), centre, RADIUS_FACTOR * diameter / 2 / 60)


def richness(n_complete: int) -> str:
    """Say how many complete stars a region has, and whether they are fewer than Alvaro 2020 (section 4.1) asks for."""
    # DEVIATES Alvaro 2020 sect. 4.1: poorer regions are not left out, as its own NGC 2682 is not (2,839 stars).
    return f"{n_complete:,}" + (f", fewer than the {_RICH:,} of Alvaro 2020" if n_complete < _RICH else "")


def _position(number: int, line: str) -> tuple[float, float]:
    try:
        hours, minutes, seconds = int(line[18:20]), int(line[21:23]), int(line[24:26])
        degrees, arcmin, arcsec = int(line[28:30]), int(line[31:33]), int(line[34:36])
    except ValueError:
        raise DataError(
            f"line {number} of the catalogue of open clusters has position {line[18:36]!r}, expected hh mm ss +dd mm "
            "ss in bytes 19-36; fetch clusters.dat of VizieR B/ocl again"
        ) from None
    sign = -1 if line[27] == "-" else 1
    return 15 * (hours + minutes / 60 + seconds / 3600), sign * (degrees + arcmin / 60 + arcsec / 3600)


def _number(line: str, number: int, name: str, first: int, last: int) -> float | None:
    text = line[first - 1 : last].strip()
    try:
        return float(text) if text else None
    except ValueError:
        raise DataError(
            f"line {number} of the catalogue of open clusters has {name} {text!r} in bytes {first}-{last}, expected a "
            "number or blanks"
        ) from None
