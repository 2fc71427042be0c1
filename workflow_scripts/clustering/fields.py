"""What a run's configuration and the catalogue of Dias et al. 2002 say of a region, as one row that all stages read."""

import difflib
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from workflow_scripts import tables
from workflow_scripts.clustering import regions
from workflow_scripts.clustering.regions import Region
from workflow_scripts.clustering.space import Centre
from workflow_scripts.clustering.stars import Locus
from workflow_scripts.tables import Column, DataError, Table

Release = Literal["DR2", "DR3"]

_TEXT, _REAL = pa.string(), pa.float64()

FIELD = Table(
    "region",
    (
        Column("cluster", _TEXT, "", "region"),
        Column("survey", _TEXT, "", "where the stars come from; SIMULATED where they are"),
        Column("release", _TEXT, "", "Gaia release of the stars"),
        Column("ra_deg", _REAL, "deg", "right ascension of the centre, ICRS"),
        Column("dec_deg", _REAL, "deg", "declination of the centre, ICRS"),
        Column("radial_velocity_km_s", _REAL, "km/s", "radial velocity; 0 where no catalogue has one"),
        Column("radius_deg", _REAL, "deg", "radius of the cone"),
        Column("inner_deg", _REAL, "deg", "radius of the cluster, at most that of the cone over 1.5"),
        Column("locus_from", _TEXT, "", "source of the locus: configuration, Dias 2002 (maybe one half only), or none"),
        *(
            Column(name, _REAL, unit, f"{text}; null = unknown", True)
            for name, unit, text in (
                ("pmra_mas_yr", "mas/yr", "proper motion in RA times cos Dec of the locus"),
                ("pmdec_mas_yr", "mas/yr", "proper motion in Dec of the locus"),
                ("parallax_mas", "mas", "parallax of the locus"),
            )
        ),
    ),
)


@dataclass(frozen=True)
class Wanted:
    """What the configuration says of a region; a number that is None and a text that is empty is not given."""

    source: str
    release: Release = "DR3"
    cluster: str = ""
    ra_deg: float | None = None
    dec_deg: float | None = None
    radius_deg: float | None = None
    radial_velocity_km_s: float | None = None
    locus: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Field:
    """A region with the cluster's place in astrometric space, as far as anyone knows it."""

    region: Region
    survey: str
    release: Release
    inner_deg: float
    locus_from: str
    locus: Locus | None

    @property
    def name(self) -> str:
        """Name of the region, which stands in the column cluster of every table."""
        return self.region.cluster

    @property
    def simulated(self) -> bool:
        """Whether the stars are simulated: as if of a release, without what is wrong with it."""
        return "SIMULATED" in self.survey


def resolve(name: str, wanted: Wanted, survey: str, clusters: pa.Table | None) -> Field:
    """Centre, cone and locus of a region: from the configuration, and what that lacks from a table OPEN_CLUSTERS.

    Raises DataError for a cluster that the catalogue lacks, a region without a centre, and a radius of 0.
    """
    row = named(clusters, wanted.cluster) if wanted.cluster and clusters is not None else {}
    ra, dec = (row.get(axis) if given is None else given for axis, given in _axes(wanted))
    if ra is None or dec is None:
        raise DataError(f"clusters.regions.{name}: no centre; give `cluster` (Dias 2002), or ra_deg and dec_deg")
    radius = wanted.radius_deg
    if radius is None:
        if not row:
            raise DataError(f"clusters.regions.{name}: no radius_deg and no `cluster` with a diameter; give one")
        radius = regions.region(row).radius_deg
    if not radius > 0:
        raise DataError(f"clusters.regions.{name}: radius_deg is {radius:g}, expected above 0: it would hold no stars")
    locus, origin = _locus(wanted, row)
    diameter, velocity = row.get("diameter_arcmin"), wanted.radial_velocity_km_s
    if velocity is None:
        velocity = row.get("radial_velocity_km_s")
    inner = radius / regions.RADIUS_FACTOR
    if diameter:
        inner = min(inner, float(diameter) / 2 / 60)
    centre = Centre(float(ra), float(dec), float(velocity or 0.0))
    return Field(Region(name, centre, float(radius)), survey, wanted.release, inner, origin, locus)


def named(clusters: pa.Table, cluster: str) -> dict[str, Any]:
    """Row of a table OPEN_CLUSTERS by its name; raises DataError, with names like it, if there is none."""
    found = [row for row in clusters.to_pylist() if row["cluster"] == cluster]
    if not found:
        near = difflib.get_close_matches(cluster, clusters["cluster"].to_pylist(), n=3)
        raise DataError(
            f"cluster {cluster!r} is not in the catalogue of open clusters ({clusters.num_rows} rows)"
            f"{f'; like it are {near}' if near else ''}; spell it as there (NGC 2682, IC 4665, Melotte 22; "
            "no Messier numbers), or give ra_deg, dec_deg, radius_deg"
        )
    return dict(found[0])


def write(found: Field, path: Path) -> None:
    """Write a field as a table of one row."""
    centre, locus = found.region.centre, found.locus
    row = {
        "cluster": found.name,
        "survey": found.survey,
        "release": found.release,
        "ra_deg": centre.ra_deg % 360,
        "dec_deg": centre.dec_deg,
        "radial_velocity_km_s": centre.radial_velocity_km_s,
        "radius_deg": found.region.radius_deg,
        "inner_deg": found.inner_deg,
        "locus_from": found.locus_from,
        **({name: None if math.isnan(value) else value for name, value in vars(locus).items()} if locus else {}),
    }
    tables.write(pa.Table.from_pylist([row], schema=FIELD.schema), path, FIELD)


def read(path: Path) -> Field:
    """Field of a table that `write` wrote; DataError as tables.read."""
    row = tables.read(path, FIELD).to_pylist()[0]
    centre = Centre(row["ra_deg"], row["dec_deg"], row["radial_velocity_km_s"])
    known = [row[name] for name in ("pmra_mas_yr", "pmdec_mas_yr", "parallax_mas")]
    locus = Locus(*(math.nan if value is None else value for value in known))
    return Field(
        Region(row["cluster"], centre, row["radius_deg"]),
        row["survey"],
        row["release"],
        row["inner_deg"],
        row["locus_from"],
        None if known == [None] * 3 else locus,
    )


def _axes(wanted: Wanted) -> tuple[tuple[str, float | None], ...]:
    return (("ra_deg", wanted.ra_deg), ("dec_deg", wanted.dec_deg))


def _locus(wanted: Wanted, row: dict[str, Any]) -> tuple[Locus | None, str]:
    if wanted.locus:
        return Locus(*wanted.locus), "configuration"
    motion: list[Any] = [row.get(name) for name in ("pmra_mas_yr", "pmdec_mas_yr")]
    distance, moves = row.get("distance_pc"), None not in motion
    parallax = 1000 / distance if distance else math.nan
    if moves:
        return Locus(motion[0], motion[1], parallax), "Dias 2002" if distance else "Dias 2002, motion only"
    return (Locus(math.nan, math.nan, parallax), "Dias 2002, distance only") if distance else (None, "none")
