import numpy as np
import pytest
from simulated_region import table

from workflow_scripts.clustering import compare
from workflow_scripts.tables import DataError


def flags(text: str) -> np.ndarray:
    return np.array([letter == "x" for letter in text])


def test_score_by_hand() -> None:
    found = compare.score(flags("xxx.."), flags(".xxxx"))
    assert (found.n_selected, found.n_reference, found.n_both) == (3, 4, 2)
    assert (found.recall, found.precision) == (0.5, pytest.approx(2 / 3))
    assert found.f1 == pytest.approx(2 * 0.5 * (2 / 3) / (0.5 + 2 / 3))


@pytest.mark.parametrize(
    ("selected", "reference", "expected"),
    [("..", "..", (None, None, None)), ("x.", "..", (None, None, None)), ("..", "x.", (0, None, 0))],
)
def test_scores_that_do_not_exist_are_none(selected: str, reference: str, expected: tuple[object, ...]) -> None:
    found = compare.score(flags(selected), flags(reference))
    assert (found.recall, found.precision, found.f1) == expected


def test_agreement_of_methods_and_lists_down_to_the_limit() -> None:
    g_mag = np.array([10, 12, 17.99, 18.0, np.nan])
    lists = {"one": flags("xxxxx"), "two": flags("xx...")}
    rows = compare.agreement("C", g_mag, {"mine": flags("x.xxx")}, lists).to_pylist()
    found = {(row["selection"], row["reference"]): row for row in rows}
    assert set(found) == {("mine", "one"), ("mine", "two"), ("one", "two"), ("two", "one")}
    assert (found["mine", "one"]["recall"], found["mine", "one"]["precision"]) == (pytest.approx(2 / 3), 1)
    assert (found["mine", "one"]["n_reference"], found["mine", "one"]["g_limit_mag"]) == (3, 18)
    assert found["one", "two"]["f1"] == found["two", "one"]["f1"] == pytest.approx(0.8)
    assert found["one", "two"]["recall"] == 1


def test_without_any_magnitude_there_is_no_limit() -> None:
    unknown = np.full(3, np.nan)
    (row,) = compare.agreement("C", unknown, {"mine": flags("xx.")}, {"one": flags("x.x")}).to_pylist()
    assert (row["g_limit_mag"], row["n_selected"], row["n_reference"], row["f1"]) == (None, 2, 2, 0.5)


def test_agreement_without_lists_is_an_empty_table() -> None:
    none = compare.agreement("C", np.array([10.0]), {"mine": flags("x")}, {})
    assert none.schema == compare.AGREEMENT.schema
    assert none.num_rows == 0


def test_names_and_lengths_are_checked() -> None:
    with pytest.raises(DataError, match=r"\['a'\] are both methods and published lists"):
        compare.agreement("C", np.array([10.0]), {"a": flags("x")}, {"a": flags("x")})
    with pytest.raises(DataError, match=r"selections of {'b': 2} stars, expected 1"):
        compare.agreement("C", np.array([10.0]), {"a": flags("x")}, {"b": flags("xx")})


def test_list_is_matched_by_position_across_ra_0() -> None:
    place = np.array([[0.0001, 10.0], [359.9999, 10.0], [180.0, 10.0], [20.0, 89.9999]])
    stars = table(place, np.zeros((4, 3)), np.ones((4, 3)), np.full(4, 15.0))
    # 0.2 arcsec from the second, 3 arcsec from the third, the pole, and a star that is not in the region.
    ra = np.array([359.9999 + 0.2 / 3600, 180.0, 200.0, 90.0])
    dec = np.array([10.0, 10 + 3 / 3600, 89.9999, -40.0])
    np.testing.assert_array_equal(compare.in_region(stars, ra % 360, dec), flags(".x.x"))


def test_list_with_a_star_off_the_sky_is_refused() -> None:
    stars = table(np.array([[1.0, 1.0]]), np.zeros((1, 3)), np.ones((1, 3)), np.array([15.0]))
    with pytest.raises(DataError, match="catalogue B"):
        compare.in_region(stars, np.array([1.0]), np.array([91.0]))
