"""Our own transport and catalogues against a real VO server with real rows, under the production names."""

import dataclasses
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from loopback import CUT, FINE, RESET, status

from workflow_scripts.archives import tap
from workflow_scripts.archives.query import Query, Upload
from workflow_scripts.archives.tap_job import JobError
from workflow_scripts.surveys import registry
from workflow_scripts.surveys.catalogue import GAIA_URL, VIZIER_URL
from workflow_scripts.surveys.download_catalogue import download

pytestmark = [pytest.mark.vo, pytest.mark.real]


@pytest.fixture
def get(archive, manners, tmp_path, rng):
    """Download the catalogue of a survey from the server in place of the archives."""
    mirrors = {GAIA_URL: f"{archive.url}/tap-server/tap", VIZIER_URL: f"{archive.url}/TAPVizieR/tap"}

    def run(name, where="", **more):
        survey = registry.load(name)
        plan = dataclasses.replace(survey.catalogue, **more)
        survey = dataclasses.replace(survey, catalogue=plan, manners=manners)
        return download(survey, where, tmp_path / name, mirrors, rng)

    return run


def check_positions(found, ids, ra, dec):
    rows = pa.table({"id": pc.cast(ids, pa.string()), "ra": ra, "dec": dec}).sort_by("id")
    assert found["object_id"].to_pylist() == rows["id"].to_pylist()
    np.testing.assert_array_equal(found["ra_deg"], rows["ra"])
    np.testing.assert_array_equal(found["dec_deg"], rows["dec"])


@pytest.mark.parametrize(("name", "table"), [("gaia_dr3", "gaiadr3.gaia_source"), ("gaia_dr2", "gaiadr2.gaia_source")])
def test_gaia_by_region_keeps_every_digit(get, real_rows, name, table):
    rows = real_rows[table]
    centre = [float(np.median(rows[axis])) for axis in ("ra", "dec")]
    if name == "gaia_dr2":
        centre[0] = 1.0  # Blanco 1 lies across the meridian
    region = f"1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', {centre[0]}, {centre[1]}, 0.3))"
    found = get(name, region)
    ra, dec = np.radians(np.array(rows["ra"]) - centre[0]), np.radians(rows["dec"])
    middle = np.radians(centre[1])
    cosine = np.sin(dec) * np.sin(middle) + np.cos(dec) * np.cos(middle) * np.cos(ra)
    inside = rows.filter(pa.array(cosine > np.cos(np.radians(0.3))))
    assert found.num_rows > 50
    check_positions(found, inside["source_id"], inside["ra"], inside["dec"])


def test_parts_by_modulus_are_the_whole(get, real_rows, archive):
    rows = real_rows["gaiadr3.gaia_source"]
    found = get("gaia_dr3", "ra > 0", parts=3, split_on="source_id")
    check_positions(found, rows["source_id"], rows["ra"], rows["dec"])
    asked = {value for request in archive.asked for value in request.all("QUERY")}
    assert sum("MOD(source_id, 3) = 2" in query for query in asked) == 2, "one COUNT and one SELECT"


def test_southern_variables_of_the_catalina_surveys(get, real_rows):
    rows, names = real_rows['"J/MNRAS/469/3688/table4"'], registry.load("drake_2017").catalogue.classes
    found = get("drake_2017")
    check_positions(found, rows["SSS"], rows["RAJ2000"], rows["DEJ2000"])
    assert Counter(found["class"].to_pylist()) == Counter(names[str(code)] for code in rows["Cl"].to_pylist())
    long = get("drake_2017", "Per > 100 AND Cl = 8")
    assert set(long["class"].to_pylist()) == {"LPV"}


def test_variables_of_macho_are_named_by_field_tile_and_number(get, real_rows):
    rows = real_rows['"II/247/machovar"']
    found = get("macho_variables")
    names = pc.binary_join_element_wise(*(pc.cast(rows[n], pa.string()) for n in ("Field", "Tile", "Seqn")), ".")
    check_positions(found, names, rows["RAJ2000"], rows["DEJ2000"])
    assert found["catalogue_period_d"].null_count == pc.sum(pc.less_equal(rows["bPer"], 0)).as_py()


