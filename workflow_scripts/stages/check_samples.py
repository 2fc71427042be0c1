"""Check that no object is in two samples, and count what each sample holds."""

import itertools
import logging
from pathlib import Path

import pyarrow.compute as pc

from workflow_scripts import edge, tables
from workflow_scripts.surveys import samples as together

log = logging.getLogger(__name__)


def main(
    objects: list[Path], light_curves: list[Path], samples: Path, names: list[str], roles: list[str], n_files: list[int]
) -> None:
    """Read every sample's objects and raw light curves (n_files of each sample, in order); write the counts."""
    listed = [tables.read(path, tables.OBJECTS) for path in objects]
    together.check_distinct(dict(zip(names, listed, strict=True)))
    curves, points, rest = [], [], iter(light_curves)
    for i, n in enumerate(n_files):
        counts = [_counts(path) for path in itertools.islice(rest, n)]
        curves.append(sum(rows for rows, _ in counts))
        points.append(sum(values for _, values in counts))
        log.info("%s: %d objects, %d light curves, %d points", names[i], listed[i].num_rows, curves[i], points[i])
    tables.write(together.describe(names, roles, listed, curves, points), samples, tables.SAMPLES)


def _counts(path: Path) -> tuple[int, int]:
    """Light curves and points of a file, of which one row group at a time is in memory."""
    rows, points = 0, 0
    for group in range(tables.described(path, tables.RAW_LIGHT_CURVES)[0]):
        time = tables.read(path, tables.RAW_LIGHT_CURVES, ["time"], [group])
        rows, points = rows + time.num_rows, points + (pc.sum(pc.list_value_length(time["time"])).as_py() or 0)
    return rows, points


if __name__ == "__main__":
    edge.run(main)
