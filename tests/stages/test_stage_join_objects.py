import pyarrow as pa
import pytest

from workflow_scripts import tables
from workflow_scripts.stages.join_objects import main
from workflow_scripts.tables import DataError


@pytest.fixture
def join(tmp_path):
    def run(*shards: list[str]):
        paths = []
        for i, names in enumerate(shards):
            paths.append(tmp_path / f"{i:04d}.parquet")
            columns = [names, ["ZTF"] * len(names), *([None] * len(names) for _ in range(4))]
            tables.write(pa.table(columns, schema=tables.OBJECTS.schema), paths[-1], tables.OBJECTS)
        main(paths, tmp_path / "objects.parquet", "stars")
        return tables.read(tmp_path / "objects.parquet", tables.OBJECTS)

    return run


def test_objects_of_all_shards_are_sorted(join):
    assert join(["c", "a"], [], ["b"])["object_id"].to_pylist() == ["a", "b", "c"]


def test_object_in_two_shards_is_refused(join):
    with pytest.raises(DataError, match=r"stars: 1 objects, such as .'b'., are in more than one shard"):
        join(["a", "b"], ["b"])


def test_sample_without_an_object_is_refused(join):
    with pytest.raises(DataError, match="stars: no object in any shard"):
        join([], [])
