"""The catalogues that the surveys' plug-ins describe: what they ask for, and how their own files are read."""

import gzip
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from workflow_scripts.surveys import catalogue as catalogues
from workflow_scripts.surveys import registry
from workflow_scripts.surveys.catalogue import Catalogue, Files
from workflow_scripts.surveys.plugins import ogle_variables, palaversa_2013, sdss_standards
from workflow_scripts.tables import SOURCES, DataError

# Tables of the archives, and the file that stands for each.
TABLES = {
    "allwise": "gaiadr1.allwise_original_valid",
    "asassn_variables": '"II/366/catv2021"',
    "chandra": '"IX/57/csc2master"',
    "chen_2020": '"J/ApJS/249/18/table2"',
    "dias_2002": '"B/ocl/clusters"',
    "drake_2014": '"J/ApJS/213/9/table3"',
    "drake_2017": '"J/MNRAS/469/3688/table4"',
    "gaia_dr2": "gaiadr2.gaia_source",
    "gaia_dr3": "gaiadr3.gaia_source",
    "lamost_dr9": "external.lamost_dr9_lrs",
    "macho_variables": '"II/247/machovar"',
    "rimoldini_2023": "gaiadr3.vari_classifier_result AS v JOIN gaiadr3.gaia_source AS g ON v.source_id = g.source_id",
    "spitzer_sage": '"II/305/catalog"',
    "twomass": "gaiadr1.tmass_original_valid",
    "xmm": '"IX/40/xmm2is"',
}
FILES = {"ogle_variables", "palaversa_2013", "sdss_standards"}
NEVER_WHOLE = {"allwise", "gaia_dr2", "gaia_dr3", "twomass"}


def catalogue(name: str) -> Catalogue:
    found = registry.load(name).catalogue
    assert found is not None
    return found


def test_every_catalogue_of_the_papers_has_its_plug_in():
    assert set(TABLES) | FILES <= set(registry.offers()["catalogue"])
    assert "jayasinghe_2020" not in registry.names(), "it is asassn_variables"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_plug_in_asks_for_the_table_that_the_archive_has(name):
    assert catalogue(name).origin.source == TABLES[name]


@pytest.mark.parametrize("name", registry.offers()["catalogue"])
def test_plug_in_is_whole(name):
    survey, found = registry.load(name), catalogue(name)
    assert survey.title
    assert re.search(r"\b(19|20)\d\d\b", survey.reference)
    assert found.rows > 0
    assert 1990 < found.epoch_yr < 2030
    assert (found.parts > 1) == bool(found.split_on)
    assert all(code and kind for code, kind in found.classes.items())
    if isinstance(found.origin, Files):
        assert found.limit is None
        assert len({request.url for request in found.origin.requests}) == len(found.origin.requests)
        return
    needed = {*found.identity, "ra_deg", "dec_deg", *filter(None, [found.best])}
    assert needed <= set(found.origin.columns)
    assert "where" not in found.origin.source.casefold()
    assert not found.classes or "class" in found.origin.columns


@pytest.mark.parametrize("name", sorted(TABLES))
def test_whole_catalogue_fits_into_its_jobs_or_is_refused(name):
    found = catalogue(name)
    if name in NEVER_WHOLE:
        with pytest.raises(DataError, match=r"where: Gaia archive gives at most 2999999 rows in 1 jobs"):
            catalogues.jobs(found, "")
        assert len(catalogues.jobs(found, "dec > 60")) == 1
    else:
        assert len(catalogues.jobs(found, "")) == found.parts
        assert 1.05 * found.rows / found.parts < found.origin.max_rows


def test_parts_and_condition_make_the_queries():
    first, *_, last = catalogues.jobs(catalogue("lamost_dr9"), "snrg >= 20 OR snrr >= 20")
    assert first.adql == (
        'SELECT uid AS "object_id", obsid AS "obsid", ra AS "ra_deg", dec AS "dec_deg", snrg AS "snrg" '
        "FROM external.lamost_dr9_lrs WHERE (snrg >= 20 OR snrr >= 20) AND MOD(obsid, 5) = 0"
    )
    assert last.source.endswith("AND MOD(obsid, 5) = 4")
    assert catalogues.jobs(catalogue("lamost_dr9"), "")[0].source.endswith("WHERE MOD(obsid, 5) = 0")
    (query,) = catalogues.jobs(catalogue("asassn_variables"), '"Prob" > 0.95')
    assert query.source == '"II/366/catv2021" WHERE ("Prob" > 0.95)'
    (query,) = catalogues.jobs(catalogue("dias_2002"), "")
    assert query.adql == (
        'SELECT Cluster AS "object_id", RAJ2000 AS "ra_deg", DEJ2000 AS "dec_deg", Diam AS "diameter_arcmin" '
        'FROM "B/ocl/clusters"'
    )


def test_files_take_no_condition():
    assert catalogues.jobs(catalogue("ogle_variables"), "") == []
    with pytest.raises(DataError, match="'ra > 3' cannot be asked of OGLE"):
        catalogues.jobs(catalogue("ogle_variables"), "ra > 3")


# Readers of files


