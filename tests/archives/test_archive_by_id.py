import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from loopback import CUT, FINE, PAGE, RESET, Answer, content, irsa, irsa_row, status
from ztf_stand_in import ztf

from workflow_scripts import tables
from workflow_scripts.archives import answers, by_id, http, manifest
from workflow_scripts.archives.answers import Source
from workflow_scripts.archives.retry import TransientError, UnavailableError
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


def test_million_identifiers_are_all_accounted_for(folder, manners, rng, monkeypatch):
    """Of 10^6 identifiers every second has a row, and 1000 fail; what the archive answers is stood in for."""
    ids = [f"{i:07d}" for i in range(1_000_000)]

    def transfer(job, batch, path, _):
        if batch[0] == "0500000":
            raise UnavailableError("down")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        manifest.write(path, job.source.request(batch).origin, 1, {name: int(name) % 2 for name in batch})

    monkeypatch.setattr(answers, "transfer", transfer)
    begun = time.process_time()
    result = by_id.fetch(ztf("http://archive.invalid", batch=1000), ids, folder, manners, rng)
    assert time.process_time() - begun < 30, "10 s; a minute if the time grows as the square of the list"
    assert result.of("failed") == ids[500_000:501_000]
    assert result.of("found") == ids[1:500_000:2] + ids[501_001::2]
    assert len(result.of("no_data")) == 500_000 - 500
    assert len(result.files) == 999


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


@pytest.mark.parametrize(("code", "runs"), [(500, 3), (403, 3), (404, 1)])
def test_what_fails_in_every_run_starves_no_others(serve, fetch, code, runs):
    """Two stretches, each long enough to give up; a 404 for an identifier alone is the word of a host that is up."""
    archive = serve(irsa(POINTS))
    bad, whole = IDS[4:8] + IDS[12:17], archive.answer
    archive.answer = lambda asked: Answer(b"no", status=code) if asked.one("ID") in bad else whole(asked)
    counts = [len(fetch(archive, batch=1).of("failed")) for _ in range(runs)]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == len(bad)
    before = len(archive.asked)
    assert fetch(archive, batch=1).of("failed") == bad
    assert {asked.one("ID") for asked in archive.asked[before:]} <= {*bad}


def test_damaged_status_costs_the_order_only(serve, fetch, folder):
    archive = serve(irsa(POINTS))
    fetch(archive)
    (folder / "status.parquet").write_bytes(b"PAR1")
    assert of(fetch(archive)).keys() == {"found", "no_data"}


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


# Other ways to answer


def text_rows(path, ids):
    """Lines `id,x` of a file, of the wanted identifiers."""
    pairs = [line.split(",") for line in path.read_text().splitlines()]
    if any(len(pair) != 2 for pair in pairs):
        raise DataError(f"{path}: not pairs")
    mine = [pair for pair in pairs if pair[0] in ids]
    return pa.table({"id": [pair[0] for pair in mine], "x": [pair[1] for pair in mine]})


def shelf(url, **changes):
    """An archive with files of its own: the first letter of an identifier names the file."""
    source = Source(
        "Shelf", lambda ids: http.Request("Shelf", f"{url}/{ids[0][0]}.txt"), text_rows, ("id", "x"), "id", (),
        file=lambda name: f"{name[0]}.txt", absent=(404,),
    )  # fmt: skip
    return dataclasses.replace(source, **changes)


SHELF = {"/a.txt": b"a1,5\na2,6\na9,7\na1,8\n", "/b.txt": b"b1,1\n"}


def on_shelf(asked):
    return Answer(SHELF[asked.path], "text/plain") if asked.path in SHELF else Answer(b"none", status=404)


def rows_of(source, result):
    found = [answers.rows(source, path) for path in result.files]
    return sorted(tuple(row.values()) for rows in found if rows is not None for row in rows.to_pylist())


def test_rows_are_taken_out_of_files_that_all_jobs_share(serve, folder, manners, rng):
    archive, shared = serve(on_shelf), folder / "shared"
    source = shelf(archive.url)
    result = by_id.fetch(source, ["b1", "a1", "a3", "c1"], folder / "one", manners, rng, shared)
    assert of(result) == {"found": ["b1", "a1"], "no_data": ["a3", "c1"]}
    assert rows_of(source, result) == [("a1", "5"), ("a1", "8"), ("b1", "1")]
    assert (shared / "a.txt").read_bytes() == SHELF["/a.txt"]
    by_id.fetch(source, ["a2"], folder / "two", manners, rng, shared)
    assert sorted(asked.path for asked in archive.asked) == ["/a.txt", "/b.txt", "/c.txt"]
    before = len(archive.asked)
    assert by_id.fetch(source, ["b1", "a1", "a3", "c1"], folder / "one", manners, rng, shared) == result
    assert len(archive.asked) == before, "that there is no c is known"


