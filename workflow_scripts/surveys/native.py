"""Native rows of a survey's light curves: read from text, given our names, and one light curve kept of several."""

import itertools
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workflow_scripts.crossmatch import positions
from workflow_scripts.surveys import columns
from workflow_scripts.surveys.columns import Columns
from workflow_scripts.surveys.curves import LightCurves
from workflow_scripts.surveys.files import File
from workflow_scripts.tables import DataError

_TARS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_POINT = ("time", "mag", "mag_err", "flag", "archive_id", "ra_deg", "dec_deg")
_LIGHT_CURVE = ["object_id", "band", "archive_id"]

# Which light curve of the archive is whose; n_left_out = others that lost to it.
CHOICE = pa.schema(
    [
        ("object_id", pa.string()),
        ("archive_id", pa.string()),
        ("separation_arcsec", pa.float64()),
        ("n_left_out", pa.int64()),
    ]
)


def texts(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """Name and text of a file, or of the files in a zip or tar archive in its order, as far as their names are wanted.

    Raises DataError if the file is missing or is not whole.
    """
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as packed:
                names = [name for name in packed.namelist() if not name.endswith("/") and wanted(name)]
                for name in names:
                    yield name, packed.read(name).decode()
        elif path.name.endswith(_TARS):
            with tarfile.open(path) as packed_tar:
                for member in packed_tar:
                    content = packed_tar.extractfile(member) if member.isfile() and wanted(member.name) else None
                    if content:
                        yield member.name, content.read().decode()
        elif wanted(path.as_posix()):
            yield path.as_posix(), path.read_text(encoding="utf-8")
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a whole file of light curves ({error}); copy or download it again") from error


def cells(name: str, lines: Sequence[str], columns: Sequence[str], separator: str | None = None) -> list[list[str]]:
    """Cells of the lines of a text by column, still as text; separator None = blanks.

    Raises DataError that says which line has another number of cells.
    """
    rows = [line.split(separator) for line in lines if line.strip()]
    for number, row in enumerate(rows, 1):
        if len(row) != len(columns):
            raise DataError(
                f"{name}: {len(row)} values in line {number} of the data, expected {list(columns)}; the file "
                "is cut or of another kind: copy or download it again"
            )
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in columns]


def text_table(names: Sequence[str], parts: Sequence[Sequence[Sequence[str | None]]]) -> pa.Table:
    """Table of text from parts that each have a list of cells for every name."""
    schema = pa.schema([(name, pa.string()) for name in names])
    return pa.concat_tables(
        [
            schema.empty_table(),
            *(pa.table(list(map(pa.array, part, [pa.string()] * len(names))), schema=schema) for part in parts),
        ]
    )


def ours(curves: LightCurves, rows: pa.Table, objects: pa.ChunkedArray, bands: Sequence[str], path: Path) -> Columns:
    """Rows of a native file in our bands (none = all), with the object of each row and the name of its band.

    Raises DataError for a band that the plug-in does not know.
    """
    theirs = curves.columns
    if "band" in theirs:
        codes = rows[theirs["band"]].cast(pa.string())
        place = pc.index_in(codes, value_set=pa.array(list(curves.bands)))
        if place.null_count:
            unknown = codes.filter(pc.is_null(place)).unique().to_pylist()
            raise DataError(
                f"{path}: bands {unknown} in column '{theirs['band']}', expected {list(curves.bands)}; the survey has "
                "changed its format, or the file is another survey's"
            )
        band = pa.chunked_array([pa.array(list(curves.bands.values()))]).take(place)
    else:
        band = pa.chunked_array([pa.repeat(next(iter(curves.bands.values())), rows.num_rows)])
    kept = {name: theirs[name] for name in _POINT if name in theirs}
    table = pa.table({"object_id": objects, "band": band} | {name: rows[name] for name in kept.values()})
    if bands:
        table = table.filter(pc.is_in(table["band"], value_set=pa.array(list(bands))))
    return Columns(File(path, table.column_names, table), kept)


def of_targets(
    rows: pa.Table, name: str, owners: Mapping[str, Sequence[str]]
) -> Iterator[tuple[pa.Table, pa.ChunkedArray]]:
    """Rows of light curves that have owners, with the owner of each row; again for every further owner.

    name = column of the light curves' identifiers; owners = targets of each of them.
    """
    ids = rows[name].unique().to_pylist()
    for nth in itertools.count():
        mine = [one for one in ids if len(owners.get(one, ())) > nth]
        if not mine:
            return
        place = pc.index_in(rows[name], value_set=pa.array(mine, pa.string()))
        targets = pa.chunked_array([pa.array([owners[one][nth] for one in mine], pa.string())])
        yield rows.filter(pc.is_valid(place)), targets.take(place.drop_null())


