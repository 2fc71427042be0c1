"""Stage `features`: period and features of every light curve."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from workflow_scripts import edge, shards, tables
from workflow_scripts.features import FEATURES, boundaries, measure
from workflow_scripts.features.bands import pairs
from workflow_scripts.features.registry import PHOTOMETRY
from workflow_scripts.lightcurve import period_search, ragged
from workflow_scripts.lightcurve.period_search import Search
from workflow_scripts.progress import batches

_BATCH = 200  # objects between two lines of progress


def main(light_curves: Path, photometry: Path, lines: Path, features: Path, search: Search, shard: str) -> None:
    """Search the period and measure every registered feature of every light curve."""
    rows = tables.read(light_curves, tables.LIGHT_CURVES)
    ids = rows["object_id"].to_pylist()
    brightness = _magnitudes(ids, shards.read(photometry, tables.PHOTOMETRY, int(shard)))
    boundary = boundaries.from_table(tables.read(lines, tables.BOUNDARY_LINES))
    begins = ragged.objects(ids)
    parts: list[dict[str, Any]] = []
    for batch in batches(len(begins) - 1, _BATCH, "objects"):
        objects = begins[batch.start : batch.stop + 1]
        points = slice(objects[0], objects[-1])
        curves = ragged.from_table(rows.slice(points.start, points.stop - points.start))
        periods = period_search.search(curves, search, objects - objects[0])
        per_curve = vars(periods) | {name: values[points] for name, values in brightness.items()}
        parts.append(measure(curves, per_curve, pairs=pairs(ids[points]), lines=boundary))
    measured = {
        name: pa.array(np.concatenate([part[name] for part in parts]) if parts else [], pa.float64(), from_pandas=True)
        for name in FEATURES.names[2:]
    }
    tables.write({"object_id": rows["object_id"], "band": rows["band"], **measured}, features, FEATURES)


def _magnitudes(object_ids: list[str], photometry: pa.Table) -> dict[str, Any]:
    """Columns of the photometry table for these objects, nan where an object or a value is missing."""
    place = {name: i for i, name in enumerate(photometry["object_id"].to_pylist())}
    index = np.array([place.get(name, len(place)) for name in object_ids], dtype=np.intp)
    columns = {name: photometry[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in PHOTOMETRY}
    return {name: np.append(values, np.nan)[index] for name, values in columns.items()}


if __name__ == "__main__":
    edge.run(main)
