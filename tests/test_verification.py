"""A catalogue against published ones."""

import pyarrow as pa
import pytest

from workflow_scripts import tables
from workflow_scripts.verification import VERIFICATION, verify

CLASSES = {"RRAB": ["RRab", "RRAB"], "EW": ["EW"], "EA": ["EA"]}
ARCSEC = 1 / 3600


def catalogue(*rows: tuple[float | None, str]) -> pa.Table:
    ra, classes = zip(*rows, strict=True)
    return pa.table({"ra_deg": pa.array(ra, pa.float64()), "dec_deg": [20.0] * len(ra), "class": list(classes)})


def published(*rows: tuple[float, str | None]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"object_id": str(i), "ra_deg": ra, "dec_deg": 20.0, "class": label, "catalogue_period_d": None}
            for i, (ra, label) in enumerate(rows)
        ],
        schema=tables.SOURCES.schema,
    )


NOWHERE = catalogue((None, "EW"))


def found(*args, classes=CLASSES, radius=1.5) -> dict[str, tuple]:
    rows = verify(args[0], {"theirs": args[1]}, classes, radius, NOWHERE)
    assert rows.schema.equals(VERIFICATION.schema)
    keys = ("n_objects", "n_common", "n_other_label", "n_agree", "purity")
    return {row["class"]: tuple(row[k] for k in keys) for row in rows.to_pylist()}


def test_same_class_under_another_label_agrees():
    ours = catalogue((10.0, "RRAB"), (11.0, "EW"), (12.0, "EW"), (13.0, "EW"))
    theirs = published((10.0, "RRab"), (11.0, "EA"), (12.0, "EW"))
    assert found(ours, theirs) == {
        "RRAB": (1, 1, 0, 1, 1.0),
        "EW": (3, 2, 0, 1, 0.5),
        "all": (4, 3, 0, 2, pytest.approx(2 / 3)),
    }


def test_labels_that_no_class_lists_are_counted_apart():
    theirs = published((10.0, "BYDra"), (11.0, None), (12.0, "EW"))
    assert found(catalogue((10.0, "EW"), (11.0, "EW"), (12.0, "EW")), theirs)["EW"] == (3, 3, 2, 1, 1.0)


def test_class_that_the_published_catalogue_does_not_have_is_not_judged():
    """Chen et al. (2020) call every binary EA or EW: on EB no agreement can be asked of them."""
    ours = catalogue((10.0, "EB"), (11.0, "EB"), (12.0, "EW"), (13.0, "EA"))
    theirs = published((10.0, "EA"), (11.0, "EW"), (12.0, "EW"), (13.0, "EW"))
    rows = found(ours, theirs, classes=CLASSES | {"EB": ["EB"]})
    assert rows["EB"] == (2, 2, 2, 0, None)
    assert rows["EA"] == (1, 1, 0, 0, 0.0)
    assert rows["all"] == (4, 4, 2, 1, 0.5)
    with_one = found(ours, published((10.0, "EA"), (11.0, "EW"), (99.0, "EB")), classes=CLASSES | {"EB": ["EB"]})
    assert with_one["EB"] == (2, 2, 0, 0, 0.0), "they have the class, but for other stars"


def test_purity_of_nothing_is_null():
    assert found(catalogue((10.0, "EW")), published((50.0, "EW")))["EW"] == (1, 0, 0, 0, None)


def test_without_classes_labels_are_classes():
    assert found(catalogue((10.0, "RRab")), published((10.0, "RRab")), classes={})["RRab"][3] == 1


def test_radius_counts_and_each_object_is_matched_once():
    ours = catalogue((10.0, "EW"), (10.0 + 0.5 * ARCSEC, "EW"))
    assert found(ours, published((10.0, "EW")))["EW"][1] == 1
    assert found(catalogue((10.0, "EW")), published((10.0 + 3 * ARCSEC, "EW")))["EW"][1] == 0
    assert found(catalogue((10.0, "EW")), published((10.0 + 3 * ARCSEC, "EW")), radius=4)["EW"][1] == 1


def test_objects_that_were_trained_on_do_not_judge():
    """The labels are those of the published catalogue: on the stars themselves they agree by construction."""
    ours = catalogue((10.0, "EW"), (11.0, "EW"), (12.0, "EW"), (13.0, "EA"))
    theirs = published((10.0, "EW"), (11.0, "EW"), (12.0, "EA"), (13.0, "BYDra"))
    trained = catalogue((10.0 + 1.4 * ARCSEC, "EW"), (11.0 + 3 * ARCSEC, "EW"), (13.0, "EA"), (50.0, "EA"))
    rows = verify(ours, {"theirs": theirs}, CLASSES, 1.5, trained).to_pylist()
    assert [tuple(row.values())[1:] for row in rows] == [
        ("EA", 1, 1, 1, 0, 0, None),
        ("EW", 3, 3, 1, 0, 1, 0.5),
        ("all", 4, 4, 2, 0, 1, 0.5),
    ]


def test_two_objects_at_the_place_of_one_that_was_trained_on_are_both_left_out():
    ours = catalogue((10.0, "EW"), (10.0 + 1.0 * ARCSEC, "EW"))
    theirs = published((10.0, "EW"), (10.0 + 1.0 * ARCSEC, "EW"))
    rows = verify(ours, {"theirs": theirs}, CLASSES, 1.5, catalogue((10.0, "EW"))).to_pylist()
    assert [(row["n_common"], row["n_trained_on"], row["purity"]) for row in rows] == [(2, 2, None)] * 2


def test_objects_without_position_are_left_out():
    assert found(catalogue((None, "EW"), (10.0, "EW")), published((10.0, "EW")))["all"] == (1, 1, 0, 1, 1.0)


def test_each_reference_has_its_rows():
    rows = verify(
        catalogue((10.0, "EW")), {"a": published((10.0, "EW")), "b": published((10.0, "EA"))}, CLASSES, 1.5, NOWHERE
    )
    assert rows["reference"].to_pylist() == ["a", "a", "b", "b"]
    assert rows["n_agree"].to_pylist() == [1, 1, 0, 0]
