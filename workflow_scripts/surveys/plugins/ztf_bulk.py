"""Zwicky Transient Facility: light curves from the bulk Parquet files, one for each field, band, CCD and quadrant."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from workflow_scripts.archives import http
from workflow_scripts.archives.answers import Source
from workflow_scripts.surveys.curves import LightCurves
from workflow_scripts.surveys.plugins import ztf
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import DataError

URL = f"https://irsa.ipac.caltech.edu/data/ZTF/lc/lc_dr{ztf.RELEASE}"
COLUMNS = ("objectid", "filterid", "hmjd", "mag", "magerr", "catflags")
FILTERS = {"1": "zg", "2": "zr", "3": "zi"}


def read(path: Path, ids: Sequence[str]) -> pa.Table:
    """Rows of a bulk file, one for each object, with lists of points."""
    try:
        with pq.ParquetFile(path) as file:
            names = [name for name in COLUMNS if name in file.schema_arrow.names]
        known = "objectid" in names  # where it is not, whoever reads says so
        wanted = [("objectid", "in", [int(oid) for oid in ids])] if ids and known else None
        rows = pq.read_table(path, columns=names, filters=wanted, partitioning=None)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path}: not a whole Parquet file ({error}); copy or download it again") from error
    return rows.set_column(names.index("objectid"), "objectid", rows["objectid"].cast(pa.string())) if known else rows


def file(oid: str) -> str:
    """Name of the bulk file of an object: field, filter, CCD, quadrant are the digits of its identifier."""
    field, band, ccd, quadrant = int(oid[:-12]), FILTERS[oid[-12]], oid[-11:-9], oid[-9]
    return f"ztf_{field:06d}_{band}_c{ccd}_q{quadrant}_dr{ztf.RELEASE}.parquet"


def source(_: pa.Table, __: float) -> Source:
    """Download the files that the targets' light curves lie in, about 30 MB each."""

    def request(ids: Sequence[str]) -> http.Request:
        field = int(ids[0][:-12])
        # ASSUME fields of the main grid lie in folder 0, those of the shifted grid, from 1000 on, in folder 1.
        return http.Request("IRSA", f"{URL}/{int(field >= 1000)}/field{field:06d}/{file(ids[0])}")

    return Source(
        "ZTF bulk files",
        request,
        read,
        COLUMNS,
        id="objectid",
        unique=("objectid",),
        batch=100_000,
        file=file,
        extent="174,033 in all bands, some 6 TB",
    )


SURVEY = Survey(
    title=f"ZTF light curves in bulk files (DR{ztf.RELEASE})",
    reference="Bellm et al. 2019, PASP 131, 018002; Masci et al. 2019, PASP 131, 018003",
    light_curves=LightCurves(
        columns={
            "object_id": "objectid",
            "time": "hmjd",
            "mag": "mag",
            "mag_err": "magerr",
            "band": "filterid",
            "flag": "catflags",
        },
        bands={"zg": "g", "zr": "r", "zi": "i", "1": "g", "2": "r", "3": "i"},  # in the table of objects, in the files
        time_format="mjd",
        flag_limit=ztf.UNUSABLE,
        read=read,
        source=source,
        find=ztf.objects,
    ),
    manners=ztf.MANNERS,
)
