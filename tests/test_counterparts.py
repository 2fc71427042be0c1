import dataclasses
import logging
import sqlite3
import sys
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from astropy import units
from astropy.coordinates import Distance, SkyCoord
from astropy.time import Time
from workspace import ROOT

sys.path.append(str(ROOT / "tests" / "archives"))

from loopback import Archive, content
from loopback_tap import Column, Tap

from workflow_scripts import tables
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.tap_job import JobError
from workflow_scripts.counterparts import BANDS, COUNTERPARTS, choose, fetch, query
from workflow_scripts.surveys.mirrors import mirrored
from workflow_scripts.tables import DataError

GAIA_URL = "https://gea.esac.esa.int/tap-server/tap"
ARCSEC = 1 / 3600
RADIUS = 1.5


class Gaia(Tap):
    """A stand-in for the Gaia archive: its tables, and the geometry of ADQL by astropy."""

    def _database(self, uploads):
        database, described = super()._database(uploads)
        for name, count, function in (
            ("POINT", 3, lambda _, ra, dec: f"{ra!r} {dec!r}"),
            ("CIRCLE", 4, lambda _, ra, dec, radius: f"{ra!r} {dec!r} {radius!r}"),
            ("CONTAINS", 2, lambda p, c: int(distance_deg(p, c) <= float(c.split()[2]))),
            ("DISTANCE", 2, distance_deg),
        ):
            database.create_function(name, count, function, deterministic=True)
        return database, described


def distance_deg(one: str, other: str) -> float:
    """Haversine formula."""
    (ra, dec), (ra_2, dec_2) = (np.radians([float(value) for value in place.split()[:2]]) for place in (one, other))
    h = np.sin((dec_2 - dec) / 2) ** 2 + np.cos(dec) * np.cos(dec_2) * np.sin((ra_2 - ra) / 2) ** 2
    return float(np.degrees(2 * np.arcsin(np.sqrt(h))))


@dataclasses.dataclass
class Star:
    """A Gaia source with its neighbours in 2MASS and AllWISE; offsets from the field in arcsec."""

    source_id: int
    east: float = 0.0
    north: float = 0.0
    pm: tuple[float | None, float | None] = (0.0, 0.0)
    g_mag: float = 15.0
    twomass: str | None = "AAA"
    allwise: str | None = "AAAU"
    parallax: float | None = 2.0

    @property
    def ra(self) -> float:
        return 50.0 + self.east * ARCSEC / np.cos(np.radians(20.0))

    @property
    def dec(self) -> float:
        return 20.0 + self.north * ARCSEC


def gaia(stars) -> Gaia:
    """The archive's tables, with 2MASS and AllWISE magnitudes that tell the star and the band."""

    def table(rows, **columns):
        return {n: Column([get(s) for s in rows], t) for n, (t, get) in columns.items()}

    twomass, allwise = ([s for s in stars if getattr(s, name)] for name in ("twomass", "allwise"))
    source_id, name = (int, lambda s: s.source_id), (str, lambda s: f"0320{s.source_id:04d}+2000000")
    return Gaia(
        {
            "gaiadr3.gaia_source": table(
                stars,
                source_id=source_id,
                ra=(float, lambda s: s.ra),
                dec=(float, lambda s: s.dec),
                pmra=(float, lambda s: s.pm[0]),
                pmdec=(float, lambda s: s.pm[1]),
                parallax=(float, lambda s: s.parallax),
                parallax_error=(float, lambda _: 0.1),
                phot_g_mean_mag=(float, lambda s: s.g_mag),
                phot_bp_mean_mag=(float, lambda s: s.g_mag + 0.5),
                phot_rp_mean_mag=(float, lambda s: s.g_mag - 0.5),
            ),
            "gaiadr3.tmass_psc_xsc_best_neighbour": table(twomass, source_id=source_id, original_ext_source_id=name),
            "gaiadr1.tmass_original_valid": table(
                twomass,
                designation=name,
                ph_qual=(str, lambda s: s.twomass),
                **{f"{b}_m": (float, lambda s, i=i: s.source_id + i / 10) for i, b in enumerate(("j", "h", "ks"))},
            ),
            "gaiadr3.allwise_best_neighbour": table(
                allwise, source_id=source_id, allwise_oid=(int, lambda s: 7000 + s.source_id)
            ),
            "gaiadr1.allwise_original_valid": table(
                allwise,
                allwise_oid=(int, lambda s: 7000 + s.source_id),
                ph_qual=(str, lambda s: s.allwise),
                **{f"w{i}mpro": (float, lambda s, i=i: s.source_id - i / 10) for i in (1, 2, 3)},
            ),
        }
    )


