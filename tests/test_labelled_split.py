import numpy as np
import pyarrow as pa
import pytest

from workflow_scripts import tables
from workflow_scripts.labelled_split import labelled_split
from workflow_scripts.tables import DataError

N = 60
IDS = [f"s{i:02d}" for i in range(N)]
HOW = {"classes": {}, "ignore_labels": ["odd"], "test_share": 0.3, "folds": 3, "sky_blocks": False, "seed": 1}


def listed() -> pa.Table:
    """Two classes; s00 is ignored, s01 has no label, s02 and s03 are one star."""
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(0, 360, N), rng.uniform(-60, 60, N)
    ra[3], dec[3] = ra[2], dec[2] + 1 / 3600
    label = ["odd", None, *["EA", "EA"], *["EW", "EA"] * 28]
    columns = {"object_id": IDS, "survey": ["x"] * N, "ra_deg": ra, "dec_deg": dec, "class": label}
    return pa.table(columns | {"catalogue_period_d": pa.nulls(N, pa.float64())}, tables.OBJECTS.schema)


def measured(ids: list[str]) -> pa.Table:
    return pa.table({"object_id": ids, "band": ["V"] * len(ids)})


def test_every_listed_object_has_its_class_and_every_used_one_its_parts() -> None:
    assigned, parts = labelled_split(listed(), measured(IDS[:-1]), **HOW)
    status = dict(zip(*(assigned[name].to_pylist() for name in ("object_id", "status")), strict=True))
    assert [status[name] for name in (IDS[0], IDS[1], IDS[2], IDS[-1])] == [
        *("ignored label", "no label", "used", "too few observations")
    ]
    assert parts.object_id.tolist() == IDS[2:-1]
    assert parts.star[:2].tolist() == ["s02", "s02"]
    assert parts.random[0] == parts.random[1]
    assert parts.fold[0] == parts.fold[1]
    assert set(parts.sky) == {""}


def test_order_of_the_rows_does_not_matter() -> None:
    shuffled = np.random.default_rng(3).permutation(N)
    first, second = (
        labelled_split(listed().take(pa.array(order)), measured([IDS[i] for i in order]), **HOW)
        for order in (np.arange(N), shuffled)
    )
    assert first[0].equals(second[0])
    for name, values in vars(first[1]).items():
        np.testing.assert_array_equal(values, getattr(second[1], name))


def test_positions_belong_to_the_sky_split() -> None:
    _, parts = labelled_split(listed(), measured(IDS), **HOW | {"sky_blocks": True})
    assert set(parts.sky) == {"train", "validation", "test"}
    nowhere = listed().set_column(2, "ra_deg", pa.nulls(N, pa.float64()))
    with pytest.raises(DataError, match="sky_blocks: false"):
        labelled_split(nowhere, measured(IDS), **HOW | {"sky_blocks": True})
