"""Light curves of targets from the archive of a survey, or from its native files, and what became of every target."""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workflow_scripts import progress, tables
from workflow_scripts.archives import answers, by_id, checks, manifest, tap
from workflow_scripts.archives.answers import Link, Source
from workflow_scripts.archives.query import Upload
from workflow_scripts.archives.retry import UnavailableError
from workflow_scripts.crossmatch import positions
from workflow_scripts.surveys import columns, curve_status, native, points
from workflow_scripts.surveys.columns import Columns
from workflow_scripts.surveys.curve_status import STATUS, Reasons
from workflow_scripts.surveys.curves import LightCurves
from workflow_scripts.surveys.mirrors import mirrored
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import DataError

_NAME = frozenset({"object_id"})  # the target's, as its catalogue writes it

__all__ = ["STATUS", "Downloaded", "Wish", "download", "read_native"]


@dataclass(frozen=True)
class Wish:
    """What is wanted of a survey: bands under our names (none = all), and how far from a target its object may be.

    mirrors = {base URL of an archive: base URL to ask instead}. Raises DataError for what the survey does not have.
    """

    survey: Survey
    bands: tuple[str, ...]
    radius_arcsec: float
    mirrors: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the bands and the radius."""
        _curves(self.survey, self.bands)
        if not self.radius_arcsec > 0:
            raise DataError(f"{self.survey.title}: radius_arcsec is {self.radius_arcsec:g}, expected more than 0")

    @property
    def curves(self) -> LightCurves:
        """Light curves of the survey."""
        return _curves(self.survey, self.bands)


def _curves(survey: Survey, bands: Sequence[str]) -> LightCurves:
    if survey.light_curves is None:
        raise DataError(f"{survey.title} has no light curves; name a survey that has some")
    known = survey.light_curves.band_names
    if unknown := [band for band in bands if band not in known]:
        raise DataError(f"bands: {survey.title} has no bands {unknown}, it has {known}; correct `bands`")
    return survey.light_curves


@dataclass(frozen=True)
class Downloaded:
    """Light curves (tables.RAW_LIGHT_CURVES) and what became of the targets, in their order (STATUS)."""

    light_curves: pa.Table
    status: pa.Table


def download(targets: pa.Table, wish: Wish, folder: Path, shared: Path, rng: np.random.Generator) -> Downloaded:
    """Light curves of targets (object_id, ra_deg, dec_deg [deg, ICRS, null = unknown]) from the survey's archive.

    Answers lie in folder, with targets.parquet (STATUS); the archive's own files, which other jobs use too, in shared.
    A run that was killed asks for what is missing only, and ends with the same tables. Raises DataError if the
    archive failed for any target (how many, why, how to go on), has changed its format, or gives nothing by itself,
    and for a target that is listed twice or has impossible coordinates.
    """
    curves, title = wish.curves, wish.survey.title
    if curves.source is None:
        raise DataError(f"{title}: no archive gives its light curves by itself. {curves.by_hand}")
    if problem := checks.repeated(targets, ("object_id",)):
        raise DataError(f"{title}: the targets have {problem}; give each object one row")
    placed = _placed(targets)
    try:
        asked = _choice(targets, placed, wish, folder, rng)
    except UnavailableError as error:
        tables.write(curve_status.unknown(targets, placed, str(error)), folder / "targets.parquet", STATUS)
        raise UnavailableError(
            f"{title}: {placed.num_rows} of {targets.num_rows} targets are missing, all that have coordinates, because "
            f"which objects they are could not be asked; all are listed in {folder / 'targets.parquet'}. {error}"
        ) from error
    source = _mirrored(curves.source(placed, wish.radius_arcsec), wish.mirrors)
    ids = list(dict.fromkeys(asked["archive_id"].to_pylist()))
    result = by_id.fetch(source, ids, folder, wish.survey.manners, rng, shared)
    parts, taken = _read(source, result, asked, placed, wish)
    rows = tables.RAW_LIGHT_CURVES.schema.empty_table()
    if parts:
        rows = points.light_curves_of_few(parts, curves.time_format, curves.flag_limit, ())
    reasons = Reasons(result, asked, placed if curves.ids is None else None, wish.radius_arcsec)
    status = curve_status.of(targets, reasons, taken, rows)
    manifest.sweep(folder / "targets.parquet")
    tables.write(status, folder / "targets.parquet", STATUS)
    curve_status.report(status, title)
    by_id.require(source, result, folder)
    return Downloaded(rows, status)


def read_native(survey: Survey, paths: Sequence[Path], bands: Sequence[str], objects: Sequence[str] = ()) -> pa.Table:
    """Read a user's own native files of a survey as tables.RAW_LIGHT_CURVES; of all objects in them, or of `objects`.

    Raises DataError if there is no file, or one is missing, cut, of another kind, or without points in the bands.
    """
    curves, parts = _curves(survey, bands), []
    for part in progress.batches(len(paths), 1, f"files of {survey.title} read"):
        path = paths[part.start]
        rows = curves.read(path, objects)
        if missing := [name for name in curves.columns.values() if name not in rows.column_names]:
            raise DataError(
                f"{path}: no columns {missing} of {survey.title}, found {rows.column_names}; is it the survey's file?"
            )
        file = native.ours(curves, rows, rows[curves.columns["object_id"]], bands, path)
        if "archive_id" in curves.columns and rows.num_rows:
            file = native.best(curves, file, None, 0.0)[0]
        if file.file.rows.num_rows:
            parts.append(file)
    if not parts:
        raise DataError(
            f"{survey.title}: {len(paths)} native files without a point in bands {list(bands) or 'of any name'}; "
            f"expected at least one. {curves.by_hand}"
        )
    parts = columns.spelt_alike(parts, "object_id")
    return points.light_curves(parts, curves.time_format, curves.flag_limit, bands)


def _placed(targets: pa.Table) -> pa.Table:
    """Targets that have coordinates; raises DataError if one has impossible ones."""
    rows = targets.select(["object_id", "ra_deg", "dec_deg"])
    rows = rows.filter(pc.and_(pc.is_valid(rows["ra_deg"]), pc.is_valid(rows["dec_deg"])))
    positions.checked(rows["ra_deg"].to_numpy(), rows["dec_deg"].to_numpy(), "targets of light curves")
    return rows.combine_chunks()


def _choice(targets: pa.Table, placed: pa.Table, wish: Wish, folder: Path, rng: np.random.Generator) -> pa.Table:
    """Light curves of the archive to ask for, each with its target (native.CHOICE)."""
    curves = wish.curves
    if curves.find is None:
        own = (lambda name, _: [name]) if curves.ids is None else curves.ids
        names = (placed if curves.ids is None else targets)["object_id"].to_pylist()
        pairs = [(name, one, None, 0) for name in names for one in own(name, wish.bands)]
        return pa.table([list(column) for column in zip(*pairs, strict=True)] or [[]] * 4, schema=native.CHOICE)
    if not placed.num_rows:
        return native.CHOICE.empty_table()
    query, path = mirrored(curves.find(wish.radius_arcsec / 3600), wish.mirrors), folder / "found.parquet"
    tap.fetch_for(query, Upload(placed), path, wish.survey.manners, rng)
    near = native.near(pq.read_table(path, partitioning=None), placed, wish.radius_arcsec)
    band = native.ours(dataclasses.replace(curves, columns={"band": "band"}), near, near["object_id"], (), path)["band"]
    near = near.set_column(near.column_names.index("band"), "band", band)
    near = near.set_column(near.column_names.index("archive_id"), "archive_id", near["archive_id"].cast(pa.string()))
    if wish.bands:
        near = near.filter(pc.is_in(near["band"], value_set=pa.array(wish.bands)))
    return native.choose(near).select(native.CHOICE.names)


def _mirrored(source: Source, mirrors: Mapping[str, str]) -> Source:
    """Source whose requests go to the mirrors, those for the files that pages link to as well."""
    request, read_page, landmark = source.request, source.page, source.landmark

    def page(text: str) -> Link:
        link = read_page(text) if read_page else None
        return link and mirrored(link, mirrors)

    return dataclasses.replace(
        source,
        request=lambda ids: mirrored(request(ids), mirrors),
        page=page if read_page else None,
        landmark=(lambda ids: mirrored(landmark(ids), mirrors)) if landmark else None,
    )


def _read(
    source: Source, result: by_id.Result, asked: pa.Table, placed: pa.Table, wish: Wish
) -> tuple[list[Columns], pa.Table]:
    """Points of the targets from the downloaded files, and the light curves of the archive that they are (CHOICE)."""
    curves, parts = wish.curves, []
    found = pa.array(result.of("found"), pa.string())
    taken = [asked.filter(pc.is_in(asked["archive_id"], value_set=found))]
    if "archive_id" in curves.columns:  # whose points are in the answer is known only now
        taken = [native.CHOICE.empty_table()]
    owners: dict[str, list[str]] = defaultdict(list)
    for name, one in zip(asked["object_id"].to_pylist(), asked["archive_id"].to_pylist(), strict=True):
        owners[one].append(name)
    for part in progress.batches(len(result.files), 1, f"files of {wish.survey.title} read"):
        path = result.files[part.start]
        rows = answers.rows(source, path)
        for mine, objects in native.of_targets(rows, source.id, owners) if rows is not None else ():
            file = native.ours(curves, mine, objects, wish.bands, path)
            if "archive_id" in curves.columns:
                file, chosen = native.best(curves, file, placed, wish.radius_arcsec)
                taken.append(chosen)
            if file.file.rows.num_rows:
                parts.append(dataclasses.replace(file, written=_NAME))
    return parts, pa.concat_tables(taken)