def objects(*places) -> pa.Table:
    """Objects at offsets (east, north) [arcsec] from the field; None = no coordinates."""
    stars = [None if place is None else Star(0, *place) for place in places]
    columns = {
        "object_id": [f"o{i}" for i in range(len(stars))],
        "survey": ["ZTF"] * len(stars),
        "ra_deg": [s and s.ra for s in stars],
        "dec_deg": [s and s.dec for s in stars],
        "class": ["EW"] * len(stars),
        "catalogue_period_d": [None] * len(stars),
    }
    return pa.table(columns, schema=tables.OBJECTS.schema)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def manners(tmp_path) -> Manners:
    return Manners(
        interval_s=0.0, timeout_s=5.0, tries=3, backoff_s=0.002, longest_pause_s=0.02, locks=tmp_path / "locks"
    )


@pytest.fixture
def serve() -> Iterator:
    started = []

    def start(stars, faults=()):
        started.append(Archive(gaia(stars), faults))
        return started[-1]

    yield start
    for archive in started:
        archive.close()


@pytest.fixture
def ask(manners, tmp_path):
    """Candidates of objects, from an archive."""

    def run(rows, archive, epoch_yr=2016.0, chunk_rows=50_000):
        asked = mirrored(query(RADIUS, epoch_yr), {GAIA_URL: f"{archive.url}/tap"})
        return fetch(rows, asked, tmp_path / "gaia.parquet", manners, np.random.default_rng(1), chunk_rows)

    return run


@pytest.fixture
def find(serve, ask):
    """Counterparts of objects among stars, through the archive."""

    def run(rows, stars, epoch_yr=2016.0, chunk_rows=50_000, archive=None):
        return choose(rows, ask(rows, archive or serve(stars), epoch_yr, chunk_rows), epoch_yr, RADIUS)

    return run


def row(table, i=0) -> dict:
    return table.slice(i, 1).to_pylist()[0]


def jobs(archive) -> int:
    return sum(asked.path == "/tap/async" and asked.method == "POST" for asked in archive.asked)


# What is asked


def test_the_query_names_the_tables_of_the_archive_and_its_own_neighbours():
    asked = query(RADIUS, 2016.0)
    assert asked.url == GAIA_URL
    for name in ("gaiadr3.gaia_source", "gaiadr1.tmass_original_valid", "gaiadr1.allwise_original_valid"):
        assert name in asked.adql
    assert "CIRCLE('ICRS', t.ra_deg, t.dec_deg" in asked.adql  # on the uploaded row: fifteen times quicker with q3c
    assert asked.unique == ("object_id", "source_id")


@pytest.mark.parametrize(("epoch_yr", "reach_arcsec"), [(2016.0, 1.5), (2000.0, 17.5), (2018.5, 4.0)])
def test_the_circle_grows_with_the_years(epoch_yr, reach_arcsec):
    circle = query(RADIUS, epoch_yr).source.split("t.dec_deg, ")[1].split(")")[0]
    assert float(circle) * 3600 == pytest.approx(reach_arcsec, abs=0.001)


# What is chosen


def test_all_magnitudes_of_a_counterpart_come(find):
    found = find(objects((0.3, 0.4)), [Star(7)])
    assert found.schema.equals(COUNTERPARTS.schema)
    star = row(found)
    assert star["source_id"] == 7
    assert star["separation_arcsec"] == pytest.approx(0.5, abs=1e-6)
    assert (star["n_neighbours"], star["moved"]) == (1, True)
    assert (star["parallax_mas"], star["parallax_error_mas"]) == (2.0, 0.1)
    expected = [15.0, 15.5, 14.5, 7.0, 7.1, 7.2, 6.9, 6.8, 6.7]
    assert [star[band.column] for band in BANDS] == pytest.approx(expected, abs=1e-12)


def test_bands_are_those_of_the_photometry_of_the_features():
    assert [band.column for band in BANDS] == tables.PHOTOMETRY.names[2:]


