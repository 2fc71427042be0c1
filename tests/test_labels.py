import re

import pyarrow as pa
import pytest

from workflow_scripts import tables
from workflow_scripts.labels import LABELS, assign, one_band


def objects(labels):
    n = len(labels)
    columns = {"object_id": list(labels), "survey": ["s"] * n, "ra_deg": [0.0] * n, "dec_deg": [0.0] * n}
    columns |= {"class": list(labels.values()), "catalogue_period_d": [None] * n}
    return pa.table(columns).cast(tables.OBJECTS.schema)


def measured(object_ids, bands=None):
    return pa.table({"object_id": list(object_ids), "band": bands or ["r"] * len(object_ids)})


STARS = {"c": "RRAB", "a": "EW", "b": "EW", "d": "RRC", "e": None, "f": "JUNK", "g": "EA", "h": "RRC", "i": ""}
CLASSES = {"RR": ["RRAB", "RRC"], "E": ["EA", "EW"]}


def test_every_object_has_its_status():
    rows = assign(objects(STARS), measured("abcdefi"), CLASSES, ["JUNK"])
    found = {row["object_id"]: (row["label"], row["class"], row["status"]) for row in rows.to_pylist()}
    assert found == {
        "a": ("EW", "E", "used"),
        "b": ("EW", "E", "used"),
        "c": ("RRAB", "RR", "used"),
        "d": ("RRC", "RR", "used"),
        "e": (None, None, "no label"),
        "f": ("JUNK", None, "ignored label"),
        "g": ("EA", "E", "too few observations"),
        "h": ("RRC", "RR", "too few observations"),
        "i": (None, None, "no label"),
    }
    assert rows.column("object_id").to_pylist() == sorted(STARS)
    assert rows.schema.names == LABELS.names


def test_a_light_curve_without_an_entry_in_the_object_lists_is_counted():
    rows = assign(objects({"a": "X", "b": "Y"}), measured("abz"), {}, []).to_pylist()
    assert rows[-1] == {"object_id": "z", "label": None, "class": None, "status": "no label"}


def test_without_classes_every_label_is_its_own_class():
    rows = assign(objects({"a": "X", "b": "Y", "c": "Z"}), measured("abc"), {}, ["Z"])
    assert rows["class"].to_pylist() == ["X", "Y", None]


def test_the_order_of_the_rows_changes_nothing():
    backwards = dict(reversed(STARS.items()))
    first = assign(objects(STARS), measured("abcd"), CLASSES, ["JUNK"])
    assert first.equals(assign(objects(backwards), measured("dcba"), CLASSES, ["JUNK"]))


def test_an_unknown_label_is_named_with_its_count_and_the_remedy():
    with pytest.raises(tables.DataError, match=r"3 objects .* EA \(1\), EW \(2\); .* ignore_labels"):
        assign(objects(STARS), measured("abcd"), {"RR": ["RRAB", "RRC"]}, ["JUNK"])


@pytest.mark.parametrize(("classes", "ignored"), [({"A": ["X"], "B": ["X", "Y"]}, []), ({"A": ["X", "Y"]}, ["X"])])
def test_a_label_with_two_meanings_is_an_error(classes, ignored):
    with pytest.raises(tables.DataError, match=r"\['X'\] are listed more than once"):
        assign(objects({"a": "X", "b": "Y"}), measured("ab"), classes, ignored)


@pytest.mark.parametrize("name", ["all", "macro", "weighted", "DSCT|GDOR"])
def test_label_that_would_be_mistaken_in_tables_needs_another_name(name):
    stars = objects({"a": "X", "b": name, "c": "Y"})
    said = rf"^\['{re.escape(name)}'\] cannot be names of classes: .* under classes"
    with pytest.raises(tables.DataError, match=said):
        assign(stars, measured("abc"), {}, [])
    assert assign(stars, measured("abc"), {}, [name])["class"].to_pylist() == ["X", None, "Y"]
    assert assign(stars, measured("abc"), {"X": ["X", "Y"], "Z": [name]}, [])["class"].to_pylist() == ["X", "Z", "X"]


def test_a_class_lost_in_cleaning_is_named():
    with pytest.raises(tables.DataError, match=r"Z \(1\).*ignore_labels.*min_observations"):
        assign(objects({"a": "X", "b": "Y", "c": "Z"}), measured("ab"), {}, [])


def test_one_class_is_not_enough():
    with pytest.raises(tables.DataError, match=r"1 class to train on \(\['X'\]\)"):
        assign(objects({"a": "X", "b": "X"}), measured("ab"), {}, [])


def test_no_label_at_all_is_an_error_that_points_to_the_columns():
    with pytest.raises(tables.DataError, match=r"0 class to train on .*local\.columns"):
        assign(objects({"a": None}), measured("a"), {}, [])


def test_two_bands_are_an_error_that_names_them():
    with pytest.raises(tables.DataError, match=r"1 objects .*'a'.* bands \['g', 'r'\].*local\.bands"):
        one_band(measured("aba", ["g", "r", "r"]))


def test_objects_of_different_bands_may_be_mixed():
    assert one_band(measured("ab", ["g", "r"])) == ["a", "b"]
