import logging

import pyarrow as pa
import pytest
from survey_files import save

from workflow_scripts import tables
from workflow_scripts.surveys import columns, lists
from workflow_scripts.tables import DataError

STARS = {
    "object_id": [3, 1, 2],
    "ra_deg": [359.9, 0.0, 12.5],
    "dec_deg": [-90.0, 90.0, None],
    "class": ["EA", None, "EW"],
    "catalogue_period_d": [1.5, None, 0.3],
}
COLOURS = {"object_id": ["1", "2"], "g_mag": [15.0, None], "parallax_mas": [-0.3, 2.0], "w1_mag": [14.0, -99.99]}


def curves(*ids: str) -> pa.Table:
    columns_ = {"time": [[]] * len(ids), "mag": [[]] * len(ids), "mag_err": [[]] * len(ids), "usable": [[]] * len(ids)}
    rows = {"object_id": sorted(ids), "band": ["V"] * len(ids), **columns_}
    return pa.table(rows, schema=tables.RAW_LIGHT_CURVES.schema)


def objects(*paths, ids=("1", "2", "3"), mapping=None) -> pa.Table:
    opened = [columns.read(path, lists.OBJECT, lists.REQUIRED, mapping or {}) for path in paths]
    return lists.objects(opened, curves(*ids), "test survey")


def photometry(*paths, ids=("1", "2", "3")) -> pa.Table:
    opened = [columns.read(path, lists.PHOTOMETRY, lists.REQUIRED, {}) for path in paths]
    return lists.photometry(opened, lists.objects([], curves(*ids), "test survey"))


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".vot"])
def test_a_list_of_objects_becomes_the_objects_table(tmp_path, suffix):
    given = STARS
    if suffix == ".vot":  # astropy's columns need one type each
        given = {**STARS, "dec_deg": [-90.0, 90.0, float("nan")], "catalogue_period_d": [1.5, float("nan"), 0.3]}
        given["class"] = ["EA", "", "EW"]
    found = objects(save(tmp_path / f"a{suffix}", given))
    assert found.schema == tables.OBJECTS.schema
    survey = {"survey": "test survey"}
    assert found.to_pylist() == [
        {"object_id": "1", **survey, "ra_deg": 0.0, "dec_deg": 90.0, "class": None, "catalogue_period_d": None},
        {"object_id": "2", **survey, "ra_deg": 12.5, "dec_deg": None, "class": "EW", "catalogue_period_d": 0.3},
        {"object_id": "3", **survey, "ra_deg": 359.9, "dec_deg": -90.0, "class": "EA", "catalogue_period_d": 1.5},
    ]


