"""The user's own files as a survey: light curves in tables or in a survey's native files, lists of objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from workflow_scripts.surveys import Sample, columns, download_curves, lists, points, registry
from workflow_scripts.surveys.checks import TimeFormat


@dataclass(frozen=True)
class LocalSource:
    """What the user says about the files; keys, meanings and defaults: config.schema.yaml, `local`."""

    survey: str
    format: str
    columns: dict[str, str]
    time_format: TimeFormat
    flag_limit: int
    bands: list[str]


def read(
    light_curves: Sequence[Path], objects: Sequence[Path], photometry: Sequence[Path], source: LocalSource
) -> Sample:
    """Read a sample from its files; nothing is lost, and raw values stay as they are for cleaning to judge.

    Objects without light curves stay in the objects table; light curves of objects that no list has get a row there
    without coordinates. Raises DataError if the files cannot mean what the source says.
    """
    kinds = [
        (light_curves if source.format == "tables" else (), points.COLUMNS, points.REQUIRED),
        (objects, lists.OBJECT, lists.REQUIRED),
        (photometry, lists.PHOTOMETRY, lists.REQUIRED),
    ]
    opened = [[columns.read(path, ours, required, source.columns) for path in paths] for paths, ours, required in kinds]
    everything = columns.spelt_alike([file for part in opened for file in part], "object_id")
    rest = iter(everything)
    curve_files, object_files, photometry_files = ([next(rest) for _ in part] for part in opened)
    curves = _light_curves(light_curves, curve_files, source)
    columns.check_mapping(source.columns, sorted({name for file in everything for name in file.file.names}))
    rows = lists.objects(object_files, curves, source.survey)
    return Sample(rows, lists.photometry(photometry_files, rows), curves)


def _light_curves(paths: Sequence[Path], files: Sequence[columns.Columns], source: LocalSource) -> pa.Table:
    """Raw light curves from the tables, or from native files, which need no column map."""
    if source.format != "tables":
        return download_curves.read_native(registry.load(source.format), paths, source.bands)
    return points.light_curves(files, source.time_format, source.flag_limit, source.bands)
