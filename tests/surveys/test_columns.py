from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from survey_files import LONG, save

from workflow_scripts.surveys import columns
from workflow_scripts.surveys.columns import numbers, texts
from workflow_scripts.tables import DataError


def names_of(values, kind=None) -> list[str | None]:
    codes, names = texts(pa.chunked_array([pa.array(values, kind)]), "here")
    return [None if code < 0 else names[code] for code in codes]


# Identifiers and labels become text exactly.


@pytest.mark.parametrize("kind", [pa.int64(), pa.uint64(), pa.string(), pa.large_string(), pa.int32()])
def test_whole_numbers_become_text_with_every_digit(kind):
    values = [1, 2147483647] if kind == pa.int32() else [3019021001365, 1004051040704109194]
    given_values = [str(v) for v in values] if "string" in str(kind) else values
    assert names_of(given_values, kind) == [str(v) for v in values]


def test_real_numbers_that_are_whole_become_integers():
    assert names_of([3019021001365.0, 7.0]) == ["3019021001365", "7"]
    assert names_of(["3019021001365.0", "7.0"]) == ["3019021001365", "7"]


@pytest.mark.parametrize("bad", [1.5, 2.0**53, 1004051040704109194.0, float("inf"), float("nan")])
def test_real_numbers_that_are_not_whole_or_not_exact_are_refused(bad):
    with pytest.raises(DataError, match=r"here holds real numbers, such as .*expected integers or text"):
        names_of([1.0, bad])


def test_scientific_notation_is_refused():
    with pytest.raises(DataError, match=r"scientific notation, such as 3\.019E\+12, which have lost digits"):
        names_of(["3.019E+12", "3.02e12"])


def test_whole_real_numbers_as_text_that_cannot_be_exact_are_refused():
    with pytest.raises(DataError, match=r"here holds real numbers, such as 5e\+18, that are .*too large to be exact"):
        names_of(["5000000000000000001.0", "7.0"])


@pytest.mark.parametrize("kind", [pa.timestamp("s"), pa.date32(), pa.list_(pa.int64()), pa.struct([("a", pa.int8())])])
def test_what_is_no_name_is_refused(kind):
    with pytest.raises(DataError, match=r"here holds .*, expected text or integers"):
        names_of([None, None], kind)


def test_names_that_only_look_like_numbers_stay_as_they_are():
    assert names_of(["1.0", "star 1.0"]) == ["1.0", "star 1.0"]
    assert names_of(["000123", "+5", "1e5 b"]) == ["000123", "+5", "1e5 b"]


def test_two_spellings_of_one_number_are_refused():
    with pytest.raises(DataError, match=r"here: 7\.0 and 7\.00 are one number; expected one spelling of each name"):
        names_of(["7.0", "7.00"])
    columns.check_spellings(["7", "8.0", "7.1", "7.0 b", "7"], "here")
    with pytest.raises(DataError, match=r"here: 7 and 7\.0 are one number"):
        columns.check_spellings(["7.0", "8", "7"], "here")


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (["112345", "012345"], ["x", "12345"], "1 names, such as 012345 and 12345, are one number"),
        (["7", "8"], ["008", "007"], "2 names, such as 7 and 007, are one number"),
        (["-05"], ["-5"], "such as -05 and -5"),
        (["7.0"], ["07"], r"such as 7\.0 and 07"),
        (["000"], ["0"], "such as 000 and 0"),
    ],
)
def test_names_that_differ_in_leading_zeros_are_refused(first, second, said):
    with pytest.raises(DataError, match=f"here: .*{said}.*: write the column as text, with its leading zeros"):
        columns.check_unmatched(pa.array(first), pa.array(second), "here")


def test_other_names_may_differ_in_anything():
    names = [["7", "a07", "-3", "1.50", "0x1", "", "70"], ["8", "a7", "3", "1.5", "0x01", "0", "07e1"], ["1", "2"], []]
    for first in names:
        for second in (other for other in names if other is not first):
            columns.check_unmatched(pa.array(first, pa.string()), pa.array(second, pa.string()), "here")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (["7.0"], ["8.0", "9"], ["7", "8.0", "9"]),
        (["7.0"], ["7.1"], ["7.0", "7.1"]),
        (["7.0"], ["star 9"], ["7.0", "star 9"]),
        ([7.0], ["7.1"], ["7", "7.1"]),
    ],
)
def test_texts_of_several_files_are_spelt_by_one_rule(tmp_path, first, second, expected):
    paths = [save(tmp_path / f"{i}.parquet", {"object_id": ids}) for i, ids in enumerate((first, second))]
    alike = columns.spelt_alike([columns.read(path, ["object_id"], ["object_id"], {}) for path in paths], "object_id")
    assert [name for file in alike for name in columns.names(file, "object_id")[1]] == expected


def test_blanks_around_text_go_and_nothing_but_blanks_is_missing():
    assert names_of([" EA", "EA ", "  ", "", None, "EW"]) == ["EA", "EA", None, None, None, "EW"]


def test_categories_and_columns_of_nothing():
    assert names_of(pa.array(["EA", "EW", None, "EA"]).dictionary_encode()) == ["EA", "EW", None, "EA"]
    assert names_of([None, None], pa.null()) == [None, None]
    assert names_of([], pa.string()) == []


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=30))
def test_any_integers_survive(values):
    assert names_of(values, pa.int64()) == [None if v is None else str(v) for v in values]


def test_several_chunks_are_one_column():
    codes, names = texts(pa.chunked_array([["a", "b"], ["b", None]]), "here")
    assert [names[c] if c >= 0 else None for c in codes] == ["a", "b", "b", None]


