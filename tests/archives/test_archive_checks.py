import pyarrow as pa
import pytest

from workflow_scripts.archives import checks

ROWS = pa.table({"oid": ["a", "a", "b"], "mjd": [1.0, 2.0, 1.0], "mag": [14.0, None, 14.0]})


def test_columns_that_are_there_are_no_problem():
    assert checks.missing_columns(["RA", "dec", "mag"], ["ra", "DEC"]) == ""


def test_missing_columns_are_named_with_what_comes_closest():
    said = checks.missing_columns(["oid", "hjd", "mag"], ["oid", "mjd", "flux"])
    assert said == "no columns ['mjd', 'flux'], found ['oid', 'hjd', 'mag']; 'mjd' may now be ['hjd']"


def test_rows_of_those_asked_for_are_no_problem():
    assert checks.unasked(ROWS, "oid", {"a", "b", "c"}) == ""
    assert checks.unasked(ROWS[:0], "oid", set()) == ""


def test_rows_of_a_stranger_are_named():
    assert checks.unasked(ROWS, "oid", {"b"}) == "1 values of 'oid' that were not asked for, such as 'a'"


@pytest.mark.parametrize("key", [(), ("oid", "mjd")], ids=["no key", "key"])
def test_rows_with_their_own_key_are_no_problem(key):
    assert checks.repeated(ROWS, key) == ""


def test_rows_that_come_twice_are_counted_and_shown():
    said = checks.repeated(ROWS, ("oid",))
    assert said == "1 duplicate rows, such as {'oid': 'a'}, expected one row for each ['oid']"


def test_rows_without_a_key_are_counted():
    assert checks.repeated(ROWS, ("oid", "mag")) == "1 of 3 rows without a value of 'mag', which identifies a row"