def test_objects_without_a_counterpart_or_coordinates_keep_a_row_of_nulls(find, caplog):
    caplog.set_level(logging.INFO)
    found = find(objects((0, 0), (60, 0), None), [Star(1), Star(2, 60, 2.0)])
    assert found["object_id"].to_pylist() == ["o0", "o1", "o2"]
    assert found["source_id"].to_pylist() == [1, None, None]
    assert found["dec_deg"].to_pylist()[:2] == [20.0, 20.0]
    for i in (1, 2):
        assert all(
            value is None for name, value in row(found, i).items() if name not in ("object_id", "ra_deg", "dec_deg")
        )
    assert "3 objects, 2 with coordinates, 1 with a Gaia counterpart" in caplog.text
    assert "2MASS J 1" in caplog.text


def test_a_source_without_neighbours_in_other_surveys_has_its_gaia_magnitudes(find):
    star = row(find(objects((0, 0)), [Star(1, twomass=None, allwise=None), Star(2, 90)]))
    assert [star[band.column] is None for band in BANDS] == [False] * 3 + [True] * 6


def test_nothing_to_ask_is_not_asked(find, serve):
    archive = serve([Star(1)])
    found = find(objects(None, None), [], archive=archive)
    assert archive.asked == []
    assert found["source_id"].null_count == found.num_rows == 2


def test_an_answer_without_rows(find):
    found = find(objects((0, 0), (5, 5)), [Star(1, 600)])
    assert found["source_id"].null_count == 2
    assert found.schema.equals(COUNTERPARTS.schema)


def test_two_objects_at_one_source_the_nearer_one_gets_it(find):
    found = find(objects((0, 0.8), (0, 0.2)), [Star(1)])
    assert found["source_id"].to_pylist() == [None, 1]


def test_two_sources_at_one_object_the_nearer_one_is_taken_and_both_are_counted(find):
    found = find(objects((0, 0)), [Star(1, 0, 1.2), Star(2, 0, -0.6), Star(3, 0, 1.7)])
    assert (row(found)["source_id"], row(found)["n_neighbours"]) == (2, 2)


@pytest.mark.parametrize(("pm", "expected"), [((0.0, 400.0), 1), ((400.0, 0.0), 2)])
def test_a_star_is_found_where_it_was(find, pm, expected):
    """Object at the place of a star sixteen years before Gaia; another star stands there now, a little off."""
    found = find(objects((0, 0)), [Star(1, 0, 6.4, pm=pm), Star(2, 0, 0.5)], epoch_yr=2000.0)
    assert row(found)["source_id"] == expected
    assert row(found)["n_neighbours"] == (2 if expected == 1 else 1)


def test_places_are_those_of_astropy(find):
    """A star of 900 mas/yr at declination 20, by astropy's apply_space_motion."""
    star = Star(5, pm=(700.0, -566.0))
    now = SkyCoord(
        star.ra * units.deg,
        star.dec * units.deg,
        distance=Distance(parallax=2 * units.mas),
        pm_ra_cosdec=star.pm[0] * units.mas / units.yr,
        pm_dec=star.pm[1] * units.mas / units.yr,
        obstime=Time(2016.0, format="jyear"),
    )
    then = now.apply_space_motion(Time(2000.0, format="jyear"))
    there = objects((0, 0)).set_column(2, tables.OBJECTS.schema.field("ra_deg"), pa.array([then.ra.deg]))
    there = there.set_column(3, tables.OBJECTS.schema.field("dec_deg"), pa.array([then.dec.deg]))
    found = row(find(there, [star], epoch_yr=2000.0))
    assert found["source_id"] == 5
    assert found["separation_arcsec"] < 1e-3  # astropy also moves the star in depth; 14 arcsec without the motion
    assert find(there, [dataclasses.replace(star, pm=(None, None))], epoch_yr=2000.0)["source_id"].null_count == 1


def test_a_source_without_a_motion_is_matched_where_gaia_saw_it(find):
    found = row(find(objects((0, 1.0)), [Star(1, pm=(None, None))], epoch_yr=2000.0))
    assert (found["source_id"], found["moved"]) == (1, False)


