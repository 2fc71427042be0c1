"""The clients that astronomers use, against a real VO server with real rows: what the archives would tell them."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from loopback import RESET, status

pytestmark = [pytest.mark.vo, pytest.mark.real]

BRIGHT = "SELECT source_id, ra, dec, phot_g_mean_mag FROM gaiadr3.gaia_source WHERE phot_g_mean_mag < 14"


def targets(real_rows, n=500):
    """Positions of n stars of M67, one arc second off in declination, under names of ours."""
    rows = real_rows["gaiadr3.gaia_source"].slice(100, n)
    return pa.table(
        {
            "object_id": [f"star {i}" for i in range(n)],
            "source": rows["source_id"],
            "ra_deg": rows["ra"],
            "dec_deg": np.array(rows["dec"]) + 1 / 3600,
        }
    )


def astropy_table(rows):
    from astropy.table import Table

    return Table({name: rows[name].to_numpy() for name in ("source", "ra_deg", "dec_deg")})


NEAREST = (
    "SELECT t.source, g.source_id FROM TAP_UPLOAD.targets AS t JOIN gaiadr3.gaia_source AS g "
    "ON 1 = CONTAINS(POINT('ICRS', g.ra, g.dec), CIRCLE('ICRS', t.ra_deg, t.dec_deg, {radius}))"
)


@pytest.fixture
def bright(real_rows):
    rows = real_rows["gaiadr3.gaia_source"]
    return rows.filter(pc.less(rows["phot_g_mean_mag"], 14)).sort_by("source_id")


def check_bright(found, bright):
    found.sort("source_id")
    assert 200 < len(bright) == len(found)
    np.testing.assert_array_equal(found["source_id"], bright["source_id"])
    for name in ("ra", "dec", "phot_g_mean_mag"):
        np.testing.assert_array_equal(np.asarray(found[name], float), bright[name].to_numpy())


def check_pairs(found, real_rows, radius_deg):
    """Pairs within the radius, by brute force on unit vectors."""
    asked, gaia = targets(real_rows), real_rows["gaiadr3.gaia_source"]

    def unit(ra, dec):
        ra, dec = np.radians(ra.to_numpy()), np.radians(dec.to_numpy())
        return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)

    separation = unit(asked["ra_deg"], asked["dec_deg"])[:, None, :] - unit(gaia["ra"], gaia["dec"])[None, :, :]
    first, second = np.nonzero(np.linalg.norm(separation, axis=2) < 2 * np.sin(np.radians(radius_deg) / 2))
    ids = gaia["source_id"].to_numpy()
    expected = set(zip(asked["source"].to_numpy()[first].tolist(), ids[second].tolist(), strict=True))
    pairs = [(int(a), int(b)) for a, b in zip(found["source"], found["source_id"], strict=True)]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == expected
    assert len(expected) > 500


def test_pyvo_sync_and_async(archive, bright):
    import pyvo

    service = pyvo.dal.TAPService(f"{archive.url}/tap")
    check_bright(service.run_sync(BRIGHT).to_table(), bright)
    check_bright(service.run_async(BRIGHT).to_table(), bright)


@pytest.mark.parametrize("how", ["run_sync", "run_async"])
def test_pyvo_upload(archive, real_rows, how):
    import pyvo

    service = pyvo.dal.TAPService(f"{archive.url}/tap")
    query = NEAREST.format(radius=4 / 3600)
    found = getattr(service, how)(query, uploads={"targets": astropy_table(targets(real_rows))}).to_table()
    check_pairs(found, real_rows, 4 / 3600)


def test_pyvo_says_overflow_only_in_the_status(archive):
    """Why tap.fetch looks at QUERY_STATUS itself: an explicit limit cuts the answer without a warning."""
    import pyvo

    cut = pyvo.dal.TAPService(f"{archive.url}/tap").run_sync(BRIGHT, maxrec=7)
    assert len(cut) == 7
    assert cut.status[0] == "OVERFLOW"


def test_pyvo_reports_an_unknown_column(archive):
    import pyvo

    with pytest.raises(pyvo.DALQueryError, match="no_such_column"):
        pyvo.dal.TAPService(f"{archive.url}/tap").run_sync("SELECT no_such_column FROM gaiadr3.gaia_source")


def test_tap_plus_sync_and_async(archive, bright):
    from astroquery.utils.tap.core import TapPlus

    service = TapPlus(url=f"{archive.url}/tap")
    check_bright(service.launch_job(BRIGHT, maxrec=100_000).get_results(), bright)
    check_bright(service.launch_job_async(BRIGHT).get_results(), bright)


def test_tap_plus_starts_a_job_by_hand_without_the_proxy(server, bright):
    from astroquery.utils.tap.core import TapPlus

    job = TapPlus(url=f"{server}/tap").launch_job_async(BRIGHT, autorun=False)
    job.start()
    check_bright(job.get_results(), bright)


def test_tap_plus_cuts_at_2000_rows_in_silence(archive, real_rows):
    """Why no query of ours goes through launch_job."""
    from astroquery.utils.tap.core import TapPlus

    found = TapPlus(url=f"{archive.url}/tap").launch_job("SELECT source_id FROM gaiadr3.gaia_source").get_results()
    assert len(found) == 2000 < len(real_rows["gaiadr3.gaia_source"])


@pytest.mark.parametrize("how", ["launch_job", "launch_job_async"])
def test_astroquery_gaia_with_upload(archive, real_rows, how):
    """The class of the archive of Gaia itself, at the archive's own paths."""
    from astroquery.gaia import GaiaClass

    gaia = GaiaClass(
        gaia_tap_server=f"{archive.url}/",
        gaia_data_server=f"{archive.url}/",
        tap_server_context="tap-server",
        data_server_context="data-server",
        show_server_messages=False,
    )
    query = NEAREST.format(radius=4 / 3600)
    job = getattr(gaia, how)(query, upload_resource=astropy_table(targets(real_rows)), upload_table_name="targets")
    check_pairs(job.get_results(), real_rows, 4 / 3600)


def test_names_of_vizier_reach_their_tables(archive, real_rows):
    import pyvo

    service = pyvo.dal.TAPService(f"{archive.url}/tap")
    for name, rows in real_rows.items():
        assert service.run_sync(f"SELECT COUNT(*) AS n FROM {name}")["n"][0] == rows.num_rows, name


def test_faults_come_through_the_proxy(archive):
    import pyvo

    service = pyvo.dal.TAPService(f"{archive.url}/tap")
    for fault in (status(500), RESET):
        archive.faults = [fault]
        with pytest.raises(pyvo.dal.exceptions.DALAccessError):
            service.run_sync(BRIGHT)
    assert len(service.run_sync(BRIGHT)) > 200
