"""All-Sky Automated Survey for Supernovae: light curves of the variables, from files that a person downloads.

The archive's own client (skypatrol, GPL-3) is none of our packages. U: the archive's direct addresses of files.
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from workflow_scripts.surveys import native
from workflow_scripts.surveys.curves import LightCurves
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import DataError

COLUMNS = ("star", "band", "hjd", "mag", "mag_err", "flag")
# Names of the columns in the kinds of files: single CSV files, the archives of variables, Sky Patrol.
# ASSUME the times of Sky Patrol's second version, under jd, may stand for heliocentric ones. They are the
# observatory's, up to 8.3 min before or after them, which blurs periods below some hours.
TIMES, ERRORS, FILTERS = ("hjd", "time", "jd"), ("mag_err", "mag error"), ("filter", "phot_filter")


def read(path: Path, ids: Sequence[str]) -> pa.Table:
    """Points of STAR.csv or STAR.dat, or of all such files in asassnvarlc_vband_complete.zip or g_band_lcs-001.tar."""
    found = native.texts(path, lambda name: name.endswith((".csv", ".dat")) and (not ids or star(name) in ids))
    return native.text_table(COLUMNS, [_points(name, text) for name, text in found])


def star(name: str) -> str:
    """Name a star by its file as the catalogue does (asassn_variables): J1234 for ASASSN-VJ1234 and ASASSN-V_J1234."""
    stem = Path(name).stem
    return stem.removeprefix("ASASSN-V").lstrip("_ ")


def _points(name: str, text: str) -> list[list[str | None]]:
    """Points under the header, separated by commas or blanks."""
    lines = text.splitlines()
    head = next((i for i, line in enumerate(lines) if _is_header(line)), None)
    if head is None:
        raise DataError(f"{name}: no line with the names of columns, expected HJD, mag, mag_err; is it ASAS-SN's file?")
    names = _names(lines[head])
    separator = "," if "," in lines[head] else None
    table = dict(zip(names, native.cells(name, lines[head + 1 :], names, separator), strict=True))
    time, error, band = (next((key for key in keys if key in table), None) for keys in (TIMES, ERRORS, FILTERS))
    if time is None or error is None:
        raise DataError(f"{name}: columns {names}, expected one of {TIMES}, mag and mag_err; is it ASAS-SN's file?")
    # ASSUME a file of the archive of g, ASASSN-V_J..., is in g, one of the archive of V, ASASSN-VJ..., in V. Any other
    # that names no filter mixes V (to 2018) and g (since 2017), some 0.3 mag apart: it goes under a name of its own.
    kind = {"ASASSN-V_J": "g", "ASASSN-VJ": "V"}
    own = next((kind[start] for start in kind if Path(name).stem.startswith(start)), "V+g")
    bands = table[band] if band else [own] * len(table[time])
    # ASSUME a magnitude such as >16.5 is an upper limit, which is no measurement.
    mag = [None if cell.startswith(">") else cell for cell in table["mag"]]
    # ASSUME points of Sky Patrol of any quality but G (good), such as B (bad) and U (unknown), are unusable.
    flag: list[str | None] = [str(int(cell.strip() != "G")) for cell in table.get("quality", [])]
    return [[star(name)] * len(mag), [*bands], [*table[time]], mag, [*table[error]], flag or [None] * len(mag)]


def _is_header(line: str) -> bool:
    """Whether a line names columns; a comment does where it names a time too: others tell of the star."""
    names = _names(line)
    return "mag" in names and (not line.startswith("#") or any(time in names for time in TIMES))


def _names(line: str) -> list[str]:
    return [cell.strip().lower() for cell in line.lstrip("# ").split("," if "," in line else None)]


SURVEY = Survey(
    title="ASAS-SN light curves of variable stars",
    reference="Shappee et al. 2014, ApJ 788, 48; Kochanek et al. 2017, PASP 129, 104502",
    light_curves=LightCurves(
        columns={
            "object_id": "star",
            "time": "hjd",
            "mag": "mag",
            "mag_err": "mag_err",
            "band": "band",
            "flag": "flag",
        },
        bands={"V": "V", "g": "g", "V+g": "V+g"},
        time_format="jd",
        read=read,
        by_hand="Download asassnvarlc_vband_complete.zip or g_band_lcs-001.tar from https://asas-sn.osu.edu, "
        "or single CSV files from its Sky Patrol, and name them as native files",
    ),
)
