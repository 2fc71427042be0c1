import logging

import pyarrow as pa
import pytest

from workflow_scripts import tables
from workflow_scripts.stages.verify_catalogue import main
from workflow_scripts.verification import VERIFICATION


def objects(name, ra_deg, classes):
    rows = [{"object_id": f"{name}{i}", "survey": "x", "ra_deg": ra, "dec_deg": 5.0} for i, ra in enumerate(ra_deg)]
    table = pa.Table.from_pylist(rows, schema=tables.OBJECTS.schema)
    return table.set_column(table.column_names.index("class"), "class", pa.array(classes, pa.string()))


def test_counts_what_was_not_trained_on_in_any_labelled_sample(tmp_path, caplog):
    """Of four common stars one is in each labelled sample; of the other two the class of one is the same.

    A labelled object that was not used, as it had too few points, is at the place of another.
    """
    files = {
        "ours": (objects("a", [10, 11, 12, 13], ["EW"] * 4), tables.OBJECTS),
        "known": (objects("b", [10, 12], ["EW", "EW"]), tables.OBJECTS),
        "more": (objects("c", [11], ["EW"]), tables.OBJECTS),
        "chen": (
            pa.table(
                [list("wxyz"), [10.0, 11.0, 12.0, 13.0], [5.0] * 4, ["EW", "EW", "EW", "EA"], [0.3] * 4],
                schema=tables.SOURCES.schema,
            ),
            tables.SOURCES,
        ),
    }
    parts = {"object_id": ["b0", "c0"], "class": ["EW"] * 2, "random": ["train", "test"], "sky": [""] * 2}
    split = pa.table(parts | {"fold": [0, 1], "star": ["b0", "c0"]}).cast(tables.SPLIT.schema)
    files["split"] = (split, tables.SPLIT)
    for name, (rows, table) in files.items():
        tables.write(rows, tmp_path / f"{name}.parquet", table)
    path = {name: tmp_path / f"{name}.parquet" for name in (*files, "out")}
    with caplog.at_level(logging.INFO):
        main(
            path["ours"],
            [path["chen"]],
            [path["known"], path["more"]],
            path["split"],
            path["out"],
            {"EW": ["EW"], "EA": ["EA"]},
            1.5,
        )
    total = tables.read(path["out"], VERIFICATION).to_pylist()[-1]
    assert total.pop("purity") == pytest.approx(0.5)
    assert list(total.values()) == ["chen", "all", 4, 4, 2, 0, 1]
    assert "chen: 4 common objects, 2 of them trained on; of the others 1 are of the same class" in caplog.text
