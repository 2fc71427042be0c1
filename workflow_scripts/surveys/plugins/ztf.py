"""Zwicky Transient Facility: light curves by identifier from IRSA's service; for more than 10,000 objects, ztf_bulk."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from workflow_scripts.archives import http, votable
from workflow_scripts.archives.answers import Source
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.query import Query
from workflow_scripts.archives.retry import RefusedError
from workflow_scripts.surveys import files
from workflow_scripts.surveys.curves import LightCurves
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import DataError

# DEVIATES Qiao 2024, 2.1: ZTF data release 18, not 11. IRSA's table of objects exists from release 14 on, and objects
# and light curves must be of one release; another one is another value here.
RELEASE = 18
# DEVIATES Qiao 2024, 2.2: no cut on INFOBITS. It is a flag of the exposure in the science metadata, which neither the
# service nor the bulk files carry; catflags < 32768 is cut as in the paper.
UNUSABLE = 32768
COLUMNS = ("oid", "expid", "hjd", "mag", "magerr", "catflags", "filtercode")
MANNERS = Manners(at_once=2, interval_s=0.5, timeout_s=150.0, tries=4)


def objects(radius_deg: float) -> Query:
    """Objects of the release around the uploaded targets; one for each field, quadrant and band that a star is in."""
    return Query(
        service="IRSA",
        url="https://irsa.ipac.caltech.edu/TAP",
        columns={
            "object_id": "t.object_id",
            "archive_id": "o.oid",
            "band": "o.filtercode",
            "ra_deg": "o.ra",
            "dec_deg": "o.dec",
            "n_points": "o.ngoodobsrel",
        },
        # The circle on the uploaded row makes the join many times faster.
        source=f"TAP_UPLOAD.targets AS t JOIN ztf_objects_dr{RELEASE} AS o ON 1 = CONTAINS("
        f"POINT('ICRS', o.ra, o.dec), CIRCLE('ICRS', t.ra_deg, t.dec_deg, {radius_deg:.9f}))",
        max_rows=2_000_000,
        unique=("object_id", "archive_id"),
    )


def read(path: Path, _: Sequence[str]) -> pa.Table:
    """Answer of the service: a VOTable, which marks its own end and says if it was cut, or CSV that people save."""
    if path.suffix == ".csv":
        return files.read(path, COLUMNS).rows
    if not http.ends_itself(path):
        raise DataError(f"{path}: no closing VOTABLE tag, so it may be cut; delete it and run again")
    answer = votable.read(path)
    rows = answer.rows
    if answer.status == "OVERFLOW":
        raise RefusedError(f"{path}: the archive cut its answer at {rows.num_rows} rows (QUERY_STATUS OVERFLOW)", 413)
    if answer.status not in ("", "OK"):
        raise DataError(f"{path}: QUERY_STATUS is {answer.status}; the archive says: {answer.message!r}")
    if "oid" not in rows.column_names:
        return rows
    return rows.set_column(rows.column_names.index("oid"), "oid", rows["oid"].cast(pa.string()))


def source(_: pa.Table, __: float) -> Source:
    """Ask for up to 100 light curves at a time."""

    def request(ids: Sequence[str]) -> http.Request:
        parameters = (*(("ID", oid) for oid in ids), ("COLLECTION", f"ztf_dr{RELEASE}"), ("FORMAT", "VOTABLE"))
        return http.Request("IRSA", "https://irsa.ipac.caltech.edu/cgi-bin/ZTF/nph_light_curves", parameters)

    return Source("ZTF", request, read, COLUMNS, id="oid", unique=("oid", "expid"), suffix=".vot")


SURVEY = Survey(
    title=f"ZTF light curves (DR{RELEASE})",
    reference="Bellm et al. 2019, PASP 131, 018002; Masci et al. 2019, PASP 131, 018003",
    light_curves=LightCurves(
        # Heliocentric times, as in the bulk files; mjd is the observatory's and runs up to 8 min ahead or behind.
        columns={
            "object_id": "oid",
            "time": "hjd",
            "mag": "mag",
            "mag_err": "magerr",
            "band": "filtercode",
            "flag": "catflags",
        },
        bands={"zg": "g", "zr": "r", "zi": "i"},
        time_format="jd",
        flag_limit=UNUSABLE,
        read=read,
        source=source,
        find=objects,
    ),
    manners=MANNERS,
)
