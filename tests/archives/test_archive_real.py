"""Native files of real surveys, served by this machine and fetched as from their archives."""

import csv
import dataclasses
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from loopback import CUT, FINE, IRSA_COLUMNS, PAGE, RESET, Answer, csv_text, irsa, status
from loopback_tap import Column, Tap
from workspace import REAL_DATA
from ztf_stand_in import ztf

from workflow_scripts.archives import by_id, http, tap
from workflow_scripts.archives.query import Query, Upload
from workflow_scripts.surveys import files

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def irsa_files():
    """Text of the 220 files of the light-curve service, by identifier."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real survey data: {REAL_DATA} does not exist")
    with tarfile.open(REAL_DATA / "ztf_irsa_variables" / "irsa_csv.tar.xz") as archive:
        texts = [archive.extractfile(m).read().decode() for m in archive.getmembers() if m.name.endswith(".csv")]
    return {text.split("\n", 2)[1].split(",")[0]: text for text in texts}


def test_generated_answers_have_the_form_of_real_ones(irsa_files):
    for oid, text in irsa_files.items():
        header, *rows = list(csv.reader(text.splitlines()))
        assert header == IRSA_COLUMNS
        assert {row[0] for row in rows} == {oid}
    made = irsa({"1": 2})(type("Asked", (), {"all": lambda *_: ["1"], "fault": ""})()).body.decode()
    assert made.endswith("\n")
    assert text.endswith("\n")


@pytest.mark.parametrize("framing", ["length", "close"])
def test_real_light_curves_come_through_a_bad_line(serve, manners, rng, tmp_path, irsa_files, framing):
    irsa_files = dict(sorted(irsa_files.items())[:: 2 if framing == "length" else 5])
    rows = {oid: list(csv.DictReader(text.splitlines())) for oid, text in irsa_files.items()}
    faults = [FINE, CUT, status(503), RESET, PAGE, status(429, "0.02"), CUT]
    archive = serve(irsa(rows, framing=framing), faults)
    patient = dataclasses.replace(manners, tries=9)
    result = by_id.fetch(ztf(archive.url, 50), [*rows, "0"], tmp_path, patient, rng)
    assert result.of("found") == list(rows)
    assert result.of("no_data") == ["0"]
    table = pa.concat_tables([files.read(path, IRSA_COLUMNS).rows for path in result.files])
    expected = {oid: csv_text(IRSA_COLUMNS, points) for oid, points in rows.items()}
    assert expected == {oid: text.encode() for oid, text in irsa_files.items()}
    found = {oid: [] for oid in rows}
    for row in table.to_pylist():
        found[row["oid"]].append({name: value or "" for name, value in row.items()})
    assert {oid: csv_text(IRSA_COLUMNS, points) for oid, points in found.items()} == expected


@pytest.mark.parametrize(
    "name",
    ["crts_native/web_service.csv", "ogle_lmc_cepheids/ident.dat", "catalogues/drake2014_table3.txt.gz"],
)
def test_native_files_come_with_their_bytes(serve, manners, rng, tmp_path, real_data, name):
    body = (real_data / name).read_bytes()
    archive = serve(lambda _: Answer(body, "application/octet-stream", framing="chunked"), [CUT, RESET, status(500)])
    path = tmp_path / name.rsplit("/", 1)[1]
    made = http.fetch(http.Request("archive", f"{archive.url}/{name}"), path, manners, rng)
    assert path.read_bytes() == body
    assert made.bytes == len(body)


def test_bulk_parquet_file_is_read_as_it_was_written(serve, manners, rng, tmp_path, real_data):
    name = "ztf_dr5_field/DR5_field_example.parquet"
    body = (real_data / name).read_bytes()
    archive = serve(lambda _: Answer(body, "binary/octet-stream", framing="close"), [CUT])
    request = http.Request("IRSA", f"{archive.url}/ztf_000262_zg_c04_q1_dr5.parquet")
    made = http.fetch(request, tmp_path / "a.parquet", manners, rng, count=lambda p: pq.read_metadata(p).num_rows)
    assert made.rows == 3003
    assert len(archive.asked) == 2, "a Parquet file marks its own end"


@pytest.fixture
def gaia(real_data):
    rows = pq.read_table(real_data / "asassn_gaia" / "gaia_dr3_variables.parquet").slice(0, 6000)
    rows = rows.select(["source_id", "ra", "dec", "phot_g_mean_mag", "bp_rp"])
    kinds = {name: int if pa.types.is_integer(rows.schema.field(name).type) else float for name in rows.column_names}
    return rows, Tap({"gaiadr3.gaia_source": {name: Column(rows[name].to_pylist(), kinds[name]) for name in kinds}})


def test_real_catalogue_keeps_every_digit(serve, manners, rng, tmp_path, gaia):
    rows, service = gaia
    query = Query(
        "Gaia", f"{serve(service).url}/tap", {name: name for name in rows.column_names}, "gaiadr3.gaia_source",
        100_000, ("source_id",),
    )  # fmt: skip
    made = tap.fetch(query, tmp_path / "gaia.parquet", manners, rng)
    found = pq.read_table(tmp_path / "gaia.parquet")
    expected = rows.sort_by("source_id")
    assert made.rows == 6000 > service.default_limit
    assert found["source_id"].equals(expected["source_id"])
    for name in ("ra", "dec", "phot_g_mean_mag", "bp_rp"):
        np.testing.assert_array_equal(found[name].to_numpy(), expected[name].to_numpy())


def test_real_targets_find_their_sources(serve, manners, rng, tmp_path, gaia):
    rows, service = gaia
    wanted = rows.slice(100, 500)
    upload = Upload(
        pa.table({"object_id": [f"star {i}" for i in range(500)], "source_id": wanted["source_id"].combine_chunks()})
    )
    query = Query(
        "Gaia", f"{serve(service).url}/tap", {"object_id": "t.object_id", "g_mag": "g.phot_g_mean_mag"},
        "gaiadr3.gaia_source AS g JOIN TAP_UPLOAD.targets AS t USING (source_id)", 10_000, ("object_id",),
    )  # fmt: skip
    tap.fetch_for(query, upload, tmp_path / "a.parquet", manners, rng, chunk_rows=200)
    found = dict(zip(*pq.read_table(tmp_path / "a.parquet").to_pydict().values(), strict=True))
    assert found == {f"star {i}": mag for i, mag in enumerate(wanted["phot_g_mean_mag"].to_pylist())}