def test_shared_file_may_be_deleted_once_the_rows_are_out(serve, folder, manners, rng):
    archive = serve(on_shelf)
    source = shelf(archive.url)
    first = by_id.fetch(source, ["a1"], folder, manners, rng)
    (folder / "files" / "a.txt").unlink()
    assert by_id.fetch(source, ["a1"], folder, manners, rng) == first
    assert len(archive.asked) == 1


def test_shared_file_is_downloaded_once_by_jobs_at_the_same_time(serve, folder, manners, rng):
    archive = serve(on_shelf, hold_s=0.1)
    source = shelf(archive.url)
    with ThreadPoolExecutor(3) as pool:
        jobs = [
            pool.submit(by_id.fetch, source, [f"a{i}"], folder / f"{i}", manners, stream, folder / "shared")
            for i, stream in enumerate(rng.spawn(3))
        ]
        assert [job.result().of("found") for job in jobs] == [[], ["a1"], ["a2"]]
    assert len(archive.asked) == 1


@pytest.mark.parametrize("fault", [CUT, RESET, PAGE, status(500)], ids=["cut", "reset", "page", "500"])
def test_shared_file_comes_whole(serve, folder, manners, rng, fault):
    source = shelf(serve(on_shelf, [fault]).url)
    assert rows_of(source, by_id.fetch(source, ["a1"], folder, manners, rng)) == [("a1", "5"), ("a1", "8")]


def test_nothing_where_it_should_be_is_an_error_and_not_remembered(serve, folder, manners, rng):
    archive = serve(lambda _: Answer(b"none", status=404))
    source = shelf(archive.url)
    with pytest.raises(
        DataError, match=r"Shelf: no data \(HTTP status 404\) for all of 2 identifiers, such as '[ab]1'"
    ):
        by_id.fetch(source, ["a1", "b1"], folder, manners, rng)
    archive.answer = on_shelf
    assert by_id.fetch(source, ["a1", "b1"], folder, manners, rng).of("found") == ["a1", "b1"]


def test_absence_of_everything_is_believed_where_the_landmark_is(serve, folder, manners, rng):
    archive = serve(on_shelf)
    source = shelf(archive.url, landmark=lambda _: http.Request("Shelf", f"{archive.url}/a.txt"))
    for _ in range(2):
        assert of(by_id.fetch(source, ["c1", "d1"], folder, manners, rng)) == {"no_data": ["c1", "d1"]}
    assert [asked.path for asked in archive.asked].count("/a.txt") == 1, "it is kept, as answers are"


def test_landmark_that_is_gone_shows_a_moved_archive(serve, folder, manners, rng):
    archive = serve(on_shelf)
    source = shelf(archive.url, landmark=lambda ids: http.Request("Shelf", f"{archive.url}/{ids[0]}.txt"))
    with pytest.raises(DataError, match=r"no data \(HTTP status 404\) for all of 1 identifiers"):
        by_id.fetch(source, ["c1"], folder, manners, rng)
    assert [asked.path for asked in archive.asked] == ["/c.txt", "/c1.txt"]


def test_absence_of_everything_is_believed_where_the_file_of_another_job_is_still_there(serve, folder, manners, rng):
    """What one job finds to have no data must not be an error because another job has the other identifiers."""
    archive, shared = serve(on_shelf), folder / "shared"
    by_id.fetch(shelf(archive.url), ["a1", "b1"], folder / "one", manners, rng, shared)
    for _ in range(2):
        result = by_id.fetch(shelf(archive.url), ["c1"], folder / "two", manners, rng, shared)
        assert of(result) == {"no_data": ["c1"]}
    assert sorted(asked.path for asked in archive.asked) == ["/a.txt", "/b.txt", "/b.txt", "/c.txt"]
    archive.answer = lambda _: Answer(b"none", status=404)
    with pytest.raises(DataError, match=r"no data \(HTTP status 404\) for all of 1 identifiers"):
        by_id.fetch(shelf(archive.url), ["c1"], folder / "three", manners, rng, shared)


def test_landmark_that_cannot_be_asked_for_is_no_absence(serve, folder, manners, rng):
    archive = serve(lambda asked: Answer(b"", status=404 if asked.path == "/c.txt" else 503))
    source = shelf(archive.url, landmark=lambda _: http.Request("Shelf", f"{archive.url}/a.txt"))
    with pytest.raises(UnavailableError, match="503"):
        by_id.fetch(source, ["c1"], folder, manners, rng)


def test_file_without_the_object_is_no_moved_archive(serve, folder, manners, rng):
    assert of(by_id.fetch(shelf(serve(on_shelf).url), ["a3"], folder, manners, rng)) == {"no_data": ["a3"]}


