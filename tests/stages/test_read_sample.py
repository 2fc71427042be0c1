import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workflow_scripts import edge, tables
from workflow_scripts.stages.read_sample import main

POINTS = {
    "star": [7, 7, 3019021001365, 8],
    "hjd": [2455000.5, 2455001.5, 2455000.5, 2455002.5],
    "mag": [15.0, 15.1, 16.0, 17.0],
    "mag_err": [0.1, 0.1, 0.1, 0.2],
}
SOURCE = {
    "survey": "my survey",
    "format": "tables",
    "columns": {"object_id": "star", "time": "hjd"},
    "time_format": "jd",
    "flag_limit": 1,
    "bands": [],
}


@pytest.fixture
def values(tmp_path):
    """Values as Snakemake hands them to the edge."""
    pq.write_table(pa.table(POINTS), tmp_path / "points.parquet")
    (tmp_path / "stars.csv").write_text(
        "object_id,ra_deg,dec_deg,class,catalogue_period_d\n7,10,20,EA,1.5\n9,11,21,EW,\n"
    )
    return {
        "light_curves": [str(tmp_path / "points.parquet")],
        "object_lists": [str(tmp_path / "stars.csv")],
        "photometry_lists": [],
        "objects": str(tmp_path / "out" / "objects.parquet"),
        "photometry": str(tmp_path / "out" / "photometry.parquet"),
        "raw": str(tmp_path / "out" / "raw.parquet"),
        "source": SOURCE,
        "n_shards": 2,
    }


def test_the_user_s_files_become_the_project_s_tables(values):
    given = edge.arguments(main, values)
    main(**given)
    objects = tables.read(given["objects"], tables.OBJECTS).to_pylist()
    assert [(row["object_id"], row["class"], row["survey"]) for row in objects] == [
        ("3019021001365", None, "my survey"),
        ("7", "EA", "my survey"),
        ("8", None, "my survey"),
        ("9", "EW", "my survey"),
    ]
    assert tables.read(given["photometry"], tables.PHOTOMETRY).num_rows == 0
    rows = {row["object_id"]: row for row in tables.read(given["raw"], tables.RAW_LIGHT_CURVES).to_pylist()}
    assert set(rows) == {"3019021001365", "7", "8"}
    assert rows["7"]["time"] == [55000.0, 55001.0]
    assert rows["7"]["band"] == "default"


def test_the_same_files_give_the_same_bytes(values, tmp_path):
    for name in ("a", "b"):
        for key in ("objects", "photometry", "raw"):
            values[key] = str(tmp_path / name / f"{key}.parquet")
        main(**edge.arguments(main, values))
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_nothing_is_written_when_the_files_cannot_be_used(values, tmp_path):
    values["source"] = {**SOURCE, "time_format": "mjd"}
    with pytest.raises(tables.DataError, match="set time_format: jd"):
        main(**edge.arguments(main, values))
    assert not (tmp_path / "out").exists()
