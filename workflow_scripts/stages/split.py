"""Stage of rule split: which labelled objects are trained and tested on, and what became of each of the others."""

import logging
from collections import Counter
from pathlib import Path

from workflow_scripts import edge, tables
from workflow_scripts.features import FEATURES
from workflow_scripts.labelled_split import labelled_split
from workflow_scripts.labels import LABELS

_LOG = logging.getLogger(__name__)


def main(
    objects: list[Path],
    features: list[Path],
    split: Path,
    labels: Path,
    classes: dict[str, list[str]],
    ignore_labels: list[str],
    test_share: float,
    folds: int,
    sky_blocks: bool,
    seed: int,
) -> None:
    """Give every labelled object its class, and every one that is used its part in each split."""
    listed = tables.read_all(objects, tables.OBJECTS)
    measured = tables.read_all(features, FEATURES, ["object_id", "band"])
    assigned, parts = labelled_split(listed, measured, classes, ignore_labels, test_share, folds, sky_blocks, seed)
    tables.write(assigned, labels, LABELS)
    _LOG.info("labels: %s", dict(Counter(assigned["status"].to_pylist())))
    _LOG.info("classes: %s", dict(Counter(parts.class_).most_common()))
    repeated = [n for n in Counter(parts.star).values() if n > 1]
    _LOG.info("%d objects share their place with another one: %d stars", sum(repeated), len(repeated))
    columns = {"object_id": parts.object_id, "class": parts.class_, "random": parts.random, "sky": parts.sky}
    tables.write(columns | {"fold": parts.fold, "star": parts.star}, split, tables.SPLIT)


if __name__ == "__main__":
    edge.run(main)
