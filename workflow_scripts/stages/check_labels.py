"""Stage of rule check_labels: labelled objects that cannot be split end the run before features have cost anything."""

import logging
from collections import Counter
from pathlib import Path

import pyarrow as pa

from workflow_scripts import edge, tables
from workflow_scripts.labelled_split import labelled_split
from workflow_scripts.surveys import samples

_LOG = logging.getLogger(__name__)

USABLE = tables.Table(
    "usable",
    (
        tables.Column("class", pa.string(), "", "class of the run"),
        tables.Column("n_objects", pa.int32(), "", "labelled objects of the class that are trained on"),
        tables.Column("n_stars", pa.int32(), "", "of them, those at one place counted once"),
    ),
)


def main(
    objects: list[Path],
    light_curves: list[Path],
    usable: Path,
    names: list[str],
    classes: dict[str, list[str]],
    ignore_labels: list[str],
    test_share: float,
    folds: int,
    sky_blocks: bool,
    seed: int,
) -> None:
    """Split the labelled objects as the stage split will, after their features; write how many there are of a class.

    Each clean light curve becomes a row of features, so that nothing of what decides here is changed by them.
    """
    each = {name: tables.read(path, tables.OBJECTS) for name, path in zip(names, objects, strict=True)}
    samples.check_distinct(each)
    listed = pa.concat_tables([rows.replace_schema_metadata(None) for rows in each.values()])
    measured = tables.read_all(light_curves, tables.LIGHT_CURVES, ["object_id", "band"])
    _, parts = labelled_split(listed, measured, classes, ignore_labels, test_share, folds, sky_blocks, seed)
    n_objects, n_stars = Counter(parts.class_), Counter(dict(zip(parts.star, parts.class_, strict=True)).values())
    rows = [{"class": name, "n_objects": n_objects[name], "n_stars": n_stars[name]} for name in sorted(n_objects)]
    tables.write(pa.Table.from_pylist(rows, USABLE.schema), usable, USABLE)
    _LOG.info("objects to train on: %s", dict(n_objects.most_common()))


if __name__ == "__main__":
    edge.run(main)
