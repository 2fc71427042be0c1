"""Catalina Real-time Transient Survey: light curves around positions, from the web service for many cones."""

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urljoin

import pyarrow as pa

from workflow_scripts.archives import http
from workflow_scripts.archives.answers import Link, Source
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.retry import TransientError, quoted
from workflow_scripts.surveys import files, native
from workflow_scripts.surveys.curves import LightCurves
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import DataError

URL = "http://nesssi.cacr.caltech.edu/cgi-bin/getmulticonedb_release2.cgi/post"
COLUMNS = ("InputID", "ID", "Mag", "Magerr", "RA", "Decl", "MJD", "Blend")
MOST_ROWS = 39_999  # the service cuts its answers at 40,000 lines, of which the header may be one
LIMIT_ARCSEC = 72.0  # the service takes radii below 0.02 deg
_LINK = re.compile(r"(?:https?://[\w.:-]+)?/DataRelease/upload/\w+\.csv")
_NOTHING = re.compile(r"no objects were found|not covered", re.IGNORECASE)


def read(path: Path, ids: Sequence[str]) -> pa.Table:
    """CSV of the service, or files ID.dat with MJD, magnitude and error; a target was sent as its number in `ids`."""
    if path.suffix != ".csv":
        return _files_of_stars(path, ids)
    rows = files.read(path, COLUMNS).rows
    if not ids or "InputID" not in rows.column_names:
        return rows
    numbers = {str(number): name for number, name in enumerate(ids, 1)}
    names = [numbers.get(number, number) for number in rows["InputID"].to_pylist()]
    return rows.set_column(rows.column_names.index("InputID"), "InputID", pa.array(names, pa.string()))


def _files_of_stars(path: Path, ids: Sequence[str]) -> pa.Table:
    parts: list[list[Sequence[str | None]]] = []
    for name, text in native.texts(path, lambda name: name.endswith(".dat")):
        star = Path(name).stem
        if not ids or star in ids:
            mjd, mag, error = native.cells(name, text.splitlines(), ("MJD", "Mag", "Magerr"))
            missing = [None] * len(mjd)
            parts.append([[star] * len(mjd), [star] * len(mjd), mag, error, missing, missing, mjd, missing])
    return native.text_table(COLUMNS, parts)


def page(text: str) -> Link:
    """Request for the CSV that the answer's page links to."""
    if found := _LINK.search(text):
        return http.Request("CRTS", urljoin(URL, found[0]))
    if _NOTHING.search(text):
        return None
    raise TransientError(f"the page has no link to a result; it says: {quoted(text)}")


def source(targets: pa.Table, radius_arcsec: float) -> Source:
    """Send up to 80 positions at a time (the service takes 100) with one radius; raises DataError for a large one."""
    if radius_arcsec >= LIMIT_ARCSEC:
        raise DataError(
            f"CRTS: radius_arcsec is {radius_arcsec:g}, expected less than {LIMIT_ARCSEC:g}, which is the most that "
            "the service takes; correct `radius_arcsec`"
        )
    ra, dec = targets["ra_deg"].to_pylist(), targets["dec_deg"].to_pylist()
    places = dict(zip(targets["object_id"].to_pylist(), zip(ra, dec, strict=True), strict=True))
    nowhere = (float("nan"), float("nan"))  # targets of an earlier run: its answers are not ours

    def request(ids: Sequence[str]) -> http.Request:
        lines = [
            f"{number} {ra:.7f} {dec:.7f} {radius_arcsec / 3600:.7f}\n"
            for number, (ra, dec) in enumerate((places.get(name, nowhere) for name in ids), 1)
        ]
        parameters = (("DB", "photcat"), ("OUT", "csv"), ("SHORT", "short"))
        upload = ("upload_file", "".join(lines).encode())
        return http.Request("CRTS", URL, parameters, "POST", (upload,), html=True)

    return Source("CRTS", request, read, COLUMNS, id="InputID", unique=(), batch=80, limit=MOST_ROWS, page=page)


SURVEY = Survey(
    title="Catalina light curves (CRTS data release 2)",
    reference="Drake et al. 2009, ApJ 696, 870",
    light_curves=LightCurves(
        columns={
            "object_id": "InputID",
            "archive_id": "ID",
            "ra_deg": "RA",
            "dec_deg": "Decl",
            "time": "MJD",
            "mag": "Mag",
            "mag_err": "Magerr",
            "flag": "Blend",
        },
        bands={"V_CSS": "V_CSS"},  # unfiltered, on the scale of V
        time_format="mjd",
        flag_limit=1,  # blended with a neighbour
        read=read,
        source=source,
    ),
    manners=Manners(at_once=1, interval_s=2.0, timeout_s=300.0, tries=4),
)
