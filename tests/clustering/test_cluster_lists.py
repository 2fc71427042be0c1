"""Published lists: by position, by identifier, and by the list's own probability."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from simulated_region import region

from workflow_scripts.clustering import lists
from workflow_scripts.tables import DataError

STARS = region(np.random.default_rng(1), (), n_field=60).stars
RA, DEC = (STARS[axis].to_numpy() for axis in ("ra_deg", "dec_deg"))


def written(tmp_path, **columns: object):
    path = tmp_path / "list.csv"
    names = list(columns)
    lines = [",".join(names), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return path


def on_list(path, stars: pa.Table, least_probability: float) -> lists.Listed:
    return lists.on_list(lists.read(path, least_probability), stars)


def rows_of(listed: lists.Listed) -> list[int]:
    return np.flatnonzero(listed.stars).tolist()


def test_positions_match_although_identifiers_are_of_another_release(tmp_path):
    rows = [3, 17, 40]
    path = written(tmp_path, Source=[7, 8, 9], ra=RA[rows], dec=DEC[rows] + 0.5 / 3600, PMemb=[0.5, 1.0, 0.4])
    found = on_list(path, STARS, 0.5)
    assert (rows_of(found), found.matched, found.n_rows) == ([3, 17], "by position within 1.5 arcsec", 2)
    assert rows_of(on_list(path, STARS, 0.0)) == rows


def test_list_of_identifiers_matches_by_them(tmp_path):
    ids = STARS["source_id"].take(pa.array([5, 6])).to_pylist()
    found = on_list(written(tmp_path, source_id=[*ids, "12"]), STARS, 0.5)
    assert (rows_of(found), found.n_rows) == ([5, 6], 3)
    assert found.matched == "by source_id: identifiers differ between releases, some stars are missed"


def test_notes_say_of_each_list_how_it_was_matched_and_how_many_rows_are_there():
    flags = np.array([True, False, True])
    listed = {"CG 2020": lists.Listed(flags, lists.BY_POSITION, 5), "ids": lists.Listed(~flags, lists.BY_ID, 1)}
    assert list(lists.notes(listed)) == [
        ("CG 2020", "matched", "by position within 1.5 arcsec"),
        ("CG 2020", "rows in the region", "2 of 5"),
        ("ids", "matched", "by source_id: identifiers differ between releases, some stars are missed"),
        ("ids", "rows in the region", "1 of 1"),
    ]


def test_blanks_around_identifiers_go_and_blank_rows_match_nothing(tmp_path):
    (wanted,) = STARS["source_id"].take(pa.array([5])).to_pylist()
    found = on_list(written(tmp_path, source_id=[f" {wanted} ", " "], name=["a", "b"]), STARS, 0.5)
    assert (rows_of(found), found.n_rows) == ([5], 2)


def test_whole_real_numbers_as_text_are_identifiers_while_they_are_exact(tmp_path):
    few = pa.table({"source_id": ["122", "123"], "ra_deg": [1.0, 2.0], "dec_deg": [1.0, 2.0]})
    assert rows_of(on_list(written(tmp_path, source_id=["123.0", "7.0"]), few, 0.5)) == [1]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["1000000000000000005.0"], r"real numbers, such as 1e\+18, that are not whole or too large to be exact"),
        (["1.000000000000000005e18", "12"], "such as 1.000000000000000005e18; expected up to 19 digits"),
        (["1000000000000000005.0", "12"], "such as 1000000000000000005.0; expected up to 19 digits"),
    ],
)
def test_identifiers_that_have_lost_digits_are_refused(tmp_path, ids, message):
    with pytest.raises(DataError, match=f"list.csv: column 'source_id' .*{message}"):
        on_list(written(tmp_path, source_id=ids), STARS, 0.5)


@pytest.mark.parametrize(
    ("ids", "message"), [([1e18], "real numbers, too short for Gaia's 19 digits"), ([[5]], "list<.*expected text")]
)
def test_column_that_holds_no_identifiers_is_refused(tmp_path, ids, message):
    pq.write_table(pa.table({"source_id": ids}), tmp_path / "list.parquet")
    with pytest.raises(DataError, match=f"list.parquet: column 'source_id' holds {message}"):
        on_list(tmp_path / "list.parquet", STARS, 0.5)


@pytest.mark.parametrize("bad", [30, -999, "inf", 1.01])
def test_probability_outside_0_to_1_is_refused(tmp_path, bad):
    path = written(tmp_path, ra=RA[:3], dec=DEC[:3], Proba=[0.5, bad, 1.0])
    with pytest.raises(
        DataError, match=rf"column 'Proba' holds 1 of 3 values outside 0 to 1, such as {bad}; .*per cent"
    ):
        on_list(path, STARS, 0.5)


def test_rows_without_a_probability_are_left_out(tmp_path):
    path = written(tmp_path, ra=RA[:3], dec=DEC[:3], probability=[0.5, "", 1.0])
    found = on_list(path, STARS, 0.0)
    assert (rows_of(found), found.n_rows) == ([0, 2], 2)


def test_list_without_either_is_refused(tmp_path):
    with pytest.raises(DataError, match="a member list needs positions or identifiers"):
        on_list(written(tmp_path, name=["a"], ra=[1.0]), STARS, 0.5)


@pytest.mark.parametrize(
    ("ra", "dec", "message"),
    [("east", 1.0, "column 'ra'"), (1.0, 91.0, "1 of 1 positions are missing"), ("", 1.0, "1 of 1 positions are miss")],
)
def test_position_that_is_none_is_refused(tmp_path, ra, dec, message):
    with pytest.raises(DataError, match=f"list.csv.*{message}"):
        on_list(written(tmp_path, ra=[ra], dec=[dec]), STARS, 0.5)
