"""Stars under the archive's column names: every alias, every cut counted, and what is refused."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workflow_scripts.clustering import gaia
from workflow_scripts.clustering.regions import Region
from workflow_scripts.clustering.space import Centre
from workflow_scripts.clustering.stars import STARS
from workflow_scripts.tables import DataError

REGION = Region("M 1", Centre(0.0, -30.0), 1.0)
N = 80


def native(n: int = N, **changes: object) -> dict[str, object]:
    """Columns of the archive: stars within 0.7 deg of RA 0, a quarter of them west of it."""
    rng = np.random.default_rng(1)
    return {
        "source_id": np.arange(n) + 5_000_000_000_000_000_001,
        "ra": rng.uniform(-0.2, 0.6, n) % 360,
        "dec": rng.uniform(-30.3, -29.7, n),
        "parallax": rng.normal(1, 1, n),
        "pmra": rng.normal(0, 5, n),
        "pmdec": rng.normal(0, 5, n),
        "phot_g_mean_mag": rng.uniform(10, 20, n),
        "ruwe": np.ones(n),
    } | changes


def read(tmp_path, columns: dict[str, object]) -> pa.Table:
    pq.write_table(pa.table(columns), tmp_path / "stars.parquet")
    return gaia.read([tmp_path / "stars.parquet"], "DR3")


def counts(cuts: pa.Table) -> dict[str, int]:
    return dict(zip(cuts["cut"].to_pylist(), cuts["n"].to_pylist(), strict=True))


def test_columns_of_the_archive_become_stars(tmp_path):
    given = native()
    rows = read(tmp_path, given)
    assert rows.column_names == STARS.names
    assert rows["source_id"].to_pylist()[0] == "5000000000000000001"
    np.testing.assert_array_equal(rows["pmdec_mas_yr"].to_numpy(), given["pmdec"])
    assert rows["pmra_error_mas_yr"].null_count == N


def test_columns_of_vizier_and_colours_from_two_magnitudes(tmp_path):
    given = native(phot_bp_mean_mag=np.full(N, 12.5), phot_rp_mean_mag=np.full(N, 11.25))
    names = {
        "source_id": "Source",
        "ra": "RA_ICRS",
        "dec": "DE_ICRS",
        "parallax": "Plx",
        "pmra": "pmRA",
        "ruwe": "RUWE",
    }
    rows = read(tmp_path, {names.get(name, name): values for name, values in given.items()})
    assert set(rows["bp_rp_mag"].to_pylist()) == {1.25}
    np.testing.assert_array_equal(rows["parallax_mas"].to_numpy(), given["parallax"])
    assert rows["ruwe"].null_count == 0


def test_csv_keeps_the_digits_of_identifiers(tmp_path):
    (tmp_path / "stars.csv").write_text("source_id,ra,dec,parallax,pmra,pmdec\n5000000000000000001,1,2,3,4,\n")
    row = gaia.read([tmp_path / "stars.csv"], "DR3").to_pylist()[0]
    assert (row["source_id"], row["ra_deg"], row["pmdec_mas_yr"]) == ("5000000000000000001", 1.0, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pmra": None}, r"no column for pmra_mas_yr \(pmra or pmRA\)"),
        ({"pmra": ["fast"] * N}, r"column 'pmra' \(pmra_mas_yr\) holds text in 80 of 80 rows"),
        ({"pmra": [[1.0]] * N}, r"column 'pmra' \(pmra_mas_yr\) holds list<.*>, expected numbers"),
        ({"ra": pa.array([0] * N, pa.timestamp("s"))}, r"column 'ra' \(ra_deg\) holds timestamp.*, expected numbers"),
        ({"source_id": np.arange(N) + 0.5}, "19 digits"),
        ({"source_id": [[1]] * N}, "column 'source_id' holds list<.*>, expected text or integers"),
        ({"source_id": pa.array([0] * N, pa.timestamp("s"))}, "column 'source_id' holds timestamp.*, expected text"),
        (
            {"source_id": np.arange(N) - 1},
            "column 'source_id' holds 1 source_id that are numbers.*such as -1; expected",
        ),
    ],
)
def test_file_that_is_no_table_of_stars_is_refused(tmp_path, change, message):
    columns = {name: values for name, values in native(**change).items() if values is not None}
    with pytest.raises(DataError, match=message) as error:
        read(tmp_path, columns)
    assert "stars.parquet" in str(error.value)


@pytest.mark.parametrize(("second", "refused"), [(2016.0, False), (2015.5, True)])
def test_every_file_must_be_of_the_release(tmp_path, second, refused):
    paths = [tmp_path / "first.parquet", tmp_path / "second.parquet"]
    for path, epoch in zip(paths, (2016.0, second), strict=True):
        pq.write_table(pa.table(native(ref_epoch=np.full(N, epoch))), path)
    if refused:
        with pytest.raises(DataError, match=r"second.parquet: column 'ref_epoch' is 2015.5 .*`release: DR2`"):
            gaia.read(paths, "DR3")
    else:
        assert gaia.read(paths, "DR3").column_names == STARS.names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5.0000100000e+18", "scientific notation, such as 5.0000100000e.18, which have lost digits"),
        ("5000000000000000001.0", "real numbers, such as 5e.18, that are not whole or too large to be exact"),
        (
            "5.0000100000e+18,1,2,3,4,5\n12",
            "holds 1 source_id that are numbers but no whole ones, such as 5.0000100000e",
        ),
        (
            "5000000000000000001.0,1,2,3,4,5\n12",
            "no whole ones, such as 5000000000000000001.0; expected up to 19 digits",
        ),
    ],
)
def test_identifiers_that_have_lost_digits_are_refused(tmp_path, text, message):
    (tmp_path / "stars.csv").write_text(f"source_id,ra,dec,parallax,pmra,pmdec\n{text},1,2,3,4,5\n")
    with pytest.raises(DataError, match=f"stars.csv: column 'source_id' .*{message}"):
        gaia.read([tmp_path / "stars.csv"], "DR3")


def test_blanks_around_values_go_and_a_blank_identifier_is_none(tmp_path):
    (tmp_path / "stars.csv").write_text("source_id,ra,dec,parallax,pmra,pmdec\n 12 , 1 ,2,3,4,5\n  ,1,2,3,4,5\n")
    assert gaia.read([tmp_path / "stars.csv"], "DR3").select(["source_id", "ra_deg"]).to_pylist() == [
        {"source_id": "12", "ra_deg": 1.0},
        {"source_id": None, "ra_deg": 1.0},
    ]


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_star_without_an_identifier_is_counted_and_not_published(tmp_path, blank):
    given = native()
    given["source_id"] = [blank, *map(str, given["source_id"][1:])]
    chosen = gaia.select(read(tmp_path, given), REGION, gaia.Cuts())
    assert counts(chosen.cuts)["without identifier, position, proper motion or parallax"] == 1
    assert chosen.stars.num_rows == N - 1
    assert chosen.stars["source_id"].to_pylist() == given["source_id"][1:]


def test_every_star_left_out_is_counted(tmp_path):
    given = native()
    given["parallax"][:3] = np.nan
    given["pmra"] = pa.array([None, *given["pmra"][1:]])
    given["dec"][10:14] = 60
    given["ruwe"][20:25] = 1.4
    given["ruwe"][25:27] = np.nan
    given["phot_g_mean_mag"][:] = 12
    given["phot_g_mean_mag"][70:] = 18
    rows = read(tmp_path, given)
    doubled = pa.concat_tables([rows, rows.slice(30, 2)])
    chosen = gaia.select(doubled, REGION, gaia.Cuts(1.4, 18))
    stars, cuts = chosen.stars, chosen.cuts
    assert counts(cuts) == {
        "rows read": 82,
        "without identifier, position, proper motion or parallax": 3,
        "outside the cone": 4,
        "rows that repeat another": 2,
        "ruwe of 1.4 or above": 5,
        "g_mag of 18 or above": 10,
        "without ruwe, kept": 2,
        "without g_mag, kept": 0,
        "stars kept": 58,
    }
    assert cuts["cut"].to_pylist()[-1] == "stars kept"
    assert stars.num_rows == 58
    assert stars["source_id"].to_pylist() == sorted(set(stars["source_id"].to_pylist()))
    assert stars.schema.equals(STARS.schema)
    assert chosen.left_out.num_rows == 15  # complete, and of the wrong RUWE or magnitude
    assert not set(chosen.left_out["source_id"].to_pylist()) & set(stars["source_id"].to_pylist())


def test_order_of_the_rows_does_not_matter(tmp_path):
    rows = read(tmp_path, native())
    mixed = rows.take(np.random.default_rng(3).permutation(N))
    assert gaia.select(mixed, REGION, gaia.Cuts()).stars.equals(gaia.select(rows, REGION, gaia.Cuts()).stars)


@pytest.mark.parametrize(
    ("cuts", "said"),
    [
        (gaia.Cuts(1.4, 18), {"without ruwe, kept": N - 3, "without g_mag, kept": N - 3}),
        (gaia.Cuts(1.4, 0), {"without ruwe, kept": N}),
        (gaia.Cuts(0, 18), {"without g_mag, kept": N - 3}),
        (gaia.Cuts(0, 0), {}),
    ],
)
def test_stars_that_a_cut_cannot_judge_are_counted_where_the_cut_is_made(tmp_path, cuts, said):
    given = {name: values for name, values in native().items() if name != "ruwe"}
    given["phot_g_mean_mag"] = np.r_[np.full(3, 19.0), np.full(N - 3, np.nan)]
    chosen = gaia.select(read(tmp_path, given), REGION, cuts)
    found = counts(chosen.cuts)
    assert {name: n for name, n in found.items() if name.startswith("without") and "kept" in name} == said
    assert found["stars kept"] == chosen.stars.num_rows == N - (3 if cuts.max_g_mag else 0)


def test_star_left_out_by_one_cut_is_not_counted_as_kept_without_the_value_of_another(tmp_path):
    given = native()
    given["ruwe"][:10] = np.nan
    given["phot_g_mean_mag"] = np.r_[np.full(4, 19.0), np.full(N - 4, 12.0)]
    found = counts(gaia.select(read(tmp_path, given), REGION, gaia.Cuts(1.4, 18)).cuts)
    assert (found["ruwe of 1.4 or above"], found["g_mag of 18 or above"]) == (0, 4)
    assert (found["without ruwe, kept"], found["without g_mag, kept"]) == (6, 0)


def test_negative_parallaxes_and_stars_without_magnitude_stay(tmp_path):
    given = native(phot_g_mean_mag=np.full(N, np.nan))
    assert (given["parallax"] < 0).sum() > 5
    assert gaia.select(read(tmp_path, given), REGION, gaia.Cuts(1.4, 18)).stars.num_rows == N


def test_star_with_two_different_rows_is_refused(tmp_path):
    given = native()
    given["source_id"][1] = given["source_id"][0]
    with pytest.raises(DataError, match=r"1 source_id come twice with different values, such as 5000000000000000001"):
        gaia.select(read(tmp_path, given), REGION, gaia.Cuts())


def test_twenty_stars_are_too_few_and_the_cuts_are_said(tmp_path):
    rows = read(tmp_path, native(20))
    with pytest.raises(DataError, match=r"region M 1: 20 stars are left \(20 rows read, 0 without.*at least 50"):
        gaia.select(rows, REGION, gaia.Cuts())


@pytest.mark.parametrize(
    ("changes", "cuts", "advice"),
    [
        (
            {"dec": np.full(N, 60.0)},
            gaia.Cuts(),
            r"check ra_deg \(0\) and dec_deg \(-30\), or enlarge radius_deg \(1\)",
        ),
        ({"ruwe": np.full(N, 2.0)}, gaia.Cuts(), "relax clusters.cuts.max_ruwe"),
        ({"phot_g_mean_mag": np.full(N, 19.0)}, gaia.Cuts(1.4, 18.0), "relax clusters.cuts.max_g_mag"),
        ({"parallax": np.full(N, np.nan)}, gaia.Cuts(), "check the columns of the files"),
    ],
)
def test_advice_is_on_the_cut_that_took_most(tmp_path, changes, cuts, advice):
    with pytest.raises(DataError, match=rf"region M 1: 0 stars are left .*; {advice}$"):
        gaia.select(read(tmp_path, native(**changes)), REGION, cuts)


def test_advice_is_not_on_stars_that_are_kept(tmp_path):
    given = native(ruwe=np.full(N, np.nan), phot_g_mean_mag=np.repeat([19.0, 12.0], [35, N - 35]))
    with pytest.raises(DataError, match=r"45 stars are left .*; relax clusters.cuts.max_g_mag$"):
        gaia.select(read(tmp_path, given), REGION, gaia.Cuts(1.4, 18.0))


def test_where_no_cut_took_stars_the_cone_is_too_small(tmp_path):
    with pytest.raises(DataError, match=r"to tell a cluster from the field; enlarge radius_deg \(1\)$"):
        gaia.select(read(tmp_path, native(20)), REGION, gaia.Cuts())


def test_cone_of_radius_0_is_refused(tmp_path):
    cone = Region("M 1", REGION.centre, 0.0)
    with pytest.raises(DataError, match="radius_deg is 0, expected above 0"):
        gaia.select(read(tmp_path, native()), cone, gaia.Cuts())
    with pytest.raises(DataError, match="radius_deg is 0, expected above 0"):
        gaia.query(cone, "DR3")


@pytest.mark.parametrize(("release", "ruwe"), [("DR2", "q.ruwe"), ("DR3", "s.ruwe")])
def test_archive_is_asked_for_all_columns_of_the_cone(release, ruwe):
    query = gaia.query(Region("M 1", Centre(-0.5, 10.0), 1.25), release)
    assert list(query.columns) == STARS.names
    assert query.columns["ruwe"] == ruwe
    assert f"gaia{release.lower()}.gaia_source AS s" in query.source
    assert ("gaiadr2.ruwe" in query.source) == (release == "DR2")
    assert "CIRCLE('ICRS', 359.5000000000, 10.0000000000, 1.2500000000)" in query.source