def test_the_archive_sends_no_source_that_cannot_have_been_near(ask, serve):
    """Slow stars within the wide circle stay on the archive, those that move fast enough come."""
    stars = [
        Star(1, 0, 0.5, pm=(None, None)),
        Star(2, 0, 10.0, pm=(0.0, 20.0)),
        Star(3, 0, 9.0, pm=(-350.0, 350.0)),
        Star(4, 0, 9.0, pm=(-350.0, -350.0)),
        Star(5, 0, 9.0, pm=(None, None)),
        Star(6, 0, 30.0, pm=(0.0, 5000.0)),
        Star(7, 0, 9.0, pm=(400.0, 0.0)),
    ]
    candidates = ask(objects((0, 0)), serve(stars), epoch_yr=2000.0)
    assert candidates["source_id"].to_pylist() == [1, 3, 4]  # the direction of the motion is looked at here


# Quality of the photometry


@pytest.mark.parametrize("letter", "ABCDEFUXZ")
@pytest.mark.parametrize("place", range(3))
def test_upper_limits_are_no_magnitudes(find, letter, place):
    flags = "".join(letter if i == place else "A" for i in range(3))
    star = row(find(objects((0, 0)), [Star(1, twomass=flags, allwise=f"{flags}U"), Star(2, 90)]))
    missing = [band.column for band in BANDS if star[band.column] is None]
    names = ["j_mag", "h_mag", "k_mag"][place], ["w1_mag", "w2_mag", "w3_mag"][place]
    assert missing == (list(names) if letter in "UXZ" else [])


# Chunks, repetition, order


@pytest.mark.parametrize(("n", "expected"), [(1, 1), (4, 1), (9, 3)])
def test_uploads_go_in_chunks(find, serve, n, expected):
    archive = serve([Star(i, 30.0 * i) for i in range(n)])
    found = find(objects(*[(30.0 * i, 0.1) for i in range(n)]), [], chunk_rows=4, archive=archive)
    assert found["source_id"].to_pylist() == list(range(n))
    assert jobs(archive) == expected
    find(objects(*[(30.0 * i, 0.1) for i in range(n)]), [], chunk_rows=4, archive=archive)
    assert jobs(archive) == expected  # nothing is asked twice


def test_a_source_in_two_chunks_is_one_source(find):
    """Two objects around one source, in different uploads: it still belongs to the nearer one only."""
    found = find(objects((0, 0.8), (0, 0.2)), [Star(1)], chunk_rows=1)
    assert found["source_id"].to_pylist() == [None, 1]


def test_the_order_of_the_objects_does_not_matter(find):
    rows, stars = objects((0, 0), (30, 0), None, (60, 0)), [Star(1), Star(2, 30), Star(3, 60)]
    assert find(rows.take([3, 2, 0, 1]), stars).equals(find(rows, stars))


