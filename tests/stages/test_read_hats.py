import pandas as pd
import pytest

from workflow_scripts import edge, tables
from workflow_scripts.stages.read_hats import main

lsdb = pytest.importorskip("lsdb", reason="reading HATS collections needs the extra `hats`")

N = 40
POINTS = {
    "source_id": [9_000_000_000_000_000 + i // 4 for i in range(4 * N)],
    "ra": [(10.0 + i // 4) % 360 for i in range(4 * N)],
    "dec": [0.5 * (i // 4) for i in range(4 * N)],
    "hjd": [2455000.5 + i for i in range(4 * N)],
    "mag": [15.0 + 0.01 * i for i in range(4 * N)],
    "mag_err": [0.1] * 4 * N,
    "flag": [i % 4 // 3 for i in range(4 * N)],
}


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    frame = pd.DataFrame(POINTS).convert_dtypes(dtype_backend="pyarrow")
    catalog = lsdb.from_dataframe(frame, lowest_order=2, partition_rows=4 * N, margin_threshold=None)
    folder = tmp_path_factory.mktemp("hats") / "points"
    catalog.write_catalog(folder, progress_bar=False)
    return folder


@pytest.fixture
def values(collection, tmp_path):
    """Values as Snakemake hands them to the edge: two shards."""

    def of_shard(i: int) -> dict[str, object]:
        return {
            "targets": [],
            "shard_rows": str(tmp_path / "raw" / f"{i:04d}.parquet"),
            "shard_objects": str(tmp_path / "objects" / f"{i:04d}.parquet"),
            "shard": f"{i:04d}",
            "n_shards": 2,
            "source": {
                "survey": "my survey",
                "collection": str(collection),
                "columns": {"object_id": "source_id", "time": "hjd"},
                "time_format": "jd",
                "flag_limit": 1,
                "bands": {},
                "cone": [],
                "radius_arcsec": 1.5,
                "dask": "",
            },
        }

    return of_shard


def written(values, n_shards: int = 2):
    """Tables of all shards: what the stage wrote, read under the contract."""
    given = [edge.arguments(main, values(i)) for i in range(n_shards)]
    for one in given:
        main(**one)
    rows = tables.read_all([one["shard_rows"] for one in given], tables.RAW_LIGHT_CURVES)
    return rows, tables.read_all([one["shard_objects"] for one in given], tables.OBJECTS)


def test_a_collection_becomes_the_project_s_tables(values):
    curves, objects = written(values)
    rows = {row["object_id"]: row for row in curves.to_pylist()}
    assert set(rows) == set(map(str, POINTS["source_id"]))
    assert sorted(objects["object_id"].to_pylist()) == sorted(rows)
    assert sorted(rows["9000000000000001"]["time"]) == [55004.0, 55005.0, 55006.0, 55007.0]
    assert sorted(rows["9000000000000001"]["usable"]) == [False, True, True, True]
    assert rows["9000000000000001"]["band"] == "default"
    assert {(row["ra_deg"], row["dec_deg"]) for row in objects.to_pylist()} == set(
        zip(POINTS["ra"], POINTS["dec"], strict=True)
    )


def test_each_shard_has_a_part_of_its_own(values):
    shards = []
    for i in range(2):
        given = edge.arguments(main, values(i))
        main(**given)
        shards.append(set(tables.read(given["shard_objects"], tables.OBJECTS)["object_id"].to_pylist()))
    assert all(shards)
    assert not shards[0] & shards[1]


def test_the_same_collection_gives_the_same_bytes(values):
    given = edge.arguments(main, values(0))
    main(**given)
    first = given["shard_rows"].read_bytes(), given["shard_objects"].read_bytes()
    given["shard_rows"].unlink()
    main(**given)
    assert first == (given["shard_rows"].read_bytes(), given["shard_objects"].read_bytes())


def test_targets_and_a_cone_come_from_the_job(values, tmp_path):
    (tmp_path / "targets.csv").write_text(
        "object_id,ra_deg,dec_deg,class\nA,12.0,1.0,EA\nB,30.0,10.0002,EW\nC,90,0,EB\n"
    )

    def changed(i: int) -> dict[str, object]:
        given = values(i)
        return given | {"targets": [str(tmp_path / "targets.csv")]}

    curves, objects = written(changed)
    assert sorted(zip(objects["object_id"].to_pylist(), objects["class"].to_pylist(), strict=True)) == [
        ("A", "EA"),
        ("B", "EW"),
    ]
    assert {row["object_id"]: min(row["time"]) for row in curves.to_pylist()} == {"A": 55008.0, "B": 55080.0}

    def narrow(i: int) -> dict[str, object]:
        given = changed(i)
        return given | {"source": given["source"] | {"cone": [12.0, 1.0, 0.5]}}

    assert written(narrow)[1]["object_id"].to_pylist() == ["A"]


def test_nothing_is_written_when_the_collection_cannot_be_used(values, tmp_path):
    given = values(0)
    given["source"] = given["source"] | {"time_format": "mjd"}
    with pytest.raises(tables.DataError, match="set time_format: jd"):
        main(**edge.arguments(main, given))
    assert not (tmp_path / "raw").exists()
    assert not (tmp_path / "objects").exists()
