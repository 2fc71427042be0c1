"""Stage `features`: period and features of every light curve."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from workflow_scripts import edge, tables
from workflow_scripts.features import FEATURES, measure
from workflow_scripts.features.registry import PHOTOMETRY
from workflow_scripts.lightcurve import period_search, ragged
from workflow_scripts.lightcurve.period_search import Search
from workflow_scripts.progress import batches

_BATCH = 200  # light curves between two lines of progress


def main(light_curves: Path, photometry: Path, features: Path, search: Search) -> None:
    """Search the period and measure every registered feature of every light curve."""
    rows = tables.read(light_curves, tables.LIGHT_CURVES)
    brightness = _magnitudes(rows["object_id"].to_pylist(), tables.read(photometry, tables.PHOTOMETRY))
    parts: list[dict[str, Any]] = []
    for batch in batches(rows.num_rows, _BATCH, "light curves"):
        curves = ragged.from_table(rows.slice(batch.start, batch.stop - batch.start))
        periods = period_search.search(curves, search)
        parts.append(measure(curves, vars(periods) | {name: v[batch] for name, v in brightness.items()}))
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
