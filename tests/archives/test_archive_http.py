import dataclasses
import fcntl
import gzip
import hashlib
import itertools
import resource
import socket
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from loopback import CUT, EMPTY, FINE, PAGE, RESET, SILENT, SLOW, Answer, file, status

from workflow_scripts.archives import http, manifest
from workflow_scripts.archives.http import Digests, Request
from workflow_scripts.archives.retry import RefusedError, TransientError, UnavailableError
from workflow_scripts.tables import DataError

BODY = b"id,mag\n" + b"".join(b"%d,14.5\n" % i for i in range(20_000))
FRAMINGS = ("length", "chunked", "close")


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") - 1


@pytest.fixture
def fetch(tmp_path, manners, rng):
    """Fetch an archive's answer as a.csv, from an archive or a request."""

    def run(archive, **options):
        request = archive if isinstance(archive, Request) else Request("test", f"{archive.url}/a.csv")
        return http.fetch(request, tmp_path / "a.csv", options.pop("manners", manners), rng, **options)

    return run


def only_file(folder: Path) -> None:
    """Check that the folder holds the download, its manifest and nothing else."""
    assert {p.name for p in folder.iterdir()} - {"locks"} == {"a.csv", "a.csv.manifest.json"}


def nothing(folder: Path) -> None:
    assert {p.name for p in folder.iterdir()} - {"locks"} == set()


# A file as it should come


@pytest.mark.parametrize("framing", FRAMINGS)
def test_file_comes_whole_with_its_manifest(serve, fetch, tmp_path, framing):
    made = fetch(serve(file(BODY, framing=framing)), count=lines)
    assert (tmp_path / "a.csv").read_bytes() == BODY
    assert (made.rows, made.bytes, made.status) == (20_000, len(BODY), "complete")
    assert made.sha256 == hashlib.sha256(BODY).hexdigest()
    only_file(tmp_path)


def test_file_that_is_there_is_not_asked_for_again(serve, fetch):
    archive = serve(file(BODY))
    assert fetch(archive) == fetch(archive)
    assert len(archive.asked) == 1


@pytest.mark.parametrize("damage", ["cut", "changed", "no manifest", "no file"])
def test_file_that_is_not_as_its_manifest_says_is_asked_for_again(serve, fetch, tmp_path, damage):
    archive, path = serve(file(BODY)), tmp_path / "a.csv"
    fetch(archive)
    if damage == "no manifest":
        manifest.place(path).unlink()
    elif damage == "no file":
        path.unlink()
    else:
        path.write_bytes(BODY[:100] if damage == "cut" else BODY.replace(b"14.5", b"14.6"))
    fetch(archive)
    assert len(archive.asked) == 2
    assert path.read_bytes() == BODY


def test_other_parameters_are_another_question(serve, fetch):
    archive = serve(lambda asked: Answer(asked.one("ID").encode() + b"\n"))
    for name in ("1", "2", "2"):
        fetch(Request("test", archive.url, (("ID", name),)))
    assert [asked.one("ID") for asked in archive.asked] == ["1", "2"]


def test_parameters_travel_in_the_url_or_in_the_body(serve, fetch, tmp_path):
    archive = serve(file(BODY))
    parameters = (("ID", "1"), ("ID", "2"), ("POS", "CIRCLE 1 2 0.1"))
    for method in ("GET", "POST"):
        fetch(Request("test", archive.url, parameters, method))
        manifest.remove(tmp_path / "a.csv")
    assert [asked.parameters for asked in archive.asked] == [parameters] * 2
    assert [asked.method for asked in archive.asked] == ["GET", "POST"]
    assert "variable-sky" in archive.asked[0].headers["User-Agent"]


def test_files_of_a_form_are_sent_and_told_apart(serve, fetch):
    archive = serve(lambda asked: Answer(asked.files["upload_file"] + asked.one("DB").encode()))
    for content in (b"1 10.5 -20\n", b"2 10.5 -20\n"):
        made = fetch(Request("CRTS", archive.url, (("DB", "photcat"),), "POST", (("upload_file", content),)))
    assert len(archive.asked) == 2
    assert made.bytes == 18
    assert made.origin.parameters[-1] == ("upload_file", f"sha256 {hashlib.sha256(content).hexdigest()}")


