"""Standard stars of SDSS stripe 82 (Ivezic et al. 2007): the non-variable stars of Qiao 2024."""

from pathlib import Path

import pyarrow as pa

from workflow_scripts.archives import http
from workflow_scripts.surveys.catalogue import Catalogue, Files, lines
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import DataError

# The file of the paper; the name of the table in VizieR (J/AJ/134/973) is not confirmed.
URL = "http://www.astro.washington.edu/users/ivezic/sdss/catalogs/stripe82calibStars_v2.6.dat.gz"


def read(path: Path) -> pa.Table:
    """Read positions of stars (lines CALIBSTARS... ra dec ...); they have no names: a position, as written, is one."""
    rows = [line.split(maxsplit=3)[:3] for line in lines(path)]
    for row in rows:
        if len(row) < 3 or not row[0].startswith("CALIBSTARS"):
            raise DataError(f"{path}: not a line of standard stars: {row}; see whether {URL} changed")
    positions = [(ra, dec if dec.startswith("-") else f"+{dec.lstrip('+')}") for _, ra, dec in rows]
    return pa.table(
        {
            "object_id": pa.array([f"S82 {ra}{dec}" for ra, dec in positions], pa.string()),
            "ra_deg": pa.array([float(ra) for ra, _ in positions], pa.float64()),
            "dec_deg": pa.array([float(dec) for _, dec in positions], pa.float64()),
        }
    )


SURVEY = Survey(
    title="SDSS stripe 82 standard stars (version 2.6)",
    reference="Ivezic et al. 2007, AJ 134, 973",
    catalogue=Catalogue(origin=Files((http.Request("SDSS standards", URL),), read), rows=1_006_849, epoch_yr=2003.0),
)
