"""Published lists: by position, by identifier, and by the list's own probability."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from simulated_region import region

from workflow_scripts.clustering import lists, published
from workflow_scripts.clustering.fields import Field
from workflow_scripts.clustering.members import members
from workflow_scripts.clustering.membership import Membership
from workflow_scripts.clustering.regions import Region
from workflow_scripts.clustering.space import Centre
from workflow_scripts.clustering.stars import Locus
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


def spelt(tmp_path, **names: str):
    """A list of five stars, probabilities 0.1 to 0.9, the columns under other names."""
    given = {"source_id": [7, 8, 9, 10, 11], "ra": RA[:5], "dec": DEC[:5], "PMemb": [0.1, 0.3, 0.5, 0.7, 0.9]}
    return written(tmp_path, **{names.get(name, name): values for name, values in given.items()})


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
    listed = {
        "CG 2020": lists.Listed(flags, lists.BY_POSITION, 5, "ra, dec; PMemb of 0.5 or above"),
        "ids": lists.Listed(~flags, lists.BY_ID, 1, "Source; no column of probabilities: all rows count"),
    }
    assert list(lists.notes(listed)) == [
        ("CG 2020", "columns", "ra, dec; PMemb of 0.5 or above"),
        ("CG 2020", "matched", "by position within 1.5 arcsec"),
        ("CG 2020", "rows in the region", "2 of 5"),
        ("ids", "columns", "Source; no column of probabilities: all rows count"),
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


@pytest.mark.parametrize(
    "name",
    ["PMemb", "Pmemb", "pmemb", "P_memb", "Proba", "proba", "Prob", "prob", "probs", "probability", "MembProb"],
)
def test_probability_is_found_whatever_its_name_and_case(tmp_path, name):
    found = lists.read(spelt(tmp_path, PMemb=name), 0.5)
    np.testing.assert_array_equal(found.rows["ra_deg"].to_numpy(), RA[2:5])
    assert found.columns == f"ra, dec; {name} of 0.5 or above"


@pytest.mark.parametrize("name", ["p_member", "PMemb_2", "prob_of_membership", "Probability_cluster"])
def test_column_that_looks_like_a_probability_is_said_to_be_not_used(tmp_path, name):
    found = lists.read(spelt(tmp_path, PMemb=name), 0.5)
    assert found.rows.num_rows == 5
    assert found.columns == (
        f"ra, dec; no column of probabilities: all rows count; NOT USED: ['{name}']; if one is the probability, "
        "call it PMemb"
    )


@pytest.mark.parametrize("name", ["parallax", "memb", "phot_g_mean_mag", "e_prob", "flag"])
def test_other_columns_do_not_look_like_a_probability(tmp_path, name):
    columns = lists.read(spelt(tmp_path, PMemb=name), 0.5).columns
    assert columns == "ra, dec; no column of probabilities: all rows count"


def test_of_two_probabilities_one_is_used_and_the_other_named(tmp_path):
    path = written(tmp_path, Prob=[0.9, 0.1], ra=RA[:2], dec=DEC[:2], pmemb=[0.2, 0.8])
    found = lists.read(path, 0.5)
    assert found.rows["ra_deg"].to_pylist() == [RA[1]]
    assert found.columns.startswith("ra, dec; pmemb of 0.5 or above; NOT USED: ['Prob']")


@pytest.mark.parametrize(
    ("ra", "dec"),
    [
        *(("RA", "DEC"), ("Ra", "Dec"), ("ra_deg", "dec_deg"), ("RAdeg", "DEdeg"), ("RAJ2000", "DEJ2000")),
        *(("RA_ICRS", "DE_ICRS"), ("ra_icrs", "de_icrs"), ("radeg", "dedeg")),
    ],
)
def test_positions_are_found_whatever_their_name_and_case(tmp_path, ra, dec):
    found = lists.read(spelt(tmp_path, ra=ra, dec=dec), 0.5)
    assert rows_of(lists.on_list(found, STARS)) == [2, 3, 4]  # the identifiers are those of no star
    assert found.columns == f"{ra}, {dec}; PMemb of 0.5 or above"


def test_spelling_of_the_archive_goes_before_others(tmp_path):
    path = written(tmp_path, RA=[1.0], RAJ2000=[2.0], ra=RA[:1], DEJ2000=[2.0], dec=DEC[:1], DEC=[1.0], Source=[5])
    found = lists.read(path, 0.5)
    assert rows_of(lists.on_list(found, STARS)) == [0]
    assert found.columns.startswith("ra, dec; ")


def test_half_a_position_is_none_and_identifiers_are_told(tmp_path):
    found = lists.read(spelt(tmp_path, dec="declination", source_id="SOURCE"), 0.5)
    assert (found.rows["source_id"].to_pylist(), found.rows["ra_deg"].null_count) == (["9", "10", "11"], 3)
    assert found.columns == "SOURCE; PMemb of 0.5 or above"


@pytest.mark.parametrize("ra", ["08 51 18.0", "08:51:18.0", " 8 51 18"])
def test_sexagesimal_positions_leave_it_to_the_identifiers(tmp_path, ra):
    text = {"RAJ2000": [ra] * 3, "DEJ2000": ["+11 48 00"] * 3}
    found = lists.read(written(tmp_path, Source=[5, 6, 7], **text), 0.5)
    assert found.rows["source_id"].to_pylist() == ["5", "6", "7"]
    assert found.columns.endswith("RAJ2000, DEJ2000 NOT USED: no degrees")
    with pytest.raises(DataError, match="column 'RAJ2000'"):
        lists.read(written(tmp_path, **text), 0.5)


@pytest.mark.parametrize("suffix", ["fits", "vot", "parquet"])
def test_members_that_we_publish_are_a_list(tmp_path, suffix):
    paths = {kind: tmp_path / f"members.{kind}" for kind in ("parquet", "fits", "vot")}
    field = Field(Region("M 1", Centre(130.0, 20.0), 1.0), "S (SIMULATED)", "DR3", 0.5, "none", None)
    chance = np.linspace(0, 1, 60)
    found = Membership(chance, Locus(1.0, 2.0, 3.0), np.eye(3), 9.0, None, field.region.centre)
    published.write(members("M 1", STARS, found, {}), field, None, *paths.values())
    one = lists.read(paths[suffix], 0.5)
    assert one.columns == "ra_deg, dec_deg; probability of 0.5 or above"
    assert rows_of(lists.on_list(one, STARS)) == np.flatnonzero(chance >= 0.5).tolist()


def test_file_gives_back_the_lists_and_their_columns(tmp_path):
    first = lists.read(spelt(tmp_path), 0.5)
    nothing = lists.read(spelt(tmp_path, PMemb="Proba"), 1.0)
    lists.write({"one": first, "none": nothing}, tmp_path / "lists.parquet")
    back = lists.stored(tmp_path / "lists.parquet")
    assert list(back) == ["one", "none"]
    assert back["one"].rows.drop_columns("list").equals(first.rows.cast(back["one"].rows.drop_columns("list").schema))
    assert (back["none"].rows.num_rows, back["none"].columns) == (0, "ra, dec; Proba of 1 or above")
    assert not lists.on_list(back["none"], STARS).stars.any()


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
