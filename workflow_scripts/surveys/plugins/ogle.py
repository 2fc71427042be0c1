"""OGLE-IV collection of variable stars: one file for each star and band, of the stars of the plug-in ogle_variables."""

import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from workflow_scripts.archives import http
from workflow_scripts.archives.answers import Source
from workflow_scripts.surveys import native
from workflow_scripts.surveys.curves import LightCurves
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import DataError

URL = "https://www.astrouw.edu.pl/ogle/ogle4/OCVS"
BANDS = ("I", "V")
COLUMNS = ("curve", "object_id", "band", "hjd", "mag", "mag_err")
_STAR = re.compile(r"OGLE-([A-Z]+)-([A-Z0-9]+)-\d+")


def read(path: Path, ids: Sequence[str]) -> pa.Table:
    """Points of phot/{I,V}/STAR.dat (HJD - 2450000, magnitude, error); which star and band, its path or `ids` say."""
    rows = []
    for name, text in native.texts(path, lambda name: name.endswith(".dat")):
        curve = ids[0] if ids and ids[0][:2] in ("I/", "V/") else "/".join(Path(name).with_suffix("").parts[-2:])
        band, _, star = curve.partition("/")
        if band not in BANDS:
            raise DataError(f"{name}: expected a file in a folder I or V, which says its band; keep OGLE's folders")
        if ids and curve not in ids and star not in ids:
            continue
        hjd, mag, error = native.cells(name, text.splitlines(), COLUMNS[3:])
        rows.append([[curve] * len(hjd), [star] * len(hjd), [band] * len(hjd), hjd, mag, error])
    return native.text_table(COLUMNS, rows)


def curves(star: str, bands: Sequence[str]) -> list[str]:
    """Names of a star's files; raises DataError for a star that is not of the collection."""
    if not _STAR.fullmatch(star):
        raise DataError(f"OGLE: '{star}' is no star of the collection, such as OGLE-LMC-CEP-0001; take ogle_variables")
    return [f"{band}/{star}" for band in bands or BANDS]


def source(_: pa.Table, __: float) -> Source:
    """Ask for one file at a time; not every star has one in V, but all have one in I."""

    def request(ids: Sequence[str]) -> http.Request:
        found = _STAR.fullmatch(ids[0][2:])
        place, kind = (part.lower() for part in found.groups()) if found else ("", "")
        return http.Request("OGLE", f"{URL}/{place}/{kind}/phot/{ids[0]}.dat")

    def landmark(ids: Sequence[str]) -> http.Request:
        return request([f"I/{ids[0][2:]}"])

    return Source(
        "OGLE",
        request,
        read,
        COLUMNS,
        id="curve",
        unique=(),
        suffix=".dat",
        batch=1,
        absent=(404,),
        landmark=landmark,
    )


SURVEY = Survey(
    title="OGLE-IV light curves of variable stars",
    reference="Udalski et al. 2015, Acta Astron. 65, 1",
    light_curves=LightCurves(
        columns={"object_id": "object_id", "time": "hjd", "mag": "mag", "mag_err": "mag_err", "band": "band"},
        bands={"I": "I", "V": "V"},
        # ASSUME times of OGLE-IV are HJD - 2450000; files of OGLE-III with whole HJD are refused as outside 1900-2100.
        time_format="jd-2450000",
        read=read,
        source=source,
        ids=curves,
    ),
)