def test_many_objects_are_chosen_within_memory():
    """Two hundred thousand objects on a grid, each with its own source and a farther one."""
    n = 200_000
    ra, dec = 0.3 * (np.arange(n) % 1000), -60 + 0.5 * (np.arange(n) // 1000)
    names = pa.array([f"o{i:06d}" for i in range(n)])
    rows = pa.table(
        [names, pa.repeat("X", n), ra, dec, pa.nulls(n, pa.string()), pa.nulls(n, pa.float64())],
        schema=tables.OBJECTS.schema,
    )
    real = {name: np.zeros(2 * n) for name in ("pmra", "pmdec", "parallax_mas", "parallax_error_mas")}
    real |= {band.column: np.arange(2.0 * n) for band in BANDS}
    quality = {name: pa.repeat("AAA", 2 * n) for name in ("twomass_quality", "allwise_quality")}
    candidates = pa.table(
        {"object_id": pa.concat_arrays([names, names]), "source_id": np.arange(2 * n)}
        | {"ra": np.tile(ra, 2), "dec": np.concatenate([dec + 0.5 * ARCSEC, dec - 1.0 * ARCSEC])}
        | real
        | quality
    )
    found = choose(rows, candidates, 2000.0, RADIUS)
    assert found["source_id"].to_pylist() == list(range(n))
    assert pc.all(pc.equal(found["n_neighbours"], 2)).as_py()
    assert found["w3_mag"].to_pylist() == list(range(n))


# Bad input, bad answers


def test_an_object_in_two_rows_is_refused(find):
    rows = objects((0, 0), (30, 0))
    with pytest.raises(DataError, match=r"1 duplicate rows, such as \{'object_id': 'o0'\}"):
        find(pa.concat_tables([rows, rows.slice(0, 1)]), [Star(1)])


@pytest.mark.parametrize(
    ("fault", "message"),
    [("wrong_rows", "not asked for"), ("duplicate_rows", "duplicate rows"), ("missing_column", "no columns")],
)
def test_a_wrong_answer_is_no_answer(find, serve, fault, message, tmp_path):
    archive = serve([Star(1), Star(2, 30)])
    archive.faults = [content(fault)] * 20  # one of these requests starts the job
    with pytest.raises(DataError, match=message):
        find(objects((0, 0), (30, 0)), [], archive=archive)
    assert not (tmp_path / "gaia.parquet").exists()


def test_a_table_that_was_renamed_is_named(find, serve):
    archive = serve([Star(1)])
    tables_there = dict(archive.answer.tables)
    tables_there["gaiadr4.gaia_source"] = tables_there.pop("gaiadr3.gaia_source")
    archive.answer.tables = tables_there
    with pytest.raises(JobError, match=r"no such table: gaiadr3\.gaia_source"):
        find(objects((0, 0)), [], archive=archive)


def test_a_position_out_of_range_is_refused():
    rows = objects((0, 0)).set_column(3, tables.OBJECTS.schema.field("dec_deg"), pa.array([120.0]))
    with pytest.raises(DataError, match="out of range"):
        choose(rows, choose_nothing(), 2016.0, RADIUS)


def choose_nothing() -> pa.Table:
    """Answer without rows."""
    kinds = {"object_id": pa.string(), "source_id": pa.int64()} | dict.fromkeys(
        ("twomass_quality", "allwise_quality"), pa.string()
    )
    names = query(RADIUS, 2016.0).columns
    return pa.schema([(name, kinds.get(name, pa.float64())) for name in names]).empty_table()


def test_sqlite_is_what_answers():
    """The stand-in computes with real geometry, or these tests would show nothing."""
    assert distance_deg("10.0 60.0", "11.0 60.0") == pytest.approx(
        SkyCoord(10, 60, unit="deg").separation(SkyCoord(11, 60, unit="deg")).deg, rel=1e-12
    )
    assert sqlite3.sqlite_version_info >= (3, 35)  # SQRT


# Real stars


@pytest.mark.real
def test_stars_of_m67_find_themselves_after_their_motion(real_data):
    """Gaia DR3 around M67: positions of the year 2000 by astropy find the source that they were made from."""
    stars = pq.read_table(real_data / "gaia_clusters" / "ngc_2682_dr3.parquet")
    stars = stars.filter(stars["pmra"].is_valid())
    values = {name: stars[name].to_numpy() for name in ("ra", "dec", "pmra", "pmdec")}
    now = SkyCoord(
        values["ra"] * units.deg,
        values["dec"] * units.deg,
        pm_ra_cosdec=values["pmra"] * units.mas / units.yr,
        pm_dec=values["pmdec"] * units.mas / units.yr,
        distance=1 * units.kpc,
        obstime=Time(2016.0, format="jyear"),
    )
    then = now.apply_space_motion(Time(2000.0, format="jyear"))
    names = [str(value) for value in stars["source_id"].to_pylist()]
    n = len(names)
    rows = pa.table(
        [names, pa.repeat("M67", n), then.ra.deg, then.dec.deg, pa.nulls(n, pa.string()), pa.nulls(n, pa.float64())],
        schema=tables.OBJECTS.schema,
    )
    candidates = choose_nothing().schema.names
    given = {name: stars[name] for name in ("source_id", "ra", "dec", "pmra", "pmdec")}
    given |= {"object_id": pa.array(names), "parallax_mas": stars["parallax"]}
    given |= {"g_mag": stars["phot_g_mean_mag"].cast(pa.float64())}
    missing = {
        name: pa.nulls(n, pa.string() if "quality" in name else pa.float64())
        for name in candidates
        if name not in given
    }
    found = choose(rows, pa.table(given | missing).select(candidates), 2000.0, RADIUS)
    itself = pc.equal(found["source_id"].cast(pa.string()), found["object_id"])
    assert pc.mean(itself.cast(pa.int8())).as_py() > 0.9999
    assert pc.max(found["separation_arcsec"]).as_py() < 0.01
    still = choose(rows, pa.table(given | missing).select(candidates), 2016.0, RADIUS)
    assert pc.max(still["separation_arcsec"]).as_py() > 0.3
