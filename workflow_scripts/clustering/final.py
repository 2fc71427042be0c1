"""The final membership as a file, and its starting point among those that the methods offer."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workflow_scripts import tables
from workflow_scripts.clustering.membership import Membership, members_near
from workflow_scripts.clustering.space import Centre, Space
from workflow_scripts.clustering.stars import Locus
from workflow_scripts.tables import Column, Table

MEMBERSHIP = Table(
    "membership",
    (
        Column("source_id", pa.string(), "", "Gaia source identifier", ucd="meta.id;meta.main"),
        Column("probability", pa.float64(), "", "probability of membership", ucd="stat.probability"),
    ),
)
_KEY = "membership"


def first(whole: Space, starts: Sequence[tuple[Locus, str]]) -> Membership:
    """Fit the cluster from each start until one holds; else the first with the reason why it does not.

    The notes say from where (locus_from) and how many starts failed before. Without a start there are no members.
    """
    failed: list[Membership] = []
    for locus, origin in starts:
        found = members_near(whole, locus)
        found = replace(found, notes=found.notes | {"locus_from": origin, "starts_failed": float(len(failed))})
        if found.reason is None:
            return found
        failed.append(found)
    if failed:
        return failed[0]
    reason = "no method found a group that stands out, and no locus is configured: no cluster in this field"
    nowhere = Locus(float("nan"), float("nan"), float("nan"))
    n = len(whole.points)
    return Membership(np.zeros(n), nowhere, np.zeros((3, 3)), 0.0, reason, whole.middle, {"locus_from": "none"})


def write(found: Membership, stars: pa.Table, path: Path) -> None:
    """Write MEMBERSHIP of the stars in their order, the fit itself in the metadata."""
    said = {
        "locus": found.locus.array().tolist(),
        "covariance": found.covariance.tolist(),
        "significance": found.significance,
        "reason": found.reason,
        "centre": vars(found.centre),
        "notes": found.notes,
    }
    rows = {"source_id": stars["source_id"], "probability": pa.array(found.probability)}
    tables.write(rows, path, MEMBERSHIP, {_KEY: json.dumps(said, sort_keys=True)})


def read(path: Path) -> Membership:
    """Give the membership that `write` wrote; DataError as tables.read."""
    probability = tables.read(path, MEMBERSHIP)["probability"].to_numpy()
    with tables.undamaged(path, "a membership with its fit"):
        said = json.loads(pq.read_schema(path).metadata[_KEY.encode()])
        covariance, locus = np.array(said["covariance"]), Locus(*said["locus"])
        centre, notes = Centre(**said["centre"]), said["notes"]
        return Membership(probability, locus, covariance, said["significance"], said["reason"], centre, notes)
