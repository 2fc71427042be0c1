"""Real catalogues: identities that are known, periods that agree, motions that have been measured."""

import bz2
import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.coordinates import SkyCoord
from pyarrow import csv
from skies import sorted_file

from workflow_scripts import tables
from workflow_scripts.crossmatch import PAIRS, Motion, Positions, Rule, match, propagate
from workflow_scripts.crossmatch.positions import separations_arcsec, unit_vectors
from workflow_scripts.crossmatch.sorting import Layout, sort_by_healpix
from workflow_scripts.crossmatch.streaming import match_files

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def catalogues():
    from workspace import REAL_DATA

    if not REAL_DATA.is_dir():
        pytest.skip(f"no real survey data: {REAL_DATA} does not exist")
    return REAL_DATA / "catalogues"


def lines(path):
    with gzip.open(path, "rt") as file:
        return [line for line in file if line.strip() and not line.startswith("#")]


@pytest.fixture(scope="module")
def linear(catalogues):
    """LINEAR candidates: number, LINEAR position and SDSS position of the same star."""
    rows = np.array(
        [line.split()[:5] for line in lines(catalogues / "allLINEARfinal_targets.dat.gz")], dtype=np.float64
    )
    return rows[:, 0].astype(int), Positions(rows[:, 1], rows[:, 2]), Positions(rows[:, 3], rows[:, 4])


@pytest.fixture(scope="module")
def linear_periods(catalogues):
    rows = np.array(
        [line.split() for line in lines(catalogues / "LINEARattributesFinalApr2013.dat.gz")], dtype=np.float64
    )
    return rows[:, 13].astype(int), Positions(rows[:, 0], rows[:, 1]), 10 ** rows[:, 6]


@pytest.fixture(scope="module")
def drake(catalogues):
    """Catalina periodic variables: positions and periods (Drake et al. 2014)."""
    rows = [line for line in lines(catalogues / "drake2014_table3.txt.gz") if line.startswith("CSS_J")]
    hours, degrees = ([[float(row[a:b]) for a, b in places] for row in rows] for places in (RA, DEC))
    sign = np.array([-1 if row[33] == "-" else 1 for row in rows])
    units = np.array([1, 60, 3600])
    period = np.array([float(row[51:62].strip() or "nan") for row in rows])
    return Positions((15 * np.array(hours) / units).sum(axis=1), sign * (np.array(degrees) / units).sum(axis=1)), period


RA, DEC = ((21, 23), (24, 26), (27, 32)), ((34, 36), (37, 39), (40, 44))


def columns(found, *names):
    return [found[name].to_numpy() for name in names]


def test_two_positions_of_one_star_find_each_other(linear):
    number, own, sdss = linear
    a, b, separation = columns(match(own, sdss, Rule(5.0)), "a_row", "b_row", "separation_arcsec")
    assert len(a) > 0.99 * len(number)
    assert (number[a] == number[b]).mean() > 0.999
    assert np.median(separation) < 1.0


def test_periods_of_catalina_and_linear_agree(drake, linear_periods):
    positions, period = drake
    _, others, other_period = linear_periods
    a, b = columns(match(positions, others, Rule(3.0)), "a_row", "b_row")
    assert len(a) > 2000
    ratio = period[a] / other_period[b]
    assert (np.abs(ratio - 1) < 1e-3).mean() > 0.9
    # A wrong pairing would have no period in common.
    assert (np.abs(np.roll(period[a], 1) / other_period[b] - 1) < 1e-3).mean() < 0.05


def test_every_mode_is_that_of_astropy(drake, linear):
    positions, _ = drake
    _, own, _ = linear
    one, other = (SkyCoord(p.ra_deg, p.dec_deg, unit="deg") for p in (positions, own))
    (row, separation, _), (back, _, _) = one.match_to_catalog_sky(other), other.match_to_catalog_sky(one)
    second = one.match_to_catalog_sky(other, nthneighbor=2)[1]
    within = separation.arcsec <= 3.0
    expected = {
        "nearest": within,
        "mutual": within & (back[row] == np.arange(len(row))),
        "unique": within & (second.arcsec > 10.0),
    }
    for mode, kept in expected.items():
        a, b = columns(match(positions, own, Rule(3.0, mode, 10.0)), "a_row", "b_row")
        assert a.tolist() == np.flatnonzero(kept).tolist()
        assert b.tolist() == row[kept].tolist()


