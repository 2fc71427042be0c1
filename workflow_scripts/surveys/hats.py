"""Light curves and objects of any HATS collection (a survey cut into HEALPix partitions of Parquet), through LSDB.

HATS and LSDB: Caplar et al. 2025, arXiv:2501.02103. Partitions are read one at a time, or on a Dask cluster. A
collection has a row for each object and band with lists of points, plain or nested (lightcurve.mag), a row for each
point, or objects only.
"""

import contextlib
import importlib
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts import crossmatch, tables
from workflow_scripts.crossmatch import cells
from workflow_scripts.crossmatch.positions import Flags, Rows, checked
from workflow_scripts.progress import batches
from workflow_scripts.surveys import columns, lists, points
from workflow_scripts.surveys.checks import TimeFormat
from workflow_scripts.surveys.columns import Columns
from workflow_scripts.surveys.files import File
from workflow_scripts.tables import DataError

log = logging.getLogger(__name__)

_POINT = ["time", "mag", "mag_err"]
_TARGET = ["object_id", "ra_deg", "dec_deg"]
_NAME = frozenset({"object_id"})  # as it is written: partitions and shards must not differ
_OURS = [*points.COLUMNS, *lists.OBJECT[1:]]
_FEW = 10  # objects of a shard that may all be odd; more of them are not, unless a unit is wrong


@dataclass(frozen=True)
class HatsSource:
    """What the user says about a collection; keys, meanings and defaults: config.schema.yaml, `hats`.

    collection = folder or address; columns = ours: theirs, a part of a nested column after a dot; bands = their code:
    our name, empty = all, under their codes; cone = (ra_deg, dec_deg, radius_deg), empty = no cone; dask = address of a
    scheduler, "" = DASK_SCHEDULER_ADDRESS of the environment, or no cluster.
    """

    survey: str
    collection: str
    columns: dict[str, str]
    time_format: TimeFormat
    flag_limit: int
    bands: dict[str, str]
    cone: tuple[float, ...]
    radius_arcsec: float
    dask: str


def read(source: HatsSource, targets: Path | None, shard: int, n_shards: int) -> tuple[pa.Table, pa.Table]:
    """Objects (tables.OBJECTS) and light curves (tables.RAW_LIGHT_CURVES) of a shard, sorted by object; may be empty.

    The shard has the partitions shard, shard + n_shards, ... of the collection (within the cone) in HEALPix order. With
    a file of targets (object_id, ra_deg, dec_deg, class, ...) a shard has those partitions' targets, and of the
    collection their mutual best counterparts in each band, under the identifiers of the targets.
    Raises DataError if the collection, a column or a value is not what the source says.
    """
    collection = _Collection(source)
    if targets is None:
        found = collection.rows(range(len(collection.pixels))[shard::n_shards])
        listed = _first_rows(found)
    else:
        found, listed = _counterparts(collection, targets, shard, n_shards)
    if not found.file.rows.num_rows:
        log.warning("%s: nothing in shard %d of %d", source.collection, shard, n_shards)
        return tables.OBJECTS.schema.empty_table(), tables.RAW_LIGHT_CURVES.schema.empty_table()
    if _observed(found):
        join = points.light_curves_of_few if listed.file.rows.num_rows < _FEW else points.light_curves
        curves = join([found], source.time_format, source.flag_limit, [])
        return lists.objects_of_few([listed], curves, source.survey), curves
    log.warning("%s: %s; objects without light curves", source.collection, found.missing("time"))
    bare = pa.table({"object_id": _texts(listed, "object_id")})
    return lists.objects([listed], bare, source.survey), tables.RAW_LIGHT_CURVES.schema.empty_table()


def distinct(objects: pa.Table, sample: str) -> pa.Table:
    """Objects of all shards of a sample (tables.OBJECTS), sorted by object.

    Raises DataError if there is none, or if one is in two shards: its light curve would be cut in two.
    """
    rows = objects.sort_by("object_id")
    if not rows.num_rows:
        raise DataError(f"{sample}: no object in any shard; correct `cone`, `bands`, `objects` or `radius_arcsec`")
    ids = rows["object_id"].combine_chunks()
    twice = ids[1:].filter(pc.equal(ids[1:], ids[:-1])).unique()
    if len(twice):
        raise DataError(
            f"{sample}: {len(twice)} objects, such as {twice[:3].to_pylist()}, are in more than one shard; "
            "expected rows at the position of the object, not of each point: take another collection, or one shard"
        )
    return rows


