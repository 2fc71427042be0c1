"""Make the list of a sample's objects from one catalogue, or from two that agree on the class."""

from pathlib import Path

import numpy as np

from workflow_scripts import edge, tables
from workflow_scripts.label_sample import LABEL_AGREEMENT, Agreement, select


def main(
    catalogues: list[Path],
    objects: Path,
    agreement: Path,
    survey: str,
    radius_arcsec: float,
    classes: dict[str, list[str]],
    ignore_labels: list[str],
    accept: list[tuple[str, ...]],
    n_max: int,
    sample: str,
    seed: int,
) -> None:
    """Read one or two catalogues; write the objects and the counts of agreement. n_max = 0: no limit."""
    listed = {path.stem: tables.read(path, tables.SOURCES) for path in catalogues}
    rng = np.random.default_rng([seed, *sample.encode()])
    agreeing = Agreement(radius_arcsec, classes, ignore_labels, [(one, other) for one, other in accept])
    chosen, counts = select(listed, survey, agreeing, n_max, rng)
    tables.write(chosen, objects, tables.OBJECTS)
    tables.write(counts, agreement, LABEL_AGREEMENT)


if __name__ == "__main__":
    edge.run(main)
