"""The native files of the surveys' light curves, from small ones made here."""

import dataclasses
import io
import re
import tarfile
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from curve_archives import CRTS_COLUMNS, Star, bulk, csv_text, macho_line, macho_tile, votable, ztf_rows

from workflow_scripts import tables
from workflow_scripts.archives.retry import RefusedError
from workflow_scripts.surveys import registry
from workflow_scripts.surveys.curves import LightCurves
from workflow_scripts.surveys.download_curves import read_native
from workflow_scripts.surveys.plugins import asassn, crts, macho, ogle, ztf, ztf_bulk
from workflow_scripts.tables import DataError

CURVES = ["asassn", "crts", "eros", "macho", "ogle", "sdss_stripe82", "ztf", "ztf_bulk"]
STARS = [Star(202116200000001, "zg", 1.0, 1.0, 3), Star(1727304100018074, "zi", 1.0, 1.0, 2)]


def native(name, *paths, bands=(), objects=()):
    """Light curves of native files, as (object, band): rows."""
    rows = read_native(registry.load(name), paths, bands, objects)
    assert rows.schema == tables.RAW_LIGHT_CURVES.schema
    return {(row["object_id"], row["band"]): row for row in rows.to_pylist()}


def packed(path, files):
    """Zip or tar archive with some files of text."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
    else:
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
            for name, text in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
    return path


# All


def test_these_are_the_surveys_with_light_curves():
    assert [name for name in registry.names() if registry.load(name).light_curves] == CURVES


@pytest.mark.parametrize("name", CURVES)
def test_plug_in_says_what_a_reader_asks(name):
    survey = registry.load(name)
    curves = survey.light_curves
    assert re.search(r"\b(19|20)\d\d\b", survey.reference)
    assert {"object_id", "time", "mag", "mag_err"} <= curves.columns.keys()
    assert (curves.source is None) == bool(curves.by_hand)
    assert sum(way is not None for way in (curves.find, curves.ids)) <= 1
    if curves.source and curves.find is None and curves.ids is None:
        assert {"archive_id", "ra_deg", "dec_deg"} <= curves.columns.keys(), "a position needs to be compared with one"


@pytest.mark.parametrize("name", [name for name in CURVES if registry.load(name).light_curves.source])
def test_source_reads_what_the_record_maps(name):
    curves = registry.load(name).light_curves
    nobody = pa.table({"object_id": pa.array([], pa.string()), "ra_deg": pa.array([], pa.float64()), "dec_deg": []})
    source = curves.source(nobody, 1.5)
    assert set(curves.columns.values()) <= set(source.columns)
    assert source.id in source.columns
    assert set(source.unique) <= set(source.columns)
    assert source.batch <= 100 or source.file, "an archive is asked for at most 100 at a time"


def test_records_that_nobody_can_follow_are_refused():
    given = {"columns": {}, "bands": {"V": "V"}, "time_format": "mjd", "read": lambda *_: None}
    for more in ({}, {"by_hand": "here", "source": lambda *_: None}):
        with pytest.raises(ValueError, match="by_hand says where they are"):
            LightCurves(**given, **more)
    with pytest.raises(ValueError, match="not one band"):
        LightCurves(**(given | {"bands": {"V": "V", "g": "g"}}), by_hand="here")


# ZTF


def test_ztf_votable_and_csv_are_the_same_light_curves(tmp_path):
    rows = [row for star in STARS for row in ztf_rows(star)]
    (tmp_path / "a.vot").write_bytes(votable(rows))
    (tmp_path / "a.csv").write_bytes(csv_text([*ztf.COLUMNS], rows))
    found = native("ztf", tmp_path / "a.vot")
    assert found == native("ztf", tmp_path / "a.csv")
    assert set(found) == {("202116200000001", "g"), ("1727304100018074", "i")}
    one = found["202116200000001", "g"]
    np.testing.assert_allclose(one["time"], 58242.4927082820 + 3.1 * np.arange(3), rtol=0, atol=1e-9)  # digits of a JD
    assert one["usable"] == [False, True, True]


def test_ztf_votable_that_is_cut_is_refused_wherever_it_is_cut(tmp_path):
    body = votable(ztf_rows(STARS[0])).rstrip()
    path = tmp_path / "a.vot"
    for length in range(1, len(body)):
        path.write_bytes(body[:length])
        with pytest.raises(DataError, match="may be cut"):
            ztf.read(path, [])
    path.write_bytes(body)
    assert ztf.read(path, []).num_rows == 3


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        ("OVERFLOW", RefusedError, "the archive cut its answer at 3 rows"),
        ("ERROR", DataError, "QUERY_STATUS is ERROR; the archive says: 'as the service says'"),
    ],
)
def test_ztf_votable_that_says_it_is_not_whole_is_refused(tmp_path, status, kind, message):
    path = tmp_path / "a.vot"
    path.write_bytes(votable(ztf_rows(STARS[0]), status))
    with pytest.raises(kind, match=message):
        ztf.read(path, [])
    path.write_bytes(votable(ztf_rows(STARS[0]), "OK"))
    assert ztf.read(path, []).num_rows == 3


def test_ztf_bulk_file_without_identifiers_is_named(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(bulk(STARS[:1]))
    pq.write_table(pq.read_table(path).rename_columns({"objectid": "oid"}), path)
    assert "objectid" not in ztf_bulk.read(path, ["202116200000001"]).column_names
    with pytest.raises(DataError, match=r"no columns \['objectid'\] of ZTF light curves in bulk files"):
        native("ztf_bulk", path)


@pytest.mark.parametrize("lost", ["oid", "magerr", "filtercode", "catflags"])
def test_native_file_without_a_column_is_named(tmp_path, lost):
    names = [name for name in ("oid", "expid", "hjd", "mag", "magerr", "catflags", "filtercode") if name != lost]
    (tmp_path / "a.csv").write_bytes(csv_text(names, ztf_rows(STARS[0])))
    with pytest.raises(DataError, match=rf"a\.csv: no columns \['{lost}'\] of ZTF light curves .*, found \['"):
        native("ztf", tmp_path / "a.csv")


def test_ztf_objects_are_asked_for_with_the_circle_on_the_target():
    query = ztf.objects(1.5 / 3600)
    assert "CIRCLE('ICRS', t.ra_deg, t.dec_deg, 0.000416667)" in query.adql
    assert "ztf_objects_dr18 AS o" in query.adql


def test_ztf_request_has_one_id_for_each_light_curve():
    request = ztf.source(None, 1.5).request(["1", "2"])
    assert request.parameters == (("ID", "1"), ("ID", "2"), ("COLLECTION", "ztf_dr18"), ("FORMAT", "VOTABLE"))


def test_ztf_bulk_file_and_service_agree(tmp_path):
    (tmp_path / "a.parquet").write_bytes(bulk(STARS))
    (tmp_path / "a.vot").write_bytes(votable([row for star in STARS for row in ztf_rows(star)]))
    found, expected = native("ztf_bulk", tmp_path / "a.parquet"), native("ztf", tmp_path / "a.vot")
    assert found.keys() == expected.keys()
    for key, row in found.items():
        np.testing.assert_allclose(row.pop("time"), expected[key].pop("time"), rtol=0, atol=1e-9)
        assert row == expected[key]
    assert set(native("ztf_bulk", tmp_path / "a.parquet", objects=["1727304100018074"])) == {("1727304100018074", "i")}


def test_ztf_bulk_file_is_named_by_the_identifier():
    assert ztf_bulk.file("202116200000001") == "ztf_000202_zg_c16_q2_dr18.parquet"
    assert ztf_bulk.file("1727304100018074") == "ztf_001727_zi_c04_q1_dr18.parquet"
    urls = [ztf_bulk.source(None, 1.5).request([oid]).url for oid in ("202116200000001", "1727304100018074")]
    assert [url.rsplit("/", 3)[1:3] for url in urls] == [["0", "field000202"], ["1", "field001727"]]


def test_ztf_bulk_times_of_low_resolution_are_said(tmp_path, caplog):
    (tmp_path / "a.parquet").write_bytes(bulk(STARS, pa.float32()))
    native("ztf_bulk", tmp_path / "a.parquet")
    assert "times are stored to 0.004 d only" in caplog.text


def test_ztf_bulk_file_that_is_cut_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(bulk(STARS)[:-9])
    with pytest.raises(DataError, match="not a whole Parquet file"):
        native("ztf_bulk", tmp_path / "a.parquet")


# ASAS-SN


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("time,mag,mag_err\n2457420.5,14.25,0.0625\n2457421.5,14.5,0.0625\n", "V+g"),
        ("HJD,Camera,mag,mag_err,Filter\n2457420.5,ba,14.25,0.0625,g\n2457421.5,bb,14.5,0.0625,g\n", "g"),
        ("# ASAS-SN\n# HJD MAG MAG_ERR FLUX FLUX_ERR\n2457420.5 14.25 0.0625 1 1\n2457421.5 14.5 0.0625 1 1\n", "V+g"),
        (
            "HJD camera mag mag_err flux flux_err\n2457420.5 ba 14.25 0.0625 1 1\n2457421.5 ba 14.5 0.0625 1 1\n\n",
            "V+g",
        ),
    ],
)
def test_asassn_files_are_read_by_their_headers(tmp_path, text, band):
    (tmp_path / "J1.csv").write_text(text)
    found = native("asassn", tmp_path / "J1.csv")["J1", band]
    assert found["time"] == [57420.0, 57421.0]
    assert found["mag"] == [14.25, 14.5]
    assert found["mag_err"] == [0.0625, 0.0625]


SKY_PATROL = {
    # As the archive's client saves it, in examples/vxmen.csv of its repository: a comment that names other magnitudes.
    "client": '# "asas_sn_id":12702,"pstarrs_g_mag":13.135,"g_mag_abs":20.65,"name":"VX Men"\n'
    "jd,flux,flux_err,mag,mag_err,limit,fwhm,image_id,camera,quality,phot_filter,asas_sn_id\n"
    "2457420.5,24.3,0.09,14.25,0.0625,17.3,1.4,x1,bi,G,g,12702\n2457421.5,24.3,0.09,14.5,0.0625,17.3,1.4,x1,bi,B,g,12702\n",
    "web site": "JD,Flux,Flux Error,Mag,Mag Error,Limit,FWHM,Filter,Quality,Camera\n"
    "2457420.5,24.3,0.09,14.25,0.0625,17.3,1.4,g,G,bi\n2457421.5,24.3,0.09,14.5,0.0625,17.3,1.4,g,U,bi\n",
}


@pytest.mark.parametrize("kind", SKY_PATROL)
def test_asassn_files_of_the_second_sky_patrol_are_read_with_their_quality(tmp_path, kind):
    (tmp_path / "12702.csv").write_text(SKY_PATROL[kind])
    found = native("asassn", tmp_path / "12702.csv")["12702", "g"]
    assert found["time"] == [57420.0, 57421.0]
    assert found["mag"] == [14.25, 14.5]
    assert found["mag_err"] == [0.0625, 0.0625]
    assert found["usable"] == [True, False]


def test_native_files_spell_names_by_one_rule(tmp_path):
    text = "HJD,mag,mag_err\n2457420.5,14.25,0.0625\n"
    for name in ("7.0", "7.1"):
        (tmp_path / f"{name}.csv").write_text(text)
    assert {star for star, _ in native("asassn", tmp_path / "7.0.csv", tmp_path / "7.1.csv")} == {"7.0", "7.1"}


def test_asassn_upper_limit_is_no_measurement(tmp_path):
    limits = "2457420.5,>16.5,99.99,V\n2457420.6,>16.4,99.99,V\n"
    (tmp_path / "J1.csv").write_text(f"HJD,mag,mag_err,Filter\n{limits}2457421.5,14.5,0.0625,V\n")
    mag = native("asassn", tmp_path / "J1.csv")["J1", "V"]["mag"]
    assert np.isnan(mag[:2]).all()
    assert mag[2] == 14.5


def test_asassn_archives_have_the_names_of_the_catalogue(tmp_path):
    text = "HJD MAG MAG_ERR\n2457420.5 14.25 0.0625\n"
    v = packed(
        tmp_path / "v.zip", {"vardb_files/": "", "vardb_files/ASASSN-VJ235959.33+532742.6.dat": text, "readme": ""}
    )
    g = packed(tmp_path / "g.tar", {"g_band_lcs/ASASSN-V_J161010.64+053305.0.dat": text, "g_band_lcs/other.txt": "x"})
    star, other = "J235959.33+532742.6", "J161010.64+053305.0"
    assert set(native("asassn", v, g)) == {(star, "V"), (other, "g")}
    assert set(native("asassn", v, g, objects=[other])) == {(other, "g")}
    assert asassn.star("J082513_94-361722_0.csv") == "J082513_94-361722_0"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 2 3\n", "no line with the names of columns"),
        ("when,mag,mag_err\n1,2,3\n", r"columns \['when', 'mag', 'mag_err'\], expected one of \('hjd', 'time', 'jd'\)"),
        ("hjd,mag,mag_err\n1,2,3\n1,2\n", "2 values in line 2 of the data, expected"),
    ],
)
def test_asassn_file_of_another_kind_is_refused(tmp_path, text, why):
    (tmp_path / "J1.csv").write_text(text)
    with pytest.raises(DataError, match=why):
        native("asassn", tmp_path / "J1.csv")


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_archive_of_files_that_is_cut_is_refused(tmp_path, name):
    text = "".join(f"{np.random.default_rng(i).random()}\n" for i in range(999))
    path = packed(tmp_path / name, {"ASASSN-VJ1.dat": f"HJD MAG MAG_ERR\n{text}"})
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match="not a whole file of light curves"):
        native("asassn", path)


# OGLE


def test_ogle_folder_says_the_band(tmp_path):
    files = packed(
        tmp_path / "phot.tar.gz", {"phot/I/OGLE-SMC-ECL-1.dat": "5260.5 14.25 0.5\n", "phot/V/OGLE-SMC-ECL-1.dat": ""}
    )
    found = native("ogle", files)
    assert set(found) == {("OGLE-SMC-ECL-1", "I")}
    assert found["OGLE-SMC-ECL-1", "I"]["time"] == [55260.0]
    (tmp_path / "OGLE-SMC-ECL-1.dat").write_text("5260.5 14.25 0.5\n")
    with pytest.raises(DataError, match="expected a file in a folder I or V"):
        native("ogle", tmp_path / "OGLE-SMC-ECL-1.dat")


def test_ogle_downloaded_file_is_what_was_asked_for(tmp_path):
    path = tmp_path / ".0123.dat.x.dat"
    path.write_text("5260.5 14.25 0.5\n")
    assert ogle.read(path, ["V/OGLE-SMC-ECL-1"]).to_pylist()[0] == {
        "curve": "V/OGLE-SMC-ECL-1", "object_id": "OGLE-SMC-ECL-1", "band": "V",
        "hjd": "5260.5", "mag": "14.25", "mag_err": "0.5",
    }  # fmt: skip


def test_ogle_times_of_another_system_are_refused(tmp_path):
    (tmp_path / "I").mkdir()
    (tmp_path / "I" / "OGLE-LMC-CEP-1.dat").write_text("2452260.5 14.25 0.5\n")
    with pytest.raises(DataError, match="outside the years 1900-2100"):
        native("ogle", tmp_path / "I" / "OGLE-LMC-CEP-1.dat")


def test_ogle_request_follows_the_name():
    url = ogle.source(None, 1.5).request(["V/OGLE-BLG-RRLYR-00002"]).url
    assert url == "https://www.astrouw.edu.pl/ogle/ogle4/OCVS/blg/rrlyr/phot/V/OGLE-BLG-RRLYR-00002.dat"


# CRTS


def test_crts_csv_keeps_one_light_curve_of_an_object_and_its_flags(tmp_path):
    head = {"Mag": 15.25, "Magerr": 0.0625, "RA": 1.0, "Decl": 2.0}
    rows = [head | {"InputID": 7, "ID": 100, "MJD": 53500.5 + i, "Blend": float(i == 0)} for i in range(3)]
    rows += [head | {"InputID": 7, "ID": 200, "MJD": 53500.5 + i, "Blend": 1.0} for i in range(5)]
    (tmp_path / "a.csv").write_bytes(csv_text(CRTS_COLUMNS, rows))
    found = native("crts", tmp_path / "a.csv")
    assert set(found) == {("7", "V_CSS")}
    assert found["7", "V_CSS"]["usable"] == [False, True, True], "the longer one has no good point"


def test_crts_numbers_stand_for_the_targets_in_their_order(tmp_path):
    (tmp_path / "a.csv").write_bytes(csv_text(CRTS_COLUMNS, [{"InputID": n} for n in (2, 1, 2, 3)]))
    assert crts.read(tmp_path / "a.csv", ["star a", "star b"])["InputID"].to_pylist() == [
        "star b",
        "star a",
        "star b",
        "3",
    ]


@pytest.mark.parametrize(
    "page",
    [
        '<a href="http://nesssi.cacr.caltech.edu/DataRelease/upload/result_web_fileAb1.csv">save</a>',
        "<input onclick=\"location='/DataRelease/upload/result_web_fileAb1.csv'\">",
    ],
)
def test_crts_page_links_to_the_result(page):
    assert crts.page(page).url == "http://nesssi.cacr.caltech.edu/DataRelease/upload/result_web_fileAb1.csv"


def test_crts_page_without_data_is_an_answer():
    assert crts.page("This area is not covered by CSS data.") is None


def test_crts_files_of_stars(tmp_path):
    files = packed(
        tmp_path / "dat.tar.gz",
        {"dat/302.dat": "53604.5 19.5 0.5\n53605.5 19.25 0.25\n", "dat/303.dat": "53604.5 19.5 0.5\n"},
    )
    assert native("crts", files)["302", "V_CSS"]["mag"] == [19.5, 19.25]
    assert set(native("crts", files, objects=["303"])) == {("303", "V_CSS")}


# MACHO, Stripe 82, EROS


def test_macho_columns_are_where_the_archive_says(tmp_path):
    line = macho_line("1.3319.10", 49000.25, -6.5, -6.25).split(";")
    assert len(line) == 39
    assert (line[0], line[9], line[24]) == ("", "-6.5", "-6.25"), "red is column 10, blue column 25, counted from 1"
    (tmp_path / "F_1.3319.gz").write_bytes(macho_tile({"1.3319.10": 4, "1.3319.11": 1}))
    found = native("macho", tmp_path / "F_1.3319.gz")
    assert set(found) == {(f"1.3319.{star}", band) for star in (10, 11) for band in "RV"}
    assert found["1.3319.10", "V"]["mag"] == [17.75] * 4
    assert found["1.3319.10", "R"]["mag_err"] == [0.03125] * 4
    assert set(native("macho", tmp_path / "F_1.3319.gz", bands=["V"], objects=["1.3319.11"])) == {("1.3319.11", "V")}


def test_macho_calibrated_magnitudes_are_refused(tmp_path):
    """The zero point is for instrumental magnitudes: twice a zero point must not pass."""
    (tmp_path / "F_1.1.csv").write_text(macho_line("1.1.1", 49000.25, 18.5, 18.25) + "\n")
    with pytest.raises(DataError, match="outside -5 to 40"):
        native("macho", tmp_path / "F_1.1.csv")


def test_macho_file_that_is_cut_is_refused(tmp_path):
    (tmp_path / "F_1.1.gz").write_bytes(macho_tile({"1.1.1": 500})[:-20])
    with pytest.raises(DataError, match="not a whole tile file of 39 columns"):
        native("macho", tmp_path / "F_1.1.gz")
    (tmp_path / "F_1.1.csv").write_text("1;2;3\n")
    with pytest.raises(DataError, match="not a whole tile file of 39 columns"):
        native("macho", tmp_path / "F_1.1.csv")


def test_macho_file_is_read_in_parts_of_bounded_size(tmp_path, monkeypatch):
    (tmp_path / "F_1.1.gz").write_bytes(macho_tile({f"1.1.{i}": 60 for i in range(400)}))
    seen, points = [], macho._points
    monkeypatch.setattr(macho, "_points", lambda rows, ids: seen.append(len(rows)) or points(rows, ids))
    assert macho.read(tmp_path / "F_1.1.gz", ["1.1.7"]).num_rows == 120
    assert sum(seen) == 24_000
    assert len(seen) > 1


def test_stripe_82_has_five_bands_with_their_own_times(tmp_path):
    points = [f"5{i}000.5 {15.5 + i} 0.125" for i in range(1, 6)]
    missing = [f"5{i}001.5 -99.99 -99.99" for i in range(1, 6)]
    text = f"30.5 -0.5 {' '.join(points)}\n30.5 -0.5 {' '.join([*points[:4], missing[4]])}\n"
    found = native(
        "sdss_stripe82", packed(tmp_path / "table1.tar.gz", {"table1/1013184.dat": text, "table1/99.dat": ""})
    )
    assert set(found) == {("1013184", band) for band in "ugriz"}
    assert found["1013184", "g"]["mag"] == [17.5, 17.5]
    assert found["1013184", "u"]["time"] == [51000.5] * 2
    assert found["1013184", "z"]["mag"] == [20.5, np.float32(-99.99)], "what is missing stays for cleaning to count"


def test_stripe_82_line_that_is_cut_is_refused(tmp_path):
    (tmp_path / "1.dat").write_text("30.5 -0.5 51000.5 16.5\n")
    with pytest.raises(DataError, match=r"1\.dat: 4 values in line 1 of the data, expected"):
        native("sdss_stripe82", tmp_path / "1.dat")


def test_eros_table(tmp_path):
    rows = {
        "object_id": ["135_9613"] * 2,
        "band": ["B", "R"],
        "time": [290.5, 291.5],
        "mag": [19.25, 18.5],
        "mag_err": [0.25] * 2,
    }
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    found = native("eros", tmp_path / "a.parquet")
    assert found["135_9613", "B"]["time"] == [50290.0]
    assert set(native("eros", tmp_path / "a.parquet", bands=["R"], objects=["135_9613"])) == {("135_9613", "R")}
    pq.write_table(pa.table(rows).drop(["band"]), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"no columns \['band'\]"):
        native("eros", tmp_path / "a.parquet")


def test_survey_can_be_told_to_flag_otherwise(tmp_path):
    """The limit is the record's: what is at or above it is unusable."""
    (tmp_path / "a.vot").write_bytes(votable(ztf_rows(STARS[0])))
    survey = registry.load("ztf")
    strict = dataclasses.replace(survey, light_curves=dataclasses.replace(survey.light_curves, flag_limit=0))
    assert read_native(strict, [tmp_path / "a.vot"], [])["usable"].to_pylist() == [[False] * 3]