def test_ident_dat_of_ogle(tmp_path):
    path = tmp_path / "ident.dat"
    path.write_text(
        "OGLE-LMC-CEP-0001       1O  04:30:57.72 -69:03:37.4  LMC546.19.3065\n"
        "OGLE-BLG-ECL-000002         17:12:00.00  00:30:00.0\n"
        "OGLE-SMC-T2CEP-01    BLHer  00:00:04.00 -00:30:36.0  SMC1 x y\n"
    )
    found = ogle_variables.read(path).to_pylist()
    assert [row["object_id"] for row in found] == ["OGLE-LMC-CEP-0001", "OGLE-BLG-ECL-000002", "OGLE-SMC-T2CEP-01"]
    assert [row["class"] for row in found] == ["CEP_1O", "ECL", "T2CEP_BLHer"]
    np.testing.assert_allclose([row["ra_deg"] for row in found], [67.7405, 258.0, 15 * 4 / 3600], rtol=1e-12)
    np.testing.assert_allclose([row["dec_deg"] for row in found], [-69.0603888889, 0.5, -0.51], rtol=1e-11)


def test_empty_ident_dat_has_no_rows_but_columns(tmp_path):
    (tmp_path / "ident.dat").write_text("# nothing yet\n\n")
    found = ogle_variables.read(tmp_path / "ident.dat")
    assert (found.num_rows, found.column_names) == (0, ["object_id", "ra_deg", "dec_deg", "class"])


LINEAR = " 119.526443   46.962120   1.1 0.3 1.0 0.2  {:>12}  0.6 -0.3 -0.5 16.37 301  {}  {}\n"


def test_file_of_linear(tmp_path):
    path = tmp_path / "linear.dat.gz"
    path.write_bytes(
        gzip.compress(("# ra dec ...\n" + LINEAR.format(-0.5, 1, 29848) + LINEAR.format(2, 6, 7)).encode())
    )
    assert palaversa_2013.read(path).to_pylist() == [
        {
            "object_id": name,
            "ra_deg": 119.526443,
            "dec_deg": 46.96212,
            "class": code,
            "catalogue_period_d": pytest.approx(period),
        }
        for name, code, period in (("29848", "1", 10**-0.5), ("7", "6", 100.0))
    ]


def test_file_of_standard_stars(tmp_path):
    path = tmp_path / "stars.dat"
    path.write_text(
        "### candidate standard stars\n"
        "CALIBSTARS_v2.6 308.500214  -1.227721   0.032 0.061   4  0.400\n"
        "CALIBSTARS_v2.6   0.000100   1.200000   0.032 0.061   4  0.400\n"
    )
    found = sdss_standards.read(path)
    assert found["object_id"].to_pylist() == ["S82 308.500214-1.227721", "S82 0.000100+1.200000"]
    assert found["dec_deg"].to_pylist() == [-1.227721, 1.2]


@pytest.mark.parametrize(
    ("module", "text", "message"),
    [
        (ogle_variables, "OGLE-LMC-CEP-0001  1O  no position\n", "not a line of an ident.dat: 'OGLE-LMC-CEP-0001"),
        (palaversa_2013, "119.5 46.9 1.1\n", r"3 values in a line, expected \('ra', 'dec'"),
        (sdss_standards, "OTHERSTARS 308.5 -1.2 0.3\n", "not a line of standard stars: .*'OTHERSTARS'"),
    ],
)
def test_file_in_another_format_is_refused(tmp_path, module, text, message):
    (tmp_path / "file.dat").write_text(text)
    with pytest.raises(DataError, match=message):
        module.read(tmp_path / "file.dat")


@pytest.mark.parametrize("content", [gzip.compress(LINEAR.format(1, 1, 1).encode(), mtime=0)[:-12], b"\xff\xfe\xff"])
def test_broken_file_is_refused(tmp_path, content):
    (tmp_path / "file.dat").write_bytes(content)
    with pytest.raises(DataError, match="not a whole text file"):
        palaversa_2013.read(tmp_path / "file.dat")


# Real files


@pytest.mark.real
def test_real_ident_dat(real_data):
    found = ogle_variables.read(real_data / "ogle_lmc_cepheids" / "ident.dat")
    assert found.num_rows == len(set(found["object_id"].to_pylist())) == 4704
    counts = {item["values"]: item["counts"] for item in pc.value_counts(found["class"]).to_pylist()}
    text = (real_data / "ogle_lmc_cepheids" / "ident.dat").read_text().splitlines()
    assert counts == {
        f"CEP_{kind}": n for kind, n in zip(*np.unique([t.split()[1] for t in text], return_counts=True), strict=True)
    }
    # The Large Magellanic Cloud
    assert 60 < pc.min(found["ra_deg"]).as_py() < pc.max(found["ra_deg"]).as_py() < 100
    assert -80 < pc.min(found["dec_deg"]).as_py() < pc.max(found["dec_deg"]).as_py() < -55


@pytest.mark.real
def test_real_linear_file(real_data):
    found = palaversa_2013.read(real_data / "catalogues" / "LINEARattributesFinalApr2013.dat.gz")
    assert found.num_rows == catalogue("palaversa_2013").rows
    counts = {item["values"]: item["counts"] for item in pc.value_counts(found["class"]).to_pylist()}
    assert counts == {"1": 2612, "2": 864, "4": 342, "5": 2246, "6": 82}  # as the header of the file has them
    assert set(counts) == set(catalogue("palaversa_2013").classes)
    median = {kind: np.median(found.filter(pc.equal(found["class"], kind))["catalogue_period_d"]) for kind in counts}
    assert 0.5 < median["1"] < 0.62  # RR Lyrae of types ab and c, delta Scuti
    assert 0.28 < median["2"] < 0.38
    assert median["6"] < 0.1


def test_contract_of_sources():
    assert SOURCES.names == ["object_id", "ra_deg", "dec_deg", "class", "catalogue_period_d"]
    assert [c.name for c in SOURCES.columns if c.nullable] == ["class", "catalogue_period_d"]
    assert SOURCES.schema.field("ra_deg").type == pa.float64()