def test_no_rows_are_no_data_and_no_failure(serve, fetch):
    archive = serve(file(b"id,mag\n"))
    assert fetch(archive, count=lines).status == "no_data"
    assert fetch(archive, count=lines).status == "no_data"
    assert len(archive.asked) == 1


def test_compressed_transfer_is_unpacked(serve, fetch, tmp_path):
    made = fetch(serve(file(gzip.compress(BODY), headers={"Content-Encoding": "gzip"})))
    assert (tmp_path / "a.csv").read_bytes() == BODY
    assert made.bytes == len(BODY)


def test_redirection_is_followed(serve, fetch, tmp_path):
    def answer(asked):
        return Answer(BODY) if asked.path == "/new" else Answer(b"", status=302, headers={"Location": "/new"})

    fetch(serve(answer))
    assert (tmp_path / "a.csv").read_bytes() == BODY


# What archives do


@pytest.mark.parametrize(
    "fault",
    [status(500), status(502), status(503), status(504), status(429), RESET, CUT, PAGE, EMPTY],
    ids=["500", "502", "503", "504", "429", "reset", "cut", "page", "empty"],
)
@pytest.mark.parametrize("framing", FRAMINGS)
def test_fault_and_then_success(serve, fetch, tmp_path, fault, framing):
    archive = serve(file(BODY, framing=framing), [fault, FINE])
    fetch(archive)
    assert (tmp_path / "a.csv").read_bytes() == BODY
    # A body without a marked end, whole or cut, is believed only when it comes twice.
    assert len(archive.asked) == (3 if framing == "close" else 2)
    only_file(tmp_path)


@pytest.mark.parametrize("fault", [status(503), RESET, CUT, PAGE, EMPTY], ids=["503", "reset", "cut", "page", "empty"])
def test_fault_for_ever_leaves_nothing_and_says_why(serve, fetch, tmp_path, fault):
    archive = serve(file(BODY), [fault] * 9)
    with pytest.raises(UnavailableError, match=r"test, a\.csv: not obtained in 4 of 4 tries") as caught:
        fetch(archive)
    assert f"127.0.0.1:{archive.server_address[1]}" in str(caught.value)
    assert len(archive.asked) == 4
    nothing(tmp_path)


@pytest.mark.parametrize("seed", range(12))
def test_storm_of_faults_gives_the_whole_file_or_none(serve, fetch, tmp_path, seed):
    weather = np.random.default_rng(seed)
    kinds = [CUT, RESET, PAGE, EMPTY, status(500), FINE]
    faults = [dataclasses.replace(weather.choice(kinds), share=weather.uniform(0.01, 0.99)) for _ in range(4)]
    archive = serve(file(BODY, framing=weather.choice(FRAMINGS)), faults)
    try:
        fetch(archive)
    except UnavailableError:
        nothing(tmp_path)
    else:
        assert (tmp_path / "a.csv").read_bytes() == BODY


def test_half_a_csv_without_a_marked_end_is_not_taken_for_a_whole_one(serve, fetch, tmp_path):
    """HTTP 200, no length, no chunks: what astroquery takes for a whole file. Cut at another place every time."""
    cuts = [dataclasses.replace(CUT, share=share) for share in (0.5, 0.7, 0.2, 0.6)]
    archive = serve(file(BODY, framing="close"), cuts)
    with pytest.raises(UnavailableError, match="nothing marks the end of the answer"):
        fetch(archive, count=lines)
    nothing(tmp_path)


def test_whole_csv_without_a_marked_end_is_found_among_cut_ones(serve, fetch, tmp_path):
    cut = dataclasses.replace(CUT, share=0.3)
    archive = serve(file(BODY, framing="close"), [FINE, cut, FINE])
    fetch(archive)
    assert (tmp_path / "a.csv").read_bytes() == BODY
    assert len(archive.asked) == 3


def test_known_digest_stands_for_a_marked_end(serve, fetch):
    archive = serve(file(BODY, framing="close"))
    fetch(archive, digests=Digests(md5=hashlib.md5(BODY).hexdigest()))
    assert len(archive.asked) == 1


