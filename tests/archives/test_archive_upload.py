import dataclasses
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from loopback import FINE, content, status
from loopback_tap import Column, Tap

from workflow_scripts.archives import tap
from workflow_scripts.archives.query import Query, Upload
from workflow_scripts.archives.retry import UnavailableError
from workflow_scripts.tables import DataError

SOURCE = "stars AS s JOIN TAP_UPLOAD.targets AS t ON s.ID = t.star"
STARS = {"ID": Column(list(range(100)), int), "X": Column([0.25 * i for i in range(100)], float, "mag")}


def targets(n: int) -> Upload:
    """Objects in no order; every seventh has no star."""
    order = [(7 * i) % n for i in range(n)] if n % 7 else list(range(n))
    return Upload(
        pa.table({"object_id": [f"o{i:03d}" for i in order], "star": [i if i % 7 else 1000 + i for i in order]})
    )


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "counterparts.parquet"


@pytest.fixture
def fetch(path, manners, rng):
    def run(archive, upload, chunk_rows=4, **changes):
        query = Query(
            "Gaia", f"{archive.url}/tap", {"object_id": "t.object_id", "x": "s.X"}, SOURCE, 1000, ("object_id",)
        )
        return tap.fetch_for(dataclasses.replace(query, **changes), upload, path, manners, rng, chunk_rows)

    return run


def jobs(archive) -> int:
    return sum(asked.path == "/tap/async" and asked.method == "POST" for asked in archive.asked)


@pytest.mark.parametrize(("n", "chunk_rows", "expected"), [(1, 4, 1), (8, 4, 2), (10, 4, 3), (10, 100, 1)])
def test_every_target_is_asked_for_once_in_chunks(serve, fetch, path, n, chunk_rows, expected):
    archive, upload = serve(Tap({"stars": STARS})), targets(n)
    made = fetch(archive, upload, chunk_rows)
    found = dict(zip(*pq.read_table(path).to_pydict().values(), strict=True))
    stars = dict(zip(*upload.rows.to_pydict().values(), strict=True))
    assert found == {name: 0.25 * star for name, star in stars.items() if star < 100}
    assert made.rows == len(found)
    assert jobs(archive) == expected
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name, f"{path.name}.manifest.json", "locks"]


def test_chunks_keep_their_order_and_rows_in_them_follow_the_key(serve, fetch, path):
    fetch(serve(Tap({"stars": STARS})), targets(10))
    order = targets(10).rows["object_id"].to_pylist()
    chunks = [sorted(order[first : first + 4]) for first in (0, 4, 8)]
    found = pq.read_table(path)["object_id"].to_pylist()
    assert found == [name for chunk in chunks for name in chunk if name in found]


def test_units_are_kept_and_bytes_do_not_depend_on_the_run(serve, fetch, path):
    first = fetch(serve(Tap({"stars": STARS})), targets(10)).sha256
    assert pq.read_schema(path).field("x").metadata[b"unit"] == b"mag"
    path.unlink()
    assert fetch(serve(Tap({"stars": STARS})), targets(10)).sha256 == first


def test_chunks_that_are_there_are_not_asked_for_again(serve, fetch, path):
    archive = serve(Tap({"stars": STARS}))
    archive.faults = [*[FINE] * 10, *[status(503)] * 99]  # ten requests are one chunk
    with pytest.raises(UnavailableError):
        fetch(archive, targets(10))
    assert not path.exists()
    assert len(archive.answer.queries) == 1
    archive.faults = []
    fetch(archive, targets(10))
    assert len(archive.answer.queries) == 3
    assert pq.read_table(path).num_rows == 8


def test_other_targets_are_another_question(serve, fetch):
    archive = serve(Tap({"stars": STARS}))
    for n in (10, 11, 11):
        fetch(archive, targets(n))
    assert jobs(archive) == 6


def test_targets_of_which_none_is_there_are_no_data(serve, fetch, path):
    upload = Upload(pa.table({"object_id": ["a", "b"], "star": [500, 501]}))
    assert fetch(serve(Tap({"stars": STARS})), upload).status == "no_data"
    assert pq.read_schema(path).names == ["object_id", "x"]


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        ("wrong_rows", "1 values of 'object_id' that were not asked for, such as '999'"),
        ("duplicate_rows", "1 duplicate rows, such as"),
    ],
)
def test_rows_that_are_wrong_are_an_error(serve, fetch, path, fault, match):
    archive = serve(Tap({"stars": STARS}), [*[FINE] * 4, content(fault)])
    with pytest.raises(DataError, match=match):
        fetch(archive, targets(10))
    assert not path.exists()
    assert archive.answer.jobs == {}


def test_two_stars_for_one_target_are_an_error_where_one_is_expected(serve, fetch):
    doubled = {"ID": Column([1, 1, 2], int), "X": Column([0.0, 1.0, 2.0])}
    archive = serve(Tap({"stars": doubled}))
    with pytest.raises(DataError, match=r"1 duplicate rows, such as \{'object_id': 'o001'\}"):
        fetch(archive, targets(10))
    assert fetch(archive, targets(10), unique=("object_id", "x")).rows == 3


def test_overflow_of_one_chunk_is_an_error(serve, fetch):
    with pytest.raises(DataError, match="cut at 2 rows"):
        fetch(serve(Tap({"stars": STARS}, hard_limit=2)), targets(10))


def test_chunk_that_fills_the_limit_is_an_error(serve, fetch):
    with pytest.raises(DataError, match="2 rows came, which is the limit"):
        fetch(serve(Tap({"stars": STARS}, says_overflow=False)), targets(10), max_rows=2)


def test_table_that_was_renamed_is_not_looked_for_among_the_uploads(serve, fetch):
    archive = serve(Tap({"stars_dr3": STARS}))
    with pytest.raises(DataError, match=r"no table 'stars', similar ones are \['stars_dr3'\]"):
        fetch(archive, targets(10))


@pytest.mark.parametrize(
    ("ids", "match"),
    [
        ([], "nothing to ask Gaia for"),
        (["a", "b", "a"], r"1 duplicate rows, such as \{'object_id': 'a'\}.*give each object one row"),
        (["a", None], "1 of 2 rows without a value of 'object_id'"),
        (["a", "Å"], "only ASCII text can be sent"),
    ],
    ids=["none", "twice", "null", "letters"],
)
def test_targets_that_cannot_be_sent(serve, fetch, ids, match):
    upload = Upload(pa.table({"object_id": pa.array(ids, pa.string()), "star": list(range(len(ids)))}))
    with pytest.raises(DataError, match=match):
        fetch(serve(Tap({"stars": STARS})), upload)


def test_answer_must_carry_the_identifier(serve, fetch):
    with pytest.raises(ValueError, match="must carry the uploaded 'object_id'"):
        fetch(serve(Tap({"stars": STARS})), targets(3), columns={"x": "s.X"}, unique=())


def test_missing_values_are_sent_as_such(serve, fetch):
    upload = Upload(pa.table({"object_id": ["a", "b", "c"], "star": pa.array([1, None, 3], pa.int64())}))
    assert fetch(serve(Tap({"stars": STARS})), upload).rows == 2


def test_progress_is_said(serve, fetch, caplog):
    with caplog.at_level("INFO"):
        fetch(serve(Tap({"stars": STARS})), targets(10))
    assert "10 of 10 rows to Gaia, 0 s left" in caplog.text
