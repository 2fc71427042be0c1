"""OGLE-IV collection of variable stars: pulsating and eclipsing stars of the Magellanic Clouds, bulge and disk."""

import re
from pathlib import Path

import pyarrow as pa

from workflow_scripts.archives import http
from workflow_scripts.surveys.catalogue import Catalogue, Files, lines
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import SOURCES, DataError

URL = "https://www.astrouw.edu.pl/ogle/ogle4/OCVS"
# U: that the collection has an ident.dat in every one of these folders.
FOLDERS = (
    *(f"{place}/{kind}" for place in ("lmc", "smc", "blg", "gd") for kind in ("cep", "rrlyr", "t2cep", "dsct")),
    *("lmc/acep", "smc/acep", "lmc/ecl", "smc/ecl", "blg/ecl"),
)
NAMES = ("object_id", "ra_deg", "dec_deg", "class")
LINE = re.compile(r"(OGLE-\w+-(\w+)-\d+)\s+(\S*)\s+(\d\d):(\d\d):(\d\d\.?\d*)\s+([-+]?)(\d\d):(\d\d):(\d\d\.?\d*)")


def read(path: Path) -> pa.Table:
    """Read an ident.dat: identifier, position, class (type and subtype: CEP_1O). Periods lie in other files."""
    rows = []
    for line in lines(path):
        found = LINE.match(line)
        if not found:
            raise DataError(f"{path}: not a line of an ident.dat: {line.rstrip()!r}; see whether {URL} changed")
        name, kind, subtype, *position = found.groups()
        hours, minutes, seconds, sign, degrees, arcmin, arcsec = position
        ra = 15 * (int(hours) + int(minutes) / 60 + float(seconds) / 3600)
        dec = (int(degrees) + int(arcmin) / 60 + float(arcsec) / 3600) * (-1 if sign == "-" else 1)
        rows.append(dict(zip(NAMES, (name, ra, dec, f"{kind}_{subtype}" if subtype else kind), strict=True)))
    return pa.Table.from_pylist(rows, schema=pa.schema([SOURCES.schema.field(name) for name in NAMES]))


SURVEY = Survey(
    title="OGLE-IV collection of variable stars",
    reference="Soszynski et al. 2015-2023, Acta Astron. 65-73; Pawlak et al. 2016, Acta Astron. 66, 421",
    catalogue=Catalogue(
        origin=Files(tuple(http.Request("OGLE", f"{URL}/{folder}/ident.dat") for folder in FOLDERS), read),
        rows=690_000,  # about; the collection grows
        epoch_yr=2012.0,
    ),
)
