"""The manual says what the code says."""

import re

import pytest
from workspace import ROOT

from workflow_scripts import assumptions, manual, tables
from workflow_scripts.features.registry import FEATURES

SCHEMA = {
    "required": ["run"],
    "properties": {
        "run": {"type": "string", "description": "Name."},
        "kind": {"enum": ["a", "b"], "default": "a", "description": "Kind | sort."},
        "part": {"type": "object", "default": {}, "properties": {"n": {"type": "integer", "minimum": 1, "default": 2}}},
        "samples": {
            "type": "object",
            "additionalProperties": {"properties": {"share": {"type": "number", "exclusiveMaximum": 1}}},
        },
        "names": {"type": "array", "items": {"type": "string"}, "default": []},
    },
}


def test_settings_are_listed_depth_first_with_bounds_and_defaults():
    assert list(manual.settings(SCHEMA)) == [
        ("`run`", "Name.", "string", "required"),
        ("`kind`", "Kind | sort.", "a, b", '`"a"`'),
        ("`part`", "", "", ""),
        ("`part.n`", "", "integer >= 1", "`2`"),
        ("`samples`", "", "", ""),
        ("`samples.<name>.share`", "", "number < 1", ""),
        ("`names`", "", "list of string", "`[]`"),
    ]


def test_table_is_described_column_by_column():
    lines = manual.describe(tables.OBJECTS).splitlines()
    assert lines[0] == "### objects"
    assert lines[4] == "| `object_id` | string |  | identifier of the object in its survey |  |"
    assert lines[6] == "| `ra_deg` | double | deg | right ascension, ICRS | yes |"
    assert len(lines) == 4 + len(tables.OBJECTS.columns)


def test_bar_in_a_cell_does_not_end_it():
    assert manual._grid(("a",), [("x|y",)]).splitlines()[-1] == r"| x\|y |"


TEXT = "before\n<!-- begin: one -->\nold\n<!-- end: one -->\nbetween\n<!-- begin: two -->\n<!-- end: two -->\nafter\n"


def test_generated_parts_are_replaced_and_the_rest_stays():
    text = manual.update(TEXT, {"one": r"new \1", "two": "more"})
    assert re.sub(r"<!--.*?-->\n", "", text) == "before\n\nnew \\1\n\nbetween\n\nmore\n\nafter\n"
    assert manual.update(text, {"one": r"new \1", "two": "more"}) == text


@pytest.mark.parametrize("text", [TEXT + TEXT, TEXT.replace("end: one", "end: won")])
def test_missing_or_doubled_comments_are_an_error(text):
    with pytest.raises(tables.DataError, match="begin: one"):
        manual.update(text, {"one": "new"})


def test_manual_is_up_to_date():
    text = manual.MANUAL.read_text()
    assert manual.update(text, manual.parts()) == text, "run `make manual`"


def test_manual_holds_the_tables_of_every_branch():
    text = manual.MANUAL.read_text()
    headings = re.findall(r"^### ([a-z_]+)$", text, flags=re.MULTILINE)
    wanted = {
        "objects",
        "labels",
        "counterparts",
        "extinction",
        "label_agreement",
        "light_curve_status",
        "verification",
    }
    wanted |= {"stars", "membership", "members", "clusters", "methods", "agreement", "overdensities", "catalogue"}
    assert wanted <= set(headings)
    assert len(headings) == len(set(headings))
    assert "| `survey` |" in text.split("### members\n")[1].split("###")[0]  # the one that is written


def test_manual_holds_every_feature_assumption_and_deviation():
    text = manual.MANUAL.read_text()
    for one in FEATURES.values():
        assert f"| `{one.columns[0]}" in text
    for one in assumptions.collect(ROOT):
        assert one.text[1:] in text


def test_commands_of_the_manual_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", manual.MANUAL.read_text()))
    assert named <= targets
    assert {"demo", "test", "check", "classify", "crts"} <= named
