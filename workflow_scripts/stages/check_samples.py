"""Check that no object is in two samples, and count what each sample holds."""

import logging
from pathlib import Path

import pyarrow.compute as pc

from workflow_scripts import edge, tables
from workflow_scripts.surveys import samples as together

log = logging.getLogger(__name__)


def main(
    objects: list[Path], light_curves: list[Path], samples: Path, names: list[str], roles: list[str], n_shards: int
) -> None:
    """Read every sample's objects and raw light curves (n_shards files per sample, in order); write the counts."""
    listed = [tables.read(path, tables.OBJECTS) for path in objects]
    together.check_distinct(dict(zip(names, listed, strict=True)))
    curves, points = [], []
    for i in range(len(names)):
        time = tables.read_all(light_curves[i * n_shards : (i + 1) * n_shards], tables.RAW_LIGHT_CURVES, ["time"])
        curves.append(time.num_rows)
        points.append(pc.sum(pc.list_value_length(time["time"])).as_py() or 0)
        log.info("%s: %d objects, %d light curves, %d points", names[i], listed[i].num_rows, curves[i], points[i])
    tables.write(together.describe(names, roles, listed, curves, points), samples, tables.SAMPLES)


if __name__ == "__main__":
    edge.run(main)
