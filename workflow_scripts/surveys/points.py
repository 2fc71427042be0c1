"""Photometric points of a user's files, long or with list columns, as raw light curves."""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workflow_scripts import tables
from workflow_scripts.lightcurve import ragged
from workflow_scripts.surveys import checks, columns
from workflow_scripts.surveys.columns import Columns, Reals, Texts
from workflow_scripts.tables import DataError

log = logging.getLogger(__name__)

REQUIRED = ["object_id", "time", "mag", "mag_err"]
COLUMNS = [*REQUIRED, "band", "flag"]

NO_BAND = "default"  # band of light curves whose file has no band column: the survey has one band

_VALUES = ("time", "mag", "mag_err", "flag")
_COARSEST_D = 0.01  # steps [d] between the times that a file can hold; with longer ones most periods are lost


def light_curves(
    curve_files: Sequence[Columns], time_format: checks.TimeFormat, flag_limit: int, asked_bands: Sequence[str]
) -> pa.Table:
    """Join the points of all files into tables.RAW_LIGHT_CURVES, sorted by object and band.

    The points of a light curve stay in the order of the files. Raises DataError if times, magnitudes or errors are
    in the wrong unit, or a band that was asked for is not there.
    """
    parts = _parts(curve_files, asked_bands)
    for check in _checks(curve_files, parts, time_format):
        check()
    return _joined(parts, time_format, flag_limit)


def light_curves_of_few(
    curve_files: Sequence[Columns], time_format: checks.TimeFormat, flag_limit: int, asked_bands: Sequence[str]
) -> pa.Table:
    """Do the same for some stars of a sample, such as a shard: brightness in what looks like a wrong unit is a warning.

    They may all be odd, as where half of a camera was dead; cleaning leaves such points out. Times are no star's own:
    where there are any they must be what was said.
    """
    parts = _parts(curve_files, asked_bands)
    check_times, *others = _checks(curve_files, parts, time_format)
    if any(np.isfinite(part.time).any() for part in parts):
        check_times()
    for check in others:
        try:
            check()
        except DataError as error:
            log.warning("%s (of these light curves only: cleaning leaves such points out)", error)
    return _joined(parts, time_format, flag_limit)


@dataclass(frozen=True)
class _Points:
    """Points of one file: codes and names of object and band, raw times, and what cleaning wants to know."""

    objects: NDArray[np.int64]
    object_names: Texts
    bands: NDArray[np.int64]
    band_names: Texts
    time: Reals
    mag: Reals
    mag_err: Reals
    flag: Reals


def _parts(curve_files: Sequence[Columns], asked_bands: Sequence[str]) -> list[_Points]:
    parts = _in_bands([_points(file) for file in curve_files], asked_bands, curve_files[0].file.path)
    for file, part in zip(curve_files, parts, strict=True):
        _check_resolution(file, part.time)
    return parts


def _checks(
    curve_files: Sequence[Columns], parts: Sequence[_Points], time_format: checks.TimeFormat
) -> list[Callable[[], None]]:
    """List the checks of the units of all points together; errors of upper limits, such as 99.99, mean nothing."""
    time, mag, mag_err = ([file.where(name) for file in curve_files] for name in REQUIRED[1:])
    errors = [np.where(np.isnan(part.mag) & (part.mag_err > 1), np.nan, part.mag_err) for part in parts]
    return [
        lambda: checks.check_times(time, [part.time for part in parts], time_format),
        lambda: checks.check_magnitudes(mag, [part.mag for part in parts]),
        lambda: checks.check_errors(mag_err, errors),
    ]


