"""The parts of the VO layer that need no server: why it is skipped, and what the proxy does."""

import dachs
import debian
import pyarrow as pa
import pytest
import requests
from loopback import Answer, Archive
from proxy import Handler, Proxy
from real_rows import place


def test_machine_without_apt_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(debian.NotInstallableError, match="no apt-get and dpkg"):
        debian.unpack(tmp_path / "packages")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "echo 'E: Temporary failure resolving' >&2; exit 100",
            "apt-get update failed: E: Temporary failure resolving",
        ),
        ("echo 'W: Failed to fetch http://x' >&2", "apt-get update failed: W: Failed to fetch"),
        ("sleep 5", "apt-get update took longer than 1 s in all"),
        ("echo nothing", "no package gavodachs2-server"),
    ],
)
def test_packages_that_cannot_be_had_are_a_reason(tmp_path, monkeypatch, script, reason):
    for name in ("apt-get", "apt-cache", "dpkg"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(debian, "LIMIT_S", 1.0)
    with pytest.raises(debian.NotInstallableError, match=reason):
        debian.unpack(tmp_path / "packages")


def test_hints_of_pgsphere_are_taken_out(tmp_path):
    script = tmp_path / "usr/share/postgresql/15/extension/pg_sphere--1.2.0.sql"
    script.parent.mkdir(parents=True)
    script.write_text(
        "CREATE OPERATOR = (\n   LEFTARG = spoint,\n   COMMUTATOR = = ,\n   NEGATOR = <>,\n   PROCEDURE = e\n);\n"
    )
    debian._mend_pgsphere(tmp_path)
    assert script.read_text().split() == [
        "CREATE",
        "OPERATOR",
        "=",
        "(",
        "LEFTARG",
        "=",
        "spoint,",
        "PROCEDURE",
        "=",
        "e",
        ");",
    ]


def test_descriptor_has_the_columns_and_the_position():
    rows = pa.table({"ASASSN-V": ["a"], "RAJ2000": [1.0], "DEJ2000": [2.0], "n": [3]})
    text = dachs._table(dachs.Service("vizier", "stars", rows, "RAJ2000", "DEJ2000"))
    assert '<column name="quoted/ASASSN-V" type="text" ucd="">' in text
    assert '<column name="RAJ2000" type="double precision" ucd="pos.eq.ra;meta.main" unit="deg">' in text
    assert '<column name="n" type="bigint" ucd=""><values nullLiteral="-9223372036854775808"/>' in text
    assert '<map key="n" source="c3"/>' in text


def test_names_of_tables_have_a_place():
    assert place('"J/ApJS/213/9/table3"') == "vizier.j_apjs_213_9_table3"
    assert place("gaiadr3.gaia_source") == "gaiadr3.gaia_source"


@pytest.fixture
def chain(monkeypatch):
    """Proxy before a server that tells what it was asked."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def upstream(asked):
        where = {"Location": f"{server.url}/__system__/tap/run/async/j1"} if asked.path == "/tap/async" else {}
        return Answer(f"see {server.url}/tap/sync".encode(), "text/plain", 303 if where else 200, headers=where)

    server = Archive(upstream)
    proxy = Proxy(server.url, {'"B/ocl/clusters"': "vizier.b_ocl_clusters"})
    front = Archive(proxy)
    front.RequestHandlerClass, proxy.url = Handler, front.url
    yield front, server
    front.close()
    server.close()


def test_proxy_maps_names_formats_and_addresses(chain):
    front, server = chain
    query = {"QUERY": 'SELECT * FROM "B/ocl/clusters"', "FORMAT": "votable_gzip", "LANG": "ADQL"}
    answer = requests.post(f"{front.url}/TAPVizieR/tap/sync", data=query, timeout=5)
    assert answer.text == f"see {front.url}/TAPVizieR/tap/sync"
    (asked,) = server.asked
    assert asked.path == "/tap/sync"
    assert dict(asked.parameters) == query | {"QUERY": "SELECT * FROM vizier.b_ocl_clusters", "FORMAT": "votable"}


def test_proxy_starts_the_job_that_was_to_run_at_once(chain):
    front, server = chain
    answer = requests.post(f"{front.url}/tap-server/tap/async", data={"PHASE": "RUN"}, timeout=5, allow_redirects=False)
    assert answer.headers["Location"] == f"{front.url}/tap-server/tap/async/j1"
    assert [(a.method, a.path) for a in server.asked] == [
        ("POST", "/tap/async"),
        ("POST", "/__system__/tap/run/async/j1/phase"),
    ]


def test_proxy_passes_uploads_of_a_careless_client_on(chain):
    front, server = chain
    boundary = "===12345==="
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="UPLOAD"\r\n\r\ntargets,param:targets\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="targets"; filename="t"\r\n\r\n'
        f"<VOTABLE/>\r\n--{boundary}--\r\n"
    )
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    requests.post(f"{front.url}/tap/sync", data=body.encode(), headers=kind, timeout=5)
    (asked,) = server.asked
    assert asked.parameters == (("UPLOAD", "targets,param:targets"),)
    assert asked.files == {"targets": b"<VOTABLE/>"}
