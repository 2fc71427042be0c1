"""EROS-2: light curves of variables in the Large Magellanic Cloud, from files of a table (Parquet or CSV)."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts.surveys import files
from workflow_scripts.surveys.curves import LightCurves
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import DataError

COLUMNS = ("object_id", "band", "time", "mag", "mag_err")


def read(path: Path, ids: Sequence[str]) -> pa.Table:
    """Points of a table with the columns object_id, band, time, mag and mag_err."""
    file = files.read(path, COLUMNS)
    if missing := [name for name in COLUMNS if name not in file.names]:
        raise DataError(f"{path}: no columns {missing}, found {file.names}; expected {list(COLUMNS)}: rename them")
    return file.rows.filter(pc.is_in(file.rows["object_id"], value_set=pa.array(ids))) if ids else file.rows


SURVEY = Survey(
    title="EROS-2 light curves, LMC",
    reference="Kim et al. 2014, A&A 566, A43; Tisserand et al. 2007, A&A 469, 387",
    light_curves=LightCurves(
        columns={"object_id": "object_id", "time": "time", "mag": "mag", "mag_err": "mag_err", "band": "band"},
        bands={"B": "B", "R": "R"},
        # ASSUME times of EROS-2 are HJD - 2450000: they run from 290 on, and the survey began in July 1996 (2450280).
        time_format="jd-2450000",
        read=read,
        by_hand="No public address of EROS-2's own archive is known to this workflow. Bring the light curves as a "
        "table with object_id, band (B or R), time (HJD - 2450000), mag and mag_err, and name it as a native file",
    ),
)