# Numbers.


@pytest.mark.parametrize(
    "kind", [pa.float64(), pa.float32(), pa.float16(), pa.int8(), pa.uint16(), pa.int64(), pa.decimal128(5, 1)]
)
def test_numbers_of_every_type_become_real_and_null_becomes_nan(kind):
    given_values = [Decimal("1.0"), None, Decimal("3.0")] if pa.types.is_decimal(kind) else [1, None, 3]
    if pa.types.is_float16(kind):
        given_values = [np.float16(1), None, np.float16(3)]
    found = numbers(pa.chunked_array([pa.array(given_values, kind)]), "here")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [1, np.nan, 3])


def test_true_and_false_are_one_and_zero():
    np.testing.assert_array_equal(numbers(pa.chunked_array([[True, False, None]]), "here"), [1, 0, np.nan])


def test_numbers_written_as_text_are_read():
    text = ["1.5", " +41.5", "-2e3", ".5", "7.", "", "  ", None, "nan", "inf", "-Infinity"]
    expected = [1.5, 41.5, -2000, 0.5, 7, np.nan, np.nan, np.nan, np.nan, np.inf, -np.inf]
    for kind in (pa.string(), pa.large_string()):
        np.testing.assert_array_equal(numbers(pa.chunked_array([pa.array(text, kind)]), "here"), expected)
    coded = pa.array(["1.5", "2.5", "1.5"]).dictionary_encode()
    np.testing.assert_array_equal(numbers(pa.chunked_array([coded]), "here"), [1.5, 2.5, 1.5])


def test_a_column_of_nothing_is_nan():
    np.testing.assert_array_equal(numbers(pa.chunked_array([pa.nulls(2)]), "here"), [np.nan, np.nan])


@pytest.mark.parametrize("bad", ["faint", "12:34:56.7", "1.2.3", "14,5", "[1, 2]", "1e", "0x10"])
def test_text_that_is_no_number_is_shown(bad):
    with pytest.raises(DataError, match="here holds text in 1 of 3 rows, such as") as caught:
        numbers(pa.chunked_array([["14.1", bad, None]]), "here")
    assert bad in str(caught.value)


@pytest.mark.parametrize("kind", [pa.timestamp("s"), pa.list_(pa.float64()), pa.struct([("a", pa.int8())])])
def test_other_types_are_refused(kind):
    with pytest.raises(DataError, match=r"here holds .*, expected numbers"):
        numbers(pa.chunked_array([pa.nulls(2, kind)]), "here")


@given(st.lists(st.floats(width=64, allow_nan=False), max_size=20))
def test_any_real_number_survives_as_text(values):
    column = pa.chunked_array([pa.array([repr(v) for v in values], pa.string())])
    np.testing.assert_array_equal(numbers(column, "here"), values)


# The column map.


def opened(tmp_path, mapping, names=None, required=("object_id", "time")):
    given_columns = dict(zip(names or LONG, LONG.values(), strict=True))
    return columns.read(save(tmp_path / "a.parquet", given_columns), list(LONG), list(required), mapping)


def test_a_column_of_the_same_name_needs_no_entry(tmp_path):
    found = opened(tmp_path, {})
    assert found["time"].to_pylist() == LONG["time"].tolist()
    assert found.has("mag")
    assert not found.has("ra_deg")


def test_the_map_goes_before_the_same_name(tmp_path):
    found = opened(tmp_path, {"time": "mag", "mag": "time"})
    assert found["time"].to_pylist() == LONG["mag"].tolist()
    assert found["mag"].to_pylist() == LONG["time"].tolist()


def test_a_mapped_column_that_another_file_has_leaves_the_same_name(tmp_path):
    assert opened(tmp_path, {"object_id": "CSS images"})["object_id"].to_pylist() == LONG["object_id"].tolist()


def test_a_missing_column_lists_what_there_is_and_what_is_close(tmp_path):
    with pytest.raises(DataError) as caught:
        opened(tmp_path, {}, ["object_id", "mjd_time", "Mag", "mag_err"])
    message = str(caught.value)
    assert "a.parquet: no column 'time' for time; the file has ['object_id', 'mjd_time', 'Mag', 'mag_err']" in message
    assert "closest: ['mjd_time']" in message
    assert "columns: {time: ...}" in message
    with pytest.raises(DataError, match=r"no column 'mag' for mag.*closest: \['Mag'"):
        opened(tmp_path, {}, ["object_id", "time", "Mag", "mag_err"], ["mag"])


def test_a_file_without_rows(tmp_path):
    path = save(tmp_path / "a.csv", {name: values[:0] for name, values in LONG.items()})
    with pytest.raises(DataError, match="has columns but no row"):
        columns.read(path, list(LONG), ["time"], {})


def test_an_entry_of_the_map_that_no_file_has_is_an_error():
    columns.check_mapping({"time": "mjd"}, ["mjd", "mag"])
    with pytest.raises(
        DataError, match=r"\{class: clas\}: no file of the sample has a column 'clas'; closest: \['clazz"
    ):
        columns.check_mapping({"time": "mjd", "class": "clas"}, ["mjd", "clazz"])


def test_a_name_that_must_be_there_in_every_row(tmp_path):
    path = save(tmp_path / "a.parquet", {"object_id": ["a", "b", " ", None]})
    found = columns.read(path, ["object_id"], ["object_id"], {})
    with pytest.raises(DataError, match=r"\(object_id\) is empty in 2 of 4 rows, the first being row 3"):
        columns.names(found, "object_id")