def test_votable_and_parquet_mark_their_own_end(serve, tmp_path, manners, rng):
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "x.parquet")
    for body in (b"<VOTABLE></VOTABLE>\n", b"<v:VOTABLE></v:VOTABLE>", (tmp_path / "x.parquet").read_bytes()):
        for share, tries in ((1.0, 1), (0.9, 3)):
            cut = dataclasses.replace(CUT, share=share)
            archive = serve(file(body, kind="text/xml", framing="close"), [cut] if share < 1 else [])
            path = tmp_path / f"{len(body)}-{share}"
            http.fetch(Request("test", archive.url), path, manners, rng)
            assert path.read_bytes() == body
            assert len(archive.asked) <= tries


def test_html_page_that_is_wanted_marks_its_own_end(serve, fetch, tmp_path):
    """Each page has another link, so that no two are the same; one that is cut is asked for again."""
    numbers = iter(range(9))

    def page(_):
        return Answer(f"<html><a href='/{next(numbers)}.csv'></a></HTML>\n".encode(), "text/html", framing="close")

    archive = serve(page, [CUT])
    fetch(Request("CRTS", archive.url, html=True))
    assert (tmp_path / "a.csv").read_bytes() == b"<html><a href='/1.csv'></a></HTML>\n"
    assert len(archive.asked) == 2


def test_short_body_with_a_length_says_how_short(serve, fetch):
    with pytest.raises(UnavailableError, match=rf"{len(BODY) // 2} bytes|IncompleteRead"):
        fetch(serve(file(BODY), [CUT] * 4))


def test_length_is_compared_whatever_the_library_below_does(tmp_path):
    """urllib3 compares lengths today; it did not always, and http.client does not."""
    pieces = [b"half", b""]
    raw = SimpleNamespace(read1=lambda *_, **__: pieces.pop(0), tell=lambda: 4, chunked=False)
    response = SimpleNamespace(raw=raw, headers={"Content-Length": "8"}, url="http://archive.example")
    with (tmp_path / "a").open("wb") as part, pytest.raises(TransientError, match="4 bytes came, expected 8"):
        http._stream(response, part, float("inf"))


def test_html_page_is_quoted(serve, fetch):
    with pytest.raises(UnavailableError, match="HTML page, expected data; it says: Maintenance We are back on Monday"):
        fetch(serve(file(BODY), [PAGE] * 4))