def _joined(parts: Sequence[_Points], time_format: checks.TimeFormat, flag_limit: int) -> pa.Table:
    objects, object_names = _together([(p.objects, p.object_names) for p in parts])
    bands, band_names = _together([(p.bands, p.band_names) for p in parts])
    key = objects * len(band_names) + bands
    order = np.argsort(key, kind="stable")
    keys, lengths = np.unique(key[order], return_counts=True)
    time, mag, mag_err, flag = (np.concatenate([getattr(p, n) for p in parts])[order] for n in _VALUES)
    with np.errstate(over="ignore"):  # a magnitude beyond float32 becomes infinite, and cleaning counts it
        mag, mag_err = mag.astype(np.float32), mag_err.astype(np.float32)
    log.info("%d points in %d light curves of %d files", len(order), len(keys), len(parts))
    return pa.table(
        {
            "object_id": pa.array(object_names[keys // len(band_names)], pa.string()),
            "band": pa.array(band_names[keys % len(band_names)], pa.string()),
            "time": ragged.to_lists(time + checks.TO_MJD[time_format], lengths),
            "mag": ragged.to_lists(mag, lengths),
            "mag_err": ragged.to_lists(mag_err, lengths),
            "usable": ragged.to_lists(~(flag >= flag_limit), lengths),
        },
        schema=tables.RAW_LIGHT_CURVES.schema,
    )


def _points(file: Columns) -> _Points:
    """Points of a file; a list column has the points of one light curve in each row, or in some of its rows."""
    lengths = _lengths(file)
    row = np.repeat(np.arange(len(lengths)), lengths)
    values = {name: _flat(file, name, row) for name in _VALUES if name != "flag" or file.has("flag")}
    values.setdefault("flag", np.full(len(row), np.nan))
    objects, object_names = columns.names(file, "object_id")
    bands, band_names = np.zeros(len(lengths), np.int64), np.array([NO_BAND], dtype=object)
    if file.has("band"):
        bands, band_names = columns.names(file, "band")
    return _Points(objects[row], object_names, bands[row], band_names, **values)


def _lengths(file: Columns) -> NDArray[np.int64]:
    """Points in each row of a file: 1 in a long one; checks that the list columns agree."""
    listed = [name for name in _VALUES if file.has(name) and _is_list(file[name])]
    if not listed:
        return np.ones(file.file.rows.num_rows, dtype=np.int64)
    for name in ("time", "mag", "mag_err"):
        if name not in listed:
            raise DataError(
                f"{file.where(name)} holds one value per row, but '{listed[0]}' a list; expected lists in all of time, "
                "mag and mag_err, or in none: rewrite the file"
            )
    found = [pc.fill_null(pc.list_value_length(file[name]), 0).to_numpy().astype(np.int64) for name in listed]
    for name, lengths in zip(listed, found, strict=True):
        bad = np.flatnonzero(lengths != found[0])
        if len(bad):
            raise DataError(
                f"{file.where(name)} has {lengths[bad[0]]} values in row {bad[0] + 1} (object "
                f"{file['object_id'][int(bad[0])].as_py()}) but '{listed[0]}' has {found[0][bad[0]]}; {len(bad)} rows "
                "differ: lists of one row must have the same length"
            )
    return np.asarray(found[0], dtype=np.int64)


def _flat(file: Columns, name: str, row: NDArray[np.int64]) -> Reals:
    if _is_list(file[name]):
        return columns.numbers(pc.list_flatten(file[name]), file.where(name))
    return columns.numbers(file[name], file.where(name))[row]


def _is_list(column: pa.ChunkedArray) -> bool:
    kind = column.type
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _check_resolution(file: Columns, time: Reals) -> None:
    """Warn of times that are stored to some seconds only; raises DataError if the steps are longer than 0.01 d.

    A float32 has steps of 0.25 d where it holds a JD, of 0.004 d where it holds an MJD.
    """
    stored = file["time"].type.value_type if _is_list(file["time"]) else file["time"].type
    finite = np.abs(time[np.isfinite(time)])
    if stored not in (pa.float16(), pa.float32()) or not len(finite):
        return
    kind = np.dtype(stored.to_pandas_dtype())
    step_d = float(np.spacing(np.median(finite).astype(kind)))
    said = f"{file.where('time')}: times are stored to {step_d:.1g} d only ({kind}, steps of {step_d * 86400:.0f} s)"
    if step_d > _COARSEST_D:
        raise DataError(f"{said}, expected {_COARSEST_D} d or better: write them anew from their source as float64")
    log.warning("%s: periods below %.1g d mean little", said, 25 * step_d)  # phases to 0.04 at such a period


def _in_bands(parts: Sequence[_Points], asked: Sequence[str], path: Path) -> list[_Points]:
    """Points in the bands that are asked for; all points if none is."""
    found = np.unique(np.concatenate([part.band_names for part in parts]))
    unknown = [band for band in asked if band not in found]
    if unknown:
        raise DataError(
            f"bands: {unknown} are in no file of light curves ({path}, ...); they have {list(found)}; correct `bands`, "
            "or leave it empty for all"
        )
    return (
        [_chosen(part, np.isin(part.band_names, list(asked))[part.bands]) for part in parts] if asked else list(parts)
    )


def _chosen(part: _Points, chosen: NDArray[np.bool_]) -> _Points:
    values = {name: getattr(part, name)[chosen] for name in ("objects", "bands", *_VALUES)}
    return dataclasses.replace(part, **values)


def _together(parts: Sequence[tuple[NDArray[np.int64], Texts]]) -> tuple[NDArray[np.int64], Texts]:
    """Codes of several files as codes into one sorted list of names."""
    names = np.unique(np.concatenate([names for _, names in parts]))
    return np.concatenate([np.searchsorted(names, own)[codes] for codes, own in parts]), names
