"""Lists of objects and of photometry in a user's files, one row per object."""

import logging
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workflow_scripts import tables
from workflow_scripts.lightcurve.clean import MAG_RANGE
from workflow_scripts.surveys import checks, columns
from workflow_scripts.surveys.columns import Columns, Reals
from workflow_scripts.tables import DataError

log = logging.getLogger(__name__)

REQUIRED = ["object_id"]
OBJECT = ["object_id", "ra_deg", "dec_deg", "class", "catalogue_period_d"]
PHOTOMETRY = tables.PHOTOMETRY.names

_COORDINATES = {"ra_deg": (0.0, 360.0, False), "dec_deg": (-90.0, 90.0, True)}


def objects(object_files: Sequence[Columns], curves: pa.Table, survey: str) -> pa.Table:
    """Join the lists of objects into tables.OBJECTS, sorted by object; observed objects on no list get a bare row.

    curves is tables.RAW_LIGHT_CURVES. Raises DataError if an object is listed twice, if no listed object has a light
    curve, or if a coordinate is impossible.
    """
    listed, observed = _unique_ids(object_files), curves["object_id"].combine_chunks().unique()
    if object_files and not pc.any(pc.is_in(listed, observed)).as_py():
        raise DataError(
            f"{object_files[0].file.path}: none of the {len(listed)} objects, such as {listed[:2].to_pylist()}, has a "
            f"light curve; the light curves are of objects such as {observed[:2].to_pylist()}: map the right column to "
            "object_id"
        )
    return objects_of_few(object_files, curves, survey)


def objects_of_few(object_files: Sequence[Columns], curves: pa.Table, survey: str) -> pa.Table:
    """Do the same for some objects of a sample, such as a shard: they may all be without a light curve."""
    listed, observed = _unique_ids(object_files), curves["object_id"].combine_chunks().unique()
    missed, extra = _unmatched(listed, observed), _unmatched(observed, listed)
    level = logging.WARNING if len(missed) and len(extra) else logging.INFO  # names may be spelt in two ways
    log.log(level, "%d objects listed, %d of them without a light curve", len(listed), len(missed))
    log.log(level, "%d objects have light curves but no row in a list: no coordinates, no class", len(extra))
    where = ", ".join(str(file.file.path) for file in object_files) or survey
    where = f"{where}: column object_id, and light curves"
    columns.check_spellings([*listed.to_pylist(), *extra.to_pylist()], where)
    columns.check_unmatched(missed, extra, where)
    rows = {"object_id": pa.chunked_array([listed, extra]), "survey": pa.repeat(survey, len(listed) + len(extra))}
    for name in OBJECT[1:]:
        parts = [*(_object_column(file, name) for file in object_files), pa.nulls(len(extra))]
        rows[name] = _joined(parts, tables.OBJECTS.schema.field(name).type)
    return pa.table(rows, schema=tables.OBJECTS.schema).sort_by("object_id")


def photometry(photometry_files: Sequence[Columns], sample: pa.Table) -> pa.Table:
    """Join the lists of photometry into tables.PHOTOMETRY, sorted by object, for the objects of the sample.

    sample is tables.OBJECTS. Raises DataError if a file has none of the columns, if an object is listed twice, or if
    none is in the sample.
    """
    for file in photometry_files:
        _check_photometry(file)
    ids, known = _unique_ids(photometry_files), sample["object_id"].combine_chunks()
    wanted = pc.is_in(ids, known)
    n_wanted = pc.sum(wanted).as_py() or 0
    log.info("photometry: %d rows, %d of them of objects of this sample", len(ids), n_wanted)
    if photometry_files and not n_wanted:
        raise DataError(
            f"{photometry_files[0].file.path}: none of the {len(ids)} objects, such as {ids[:2].to_pylist()}, is in "
            f"the sample, which has {sample['object_id'][:2].to_pylist()}: map the right column to object_id"
        )
    where = ", ".join(str(file.file.path) for file in photometry_files)
    columns.check_unmatched(_unmatched(known, ids), ids.filter(pc.invert(wanted)), f"{where}: objects, and photometry")
    rows = {"object_id": ids}
    for name in PHOTOMETRY[1:]:
        rows[name] = _joined([_photometry_column(file, name) for file in photometry_files], pa.float64())
    return pa.table(rows, schema=tables.PHOTOMETRY.schema).filter(wanted).sort_by("object_id")


def _unique_ids(listing: Sequence[Columns]) -> pa.Array:
    """Objects of all files in their order; raises DataError if one stands there twice."""
    parts = [columns.names(file, "object_id") for file in listing]
    listed = pa.array([name for codes, names in parts for name in names[codes]], pa.string())
    counts = pc.value_counts(listed)
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    if len(twice):
        raise DataError(
            f"{', '.join(str(file.file.path) for file in listing)}: {len(twice)} object_id stand in more than one row, "
            f"such as {twice[:3].to_pylist()}; expected one row per object: remove or join the others"
        )
    return listed


def _unmatched(names: pa.Array, others: pa.Array) -> pa.Array:
    return names.filter(pc.invert(pc.is_in(names, others)))


def _check_photometry(file: Columns) -> None:
    """Warn of columns that the file lacks; raises DataError if it has none: the models would know no colour."""
    absent = [name for name in PHOTOMETRY[1:] if not file.has(name)]
    if len(absent) == len(PHOTOMETRY) - 1:
        raise DataError(
            f"{file.file.path}: no column of photometry; expected one or more of {', '.join(absent)}; the file has "
            f"{file.file.names}; say which ones they are under columns: {{bp_mag: ..., rp_mag: ...}}"
        )
    if absent:
        message = "%s: no columns %s, which stay empty; the file has %s: say under `columns` which ones they are"
        log.warning(
            message, file.file.path, ", ".join(file.mapping.get(name, name) for name in absent), file.file.names
        )


def _joined(parts: Sequence[pa.Array], kind: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([part.cast(kind) for part in parts], kind)


def _object_column(file: Columns, name: str) -> pa.Array:
    if not file.has(name):
        log.warning("%s: %s; it stays empty", file.file.path, file.missing(name))
        return pa.nulls(file.file.rows.num_rows)
    if name == "class":
        codes, names = columns.texts(file[name], file.where(name))
        return pa.array(names, pa.string()).take(pa.array(codes, mask=codes < 0))
    values = columns.numbers(file[name], file.where(name))
    if name in _COORDINATES:
        checks.check_coordinates(file.where(name), values, *_COORDINATES[name])
    # ASSUME a catalogue period of zero or below stands for a missing one.
    return _present(file, name, values, values > 0 if name == "catalogue_period_d" else np.isfinite(values))


def _photometry_column(file: Columns, name: str) -> pa.Array:
    if not file.has(name):
        return pa.nulls(file.file.rows.num_rows)
    values = columns.numbers(file[name], file.where(name))
    # ASSUME a magnitude outside -5 to 40 in a list of photometry stands for a missing one (-99.99, 99, ...).
    good = (values >= MAG_RANGE[0]) & (values <= MAG_RANGE[1]) if name.endswith("_mag") else np.isfinite(values)
    return _present(file, name, values, good)


def _present(file: Columns, name: str, values: Reals, good: NDArray[np.bool_]) -> pa.Array:
    """Values, null where they are not good; counts what was a number and is lost."""
    lost = np.isfinite(values) & ~good
    if lost.any():
        log.warning("%s: %d values that stand for a missing one are left out", file.where(name), lost.sum())
    return pa.array(values, mask=~(good & np.isfinite(values)))