def test_objects_without_light_curves_stay_and_observed_ones_get_a_row(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    found = objects(save(tmp_path / "a.parquet", STARS), ids=("2", "9", "8"))
    assert found["object_id"].to_pylist() == ["1", "2", "3", "8", "9"]
    assert found["ra_deg"].to_pylist() == [0.0, 12.5, 359.9, None, None]
    assert found["class"].to_pylist() == [None, "EW", "EA", None, None]
    said = {record.getMessage(): record.levelname for record in caplog.records}
    assert said["3 objects listed, 2 of them without a light curve"] == "WARNING"
    assert said["2 objects have light curves but no row in a list: no coordinates, no class"] == "WARNING"


@pytest.mark.parametrize("ids", [("1", "2"), ("1", "2", "3", "4")])
def test_objects_that_only_one_side_has_are_usual(tmp_path, caplog, ids):
    caplog.set_level(logging.INFO)
    objects(save(tmp_path / "a.parquet", STARS), ids=ids)
    levels = {record.levelname for record in caplog.records if "light curve" in record.getMessage()}
    assert levels == {"INFO"}


def test_identifiers_without_their_leading_zeros_are_an_error(tmp_path):
    """As a spreadsheet or pandas writes them: those that begin with another digit still match."""
    path = save(tmp_path / "a.csv", {**STARS, "object_id": ["12345", "112345", "23456"]})
    said = r"a\.csv: column object_id, and light curves: 2 names, such as 12345 and 012345, are one number in two spel"
    with pytest.raises(DataError, match=said):
        objects(path, ids=("012345", "112345", "023456"))


@pytest.mark.parametrize("ids", [("007", "7", "8"), ("7", "8"), ("007", "8"), ("7", "007", "8", "08x")])
def test_a_survey_may_have_007_and_7(tmp_path, ids):
    path = save(tmp_path / "a.csv", {**STARS, "object_id": ["007", "7", "8"]})
    assert set(ids) <= set(objects(path, ids=ids)["object_id"].to_pylist())
    # 7 has a light curve and no row, but 007 lacks nothing.
    path = save(tmp_path / "b.csv", {"object_id": ["007"]})
    assert objects(path, ids=("007", "7"))["object_id"].to_pylist() == ["007", "7"]


def test_without_lists_there_is_a_row_for_each_observed_object():
    found = objects(ids=("b", "a"))
    assert found["object_id"].to_pylist() == ["a", "b"]
    assert set(found["survey"].to_pylist()) == {"test survey"}
    assert found["class"].null_count == found["ra_deg"].null_count == 2


def test_an_object_with_two_bands_is_one_object():
    assert lists.objects([], pa.concat_tables([curves("1"), curves("1")]), "s").num_rows == 1


def test_several_lists_are_joined_and_a_column_may_be_in_one_of_them(tmp_path):
    first = save(tmp_path / "a.parquet", {"object_id": [1], "class": ["EA"]})
    second = save(tmp_path / "b.csv", {"object_id": [2], "ra_deg": [5.0], "dec_deg": [6.0]})
    found = objects(first, second)
    assert found["class"].to_pylist() == ["EA", None, None]
    assert found["ra_deg"].to_pylist() == [None, 5.0, None]


def test_a_column_that_is_not_there_is_announced_with_what_is_close(tmp_path, caplog):
    objects(save(tmp_path / "a.csv", {"object_id": [1], "ra": [5.0], "Class": ["EA"]}))
    assert "no column 'class' for class" in caplog.text
    assert "closest: ['Class']" in caplog.text
    assert "no column 'catalogue_period_d'" in caplog.text


def test_classes_that_are_numbers_are_text(tmp_path):
    found = objects(save(tmp_path / "a.parquet", {"object_id": [1, 2, 3], "class": [1.0, None, 12.0]}))
    assert found["class"].to_pylist() == ["1", None, "12"]


def test_periods_of_zero_or_below_are_missing_and_counted(tmp_path, caplog):
    found = objects(save(tmp_path / "a.parquet", {**STARS, "catalogue_period_d": [0.0, -99.0, 0.3]}))
    assert found["catalogue_period_d"].to_pylist() == [None, 0.3, None]
    assert "2 values that stand for a missing one are left out" in caplog.text


def test_an_object_in_two_rows_is_an_error(tmp_path):
    first = save(tmp_path / "a.csv", {"object_id": [1, 2]})
    second = save(tmp_path / "b.parquet", {"object_id": [2, 3, 3]})
    with pytest.raises(DataError, match=r"a\.csv, .*b\.parquet: 2 object_id stand in more than one row, such as"):
        objects(first, second)
    with pytest.raises(DataError, match=r"such as \['3'\]; expected one row per object"):
        objects(second)


def test_no_light_curve_for_any_listed_object_is_an_error(tmp_path):
    path = save(tmp_path / "a.parquet", STARS)
    with pytest.raises(DataError, match=r"none of the 3 objects, such as \['3', '1'\], has a light curve; .*\['x'\]"):
        objects(path, ids=("x",))


def test_objects_of_a_shard_may_all_be_without_a_light_curve(tmp_path):
    opened = columns.read(save(tmp_path / "a.parquet", STARS), lists.OBJECT, lists.REQUIRED, {})
    assert lists.objects_of_few([opened], curves(), "test survey")["object_id"].to_pylist() == ["1", "2", "3"]


@pytest.mark.parametrize(("column", "value"), [("ra_deg", 360.0), ("ra_deg", -0.5), ("dec_deg", 90.5)])
def test_an_impossible_coordinate_is_an_error(tmp_path, column, value):
    path = save(tmp_path / "a.parquet", {**STARS, column: [1.0, 2.0, value]})
    with pytest.raises(DataError, match=rf"column '{column}' .* 1 of 3 values outside .*such as {value}"):
        objects(path)


def test_coordinates_in_sexagesimal_notation_are_an_error(tmp_path):
    with pytest.raises(DataError, match=r"holds text in 3 of 3 rows, such as .*expected numbers"):
        objects(save(tmp_path / "a.csv", {**STARS, "ra_deg": ["12:00:00.1"] * 3}))


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_list_of_photometry_becomes_the_photometry_table(tmp_path, suffix, caplog):
    found = photometry(save(tmp_path / f"a{suffix}", COLOURS))
    assert found.schema == tables.PHOTOMETRY.schema
    assert found.select(["object_id", "parallax_mas", "g_mag", "w1_mag"]).to_pylist() == [
        {"object_id": "1", "parallax_mas": -0.3, "g_mag": 15.0, "w1_mag": 14.0},
        {"object_id": "2", "parallax_mas": 2.0, "g_mag": None, "w1_mag": None},
    ]
    assert found["j_mag"].null_count == 2
    assert "column 'w1_mag' (w1_mag): 1 values that stand for a missing one" in caplog.text


def test_photometry_under_names_that_nobody_mapped_is_an_error(tmp_path):
    path = save(tmp_path / "a.csv", {"object_id": ["1"], "BPmag": [15.0], "RPmag": [14.0]})
    with pytest.raises(DataError) as caught:
        photometry(path)
    message = str(caught.value)
    assert "a.csv: no column of photometry; expected one or more of parallax_mas, g_mag, bp_mag" in message
    assert "the file has ['object_id', 'BPmag', 'RPmag']; say which ones they are under columns: {bp_mag" in message
    good = save(tmp_path / "b.csv", {"object_id": ["2"], "bp_mag": [15.0]})
    with pytest.raises(DataError, match=r"a\.csv: no column of photometry"):
        photometry(good, path)


def test_photometry_without_some_columns_is_warned_of(tmp_path, caplog):
    photometry(save(tmp_path / "a.csv", {"object_id": ["1"], "parallax_mas": [0.5], "bp_mag": [15.0], "RPmag": [1.0]}))
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "a.csv: no columns g_mag, rp_mag, j_mag, h_mag, k_mag, w1_mag, w2_mag, w3_mag, which stay empty" in warning
    assert "the file has ['object_id', 'parallax_mas', 'bp_mag', 'RPmag']" in warning
    caplog.clear()
    photometry(save(tmp_path / "b.csv", {"object_id": ["1"], **{name: [15.0] for name in lists.PHOTOMETRY[1:]}}))
    assert not caplog.records


def test_photometry_of_other_objects_is_left_out_and_counted(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    assert photometry(save(tmp_path / "a.parquet", COLOURS), ids=("2", "7"))["object_id"].to_pylist() == ["2"]
    assert "photometry: 2 rows, 1 of them of objects of this sample" in caplog.text


def test_photometry_of_identifiers_without_their_leading_zeros_is_an_error(tmp_path):
    path = save(tmp_path / "a.csv", {"object_id": ["12", "13", "14"], "g_mag": [15.0, 16.0, 17.0]})
    said = r"a\.csv: objects, and photometry: 1 names, such as 0012 and 12, are one number in two spellings"
    with pytest.raises(DataError, match=said):
        photometry(path, ids=("0012", "13", "99"))
    assert photometry(path, ids=("0012", "12", "13"))["object_id"].to_pylist() == ["12", "13"]


def test_no_photometry_is_an_empty_table():
    found = photometry()
    assert (found.num_rows, found.schema) == (0, tables.PHOTOMETRY.schema)


def test_photometry_of_none_of_the_objects_is_an_error(tmp_path):
    with pytest.raises(
        DataError, match=r"none of the 2 objects, such as \['1', '2'\], is in the sample, which has \['x'\]"
    ):
        photometry(save(tmp_path / "a.parquet", COLOURS), ids=("x",))


def test_photometry_with_an_object_twice_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"1 object_id stand in more than one row, such as \['1'\]"):
        photometry(save(tmp_path / "a.parquet", {**COLOURS, "object_id": ["1", "1"]}))