@pytest.fixture(scope="module")
def magellanic(catalogues):
    """MACHO and OGLE-III variables: hundreds of thousands in a few dense fields."""
    with gzip.open(catalogues / "macho_variables.csv.gz", "rt") as file:
        next(file)
        macho = np.degrees(np.array([line.split(",")[1:3] for line in file], dtype=np.float64))
    with bz2.open(catalogues / "ogle3_variables.txt.bz2", "rt") as file:
        ogle = np.array([line.split("\t")[5:7] for line in file if not line.startswith("#")], dtype=np.float64)
    return Positions(macho[:, 0], macho[:, 1]), Positions(15 * ogle[:, 0], ogle[:, 1])


@pytest.mark.parametrize("mode", ["nearest", "mutual", "unique"])
def test_files_are_the_whole_catalogues_in_dense_fields(magellanic, tmp_path, mode):
    rule = Rule(2.0, mode, 6.0)
    a, b = (
        sorted_file(side, tmp_path / f"{i}.parquet", size)
        for i, side, size in zip("ab", magellanic, (3000, 20_000), strict=True)
    )
    outcome = match_files(a, b, tmp_path / "pairs.parquet", rule)
    found = tables.read(tmp_path / "pairs.parquet", PAIRS)
    rows = [
        pq.read_table(path)["row"].to_numpy()[found[name].to_numpy()] for path, name in ((a, "a_row"), (b, "b_row"))
    ]
    order = np.argsort(rows[0])
    whole = match(*magellanic, rule)
    assert outcome.pairs > 8000
    assert rows[0][order].tolist() == whole["a_row"].to_pylist()
    assert rows[1][order].tolist() == whole["b_row"].to_pylist()
    for name in ("separation_arcsec", "n_neighbours", "second_separation_arcsec", "n_rivals"):
        assert found[name].take(pa.array(order)).to_pylist() == whole[name].to_pylist()


def members(real_data, cluster):
    table = csv.read_csv(real_data / "gaia_clusters/members_cantat_gaudin_2020" / f"{cluster}.csv")
    return Positions(table["ra"].to_numpy(), table["dec"].to_numpy())


@pytest.mark.parametrize(
    ("cluster", "field", "shift_mas"),
    [("Melotte_22", "melotte_22_dr3_truncated", 24), ("NGC_2682", "ngc_2682_dr3", 5.5)],
)
def test_motion_brings_gaia_dr3_back_to_dr2(real_data, cluster, field, shift_mas):
    # Positions of 2016.0 against those of 2015.5: half a year of proper motion, 49 and 11 mas/yr.
    then, now = members(real_data, cluster), pq.read_table(real_data / "gaia_clusters" / f"{field}.parquet")
    ra, dec, pm_ra, pm_dec = (now[name].to_numpy(zero_copy_only=False) for name in ("ra", "dec", "pmra", "pmdec"))
    left, moved = Positions(ra, dec), propagate(ra, dec, pm_ra, pm_dec, -0.5)
    shift = [1000 * np.median(match(then, one, Rule(1.0))["separation_arcsec"].to_numpy()) for one in (left, moved)]
    assert shift[0] == pytest.approx(shift_mas, rel=0.1)
    assert shift[1] < 0.5
    assert moved.moved.tolist() == np.isfinite(pm_ra).tolist()
    vectors = [unit_vectors(one.ra_deg[~moved.moved], one.dec_deg[~moved.moved]) for one in (left, moved)]
    assert not separations_arcsec(*vectors).any()


def test_a_cluster_across_right_ascension_zero(real_data, tmp_path):
    # The members are of the same data release: every one within the field is found at its own position.
    field = pq.read_table(real_data / "gaia_clusters/blanco_1_dr2_g18.parquet", columns=["ra", "dec", "pmra", "pmdec"])
    sort_by_healpix(field, tmp_path / "field.parquet", Layout("ra", "dec", Motion(2015.5, 2015.5)), row_group=1000)
    stars = members(real_data, "Blanco_1")
    sorted_file(stars, tmp_path / "members.parquet", 50)
    match_files(
        tmp_path / "members.parquet", tmp_path / "field.parquet", tmp_path / "pairs.parquet", Rule(0.1, "unique", 1.0)
    )
    found = tables.read(tmp_path / "pairs.parquet", PAIRS)
    ra = pq.read_table(tmp_path / "members.parquet")["ra_deg"].to_numpy()[found["a_row"].to_numpy()]
    assert found.num_rows > 0.9 * len(stars)
    assert (ra > 359).any()
    assert (ra < 1).any()
    assert found["separation_arcsec"].to_numpy().max() < 1e-3
