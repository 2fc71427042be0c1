"""What became of every target whose light curves were asked for: a table, and lines in the log."""

import logging
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts import tables
from workflow_scripts.archives import by_id
from workflow_scripts.tables import Column, Table

_LOG = logging.getLogger(__name__)
NOWHERE = "the target has no coordinates"

STATUS = Table(
    "light_curve_status",
    (
        tables.OBJECT_ID,
        Column("status", pa.string(), "", "found, no_data (the survey has none) or failed (asked for by the next run)"),
        Column("reason", pa.string(), "", "why there is nothing", True),
        Column("archive_ids", pa.list_(pa.string()), "", "light curves of the archive that were taken"),
        Column("separation_arcsec", pa.float64(), "arcsec", "angle to the farthest of them", True),
        Column("n_points", pa.int32(), "", "points in them"),
        Column("n_left_out", pa.int32(), "", "light curves within the radius that lost to a longer one of their band"),
    ),
)


@dataclass(frozen=True)
class Reasons:
    """What decides why a target has no light curve.

    result of asking for the light curves of `asked` (native.CHOICE); placed = targets with coordinates, None where the
    archive is asked by name.
    """

    result: by_id.Result
    asked: pa.Table
    placed: pa.Table | None
    radius_arcsec: float

    def failures(self) -> pa.Table:
        """Objects for which an answer is missing, each with a reason."""
        status = self.result.status.filter(pc.equal(self.result.status["status"], "failed"))
        place = pc.index_in(self.asked["archive_id"], value_set=status["object_id"].combine_chunks())
        rows = pa.table({"object_id": self.asked["object_id"], "reason": status["reason"].take(place)})
        return rows.filter(pc.is_valid(place)).group_by("object_id", use_threads=False).aggregate([("reason", "first")])

    def nothing(self, names: pa.ChunkedArray) -> pa.ChunkedArray:
        """Why each of the targets would have no light curve, if nothing failed."""
        reason = pa.repeat("the archive has no points of it in these bands", len(names))
        if self.placed is None:
            return reason
        far = f"no object of the survey within {self.radius_arcsec:g} arcsec in these bands"
        asked = pc.is_in(names, value_set=self.asked["object_id"].combine_chunks())
        placed = pc.is_in(names, value_set=self.placed["object_id"].combine_chunks())
        return pc.if_else(placed, pc.if_else(asked, reason, far), NOWHERE)


def of(targets: pa.Table, reasons: Reasons, taken: pa.Table, light_curves: pa.Table) -> pa.Table:
    """STATUS of the targets, in their order; taken = native.CHOICE, light_curves = tables.RAW_LIGHT_CURVES."""
    names = targets["object_id"]
    lengths = pa.table({"object_id": light_curves["object_id"], "n": pc.list_value_length(light_curves["time"])})
    sums = lengths.group_by("object_id").aggregate([("n", "sum")])
    n_points = pc.fill_null(_looked_up(sums, "n_sum", names), 0)
    failures = _looked_up(reasons.failures(), "reason_first", names)
    failed, found = pc.is_valid(failures), pc.greater(n_points, 0)
    reason = pc.if_else(failed, failures, pc.if_else(found, pa.scalar(None, pa.string()), reasons.nothing(names)))
    mine = taken.sort_by([("object_id", "ascending"), ("archive_id", "ascending")]).group_by(
        "object_id", use_threads=False
    )
    mine = mine.aggregate([("archive_id", "list"), ("separation_arcsec", "max"), ("n_left_out", "sum")])
    columns = {
        "object_id": names,
        "status": pc.if_else(failed, "failed", pc.if_else(found, "found", "no_data")),
        "reason": reason,
        "archive_ids": _looked_up(mine, "archive_id_list", names, pa.array([[]], pa.list_(pa.string()))),
        "separation_arcsec": _looked_up(mine, "separation_arcsec_max", names),
        "n_points": n_points,
        "n_left_out": pc.fill_null(_looked_up(mine, "n_left_out_sum", names), 0),
    }
    return pa.table({name: column.cast(STATUS.schema.field(name).type) for name, column in columns.items()}).cast(
        STATUS.schema
    )


def unknown(targets: pa.Table, placed: pa.Table, reason: str) -> pa.Table:
    """STATUS of targets of which the archive was not even asked for its objects: failed, if they have coordinates."""
    failed = pc.is_in(targets["object_id"], value_set=placed["object_id"].combine_chunks())
    count = targets.num_rows
    columns = {
        "object_id": targets["object_id"],
        "status": pc.if_else(failed, "failed", "no_data"),
        "reason": pc.if_else(failed, reason, NOWHERE),
        "archive_ids": pa.array([[]] * count, STATUS.schema.field("archive_ids").type),
        "separation_arcsec": pa.nulls(count, pa.float64()),
        "n_points": pa.array([0] * count, pa.int32()),
        "n_left_out": pa.array([0] * count, pa.int32()),
    }
    return pa.table(columns).cast(STATUS.schema)


def report(status: pa.Table, title: str) -> None:
    """Say in the log how many targets were found, why others were not, and how many light curves were left out."""
    for name in ("status", "reason"):
        for item in pc.value_counts(status[name].combine_chunks().drop_null()).to_pylist():
            _LOG.info("%s: %d of %d targets: %s", title, item["counts"], len(status), item["values"])
    left_out = pc.sum(status["n_left_out"]).as_py()
    if left_out:
        _LOG.info("%s: %d light curves left out, because another one of the target and band is longer", title, left_out)


def _looked_up(rows: pa.Table, name: str, objects: pa.ChunkedArray, missing: pa.Array | None = None) -> pa.ChunkedArray:
    """Values of a column of rows (one for each object_id) for some objects; where there is none, `missing` or null."""
    place = pc.index_in(objects, value_set=rows["object_id"].combine_chunks())
    if missing is None:
        return rows[name].take(place)
    return pa.chunked_array([*rows[name].chunks, missing]).take(pc.fill_null(place, len(rows)))
