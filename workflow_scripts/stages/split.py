"""Stage of rule split: which labelled objects are trained and tested on, and what became of each of the others."""

import logging
from collections import Counter
from pathlib import Path

import numpy as np

from workflow_scripts import edge, tables
from workflow_scripts.features import FEATURES
from workflow_scripts.labels import LABELS, assign
from workflow_scripts.split import split as split_objects
from workflow_scripts.split import star_of

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
    assigned = assign(listed, tables.read_all(features, FEATURES, ["object_id", "band"]), classes, ignore_labels)
    tables.write(assigned, labels, LABELS)
    _LOG.info("labels: %s", dict(Counter(assigned["status"].to_pylist())))
    used = [row for row in assigned.to_pylist() if row["status"] == "used"]
    _LOG.info("classes: %s", dict(Counter(row["class"] for row in used).most_common()))
    object_id, class_ = (np.array([row[name] for row in used], dtype=object) for name in ("object_id", "class"))
    row_of = {name: i for i, name in enumerate(listed["object_id"].to_pylist())}
    position = np.column_stack([listed["ra_deg"], listed["dec_deg"]])[[row_of[name] for name in object_id]]
    star, generator = star_of(object_id, position), np.random.default_rng(seed)
    repeated = [n for n in Counter(star).values() if n > 1]
    _LOG.info("%d objects share their place with another one: %d stars", sum(repeated), len(repeated))
    parts = split_objects(object_id, class_, position if sky_blocks else None, test_share, folds, generator, star)
    columns = {"object_id": parts.object_id, "class": parts.class_, "random": parts.random, "sky": parts.sky}
    tables.write(columns | {"fold": parts.fold, "star": parts.star}, split, tables.SPLIT)


if __name__ == "__main__":
    edge.run(main)
