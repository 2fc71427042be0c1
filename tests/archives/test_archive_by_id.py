import dataclasses

import pyarrow as pa
import pytest
from loopback import CUT, FINE, PAGE, RESET, Answer, content, irsa, irsa_row, status
from ztf_stand_in import ztf

from workflow_scripts import tables
from workflow_scripts.archives import by_id, manifest
from workflow_scripts.surveys import files
from workflow_scripts.tables import DataError

POINTS = {f"{i:04d}": i % 5 for i in range(1, 24)}  # every fifth has no data
IDS = list(POINTS)
DOWN = [status(503)] * 1000


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "ztf"


@pytest.fixture
def fetch(folder, manners, rng):
    return lambda archive, ids=IDS, batch=5, **changes: by_id.fetch(
        dataclasses.replace(ztf(archive.url, batch), **changes), ids, folder, manners, rng
    )


def asked_ids(archive, since=0):
    return [asked.all("ID") for asked in archive.asked[since:]]


def found_rows(result):
    """Number of rows of every identifier in the files."""
    rows = [files.read(path, ["oid"]).rows for path in result.files]
    counts = pa.concat_tables(rows)["oid"].value_counts().to_pylist() if rows else []
    return {item["values"]: item["counts"] for item in counts}


def of(result):
    return {kind: result.of(kind) for kind in ("found", "no_data", "failed") if result.of(kind)}


# As it should be


def test_every_identifier_is_asked_for_once_in_batches(serve, fetch):
    archive = serve(irsa(POINTS))
    result = fetch(archive)
    assert sorted(asked_ids(archive)) == [IDS[first : first + 5] for first in range(0, 23, 5)]
    assert found_rows(result) == {name: n for name, n in POINTS.items() if n}


def test_found_and_no_data_are_told_apart(serve, fetch, folder):
    result = fetch(serve(irsa(POINTS)))
    assert of(result) == {
        "found": [name for name, n in POINTS.items() if n],
        "no_data": [name for name, n in POINTS.items() if not n],
    }
    assert tables.read(folder / "status.parquet", by_id.STATUS) == result.status
    assert result.status["object_id"].to_pylist() == IDS
    assert result.status["rows"].to_pylist() == list(POINTS.values())


def test_batches_have_their_manifests(serve, fetch):
    for path in fetch(serve(irsa(POINTS))).files:
        found = manifest.read(path)
        assert found.rows == sum(found.notes.values())
        assert [value for name, value in found.origin.parameters if name == "ID"] == list(found.notes)


def test_second_run_asks_for_nothing(serve, fetch):
    archive = serve(irsa(POINTS))
    first, before = fetch(archive), len(archive.asked)
    assert fetch(archive) == first
    assert len(archive.asked) == before


def test_new_identifiers_are_asked_for_and_no_others(serve, fetch):
    archive = serve(irsa(POINTS))
    fetch(archive, IDS[:7])
    before = len(archive.asked)
    result = fetch(archive)
    assert sorted(sum(asked_ids(archive, before), [])) == IDS[7:]  # noqa: RUF017  short
    assert found_rows(result) == {name: n for name, n in POINTS.items() if n}


def test_identifiers_that_are_no_longer_wanted_are_left_out(serve, fetch):
    archive = serve(irsa(POINTS))
    fetch(archive)
    assert fetch(archive, IDS[:3]).status["object_id"].to_pylist() == IDS[:3]


@pytest.mark.parametrize("ids", [[], ["0001"], ["0001", "0002", "0001"]], ids=["none", "one", "duplicates"])
def test_short_lists(serve, fetch, ids, caplog):
    archive = serve(irsa(POINTS))
    assert fetch(archive, ids).of("found") == sorted(set(ids))
    assert asked_ids(archive) == ([sorted(set(ids))] if ids else [])
    assert ("1 of 3 identifiers are duplicates" in caplog.text) == (len(ids) == 3)


def test_two_requests_at_a_time(serve, fetch):
    archive = serve(irsa(POINTS), hold_s=0.03)
    fetch(archive, batch=2)
    assert archive.most_at_once == 2


def test_progress_has_counts_and_time_left(serve, fetch, caplog):
    with caplog.at_level("INFO"):
        fetch(serve(irsa(POINTS)))
    assert "5 of 5 batches of up to 5 from ZTF, 0 s left" in caplog.text
    assert "ZTF: 23 identifiers: 19 found, 4 no_data, 0 failed" in caplog.text


def test_other_question_is_asked_anew(serve, fetch):
    archive = serve(irsa(POINTS))
    fetch(archive)
    before = len(archive.asked)

    def other(ids):
        return dataclasses.replace(ztf(archive.url).request(ids), parameters=(*(("ID", i) for i in ids), ("DR", "24")))

    result = fetch(archive, request=other)
    assert len(archive.asked) == 2 * before
    assert found_rows(result) == {name: n for name, n in POINTS.items() if n}


# Failures