class _Collection:
    """An open collection: its partitions in HEALPix order, its columns under our names, its rows."""

    def __init__(self, source: HatsSource) -> None:
        lsdb = _package("lsdb")
        self.source = source
        with _explained(source.collection):
            info = lsdb.open_catalog(source.collection).hc_structure
        names = _names(info.original_schema)
        columns.check_mapping(source.columns, names)
        sky = {"ra_deg": info.catalog_info.ra_column, "dec_deg": info.catalog_info.dec_column}
        mapping = {name: name for name in _OURS if name in names} | sky | source.columns
        self._wanted = sorted({mapping[name] for name in _OURS if name in mapping})
        no_rows = pa.table({name: pa.nulls(0) for name in names})
        self._empty = Columns(File(Path(source.collection.split("://")[-1]), names, no_rows), mapping, _NAME)
        for name in ["object_id", *(_POINT if _observed(self._empty) else []), *(["band"] if source.bands else [])]:
            self._empty[name]  # raises DataError if it is not there
        _check_cone(source.cone)
        with _explained(source.collection):
            region = lsdb.ConeSearch(*source.cone[:2], source.cone[2] * 3600) if source.cone else None
            self._catalog = lsdb.open_catalog(source.collection, search_filter=region, columns=[*self._wanted])
        self.pixels = sorted(self._catalog.get_healpix_pixels(), key=lambda p: p.pixel << 2 * (cells.FINE - p.order))

    def rows(self, partitions: Sequence[int], near: Callable[[crossmatch.Positions], Flags] | None = None) -> Columns:
        """Rows of some partitions in the wanted bands, all or those near something; our names for the bands."""
        frames = self._frames(partitions)
        progress = batches(len(partitions), 1, f"partitions of {self.source.collection}")
        parts = [self._chosen(next(frames), near) for _ in progress]
        filled = [rows for rows in parts if rows.num_rows]
        return self._with(pa.concat_tables(filled)) if filled else self._empty

    def _chosen(self, frame: Any, near: Callable[[crossmatch.Positions], Flags] | None) -> pa.Table:
        part = _in_bands(self._with(_arrow(frame, self._wanted)), self.source.bands)
        return part.file.rows.filter(near(_positions(part))) if near else part.file.rows

    def overlapping(self, low: Rows, high: Rows) -> tuple[Rows, Rows]:
        """First partition, and the one after the last, that overlap ranges of cells of order 29 (without high)."""
        shifts = [2 * (cells.FINE - pixel.order) for pixel in self.pixels]
        starts = [pixel.pixel << shift for pixel, shift in zip(self.pixels, shifts, strict=True)]
        ends = [pixel.pixel + 1 << shift for pixel, shift in zip(self.pixels, shifts, strict=True)]
        return np.searchsorted(ends, low, "right"), np.searchsorted(starts, high, "left")

    def _with(self, rows: pa.Table) -> Columns:
        return replace(self._empty, file=replace(self._empty.file, rows=rows))

    def _frames(self, partitions: Sequence[int]) -> Iterator[Any]:
        """Partitions as frames, in order: one at a time, or on a cluster as many as it has threads."""
        address = self.source.dask or _package("dask").config.get("scheduler-address", "")
        with _explained(self.source.collection):
            # One graph for all partitions: LSDB builds it anew for each that is asked for by itself.
            ready = dict(zip(self._catalog.get_ordered_healpix_pixels(), self._catalog.to_delayed(), strict=True))
            jobs = (ready[self.pixels[i]] for i in partitions)
            if address:
                yield from _on_cluster(jobs, address)
            else:
                yield from (job.compute(scheduler="synchronous") for job in jobs)


