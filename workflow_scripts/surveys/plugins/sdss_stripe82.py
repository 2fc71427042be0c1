"""SDSS Stripe 82: light curves of RR Lyrae stars in ugriz (Sesar et al. 2010), from the files of the paper."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from workflow_scripts.surveys import native
from workflow_scripts.surveys.curves import LightCurves
from workflow_scripts.surveys.survey import Survey

BANDS = "ugriz"
COLUMNS = ("star", "band", "mjd", "mag", "mag_err")
NATIVE = ("ra", "dec", *(f"{band}_{name}" for band in BANDS for name in ("mjd", "mag", "mag_err")))


def read(path: Path, ids: Sequence[str]) -> pa.Table:
    """Points of STAR.dat, or of all such files in table1.tar.gz: right ascension, declination, 5 x (MJD, mag, error).

    What stands for a missing magnitude (-99.99, about 100) stays: cleaning takes it out and counts it.
    """
    parts = []
    for name, text in native.texts(path, lambda name: name.endswith(".dat")):
        star = Path(name).stem
        if ids and star not in ids:
            continue
        table = dict(zip(NATIVE, native.cells(name, text.splitlines(), NATIVE), strict=True))
        for band in BANDS:
            points = [table[f"{band}_{column}"] for column in COLUMNS[2:]]
            parts.append([[star] * len(points[0]), [band] * len(points[0]), *points])
    return native.text_table(COLUMNS, parts)


SURVEY = Survey(
    title="SDSS Stripe 82 light curves of RR Lyrae stars",
    reference="Sesar et al. 2010, ApJ 708, 717",
    light_curves=LightCurves(
        columns={"object_id": "star", "time": "mjd", "mag": "mag", "mag_err": "mag_err", "band": "band"},
        bands={band: band for band in BANDS},
        time_format="mjd",
        read=read,
        by_hand="Download table1.tar.gz, which comes with the paper, and name it as a native file",
    ),
)
