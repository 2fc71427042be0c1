"""MACHO: light curves from the tile files at NCI Canberra, of stars named field.tile.sequence (macho_variables)."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from workflow_scripts.archives import http
from workflow_scripts.archives.answers import Source
from workflow_scripts.surveys.curves import LightCurves
from workflow_scripts.surveys.files import is_gzip
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import DataError

URL = "http://macho.nci.org.au/macho_photometry"  # U: whether the host still answers
# Columns of the 39, counted from 0.
PLACES = {"field": 1, "tile": 2, "sequence": 3, "mjd": 4, "R": 9, "R_err": 10, "V": 24, "V_err": 25}
COLUMNS = ("star", "band", "mjd", "mag", "mag_err")
# ASSUME MACHO's instrumental magnitudes plus 24 are near the standard V and R. Alcock et al. 1999 calibrate them with
# zero points of each field and chip and a term of 0.18 (V - R), which is not done here: mean magnitudes and colours
# are good to some 0.3 mag, shapes and periods are not touched. A missing value (-99) stays far outside all magnitudes.
ZERO_POINT = 24.0


def read(path: Path, ids: Sequence[str]) -> pa.Table:
    """Points of a tile file F_{field}.{tile}.gz in both bands; a tile has thousands of stars and is read in parts."""
    used = {name: f"c{place}" for name, place in PLACES.items()}
    kinds = {f"c{place}": pa.string() if place < PLACES["mjd"] else pa.float64() for place in PLACES.values()}
    schema = pa.schema([(name, pa.string() if name in ("star", "band") else pa.float64()) for name in COLUMNS])
    parts = [schema.empty_table()]
    try:
        with (
            pa.input_stream(path, compression="gzip" if is_gzip(path) else None) as text,
            pa_csv.open_csv(
                text,
                pa_csv.ReadOptions(column_names=[f"c{i}" for i in range(39)], use_threads=False),
                pa_csv.ParseOptions(delimiter=";"),
                pa_csv.ConvertOptions(include_columns=list(used.values()), column_types=kinds),
            ) as blocks,
        ):
            for block in blocks:
                parts += _points(pa.table([block[column] for column in used.values()], list(used)), ids)
    except (pa.ArrowInvalid, OSError, EOFError) as error:
        raise DataError(f"{path}: not a whole tile file of 39 columns ({error}); copy or download it again") from error
    return pa.concat_tables(parts)


def _points(rows: pa.Table, ids: Sequence[str]) -> list[pa.Table]:
    star = pc.binary_join_element_wise(rows["field"], rows["tile"], rows["sequence"], ".")
    if ids:
        mine = pc.is_in(star, value_set=pa.array(ids))
        rows, star = rows.filter(mine), star.filter(mine)
    band = {name: pa.repeat(name, len(rows)) for name in ("R", "V")}
    return [
        pa.table([star, band[name], rows["mjd"], pc.add(rows[name], ZERO_POINT), rows[f"{name}_err"]], COLUMNS)
        for name in ("R", "V")
    ]


def file(star: str) -> str:
    """Name of the tile file of a star; raises DataError for a star of another survey."""
    parts = star.split(".")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise DataError(f"MACHO: '{star}' is no star field.tile.sequence, such as 1.3319.10; take macho_variables")
    return f"F_{parts[0]}.{parts[1]}.gz"


def source(_: pa.Table, __: float) -> Source:
    """Download the tile files that the stars are in."""

    def request(ids: Sequence[str]) -> http.Request:
        return http.Request("MACHO", f"{URL}/F_{ids[0].split('.')[0]}/{file(ids[0])}")

    return Source("MACHO", request, read, COLUMNS, id="star", unique=(), batch=10_000, absent=(404,), file=file)


SURVEY = Survey(
    title="MACHO light curves",
    reference="Alcock et al. 1999, PASP 111, 1539; Allsman and Axelrod 2001, astro-ph/0108444",
    light_curves=LightCurves(
        columns={"object_id": "star", "time": "mjd", "mag": "mag", "mag_err": "mag_err", "band": "band"},
        bands={"V": "V", "R": "R"},  # blue and red of the camera
        time_format="mjd",
        read=read,
        source=source,
        ids=lambda star, _: [star],
    ),
)