def _on_cluster(jobs: Iterator[Any], address: str) -> Iterator[Any]:
    with _package("distributed").Client(address) as client:
        waiting = deque[Any]()
        for job in jobs:
            waiting.append(client.compute(job))
            if len(waiting) > sum(client.nthreads().values()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _counterparts(collection: _Collection, path: Path, shard: int, n_shards: int) -> tuple[Columns, Columns]:
    """Rows of the counterparts of a shard's targets, under the targets' identifiers, and the rows of these targets.

    A target belongs to the first partition in its reach. All partitions in the reach of the shard's targets are read,
    so that edges between partitions hide nothing.
    """
    targets = replace(columns.read(path, lists.OBJECT, _TARGET, {}), written=_NAME)
    positions, rule = _positions(targets), crossmatch.Rule(collection.source.radius_arcsec)
    # The finest cells whose neighbours hold every place within the radius.
    order = min(cells.FINE, cells.COARSE + int(np.log2(cells.REACH_ARCSEC / rule.radius_arcsec)))
    shift, near = 2 * (cells.FINE - order), _around(positions, order)
    first, end = collection.overlapping(near << shift, near + 1 << shift)
    nowhere = len(collection.pixels)
    owner = np.where(first < end, first, nowhere).min(axis=1)
    mine = np.isin(owner, np.unique(owner[owner < nowhere])[shard::n_shards])
    spans = np.unique(np.stack([first[mine], end[mine]], axis=-1).reshape(-1, 2), axis=0)
    wanted = sorted({i for low, high in spans for i in range(low, high)})
    rows = collection.rows(wanted, lambda places: np.isin(cells.fine_cells(places) >> shift, near[mine]))
    target = _match(rows, positions, rule)
    kept = np.flatnonzero((target >= 0) & mine[target])
    chosen = np.unique(target[kept])
    message = "%d of %d targets are in the collection's partitions, %d of them in this shard; %d have a counterpart"
    log.info(message, (owner < nowhere).sum(), len(positions), mine.sum(), len(chosen))
    return _set(_take(rows, kept), "object_id", _texts(targets, "object_id").take(target[kept])), _take(targets, chosen)


def _around(positions: crossmatch.Positions, order: int) -> Rows:
    """Cells of an order with positions, and their neighbours, shape (n, 9)."""
    from cdshealpix.nested import neighbours

    own = cells.fine_cells(positions) >> 2 * (cells.FINE - order)
    found = neighbours(own, order, num_threads=1)
    return np.where(found < 0, own[:, None], found)  # in the corners of the base cells one neighbour is lacking


def _match(rows: Columns, targets: crossmatch.Positions, rule: crossmatch.Rule) -> Rows:
    """Target of each row, -1 where it has none: mutual best in each band, since surveys name a star anew in each."""
    objects, _ = columns.names(rows, "object_id")
    bands = columns.names(rows, "band")[0] if rows.has("band") else np.zeros_like(objects)
    keys = objects * (bands.max(initial=0) + 1) + bands
    _, first, source_of_row = np.unique(keys, return_index=True, return_inverse=True)
    positions, found = _positions(rows), np.full(len(first), -1)
    for band in np.unique(bands):
        own = np.flatnonzero(bands[first] == band)
        # ASSUME targets and collection have positions of one epoch; what moved by more than the radius is not found.
        places = crossmatch.Positions(positions.ra_deg[first[own]], positions.dec_deg[first[own]])
        pairs = crossmatch.match(targets, places, rule)
        found[own[pairs["b_row"].to_numpy()]] = pairs["a_row"].to_numpy()
    return found[source_of_row]


def _in_bands(rows: Columns, bands: dict[str, str]) -> Columns:
    """Rows in the wanted bands, under our names for them; all rows, if none is named."""
    if not bands:
        return rows
    ours = {str(code): name for code, name in bands.items()}
    codes, names = columns.names(rows, "band")
    renamed = pa.array([ours.get(name) for name in names], pa.string()).take(pa.array(codes))
    return _take(_set(rows, "band", renamed), np.flatnonzero(renamed.is_valid()))


def _first_rows(rows: Columns) -> Columns:
    """First row of each object."""
    codes, _ = columns.names(rows, "object_id")
    return _take(rows, np.sort(np.unique(codes, return_index=True)[1]))


def _take(rows: Columns, places: Rows) -> Columns:
    return replace(rows, file=replace(rows.file, rows=rows.file.rows.take(pa.array(places))))


def _set(rows: Columns, ours: str, values: pa.Array) -> Columns:
    """Rows with other values in a column."""
    table, theirs = rows.file.rows, rows.mapping.get(ours, ours)
    changed = table.set_column(table.column_names.index(theirs), theirs, values)
    return replace(rows, file=replace(rows.file, rows=changed))


def _texts(rows: Columns, ours: str) -> pa.Array:
    codes, names = columns.names(rows, ours)
    return pa.array(names[codes], pa.string())


def _positions(rows: Columns) -> crossmatch.Positions:
    ra, dec = (columns.numbers(rows[name], rows.where(name)) for name in _TARGET[1:])
    return checked(ra, dec, str(rows.file.path))


def _observed(rows: Columns) -> bool:
    return any(rows.has(name) for name in _POINT)


def _names(schema: pa.Schema) -> list[str]:
    """Names of columns; of a nested one (a list of records, or a record of lists) those of its parts, after a dot."""
    found: list[str] = []
    for field in schema:
        inner = getattr(field.type, "value_type", field.type)
        found += [f"{field.name}.{part.name}" for part in inner] if pa.types.is_struct(inner) else [field.name]
    return found


def _arrow(frame: Any, names: Sequence[str]) -> pa.Table:
    """Columns of a partition; those that were parts of a nested column as columns of lists."""
    found = {}
    for name in names:
        nested, _, part = name.partition(".")
        found[name] = pa.array(frame[name] if name in frame.columns else frame[nested].nest.to_lists([part])[part])
    return pa.table(found)


def _check_cone(cone: tuple[float, ...]) -> None:
    if len(cone) not in (0, 3) or (cone and not 0 < cone[2] <= 180):
        raise DataError(
            f"hats: cone is {[*cone]}; expected right ascension, declination, radius up to 180 [deg], or []"
        )
    checked(np.array(cone[:1]), np.array(cone[1:2]), "hats: cone")


def _package(name: str) -> Any:
    """Import a package of the extra `hats`."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DataError(f"source hats needs the package {name} ({error}); install the extra: hats") from error


@contextlib.contextmanager
def _explained(collection: str) -> Iterator[None]:
    """Turn what LSDB, a file system or the network raises into a DataError that says what to do."""
    network = _package("aiohttp").ClientError
    try:
        yield
    except (ImportError, OSError, LookupError, ValueError, TypeError, RuntimeError, pa.ArrowException, network) as e:
        reasons = "; ".join(f"{type(one).__name__}: {one}".splitlines()[0] for one in (e, e.__cause__) if one)
        raise DataError(
            f"{collection}: cannot be read as a HATS collection ({reasons}); check the path or address, the network, "
            "the cone, and that no partition is missing or cut short; s3:// needs the package s3fs"
        ) from e
