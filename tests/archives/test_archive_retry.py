import dataclasses
import datetime
import email.utils

import numpy as np
import pytest

from workflow_scripts.archives import retry
from workflow_scripts.archives.retry import RefusedError, TransientError, UnavailableError
from workflow_scripts.tables import DataError

URL = "https://archive.example/tap"


class Host:
    """Answers after some failures, and remembers how long the client slept."""

    def __init__(self, monkeypatch, *failures):
        self.failures, self.pauses, self.calls = list(failures), [], 0
        monkeypatch.setattr(retry.time, "sleep", self.pauses.append)

    def __call__(self, _):
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def persist(host, manners, seed=11):
    return retry.persist(host, "ztf, a.csv", URL, manners, np.random.default_rng(seed))


def test_answer_comes_through(manners, monkeypatch):
    host = Host(monkeypatch)
    assert (persist(host, manners), host.calls, host.pauses) == ("answer", 1, [0.0])


def test_every_failure_but_the_last_is_survived(manners, monkeypatch):
    host = Host(monkeypatch, *[TransientError("reset")] * 3)
    assert (persist(host, manners), host.calls) == ("answer", 4)


def test_tries_end_with_a_message_that_says_it_all(manners, monkeypatch):
    host = Host(monkeypatch, *[TransientError("HTTP status 503: tired")] * 9)
    with pytest.raises(UnavailableError) as caught:
        persist(host, manners)
    said = str(caught.value)
    for part in ("archive.example", "ztf, a.csv", "4 of 4 tries", "of 20 s", "503: tired", "run again", URL):
        assert part in said
    assert isinstance(caught.value, DataError)
    assert host.calls == 4


def test_what_is_no_transient_failure_is_not_tried_again(manners, monkeypatch):
    host = Host(monkeypatch, RefusedError("no", 404))
    with pytest.raises(RefusedError):
        persist(host, manners)
    assert host.calls == 1


def test_budget_ends_before_the_tries(manners, monkeypatch):
    host = Host(monkeypatch, *[TransientError("reset", pause_s=50.0)] * 9)
    with pytest.raises(UnavailableError, match="1 of 4 tries"):
        persist(host, manners)


def test_pauses_double_with_jitter_up_to_the_longest(manners, monkeypatch):
    slow = dataclasses.replace(manners, tries=8, backoff_s=1.0, longest_pause_s=8.0, budget_s=1e6)
    host = Host(monkeypatch, *[TransientError("reset")] * 7)
    persist(host, slow)
    pauses = np.array([pause for pause in host.pauses if pause])
    ratio = pauses / np.minimum(2.0 ** np.arange(7), 8.0)
    assert len(pauses) == 7
    assert ((ratio >= 0.5) & (ratio <= 1.5)).all()
    assert np.ptp(ratio) > 0.1


def test_jitter_comes_from_the_generator(manners, monkeypatch):
    def pauses(seed):
        host = Host(monkeypatch, *[TransientError("reset")] * 3)
        persist(host, manners, seed)
        return host.pauses

    assert pauses(1) == pauses(1) != pauses(2)


def test_pause_that_the_host_asks_for_is_kept_and_told_to_all(manners, monkeypatch):
    host = Host(monkeypatch, TransientError("429", pause_s=7.0))
    persist(host, manners)
    assert 7.0 <= host.pauses[1] <= 7.0 + manners.backoff_s
    # The second try waits for its turn too: the sleep in between was not a real one.
    assert host.pauses[2] == pytest.approx(7.0, abs=0.5)


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, None), ("", None), ("soon", None), ("120", 120.0), (" 3 ", 3.0), ("0.05", 0.05), ("-4", None)],
)
def test_retry_after_as_a_number(header, expected):
    assert retry.pause_wanted(header) == expected


def test_retry_after_as_a_date():
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=90)
    assert retry.pause_wanted(email.utils.format_datetime(later, usegmt=True)) == pytest.approx(90.0, abs=3.0)
    assert retry.pause_wanted("Fri, 01 Jan 2010 00:00:00 GMT") == 0.0


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 425, 429, 301, 204])
def test_status_that_may_mend(status):
    found = retry.failure(status, "", "30", "a.csv", URL)
    assert isinstance(found, TransientError)
    assert found.pause_s == 30.0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_status_that_will_not(status):
    found = retry.failure(status, "<html><style>b {}</style>You are <b>banned</b></html>", None, "a.csv", URL)
    assert isinstance(found, RefusedError)
    assert found.status == status
    assert "the host says: You are banned." in str(found)


def test_long_pages_are_quoted_in_part():
    assert len(retry.quoted("<p>" + "word " * 1000)) == 300
    assert retry.quoted("<html></html>") == "nothing"
