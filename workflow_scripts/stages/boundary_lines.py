"""Stage of rule boundary_lines: range of the autocorrelation of ordinary stars, for the counts outside of it."""

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa

from workflow_scripts import edge, tables
from workflow_scripts.features.boundaries import add, boundary_lines, lag_sums
from workflow_scripts.lightcurve import ragged

_LOG = logging.getLogger(__name__)


def main(labelled: list[Path], constant: list[Path], objects: list[Path], lines: Path, leave_out: list[str]) -> None:
    """Draw the lines from constant stars and labelled ones, but for labels left out (Kim et al. 2011, appendix)."""
    # ASSUME stars that are tested later may take part: each adds one curve to the mean of thousands, and no class.
    labels = tables.read_all(objects, tables.OBJECTS, ["object_id", "class"])
    ordinary = {
        name for name, label in zip(*labels.to_pydict().values(), strict=True) if label and label not in leave_out
    }
    parts, used = [], 0
    for path in [*labelled, *constant]:
        rows = tables.read(path, tables.LIGHT_CURVES)
        if path in labelled:
            rows = rows.filter(pa.array([name in ordinary for name in rows["object_id"].to_pylist()], pa.bool_()))
        parts.append(lag_sums(ragged.from_table(rows)))
        used += rows.num_rows
    lower, upper = boundary_lines(add(*parts))
    _LOG.info("boundary lines from %d light curves, up to a lag of %d observations", used, len(lower))
    tables.write(
        {"lag": np.arange(1, len(lower) + 1, dtype=np.int32), "lower": lower, "upper": upper},
        lines,
        tables.BOUNDARY_LINES,
    )


if __name__ == "__main__":
    edge.run(main)
