"""Samples side by side: what each holds, and that no object is in two of them."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts import tables
from workflow_scripts.tables import DataError


def check_distinct(objects: Mapping[str, pa.Table]) -> None:
    """Raise DataError if an object is in more than one sample; objects maps a sample's name to tables.OBJECTS."""
    ids = pa.concat_arrays([rows["object_id"].combine_chunks() for rows in objects.values()])
    counts = pc.value_counts(ids)
    shared = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    if not len(shared):
        return
    examples = shared[:5]
    where = [s for s, rows in objects.items() if pc.any(pc.is_in(rows["object_id"], examples)).as_py()]
    raise DataError(
        f"samples: {len(shared)} objects are in more than one sample, such as {examples.to_pylist()} in {where}; "
        "what is trained on would also be classified: take each object out of all samples but one"
    )


def describe(
    names: Sequence[str],
    roles: Sequence[str],
    objects: Sequence[pa.Table],
    n_light_curves: Sequence[int],
    n_points: Sequence[int],
) -> pa.Table:
    """tables.SAMPLES: a row for each sample."""
    surveys = [", ".join(sorted(rows["survey"].unique().to_pylist())) for rows in objects]
    rows = {
        "sample": list(names),
        "role": list(roles),
        "survey": surveys,
        "n_objects": [table.num_rows for table in objects],
        "n_light_curves": list(n_light_curves),
        "n_points": list(n_points),
    }
    return pa.table(rows, schema=tables.SAMPLES.schema)
