"""Files of light curves and objects as users have them, for the tests of surveys/local.py and its parts."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from astropy.table import Table

from workflow_scripts.surveys.local import LocalSource

SUFFIXES = [".parquet", ".csv", ".csv.gz", ".fits", ".fits.gz", ".vot", ".votable", ".xml"]
LIST_SUFFIXES = [".parquet", ".fits", ".vot"]

# Twenty points of two stars, deliberately not in order of star or time.
LONG = {
    "object_id": np.array([3019021001365, 7] * 10, dtype=np.int64),
    "time": 55000.0 + np.arange(20)[::-1] / 7,
    "mag": np.linspace(14, 16, 20),
    "mag_err": np.linspace(0.05, 0.1, 20),
}


def source(**change) -> LocalSource:
    """Say nothing about the files but what is in change."""
    given = {"survey": "test survey", "format": "tables", "columns": {}, "time_format": "mjd"}
    given |= {"flag_limit": 1, "bands": []}
    return LocalSource(**(given | change))


def save(path: Path, columns: dict) -> Path:
    """Write columns in the format of the suffix; lists become list columns."""
    name = path.name
    if name.endswith(".parquet"):
        pq.write_table(pa.table(columns), path)
    elif name.endswith((".csv", ".csv.gz")):
        with pa.output_stream(path, compression="detect") as stream:
            pa_csv.write_csv(pa.table(columns), stream)
    else:
        vectors = {k: _objects(v) if isinstance(v, list) and isinstance(v[0], list) else v for k, v in columns.items()}
        kind = "fits" if ".fit" in name else "votable"
        Table(vectors).write(path, format=kind)
    return path


def _objects(lists: list[list[float]]) -> np.ndarray:
    """Lists of any length as a column of arrays, which FITS and VOTable store as vectors of variable length."""
    column = np.empty(len(lists), dtype=object)
    column[:] = [np.array(values, dtype=np.float64) for values in lists]
    return column
