import dataclasses
import hashlib
import json
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from loopback import CUT, FINE, PAGE, RESET, SILENT, content, status
from loopback_tap import Column, Tap

from workflow_scripts import tables
from workflow_scripts.archives import query as queries
from workflow_scripts.archives import tap, tap_job
from workflow_scripts.archives.query import Query
from workflow_scripts.archives.retry import UnavailableError
from workflow_scripts.tables import DataError

N = 30
RNG = np.random.default_rng(3)
CATALOGUE = {
    "ID": Column(RNG.permutation(N).tolist(), int, description="Identifier"),
    "RAJ2000": Column(RNG.uniform(0, 360, N).tolist(), float, "deg", "pos.eq.ra", "Right ascension"),
    "Type": Column([None, *["EA", "EW", "RRAB"] * 10][:N], str),
}
OTHERS = {"II/366/readme": {"x": Column([1], int)}, "I/355/gaiadr3": {"Source": Column([1], int)}}
COLUMNS = {"id": "ID", "ra_deg": "RAJ2000", "class": "Type"}


def service(**options) -> Tap:
    return Tap({"II/366/catv2021": CATALOGUE, **OTHERS}, **options)


def question(archive, **changes) -> Query:
    given = Query("VizieR", f"{archive.url}/tap", COLUMNS, '"II/366/catv2021"', 1000, ("id",), wait_s=20.0)
    return dataclasses.replace(given, **changes)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "catalogue.parquet"


@pytest.fixture
def fetch(path, manners, rng):
    return lambda archive, **changes: tap.fetch(question(archive, **changes), path, manners, rng)


def nothing(path: Path) -> None:
    assert {p.name for p in path.parent.iterdir()} - {"locks"} == set()


def rejected(fetch, archive, path, match, **changes) -> None:
    """Check that the answer is an error with these words, and that nothing is left of it here or on the service."""
    with pytest.raises(DataError, match=match):
        fetch(archive, **changes)
    nothing(path)
    assert archive.answer.jobs == {}


# A catalogue as it should come


def test_catalogue_comes_whole_under_our_names(serve, fetch, path):
    made = fetch(serve(service()))
    rows = pq.read_table(path)
    assert rows.column_names == list(COLUMNS)
    assert (made.rows, made.status, made.notes["counted"]) == (N, "complete", N)
    expected = sorted(zip(*(column.values for column in CATALOGUE.values()), strict=True))
    assert [tuple(row.values()) for row in rows.to_pylist()] == expected


def test_units_meanings_and_query_are_in_the_file(serve, fetch, path):
    fetch(serve(service()))
    schema = pq.read_schema(path)
    notes = schema.field("ra_deg").metadata
    assert (notes[b"unit"], notes[b"ucd"], notes[b"meaning"]) == (b"deg", b"pos.eq.ra", b"Right ascension")
    assert b'FROM "II/366/catv2021"' in schema.metadata[b"query"]