def test_probable_variables_of_asas_sn(get, real_rows):
    rows = real_rows['"II/366/catv2021"']
    probable = rows.filter(pc.greater(rows["Prob"], 0.95))
    found = get("asassn_variables", "Prob > 0.95 AND \"ASASSN-V\" LIKE 'J%'")
    assert 100 < probable.num_rows < rows.num_rows
    check_positions(found, probable["ASASSN-V"], probable["RAJ2000"], probable["DEJ2000"])
    assert Counter(found["class"].to_pylist()) == Counter(probable["Type"].to_pylist())


def test_clusters_of_dias_one_of_which_comes_twice(get, real_rows):
    assert get("dias_2002").num_rows == real_rows['"B/ocl/clusters"'].num_rows - 1


def test_catalogue_comes_through_a_bad_line(get, real_rows, archive):
    archive.faults = [CUT, FINE, status(503), FINE, FINE, RESET, FINE, status(429, "0.05"), CUT, CUT]
    assert get("drake_2017").num_rows == real_rows['"J/MNRAS/469/3688/table4"'].num_rows
    assert archive.faults == []


@pytest.mark.parametrize(
    ("where", "message"),
    [("snr > 3", "snr"), ("Cl >", "The query was: SELECT SSS"), ("Cl = 1) OR (1 = 1 ORDER BY Cl", "The query was")],
)
def test_wrong_condition_is_refused_with_the_server_s_words(get, where, message):
    with pytest.raises(JobError, match=message):
        get("drake_2017", where)


def test_renamed_table_and_column_are_named(archive, manners, tmp_path, rng):
    def fetch(columns, table):
        query = Query("Archive", f"{archive.url}/tap", columns, table, 100_000)
        tap.fetch(query, tmp_path / "a.parquet", manners, rng)

    with pytest.raises(
        JobError, match=r"has no table 'gaiadr3\.gaia_sources', similar ones are \['gaiadr3\.gaia_source'"
    ):
        fetch({"ra": "ra"}, "gaiadr3.gaia_sources")
    with pytest.raises(JobError, match=r"have no columns \['phot_g_mag'\], similar ones are .*phot_g_mean_mag"):
        fetch({"g": "phot_g_mag"}, "gaiadr3.gaia_source")


def test_own_limit_of_the_server_is_no_silent_cut(archive, manners, tmp_path, rng):
    """DaCHS gives 20,000 rows where nothing else is asked; MAXREC asks for more."""
    query = Query("Archive", f"{archive.url}/tap", {"id": "SSS"}, '"J/MNRAS/469/3688/table4"', 100_000, ("id",))
    assert tap.fetch(query, tmp_path / "a.parquet", manners, rng).rows == 37_745


def test_uploaded_targets_find_their_stars_in_chunks(archive, real_rows, manners, tmp_path, rng):
    rows = real_rows["gaiadr3.gaia_source"].slice(0, 1500)
    upload = Upload(
        pa.table(
            {
                "object_id": [f"star {i}" for i in range(1500)],
                "ra_deg": rows["ra"].combine_chunks(),
                "dec_deg": pa.array(np.array(rows["dec"]) + 0.1 / 3600),
            }
        )
    )
    query = Query(
        "Gaia archive",
        f"{archive.url}/tap",
        {"object_id": "t.object_id", "source_id": "g.source_id", "g_mag": "g.phot_g_mean_mag"},
        "TAP_UPLOAD.targets AS t JOIN gaiadr3.gaia_source AS g ON 1 = CONTAINS(POINT('ICRS', g.ra, g.dec), "
        "CIRCLE('ICRS', t.ra_deg, t.dec_deg, 0.0000833333))",
        10_000,
    )
    archive.faults = [FINE] * 6 + [CUT, RESET]
    made = tap.fetch_for(query, upload, tmp_path / "a.parquet", manners, rng, chunk_rows=600)
    found = pq.read_table(tmp_path / "a.parquet").to_pylist()
    own = dict(zip(upload.rows["object_id"].to_pylist(), rows["source_id"].to_pylist(), strict=True))
    assert made.notes["chunks"] == 3
    assert {row["object_id"] for row in found if own[row["object_id"]] == row["source_id"]} == set(own)
    assert len(found) < 1.02 * len(own)
