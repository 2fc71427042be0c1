"""Periodic variables of LINEAR (Palaversa et al. 2013): the cleaned sample that its authors give away as a file."""

from pathlib import Path

import pyarrow as pa

from workflow_scripts.archives import http
from workflow_scripts.surveys.catalogue import Catalogue, Files, lines
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import DataError

# DEVIATES Palaversa 2013 sect. 4: 6146 of the 7194 stars, of the five most populous classes and with 2MASS photometry;
# VizieR has all of them (J/AJ/146/101), under a name of the table that is not confirmed.
URL = "https://github.com/astroML/astroML-data/raw/master/datasets/LINEARattributesFinalApr2013.dat.gz"
CLASSES = {"1": "RRAB", "2": "RRC", "4": "EA", "5": "EW", "6": "DSCT"}
COLUMNS = (
    *("ra", "dec", "ug", "gi", "iK", "JK", "logP", "Ampl", "skew", "kurt"),
    *("magMed", "nObs", "LCtype", "LINEARobjectID"),
)


def read(path: Path) -> pa.Table:
    """Rows of the file; raises DataError if a line has other than its 14 columns."""
    rows = [line.split() for line in lines(path)]
    for row in rows:
        if len(row) != len(COLUMNS):
            raise DataError(
                f"{path}: {len(row)} values in a line, expected {COLUMNS}: {row}; see whether {URL} changed"
            )
    named = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    return pa.table(
        {
            "object_id": pa.array(named["LINEARobjectID"], pa.string()),
            "ra_deg": [float(x) for x in named["ra"]],
            "dec_deg": [float(x) for x in named["dec"]],
            "class": pa.array(named["LCtype"], pa.string()),
            "catalogue_period_d": [10 ** float(x) for x in named["logP"]],
        }
    )


SURVEY = Survey(
    title="LINEAR periodic variables",
    reference="Palaversa et al. 2013, AJ 146, 101",
    catalogue=Catalogue(
        origin=Files((http.Request("astroML data", URL),), read),
        rows=6_146,
        epoch_yr=2003.0,  # positions of SDSS
        classes=CLASSES,
    ),
)