def near(found: pa.Table, targets: pa.Table, radius_arcsec: float) -> pa.Table:
    """Rows (object_id, ra_deg, dec_deg, ...) within the radius of their target, with the column separation_arcsec.

    targets = object_id, ra_deg, dec_deg. Rows without a position are never near.
    """
    # ASSUME targets and archive have positions of one epoch: the light curve of a star that moves more than the radius
    # between its catalogue's epoch and the survey's is not found (LAMOST and ZTF, 1.5 arcsec: above 0.08 arcsec/yr).
    place = pc.index_in(found["object_id"], value_set=targets["object_id"].combine_chunks())
    centres = targets.take(place)
    angle = positions.separations_arcsec(_vectors(found), _vectors(centres))
    rows = found.append_column("separation_arcsec", pa.array(angle, pa.float64(), from_pandas=True))
    return rows.filter(pc.fill_null(pc.less_equal(rows["separation_arcsec"], radius_arcsec), False))


def choose(candidates: pa.Table) -> pa.Table:
    """Keep one light curve of each target and band, as CHOICE with the column band.

    candidates = object_id, band, archive_id, separation_arcsec (null = unknown), n_points.
    """
    # ASSUME of several light curves of an archive within the radius of a target and in one band (of other fields or
    # quadrants of the camera, or of a neighbour) the one with most good points is the target's, of equally long ones
    # the nearest; they are never joined, because their zero points differ.
    order = [("object_id", "ascending"), ("band", "ascending"), ("n_points", "descending")]
    rows = candidates.sort_by([*order, ("separation_arcsec", "ascending"), ("archive_id", "ascending")])
    first = rows.group_by(["object_id", "band"], use_threads=False).aggregate(
        [("archive_id", "first"), ("separation_arcsec", "first"), ("archive_id", "count")]
    )
    return pa.table(
        {
            "object_id": first["object_id"],
            "archive_id": first["archive_id_first"],
            "separation_arcsec": first["separation_arcsec_first"].cast(pa.float64()),
            "n_left_out": pc.subtract(first["archive_id_count"], 1),
            "band": first["band"],
        }
    )


def best(
    curves: LightCurves, file: Columns, targets: pa.Table | None, radius_arcsec: float
) -> tuple[Columns, pa.Table]:
    """Of several light curves of one object and band in a file keep one; returns its points, and CHOICE.

    For surveys that are asked by position. Without targets (object_id, ra_deg, dec_deg) all positions are near.
    """
    rows = file.file.rows
    light_curves = _light_curves(curves, file)
    if targets is not None:
        light_curves = near(light_curves, targets, radius_arcsec)
    else:
        light_curves = light_curves.append_column("separation_arcsec", pa.nulls(len(light_curves), pa.float64()))
    chosen = choose(light_curves)
    keys = pa.table({"object_id": rows["object_id"], "band": rows["band"], "archive_id": file["archive_id"]})
    kept = rows.filter(pc.is_in(_key(keys), value_set=_key(chosen).combine_chunks()))
    return Columns(File(file.file.path, kept.column_names, kept), file.mapping), chosen.select(CHOICE.names)


def _light_curves(curves: LightCurves, file: Columns) -> pa.Table:
    """Each light curve of a file, with its number of good points and its mean position."""
    values = {name: columns.numbers(file[name], file.where(name)) for name in ("mag", "ra_deg", "dec_deg")}
    good = np.isfinite(values["mag"])
    if file.has("flag"):
        good &= ~(columns.numbers(file["flag"], file.where("flag")) >= curves.flag_limit)
    rows = file.file.rows
    keys = {"object_id": rows["object_id"], "band": rows["band"], "archive_id": file["archive_id"]}
    vectors = positions.unit_vectors(values["ra_deg"], values["dec_deg"])
    axes = {axis: pa.array(vectors[:, i], from_pandas=True) for i, axis in enumerate("xyz")}
    points = pa.table({**keys, "good": good.astype(np.int64), **axes})
    means = points.group_by(_LIGHT_CURVE, use_threads=False).aggregate([("good", "sum"), *((a, "mean") for a in "xyz")])
    x, y, z = (means[f"{axis}_mean"].to_numpy() for axis in "xyz")  # a mean over unit vectors knows no 0/360
    return (
        means.select(_LIGHT_CURVE)
        .append_column("n_points", means["good_sum"])
        .append_column("ra_deg", pa.array(np.degrees(np.arctan2(y, x)) % 360, from_pandas=True))
        .append_column("dec_deg", pa.array(np.degrees(np.arctan2(z, np.hypot(x, y))), from_pandas=True))
    )


def _key(rows: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(*(rows[name] for name in _LIGHT_CURVE), "\n")


def _vectors(rows: pa.Table) -> NDArray[np.float64]:
    return positions.unit_vectors(*(pc.cast(rows[n], pa.float64()).to_numpy() for n in ("ra_deg", "dec_deg")))