@pytest.mark.parametrize(
    "fault",
    [status(500), status(429, "0.01"), RESET, CUT, PAGE, *map(content, ("wrong_rows", "duplicate_rows", "no_id"))],
    ids=["500", "429", "reset", "cut", "page", "wrong", "duplicates", "no id"],
)
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_fault_that_passes_leaves_no_trace(serve, fetch, fault, framing):
    archive = serve(irsa(POINTS, framing=framing), [FINE, fault])
    result = fetch(archive)
    assert of(result).keys() == {"found", "no_data"}
    assert found_rows(result) == {name: n for name, n in POINTS.items() if n}


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("wrong_rows", "1 values of 'oid' that were not asked for, such as '999'"),
        ("duplicate_rows", "1 duplicate rows"),
        ("no_id", "'oid'"),
    ],
)
def test_fault_that_stays_is_a_failure_with_its_reason(serve, fetch, kind, why):
    result = fetch(serve(irsa(POINTS), [content(kind)] * 4), IDS[:5])
    assert of(result) == {"failed": IDS[:5]}
    assert why in result.status["reason"][0].as_py()
    assert result.files == ()


def test_failed_identifiers_are_asked_for_again_and_nothing_else_is(serve, fetch):
    archive = serve(irsa(POINTS))
    fail = {"0006", "0013"}
    whole = archive.answer
    archive.answer = lambda asked: Answer(b"", status=500) if fail & set(asked.all("ID")) else whole(asked)
    first = fetch(archive)
    assert first.of("failed") == [*IDS[5:10], *IDS[10:15]]
    assert set(first.status["reason"].to_pylist()[:5]) == {None}
    archive.answer, before = whole, len(archive.asked)
    second = fetch(archive)
    assert sorted(asked_ids(archive, before)) == [IDS[5:10], IDS[10:15]]
    assert of(second).keys() == {"found", "no_data"}
    assert found_rows(second) == {name: n for name, n in POINTS.items() if n}


def test_files_are_the_same_after_failures_and_kills(serve, fetch, folder):
    archive = serve(irsa(POINTS), [FINE, *DOWN])
    assert fetch(archive).of("failed")
    archive.faults = []
    mended = fetch(archive)
    expected = {path.name: path.read_bytes() for path in mended.files}
    for path in folder.iterdir():
        path.unlink()
    assert {path.name: path.read_bytes() for path in fetch(archive).files} == expected


def test_host_that_is_down_for_the_whole_run_is_given_up(serve, fetch, folder):
    archive = serve(irsa(POINTS), DOWN)
    source = ztf(archive.url, 2)
    result = fetch(archive, batch=2)
    assert result.of("failed") == IDS
    assert len(archive.asked) == 4 * 4, "two batches at a time until three failed, each in four tries"
    reasons = result.status["reason"].to_pylist()
    assert "not obtained in 4 of 4 tries" in reasons[0]
    assert reasons[-1] == "not asked for: 4 batches in a row before it failed"
    with pytest.raises(DataError) as caught:
        by_id.require(source, result, folder)
    said = str(caught.value)
    assert "ZTF: 23 of 23 identifiers failed, such as '0001': 15 because not asked for" in said
    assert f"{folder / 'status.parquet'}; run again: only these are asked for" in said


def test_nothing_failed_nothing_raised(serve, fetch, folder):
    archive = serve(irsa(POINTS))
    by_id.require(ztf(archive.url), fetch(archive), folder)


def test_identifier_that_the_archive_refuses_is_found_and_stands_alone(serve, fetch):
    archive = serve(irsa(POINTS, refused=["0009", "0021"]))
    result = fetch(archive, batch=23)
    assert result.of("failed") == ["0009", "0021"]
    assert "is not a valid ID" in result.status["reason"][8].as_py()
    assert found_rows(result) == {name: n for name, n in POINTS.items() if n and name not in ("0009", "0021")}


def test_archive_that_refuses_everything_is_spared(serve, fetch):
    archive = serve(irsa(POINTS, refused=IDS))
    result = fetch(archive, batch=23)
    assert result.of("failed") == IDS
    assert len(archive.asked) <= 10


@pytest.mark.parametrize("code", [401, 403, 410])
def test_refusal_that_is_not_about_identifiers_is_not_divided(serve, fetch, code):
    archive = serve(irsa(POINTS), [status(code)] * 99)
    result = fetch(archive, batch=5)
    assert result.of("failed") == IDS
    assert len(archive.asked) == 4


def test_missing_column_stops_the_run(serve, fetch):
    archive = serve(irsa(POINTS), [content("missing_column")] * 99)
    with pytest.raises(DataError, match=r"ZTF: no columns \['magerr'\].*the archive has changed its format"):
        fetch(archive)


def test_empty_field_is_null_and_no_failure(serve, fetch):
    row = irsa_row("0001", 0) | {"mag": ""}
    result = fetch(serve(irsa({"0001": [row]})), ["0001"])
    assert result.of("found") == ["0001"]
    assert files.read(result.files[0], ["mag"]).rows["mag"].to_pylist() == [None]


@pytest.mark.parametrize("damage", ["cut", "no manifest", "gone"])
def test_damaged_file_is_asked_for_again(serve, fetch, damage):
    archive = serve(irsa(POINTS))
    path = fetch(archive).files[0]
    ids, before = list(manifest.read(path).notes), len(archive.asked)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-10])
    else:
        (manifest.place(path) if damage == "no manifest" else path).unlink()
    assert of(fetch(archive)).keys() == {"found", "no_data"}
    assert asked_ids(archive, before) == [ids]


def test_identifier_in_two_files_is_counted_once(serve, fetch):
    archive = serve(irsa(POINTS))
    fetch(archive, IDS[:2])
    for path in (first := fetch(archive, IDS[:2]).files):
        copy = path.with_name(f"zz{path.name}")
        copy.write_bytes(path.read_bytes())
        manifest.place(copy).write_bytes(manifest.place(path).read_bytes())
    assert fetch(archive, IDS[:2]).files == first
