import numpy as np
import pyarrow as pa
import pytest

from workflow_scripts import tables
from workflow_scripts.label_sample import LABEL_AGREEMENT, Agreement, select
from workflow_scripts.stages.label_sample import main

CLASSES = {"EW": ["EW"], "EA": ["EA"]}


@pytest.fixture
def catalogues(tmp_path):
    """Two catalogues of a hundred stars, which agree on half of the classes."""
    paths = []
    for name, labels in (("chen", ["EW", "EA"]), ("asassn", ["EW", "EW"])):
        rows = [
            [f"{name}{i}" for i in range(100)],
            np.arange(100.0),
            np.full(100, 10.0),
            [labels[i % 2] for i in range(100)],
            np.full(100, 0.5),
        ]
        paths.append(tmp_path / f"{name}.parquet")
        tables.write(pa.table(rows, names=tables.SOURCES.names), paths[-1], tables.SOURCES)
    return paths


@pytest.fixture
def run(tmp_path):
    def start(catalogues, folder="out", n_max=0, seed=1, sample="labelled"):
        objects, agreement = (tmp_path / folder / f"{name}.parquet" for name in ("objects", "agreement"))
        main(catalogues, objects, agreement, "ZTF", 1.5, CLASSES, ["L"], [], n_max, sample, seed)
        return objects, agreement

    return start


def test_writes_what_the_science_gives(run, catalogues):
    objects, agreement = run(catalogues)
    listed = {path.stem: tables.read(path, tables.SOURCES) for path in catalogues}
    chosen, counts = select(listed, "ZTF", Agreement(1.5, CLASSES, ["L"]), 0, np.random.default_rng(1))
    assert tables.read(objects, tables.OBJECTS).to_pylist() == chosen.to_pylist()
    assert tables.read(agreement, LABEL_AGREEMENT).to_pylist() == counts.to_pylist()
    assert chosen.num_rows == 50


def test_the_same_input_gives_the_same_bytes(run, catalogues):
    for one, other in zip(run(catalogues, "a", 20), run(catalogues, "b", 20), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_seed_and_sample_choose_the_subset(run, catalogues):
    drawn = set()
    for seed, sample in ((1, "stars"), (2, "stars"), (1, "others")):
        objects, _ = run(catalogues[:1], n_max=20, seed=seed, sample=sample)
        drawn.add(tuple(tables.read(objects, tables.OBJECTS)["object_id"].to_pylist()))
    assert len(drawn) == 3
    assert {len(names) for names in drawn} == {20}


def test_a_table_that_is_no_catalogue_is_refused(run, tmp_path):
    path = tmp_path / "objects.parquet"
    tables.write(tables.OBJECTS.schema.empty_table(), path, tables.OBJECTS)
    with pytest.raises(tables.DataError, match=r"table 'sources' in .*unknown columns \['survey'\]"):
        run([path])