def test_absence_that_is_not_the_archives_word_is_a_failure(serve, folder, manners, rng):
    source = shelf(serve(on_shelf).url, absent=())
    assert of(by_id.fetch(source, ["a1", "c1"], folder, manners, rng)) == {"found": ["a1"], "failed": ["c1"]}


def test_files_that_the_archive_lacks_do_not_end_the_run(serve, folder, manners, rng):
    source, lacking = shelf(serve(on_shelf).url, absent=()), [f"{file}{i}" for file in "cdefg" for i in (1, 2)]
    assert of(by_id.fetch(source, [*lacking, "a1"], folder, manners, rng)) == {"found": ["a1"], "failed": lacking}


def linked(url, **changes):
    """An archive whose answer is a page that links to the rows."""

    def page(text):
        if "nothing" in text:
            return None
        if "href=" not in text:
            raise TransientError("no link")
        return http.Request("Linked", url + text.split('"')[1])

    source = Source(
        "Linked", lambda ids: http.Request("Linked", f"{url}/ask", (("IDS", ",".join(ids)),), html=True), text_rows,
        ("id", "x"), "id", (), batch=3, page=page,
    )  # fmt: skip
    return dataclasses.replace(source, **changes)


class Pages:
    """Rows of each identifier in a file of a new name for each question; what was linked to before is gone."""

    def __init__(self, rows):
        self.rows, self.files = rows, {}

    def __call__(self, asked):
        if asked.path != "/ask":
            body = self.files.get(asked.path)
            return Answer(body, "text/plain") if body else Answer(b"gone", status=404)
        lines = [f"{name},{i}\n" for name in asked.one("IDS").split(",") for i in range(self.rows.get(name, 0))]
        if not lines:
            return Answer(b"<html>nothing</html>", "text/html")
        name = f"/result{len(self.files)}"
        self.files[name] = "".join(lines).encode()
        return Answer(f'<html><a href="{name}">save</a></html>'.encode(), "text/html")


@pytest.mark.parametrize("fault", [FINE, CUT, RESET, status(500), status(429, "0.01")])
@pytest.mark.parametrize("nth", [0, 1])
def test_rows_behind_a_page(serve, folder, manners, rng, fault, nth):
    archive = serve(Pages({"a": 2, "b": 1, "d": 1}), [FINE] * nth + [fault])
    source = linked(archive.url)
    result = by_id.fetch(source, ["a", "b", "c", "d", "e"], folder, manners, rng)
    assert of(result) == {"found": ["a", "b", "d"], "no_data": ["c", "e"]}
    assert rows_of(source, result) == [("a", "0"), ("a", "1"), ("b", "0"), ("d", "0")]
    assert list(folder.glob("*.html*")) == []
    before = len(archive.asked)
    assert by_id.fetch(source, ["a", "b", "c", "d", "e"], folder, manners, rng) == result
    assert len(archive.asked) == before, "the question is known, whatever the link was called"


def test_page_that_says_there_is_nothing(serve, folder, manners, rng):
    source = linked(serve(Pages({})).url)
    result = by_id.fetch(source, ["a", "b"], folder, manners, rng)
    assert of(result) == {"no_data": ["a", "b"]}
    assert rows_of(source, result) == []


def test_page_of_another_kind_is_a_failure_with_its_reason(serve, folder, manners, rng):
    source = linked(serve(lambda _: Answer(b"<html>letters</html>", "text/html")).url)
    result = by_id.fetch(source, ["a"], folder, manners, rng)
    assert of(result) == {"failed": ["a"]}
    assert "no link" in result.status["reason"][0].as_py()


def test_answer_at_the_archives_limit_is_divided(serve, folder, manners, rng):
    archive = serve(Pages({"a": 3, "b": 3, "c": 3}))
    source = linked(archive.url, limit=4)
    result = by_id.fetch(source, ["a", "b", "c"], folder, manners, rng)
    assert result.of("found") == ["a", "b", "c"]
    assert next(asked.one("IDS") for asked in archive.asked if asked.path == "/ask") == "a,b,c"
    alone = by_id.fetch(dataclasses.replace(source, limit=3), ["a"], folder / "b", manners, rng)
    assert "the archive cuts its answers at 3 rows" in alone.status["reason"][0].as_py()


def test_file_whose_manifest_is_gone_is_not_read(serve, folder, manners, rng):
    source = shelf(serve(on_shelf).url)
    path = by_id.fetch(source, ["a1"], folder, manners, rng).files[0]
    manifest.remove(path)
    with pytest.raises(DataError, match="has no manifest; delete it and run again"):
        answers.rows(source, path)
