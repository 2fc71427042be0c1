"""Stage of rule overdensities: the clusters of a region of which nothing is known, with their significance."""

from pathlib import Path

import pyarrow as pa

from workflow_scripts import edge, tables
from workflow_scripts.clustering import fields
from workflow_scripts.clustering import overdensities as blind
from workflow_scripts.clustering.space import turned
from workflow_scripts.clustering.stars import STARS
from workflow_scripts.tables import Column, Table

_REAL = pa.float64()
_AXES = "along the axes of the region's centre"
OVERDENSITIES = Table(
    "overdensities",
    (
        Column("cluster", pa.string(), "", "region"),
        Column("rank", pa.int32(), "", "1 = the most significant"),
        Column("ra_deg", _REAL, "deg", "right ascension where its stars crowd, ICRS", ucd="pos.eq.ra"),
        Column("dec_deg", _REAL, "deg", "declination where its stars crowd, ICRS", ucd="pos.eq.dec"),
        Column(
            "pmra_mas_yr", _REAL, "mas/yr", f"mean proper motion in RA times cos Dec, {_AXES}", ucd="pos.pm;pos.eq.ra"
        ),
        Column("pmdec_mas_yr", _REAL, "mas/yr", f"mean proper motion in Dec, {_AXES}", ucd="pos.pm;pos.eq.dec"),
        Column("parallax_mas", _REAL, "mas", "mean parallax", ucd="pos.parallax.trig"),
        Column("significance", _REAL, "", "sigma over a field alone: root of 2 ln(L / L0) less the parameters added"),
        Column("n_members", pa.int32(), "", "stars with membership probability above 0.5"),
    ),
)


def main(region_file: Path, stars: Path, overdensities: Path) -> None:
    """Write the clusters found, the most significant first; an empty table if there are none."""
    place, rows = fields.read(region_file), tables.read(stars, STARS)
    listed = [
        {
            "cluster": place.name,
            "rank": rank,
            **vars(turned(one.locus, one.centre, place.region.centre)),
            "ra_deg": one.centre.ra_deg,
            "dec_deg": one.centre.dec_deg,
            "significance": one.significance,
            "n_members": int(one.membership.members.sum()),
        }
        for rank, one in enumerate(blind.overdensities(rows), start=1)
    ]
    tables.write(pa.Table.from_pylist(listed, schema=OVERDENSITIES.schema), overdensities, OVERDENSITIES)


if __name__ == "__main__":
    edge.run(main)
