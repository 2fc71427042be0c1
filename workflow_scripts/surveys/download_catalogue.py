"""The catalogue of a survey, from its archive to a table of sources: one row an object, checked and accounted for."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workflow_scripts.archives import http, tap
from workflow_scripts.surveys import catalogue as catalogues
from workflow_scripts.surveys import checks, columns
from workflow_scripts.surveys.catalogue import Catalogue, Files
from workflow_scripts.surveys.mirrors import mirrored
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import SOURCES, DataError

_LOG = logging.getLogger(__name__)
_NOT_STATED = http.Digests()


def download(
    survey: Survey, where: str, folder: Path, mirrors: Mapping[str, str], rng: np.random.Generator
) -> pa.Table:
    """Rows of the survey's catalogue that meet `where` (ADQL on the archive's own columns, "" = all) as SOURCES.

    Sorted by object_id, one row an object. Raw answers with their manifests lie in folder: a run that was killed asks
    for the others only. Rows without a position are dropped and counted in the log. Raises DataError as tap.fetch and
    http.fetch do, and for an object without an identifier or with two classes, an impossible coordinate, an unknown
    class code, and a catalogue without a usable row.
    """
    catalogue = survey.catalogue
    if catalogue is None:
        raise DataError(f"{survey.title} has no catalogue; name a survey that has one")
    if isinstance(catalogue.origin, Files):
        catalogues.jobs(catalogue, where)
        raw = _from_files(catalogue.origin, survey, folder, mirrors, rng)
    else:
        raw = _from_jobs(catalogue, survey, where, folder, mirrors, rng)
    if not where and raw.num_rows != catalogue.rows:
        _LOG.warning("%s: %d rows came, published are %d", survey.title, raw.num_rows, catalogue.rows)
    found = sources(raw, catalogue, survey.title)
    _LOG.info("%s: %d objects of %d rows", survey.title, found.num_rows, raw.num_rows)
    return found


def sources(rows: pa.Table, catalogue: Catalogue, title: str) -> pa.Table:
    """Rows under our names as SOURCES: see `download`; title is for messages."""
    table = {
        "object_id": _identifiers(rows, catalogue, title),
        "ra_deg": _coordinate(rows, "ra_deg", 0.0, 360.0, title),
        "dec_deg": _coordinate(rows, "dec_deg", -90.0, 90.0, title),
        "class": _classes(rows, catalogue, title),
        "catalogue_period_d": _periods(rows, title),
        "best": rows[catalogue.best] if catalogue.best else pa.nulls(len(rows), pa.float64()),
    }
    found = pa.table(table)
    placed = found.filter(pc.and_(pc.is_valid(found["ra_deg"]), pc.is_valid(found["dec_deg"])))
    if placed.num_rows < found.num_rows:
        _LOG.warning("%s: %d rows have no position and are dropped", title, found.num_rows - placed.num_rows)
    if not placed.num_rows:
        raise DataError(f"{title}: none of the {rows.num_rows} rows has a position; check `where` and the catalogue")
    return _one_row_each(placed, catalogue, title).select(SOURCES.names).cast(SOURCES.schema)


def _from_jobs(
    catalogue: Catalogue,
    survey: Survey,
    where: str,
    folder: Path,
    mirrors: Mapping[str, str],
    rng: np.random.Generator,
) -> pa.Table:
    """Answers of all parts, without the columns that are for conditions only."""
    wanted = {*SOURCES.names, *catalogue.identity, catalogue.best}
    parts = []
    for number, query in enumerate(catalogues.jobs(catalogue, where)):
        path = folder / f"part_{number:02d}.parquet"
        tap.fetch(mirrored(query, mirrors), path, survey.manners, rng)
        names = [name for name in query.columns if name in wanted]
        parts.append(pq.read_table(path, columns=names, partitioning=None).replace_schema_metadata(None))
        _LOG.info("%s: part %d of %d, %d rows", survey.title, number + 1, catalogue.parts, len(parts[-1]))
    return pa.concat_tables(parts, promote_options="permissive")


def _from_files(
    origin: Files, survey: Survey, folder: Path, mirrors: Mapping[str, str], rng: np.random.Generator
) -> pa.Table:
    parts = []
    for number, request in enumerate(origin.requests):
        path = folder / f"{number:02d}_{request.url.rsplit('/', 1)[-1]}"
        digests = origin.digests.get(request.url, _NOT_STATED)
        http.fetch(
            mirrored(request, mirrors),
            path,
            survey.manners,
            rng,
            count=lambda part: origin.read(part).num_rows,
            digests=digests,
        )
        parts.append(origin.read(path))
        _LOG.info("%s: file %d of %d, %d rows", survey.title, number + 1, len(origin.requests), len(parts[-1]))
    return pa.concat_tables(parts, promote_options="permissive")


def _identifiers(rows: pa.Table, catalogue: Catalogue, title: str) -> pa.ChunkedArray:
    parts = [_text(rows, name, title) for name in catalogue.identity]
    for name, part in zip(catalogue.identity, parts, strict=True):
        if part.null_count:
            raise DataError(
                f"{title}: {name} is empty in {part.null_count} of {len(part)} rows; it identifies the object: leave "
                f"these rows out with `where`, such as where: '... IS NOT NULL'"
            )
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, ".")


def _classes(rows: pa.Table, catalogue: Catalogue, title: str) -> pa.ChunkedArray | pa.Array:
    if "class" not in rows.column_names:
        return pa.nulls(len(rows), pa.string())
    codes = _text(rows, "class", title)
    if not catalogue.classes:
        return codes
    known = pa.array(list(catalogue.classes), pa.string())
    strange = pc.unique(codes.filter(pc.invert(pc.is_in(codes, pa.chunked_array([known, [None]])))))
    if len(strange):
        raise DataError(
            f"{title}: class codes {strange.to_pylist()} are unknown, expected {list(catalogue.classes)}; the "
            "catalogue has changed: its plug-in must follow"
        )
    return pc.take(pa.array(list(catalogue.classes.values()), pa.string()), pc.index_in(codes, known))


def _periods(rows: pa.Table, title: str) -> pa.Array:
    if "catalogue_period_d" not in rows.column_names:
        return pa.nulls(len(rows), pa.float64())
    periods = columns.numbers(rows["catalogue_period_d"], f"{title}: column 'catalogue_period_d'")
    # ASSUME a catalogue's period of zero or below stands for none.
    return pa.array(periods, mask=~(np.isfinite(periods) & (periods > 0)))


def _coordinate(rows: pa.Table, name: str, low: float, high: float, title: str) -> pa.Array:
    where = f"{title}: column '{name}'"
    values = columns.numbers(rows[name], where)
    if name == "ra_deg":
        values = np.where(values == 360.0, 0.0, values)  # what a right ascension just below 360 is rounded to
    checks.check_coordinates(where, values, low, high, closed=name == "dec_deg")
    return pa.array(values, mask=np.isnan(values))


def _text(rows: pa.Table, name: str, title: str) -> pa.ChunkedArray:
    kind = rows[name].type
    if not (pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_null(kind)):
        raise DataError(f"{title}: column '{name}' holds {kind}, expected text or integers: its plug-in must follow")
    return rows[name].cast(pa.string())


def _one_row_each(rows: pa.Table, catalogue: Catalogue, title: str) -> pa.Table:
    """Rows sorted by object_id; of several of one object the one with the largest `best`, or the first."""
    rest = [(name, "ascending") for name in SOURCES.names[1:]]
    rows = rows.sort_by([("object_id", "ascending"), ("best", "descending"), *rest])
    ids = rows["object_id"].combine_chunks()
    first = pa.concat_arrays([pa.array([True]), pc.not_equal(ids[1:], ids[:-1])])
    twice = pc.unique(ids.filter(pc.invert(first)))
    if not catalogue.best:
        _check_agreement(rows.filter(pc.is_in(ids, twice)), title)
    if len(twice):
        surplus, example = len(ids) - first.true_count, twice[0].as_py()
        _LOG.warning("%s: %d rows are dropped for another of the same object, such as %s", title, surplus, example)
    return rows.filter(first)


def _check_agreement(rows: pa.Table, title: str) -> None:
    kinds = rows.group_by("object_id").aggregate([("class", "count_distinct", pc.CountOptions(mode="all"))])
    unclear = kinds.filter(pc.greater(kinds["class_count_distinct"], 1))["object_id"]
    if len(unclear):
        raise DataError(
            f"{title}: {len(unclear)} objects come twice with different classes, such as {unclear[0].as_py()!r}; the "
            "plug-in must say which row is the best"
        )