def test_manifest_says_what_was_asked(serve, fetch, path):
    archive = serve(service())
    fetch(archive)
    found = json.loads(path.with_name("catalogue.parquet.manifest.json").read_text())
    adql = 'SELECT ID AS "id", RAJ2000 AS "ra_deg", Type AS "class" FROM "II/366/catv2021"'
    assert found["origin"]["parameters"] == [["QUERY", adql], ["MAXREC", "1000"]]
    assert found["origin"]["url"] == f"{archive.url}/tap"
    assert found["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_nothing_else_is_left_here_or_on_the_service(serve, fetch, path):
    archive = serve(service())
    fetch(archive)
    assert {p.name for p in path.parent.iterdir()} == {"locks", path.name, f"{path.name}.manifest.json"}
    assert archive.answer.deleted == ["job1"]


def test_catalogue_that_is_there_is_not_asked_for_again(serve, fetch):
    archive = serve(service())
    fetch(archive)
    before = len(archive.asked)
    fetch(archive)
    assert len(archive.asked) == before


def test_order_of_the_rows_is_not_the_service_s(serve, path, manners, rng):
    """A database promises no order; the file is the same all the same."""
    digests = set()
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(N)
        shuffled = {k: dataclasses.replace(c, values=[c.values[i] for i in order]) for k, c in CATALOGUE.items()}
        archive = serve(Tap({"stars": shuffled}))
        for unique in ((), ("id",)):
            query = question(archive, source="stars", unique=unique)
            digests.add((unique, tap.fetch(query, path, manners, rng).sha256))
            path.unlink()
    assert len(digests) == 2


def test_rows_follow_the_key_and_provenance_is_kept(serve, fetch, path):
    with tables.provenance({"rule": "download_catalogue"}):
        fetch(serve(service()), unique=("ra_deg", "id"))
    rows = pq.read_table(path)
    assert rows["ra_deg"].to_pylist() == sorted(CATALOGUE["RAJ2000"].values)
    assert b"download_catalogue" in rows.schema.metadata[b"provenance"]


def test_condition_counts_too(serve, fetch):
    made = fetch(serve(service()), source='"II/366/catv2021" WHERE ID < 7')
    assert (made.rows, made.notes["counted"]) == (7, 7)


def test_no_rows_are_no_data_and_keep_their_columns(serve, fetch, path):
    archive = serve(service())
    made = fetch(archive, source='"II/366/catv2021" WHERE ID < 0')
    assert (made.status, made.rows) == ("no_data", 0)
    assert pq.read_schema(path).field("id").type == pa.int64()
    assert fetch(archive, source='"II/366/catv2021" WHERE ID < 0').status == "no_data"
    assert len([asked for asked in archive.asked if asked.path == "/tap/async" and asked.method == "POST"]) == 1


def test_service_that_changes_the_case_of_names(serve, fetch):
    fetch(serve(service()), columns={"ID": "ID", "ra_deg": "RAJ2000"}, unique=("ID",))
    upper = queries.checked(
        dataclasses.replace(_answer(["id", "RA_DEG"])),
        question(serve(service()), columns={"ID": "ID"}, unique=()),
        2,
        None,
    )
    assert upper.column_names == ["ID"]


def _answer(names):
    rows = pa.table({name: [1, 2] for name in names})
    return queries.votable.Answer(rows, (), "OK", "")


# Silent truncation


def test_default_limit_is_never_in_force(serve, fetch):
    """2,000 rows of more, without a word: what a service gives to who names no limit."""
    many = {"ID": Column(list(range(2500)), int)}
    archive = serve(Tap({"stars": many}, default_limit=2000, says_overflow=False))
    assert fetch(archive, source="stars", columns={"id": "ID"}, max_rows=10_000).rows == 2500
    assert {asked.one("MAXREC") for asked in archive.asked if asked.one("QUERY")} == {"2", "10000"}


def test_limit_below_the_count_is_refused_before_the_query(serve, fetch, path):
    archive = serve(service())
    rejected(
        fetch, archive, path, rf"{N} rows for the query, which is not below max_rows {N}.*raise max_rows", max_rows=N
    )
    assert [asked.path for asked in archive.asked] == ["/tap/sync"]


@pytest.mark.parametrize("counts", [True, False])
def test_overflow_is_an_error(serve, fetch, path, counts):
    """A limit of the service below ours; pyvo says nothing of it when the client names a limit."""
    archive = serve(service(hard_limit=20, counts=counts))
    rejected(fetch, archive, path, r"cut at 20 rows \(QUERY_STATUS OVERFLOW, max_rows 1000\)")


def test_pyvo_alone_says_nothing_of_an_overflow(serve, recwarn):
    from pyvo.dal import TAPService

    found = TAPService(f"{serve(service(hard_limit=20)).url}/tap").run_sync(
        "SELECT ID FROM 'II/366/catv2021'", maxrec=20
    )
    assert len(found) == 20
    assert not [w for w in recwarn if "Overflow" in w.category.__name__]


def test_cut_that_nobody_mentions_is_found_by_counting(serve, fetch, path):
    archive = serve(service(hard_limit=20, says_overflow=False))
    rejected(fetch, archive, path, rf"20 rows came, SELECT COUNT\(\*\) says {N}")


def test_answer_that_fills_the_limit_is_an_error_where_nobody_counts(serve, fetch, path, caplog):
    archive = serve(service(counts=False, says_overflow=False))
    rejected(fetch, archive, path, "20 rows came, which is the limit: there may be more", max_rows=20)
    assert "cannot count the rows, so only the limit is checked" in caplog.text


def test_service_that_cannot_count_is_trusted_below_the_limit(serve, fetch):
    assert fetch(serve(service(counts=False))).notes["counted"] is None


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_result_that_is_cut_on_the_way_is_asked_for_again(serve, fetch, framing):
    archive = serve(service(framing=framing, counts=False))
    cut_results = _Cutting(archive.answer)
    archive.answer = cut_results
    assert fetch(archive).rows == N
    assert cut_results.cuts == 0


class _Cutting:
    """A service whose first two results end in the middle, whatever the framing says."""

    def __init__(self, answer):
        self.inner, self.cuts = answer, 2

    def __call__(self, asked):
        answer = self.inner(asked)
        if asked.path.endswith("/results/result") and self.cuts:
            self.cuts -= 1
            if answer.framing == "close":
                return dataclasses.replace(answer, body=answer.body[: len(answer.body) // 2])
            lie = {"Content-Length": str(len(answer.body))}
            return dataclasses.replace(answer, body=answer.body[:200], framing="close", headers=lie)
        return answer

    def __getattr__(self, name):
        return getattr(self.inner, name)


def test_status_must_be_stated(serve, fetch, path):
    rejected(fetch, serve(service(says_status=False)), path, "QUERY_STATUS is not stated, expected OK")


# Wrong content


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        ("duplicate_rows", r"1 duplicate rows, such as \{'id': \d+\}"),
        ("missing_column", r"no columns \['class'\], found \['id', 'ra_deg'\]"),
    ],
)
def test_content_that_is_wrong_is_an_error(serve, fetch, path, fault, match):
    # The sixth request starts the job: after the count, its creation and three looks at it.
    archive = serve(service(), [*[FINE] * 5, content(fault)])
    rejected(fetch, archive, path, match)


def test_row_without_its_key_is_an_error(serve, fetch, path):
    rejected(fetch, serve(service()), path, "1 of 30 rows without a value of 'class'", unique=("id", "class"))


def test_renamed_table_is_named_with_similar_ones(serve, fetch, path):
    with pytest.raises(tap_job.JobError) as caught:
        fetch(serve(service()), source='"II/366/catalog"')
    said = str(caught.value)
    assert "no such table: II/366/catalog" in said
    assert "the service has no table 'II/366/catalog', similar ones are ['II/366/catv2021', 'II/366/readme']" in said
    assert 'The query was: SELECT ID AS "id"' in said
    nothing(path)


def test_renamed_column_is_named_with_similar_ones(serve, fetch, path):
    rejected(
        fetch, serve(service()), path, r"have no columns \['RAdeg'\], similar ones are \{'RAdeg': \['RAJ2000'",
        columns={"id": "ID", "ra": "RAdeg"}, unique=(),
    )  # fmt: skip


def test_schema_that_does_not_answer_explains_nothing(serve, fetch):
    archive = serve(service(schema=False))
    with pytest.raises(tap_job.JobError, match=r"no such table: II/366/catalog\. The query was"):
        fetch(archive, source='"II/366/catalog"')


def test_name_of_a_schema_with_dots(serve, fetch):
    tables = {"external.lamost_dr9_lrs": {"obsid": Column([1], int)}, "gaiadr3.gaia_source": {"x": Column([1], int)}}
    with pytest.raises(
        tap_job.JobError, match=r"no table 'external.lamost_dr10', similar ones are \['external.lamost_dr9_lrs"
    ):
        fetch(serve(Tap(tables)), source="external.lamost_dr10 AS l", columns={"id": "l.obsid"})


@pytest.mark.parametrize(
    "changes",
    [{"columns": {"a b": "x"}}, {"columns": {}, "unique": ("id",)}, {"max_rows": 0}],
    ids=["name", "key", "limit"],
)
def test_query_that_makes_no_sense_is_a_mistake_of_the_program(serve, changes):
    with pytest.raises(ValueError, match="query to VizieR"):
        question(serve(service()), **changes)


# A service in trouble


@pytest.mark.parametrize("place", range(10))
def test_fault_at_any_request_is_survived(serve, fetch, place):
    archive = serve(service(), [*[FINE] * place, (status(503), RESET, PAGE, CUT)[place % 4]])
    assert fetch(archive).rows == N
    # A job that was lost between its making and its address was never started, and expires on the service.
    assert all(job.phases == ["PENDING"] for job in archive.answer.jobs.values()) or place == 9


@pytest.mark.parametrize("seed", range(4))
def test_storm_of_faults_is_survived_or_said(serve, path, manners, rng, seed):
    weather = np.random.default_rng(seed).choice([FINE, FINE, FINE, status(503), RESET, PAGE, CUT], 500)
    made = tap.fetch(question(serve(service(), weather)), path, dataclasses.replace(manners, tries=50), rng)
    assert made.rows == N
    assert pq.read_table(path)["id"].to_pylist() == list(range(N))


def test_service_that_is_down_says_so_and_leaves_nothing(serve, fetch, path):
    archive = serve(service(), [status(503)] * 99)
    with pytest.raises(UnavailableError, match="VizieR, a job: not obtained in 4 of 4 tries"):
        fetch(archive)
    nothing(path)


def test_silent_service_meets_the_timeout(serve, path, manners, rng):
    """pyvo sends some requests without a timeout."""
    archive = serve(service(), [SILENT] * 99)
    start = time.monotonic()
    with pytest.raises(UnavailableError):
        tap.fetch(question(archive), path, dataclasses.replace(manners, timeout_s=0.1, tries=2), rng)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("end", ["ERROR", "ABORTED", "ARCHIVED"])
def test_job_that_ends_badly_is_an_error(serve, fetch, path, end):
    archive = serve(service(phases=["EXECUTING", end]))
    rejected(fetch, archive, path, f"the job ended as {end}")


def test_start_whose_answer_is_lost_is_no_failure(serve, fetch):
    """The sixth request starts the job; the second attempt at it is refused, because the job runs already."""
    archive = serve(service(), [*[FINE] * 5, RESET])
    assert fetch(archive).rows == N
    assert [asked.one("PHASE") for asked in archive.asked if asked.path.endswith("/phase")] == ["RUN", "RUN"]


def test_job_that_cannot_be_started_is_an_error(serve, fetch):
    with pytest.raises(tap_job.JobError, match=r"HTTP status 400.*this job cannot be started.*The query was"):
        fetch(serve(service(starts=False)))


def test_job_that_never_ends_meets_the_budget_and_is_kept(serve, fetch, path):
    archive = serve(service(phases=["EXECUTING"] * 10_000))
    start = time.monotonic()
    with pytest.raises(UnavailableError, match=r"job1 is still EXECUTING after .* run again to go on waiting"):
        fetch(archive, wait_s=0.2)
    assert time.monotonic() - start < 5
    assert path.with_name("catalogue.parquet.job").exists()
    assert not path.exists()


def test_next_run_goes_on_with_the_same_job(serve, fetch, path):
    archive = serve(service(phases=["EXECUTING"] * 10_000))
    with pytest.raises(UnavailableError):
        fetch(archive, wait_s=0.05)
    archive.answer.jobs["job1"].phases = ["EXECUTING", "COMPLETED"]
    assert fetch(archive).rows == N
    assert archive.answer.deleted == ["job1"]
    assert not path.with_name("catalogue.parquet.job").exists()


@pytest.mark.parametrize("fate", ["expired", "ERROR", "ABORTED", "pending", "other question", "broken file"])
def test_job_that_cannot_be_gone_on_with_is_started_anew(serve, fetch, path, fate):
    archive = serve(service(phases=["EXECUTING"] * 10_000))
    with pytest.raises(UnavailableError):
        fetch(archive, wait_s=0.05)
    archive.answer.phases = ["COMPLETED"]
    if fate == "expired":
        archive.answer.jobs.clear()
    elif fate == "other question":
        assert fetch(archive, max_rows=500).rows == N
        return
    elif fate == "broken file":
        path.with_name("catalogue.parquet.job").write_text("{")
    else:
        archive.answer.jobs["job1"].phases = [fate.upper()]
    assert fetch(archive).rows == N
    assert archive.answer.deleted[-1] == ("job1" if fate == "pending" else "job2")


def test_result_that_cannot_be_had_now_is_had_by_the_next_run(serve, fetch, path):
    archive = serve(service())
    whole, archive.answer = archive.answer, _Broken(archive.answer)
    with pytest.raises(UnavailableError, match=r"catalogue\.parquet\.vot"):
        fetch(archive)
    assert path.with_name("catalogue.parquet.job").exists()
    archive.answer = whole
    assert fetch(archive).rows == N
    assert whole.deleted == ["job1"]


class _Broken:
    """A service that runs jobs and then cannot give their results."""

    def __init__(self, answer):
        self.inner = answer

    def __call__(self, asked):
        answer = self.inner(asked)
        return dataclasses.replace(answer, status=500) if asked.path.endswith("/results/result") else answer


# Small questions


def test_small_question_is_answered_at_once(serve, manners, rng):
    archive = serve(service())
    rows = queries.ask(question(archive, source='"II/366/catv2021" WHERE ID < 3'), manners, rng)
    assert rows["id"].to_pylist() == [0, 1, 2]
    assert [asked.path for asked in archive.asked] == ["/tap/sync"]


@pytest.mark.parametrize(
    ("options", "changes", "match"),
    [
        ({"hard_limit": 5}, {}, "OVERFLOW"),
        ({"says_overflow": False}, {"max_rows": 30}, "which is the limit"),
        ({"says_status": False}, {}, "not stated"),
        ({}, {"source": "nowhere"}, "HTTP status 400.*no such table: nowhere"),
        ({}, {"unique": ("class",)}, "without a value of 'class'"),
    ],
    ids=["overflow", "limit", "status", "table", "key"],
)
def test_small_question_has_the_same_checks(serve, manners, rng, options, changes, match):
    with pytest.raises(DataError, match=match):
        queries.ask(question(serve(service(**options)), **changes), manners, rng)