@pytest.mark.parametrize(
    "page",
    [b"\n <HTML>no</HTML>", b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC>", b"\xef\xbb\xbf<!-- x -->\n<html>"],
    ids=["upper", "xhtml", "marked"],
)
def test_html_page_is_known_whatever_it_calls_itself(serve, fetch, page):
    with pytest.raises(UnavailableError, match="HTML page"):
        fetch(serve(file(page, kind="text/csv")))


def test_html_page_may_be_wanted(serve, fetch):
    archive = serve(file(b"<html><a href='/result.csv'></a></html>", kind="text/html"))
    assert fetch(Request("CRTS", archive.url, html=True)).status == "complete"


@pytest.mark.parametrize("code", [400, 403, 404])
def test_refusal_is_not_asked_again(serve, fetch, tmp_path, code):
    archive = serve(file(BODY), [status(code)] * 3)
    with pytest.raises(RefusedError, match=f"HTTP status {code}.*the host says: the server is tired") as caught:
        fetch(archive)
    assert caught.value.status == code
    assert len(archive.asked) == 1
    nothing(tmp_path)


def test_pause_that_is_asked_for_is_kept(serve, fetch):
    archive = serve(file(BODY), [status(429, "0.08"), status(503, "0.08")])
    fetch(archive)
    times = [asked.when for asked in archive.asked]
    assert min(b - a for a, b in itertools.pairwise(times)) >= 0.08


def test_pause_beyond_the_budget_ends_at_once(serve, fetch):
    archive = serve(file(BODY), [status(429, "3600")])
    start = time.monotonic()
    with pytest.raises(UnavailableError, match=r"1 of 4 tries.*429 \(it asks for a pause of 3600 s\)"):
        fetch(archive)
    assert time.monotonic() - start < 5


def test_server_that_drips_meets_the_budget(serve, fetch, manners, tmp_path):
    archive = serve(file(BODY), [SLOW] * 9)
    start = time.monotonic()
    with pytest.raises(UnavailableError, match=f"bytes came before the time allowed was over, expected {len(BODY)}"):
        fetch(archive, manners=dataclasses.replace(manners, budget_s=0.3))
    assert time.monotonic() - start < 3
    nothing(tmp_path)


def test_server_that_says_nothing_meets_the_timeout(serve, fetch, manners):
    archive = serve(file(BODY), [SILENT])
    fetch(archive, manners=dataclasses.replace(manners, timeout_s=0.15))
    assert len(archive.asked) == 2


def test_server_that_is_unavailable_for_ever_meets_the_budget(serve, fetch, manners):
    archive = serve(file(BODY), [status(503)] * 10_000)
    start = time.monotonic()
    with pytest.raises(UnavailableError, match="503"):
        fetch(archive, manners=dataclasses.replace(manners, tries=10_000, budget_s=0.3))
    assert time.monotonic() - start < 3
    assert len(archive.asked) > 3


def test_host_that_is_not_there(fetch, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(UnavailableError, match="Connection refused"):
            fetch(Request("test", f"http://127.0.0.1:{taken.getsockname()[1]}"))
    nothing(tmp_path)


def test_address_that_is_none_says_so(fetch):
    with pytest.raises(DataError, match=r"cannot be asked.*correct the URL"):
        fetch(Request("test", "archive.example/a.csv"))


# Content


def test_content_that_may_be_cut_is_asked_for_again(serve, fetch):
    archive = serve(file(BODY))
    problems = ["the last line is short"]

    def count(path):
        if problems:
            raise TransientError(problems.pop())
        return lines(path)

    assert fetch(archive, count=count).rows == 20_000
    assert len(archive.asked) == 2


def test_content_that_will_not_change_is_not(serve, fetch, tmp_path):
    def count(_):
        raise DataError("no column 'mag'")

    archive = serve(file(BODY))
    with pytest.raises(DataError, match="no column 'mag'"):
        fetch(archive, count=count)
    assert len(archive.asked) == 1
    nothing(tmp_path)


@pytest.mark.parametrize("name", ["sha256", "md5"])
def test_published_digest_is_checked(serve, fetch, tmp_path, name):
    right = getattr(hashlib, name)(BODY).hexdigest()
    good = serve(file(BODY))
    for _ in range(2):
        assert fetch(good, digests=Digests(**{name: right.upper()})).status == "complete"
    assert len(good.asked) == 1
    archive = serve(file(BODY))
    with pytest.raises(DataError, match=f"{name} of the answer is {right}, expected 00, twice the same"):
        fetch(archive, digests=Digests(**{name: "00"}))
    assert len(archive.asked) == 2
    assert (tmp_path / "a.csv").read_bytes() == BODY, "what was there stays there"


def test_damage_on_the_way_is_mended_by_another_try(serve, fetch, tmp_path):
    bodies = [BODY.replace(b"14.5", b"14.6", 1), BODY]
    fetch(serve(lambda _: Answer(bodies.pop(0))), digests=Digests(hashlib.sha256(BODY).hexdigest()))
    assert (tmp_path / "a.csv").read_bytes() == BODY


def test_new_digest_is_another_question(serve, fetch):
    archive = serve(file(BODY))
    fetch(archive)
    fetch(archive, digests=Digests(hashlib.sha256(BODY).hexdigest()))
    assert len(archive.asked) == 2


# The disk


def test_dead_parts_are_swept_and_live_ones_are_not(serve, fetch, tmp_path):
    for name in ("abcdefgh", "stillold"):
        (tmp_path / f".a.csv.{name}.csv").write_text("half")
    (tmp_path / ".a.csv.abcdefgh.txt").write_text("another file's")
    with (tmp_path / ".a.csv.stillold.csv").open("rb") as live:
        fcntl.flock(live, fcntl.LOCK_EX)
        fetch(serve(file(BODY)))
    assert {p.name for p in tmp_path.glob(".a.csv*")} == {".a.csv.stillold.csv", ".a.csv.abcdefgh.txt"}


def test_full_disk_is_said_and_leaves_nothing(serve, fetch, tmp_path):
    archive = serve(file(BODY))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(DataError, match=r"cannot write .*a\.csv.*make room and run again"):
            fetch(archive)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    nothing(tmp_path)


def test_long_download_says_how_far_it_is(serve, fetch, monkeypatch, caplog):
    monkeypatch.setattr(http, "_EVERY_S", 0.0)
    with caplog.at_level("INFO"):
        fetch(serve(file(BODY)))
    assert "MB of 0.2" in caplog.text
    assert "s left" in caplog.text
