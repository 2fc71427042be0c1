import pyarrow as pa
import pytest

from workflow_scripts import tables
from workflow_scripts.surveys import samples
from workflow_scripts.tables import DataError


def objects(*ids: str, survey: str = "CRTS") -> pa.Table:
    blank = {name: [None] * len(ids) for name in ("ra_deg", "dec_deg", "class", "catalogue_period_d")}
    return pa.table({"object_id": ids, "survey": [survey] * len(ids), **blank}, schema=tables.OBJECTS.schema)


def test_samples_without_a_common_object_pass():
    samples.check_distinct({"one": objects("a", "b"), "two": objects("c"), "none": objects()})


def test_an_object_in_two_samples_is_an_error_that_names_both():
    given = {"one": objects("a", "b"), "two": objects("c"), "three": objects("d", "b")}
    with pytest.raises(
        DataError, match=r"1 objects are in more than one sample, such as \['b'\] in \['one', 'three'\]"
    ):
        samples.check_distinct(given)


def test_objects_in_chunks_are_looked_through():
    chunked = pa.concat_tables([objects("a"), objects("b")])
    with pytest.raises(DataError, match=r"\['b'\]"):
        samples.check_distinct({"one": chunked, "two": objects("b")})


def test_the_table_of_samples():
    listed = [objects("a", "b"), pa.concat_tables([objects("c"), objects("d", survey="demo (SIMULATED)")])]
    found = samples.describe(["one", "two"], ["labelled", "science"], listed, [2, 3], [10, 3_000_000_000])
    assert found.schema == tables.SAMPLES.schema
    assert found.to_pylist() == [
        dict(zip(tables.SAMPLES.names, ("one", "labelled", "CRTS", 2, 2, 10), strict=True)),
        dict(zip(tables.SAMPLES.names, ("two", "science", "CRTS, demo (SIMULATED)", 2, 3, 3_000_000_000), strict=True)),
    ]
