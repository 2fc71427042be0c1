"""Other addresses for the archives."""

import pytest

from workflow_scripts.archives.http import Request
from workflow_scripts.archives.query import Query
from workflow_scripts.surveys.mirrors import address, mirrored

MIRRORS = {"https://a.org": "http://one", "https://a.org/tap/": "http://two/x/", "https://b.org:8080": "http://three"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.org", "http://one"),
        ("https://a.org/", "http://one/"),
        ("https://a.org/file.csv", "http://one/file.csv"),
        ("https://a.org/tap", "http://two/x"),
        ("https://a.org/tap/sync", "http://two/x/sync"),
        ("https://a.org/tapestry", "http://one/tapestry"),
        ("https://a.organ/tap", "https://a.organ/tap"),
        ("https://b.org:8080/cgi?x=https://a.org/tap", "http://three/cgi?x=https://a.org/tap"),
        ("https://b.org/", "https://b.org/"),
    ],
)
def test_longest_base_is_replaced(url, expected):
    assert address(url, MIRRORS) == expected


def test_without_mirrors_nothing_changes():
    assert address("https://a.org/tap", {}) == "https://a.org/tap"


def test_request_and_query_keep_all_else():
    request = Request("A", "https://a.org/get", (("ID", "1"),), "POST")
    assert mirrored(request, MIRRORS) == Request("A", "http://one/get", (("ID", "1"),), "POST")
    query = Query("A", "https://a.org/tap", {"n": "n"}, "t", 10)
    assert mirrored(query, MIRRORS) == Query("A", "http://two/x", {"n": "n"}, "t", 10)
