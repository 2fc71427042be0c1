"""From listed objects, and what was measured of them, to classes and splits: before the features as after them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from workflow_scripts.labels import assign
from workflow_scripts.split import Split, split, star_of


def labelled_split(
    listed: pa.Table,
    measured: pa.Table,
    classes: Mapping[str, Sequence[str]],
    ignore_labels: Sequence[str],
    test_share: float,
    folds: int,
    sky_blocks: bool,
    seed: int,
) -> tuple[pa.Table, Split]:
    """Give every listed object (tables.OBJECTS) its class (labels.LABELS), and every one that is used its parts.

    measured has the object_id and band of light curves or of features. Raises DataError as labels.assign and
    split.split do.
    """
    assigned = assign(listed, measured, classes, ignore_labels)
    used = [row for row in assigned.to_pylist() if row["status"] == "used"]
    object_id, class_ = (np.array([row[name] for row in used], dtype=object) for name in ("object_id", "class"))
    row_of = {name: i for i, name in enumerate(listed["object_id"].to_pylist())}
    position = np.column_stack([listed["ra_deg"], listed["dec_deg"]])[[row_of[name] for name in object_id]]
    star, generator = star_of(object_id, position), np.random.default_rng(seed)
    return assigned, split(object_id, class_, position if sky_blocks else None, test_share, folds, generator, star)
