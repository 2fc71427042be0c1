import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from astropy.table import MaskedColumn, Table

from workflow_scripts.archives import votable
from workflow_scripts.tables import DataError

FIELDS = {
    "flag": ("boolean", "T", pa.bool_(), True),
    "tiny": ("unsignedByte", "255", pa.uint8(), 255),
    "short": ("short", "-7", pa.int16(), -7),
    "int": ("int", "70000", pa.int32(), 70000),
    "source_id": ("long", "4611686018427387905", pa.int64(), 4611686018427387905),
    "float": ("float", "0.5", pa.float32(), 0.5),
    "double": ("double", "0.1", pa.float64(), 0.1),
    "text": ('char" arraysize="*', " EA ", pa.string(), "EA"),
    "fixed": ('char" arraysize="4', "EA", pa.string(), "EA"),
    "unicode": ('unicodeChar" arraysize="*', "é Ori", pa.string(), "é Ori"),
}


def document(folder: Path, before="", after="", rows="", fields="", around="") -> Path:
    data = f"<TABLE>{fields}<DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE>" if fields else ""
    text = f"{around}<RESOURCE type='results'>{before}{data}{after}</RESOURCE>"
    path = folder / "a.vot"
    path.write_text(
        f'<?xml version="1.0"?><VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">{text}</VOTABLE>'
    )
    return path


def status(value: str, text: str = "") -> str:
    return f'<INFO name="QUERY_STATUS" value="{value}">{text}</INFO>'


def every_type(folder: Path, rows: str) -> Path:
    fields = "".join(f'<FIELD name="{name}" datatype="{kind[0]}"/>' for name, kind in FIELDS.items())
    return document(folder, status("OK"), fields=fields, rows=rows)


def test_every_type_comes_with_its_value(tmp_path):
    row = f"<TR>{''.join(f'<TD>{kind[1]}</TD>' for kind in FIELDS.values())}</TR>"
    rows = votable.read(every_type(tmp_path, row * 2)).rows
    assert [rows.schema.field(name).type for name in FIELDS] == [kind[2] for kind in FIELDS.values()]
    assert rows.to_pylist() == [{name: kind[3] for name, kind in FIELDS.items()}] * 2


@pytest.mark.parametrize("rows", ["", f"<TR>{'<TD/>' * len(FIELDS)}</TR>"], ids=["no rows", "empty fields"])
def test_types_do_not_depend_on_the_values(tmp_path, rows):
    found = votable.read(every_type(tmp_path, rows)).rows
    assert [field.type for field in found.schema] == [kind[2] for kind in FIELDS.values()]
    assert all(value is None for row in found.to_pylist() for value in row.values())


def test_nan_is_null_and_infinity_is_not(tmp_path):
    fields = '<FIELD name="x" datatype="double"/>'
    path = document(tmp_path, status("OK"), fields=fields, rows="<TR><TD>NaN</TD></TR><TR><TD>+Inf</TD></TR>")
    assert votable.read(path).rows["x"].to_pylist() == [None, math.inf]


def test_vectors_become_lists(tmp_path):
    fields = '<FIELD name="x" datatype="double" arraysize="*"/><FIELD name="y" datatype="float" arraysize="2"/>'
    rows = "<TR><TD>1 2 3</TD><TD>1 2</TD></TR><TR><TD>4</TD><TD>3 4</TD></TR>"
    found = votable.read(document(tmp_path, status("OK"), fields=fields, rows=rows)).rows
    assert found["x"].to_pylist() == [[1.0, 2.0, 3.0], [4.0]]
    assert found["y"].to_pylist() == [[1.0, 2.0], [3.0, 4.0]]
    assert found["y"].type == pa.list_(pa.float32())


def test_unit_ucd_and_meaning_are_kept(tmp_path):
    fields = (
        '<FIELD name="ra" datatype="double" unit="deg" ucd="pos.eq.ra"><DESCRIPTION>Right\n asc.</DESCRIPTION></FIELD>'
        '<FIELD name="odd" datatype="int" unit="no unit at all"/>'
    )
    ra, odd = votable.read(document(tmp_path, status("OK"), fields=fields)).columns
    assert (ra.name, ra.unit, ra.ucd, ra.meaning, ra.nullable) == ("ra", "deg", "pos.eq.ra", "Right asc.", True)
    assert (odd.unit, odd.ucd, odd.meaning) == ("no unit at all", "", "")


FIELD = '<FIELD name="x" datatype="int"/>'


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"before": status("OK")}, "OK"),
        ({"around": status("ok")}, "OK"),
        ({}, ""),
        ({"before": status("OK"), "after": status("OVERFLOW")}, "OVERFLOW"),
        ({"before": status("OVERFLOW"), "after": status("OK")}, "OVERFLOW"),
        ({"before": status("OK"), "after": status("ERROR", "disk full")}, "ERROR"),
        ({"fields": FIELD + status("OVERFLOW"), "before": status("OK")}, "OVERFLOW"),
    ],
    ids=["ok", "around", "none", "overflow", "overflow first", "error", "in the table"],
)
def test_worst_status_stated_anywhere_counts(tmp_path, parts, expected):
    assert votable.read(document(tmp_path, **({"fields": FIELD} | parts))).status == expected


def test_error_without_a_table_has_its_message(tmp_path):
    answer = votable.read(document(tmp_path, status("ERROR", "no such\n table")))
    assert (answer.status, answer.message, answer.rows.num_rows) == ("ERROR", "no such table", 0)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
def test_cut_document_is_refused(tmp_path, share):
    path = document(tmp_path, status("OK"), fields=FIELD, rows="<TR><TD>1</TD></TR>" * 100)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(DataError, match="not a whole VOTable"):
        votable.read(path)


@pytest.mark.parametrize("text", ["id,mag\n1,2\n", "", "<html><body>no</body></html>"])
def test_what_is_no_votable_is_refused(tmp_path, text):
    (tmp_path / "a.vot").write_text(text)
    with pytest.raises(DataError, match="not a whole VOTable"):
        votable.read(tmp_path / "a.vot")


def test_type_that_cannot_be_kept_is_refused(tmp_path):
    fields = '<FIELD name="z" datatype="doubleComplex"/>'
    with pytest.raises(DataError, match="'z' of a VOTable has type doubleComplex"):
        votable.read(document(tmp_path, status("OK"), fields=fields))


@pytest.mark.parametrize("form", ["tabledata", "binary", "binary2"])
def test_every_form_of_writing_gives_the_same(tmp_path, form):
    table = Table(
        {
            "id": [1, 2**60, 3],
            "x": MaskedColumn([0.1, np.nan, 3.0], mask=[False, False, True]),
            "name": MaskedColumn([b"EA", b"RRAB", b""]),
        }
    )
    table.write(tmp_path / "a.vot", format="votable", tabledata_format=form)
    rows = votable.read(tmp_path / "a.vot").rows
    assert rows["x"].to_pylist() == [0.1, None, None]
    assert rows["name"].to_pylist() == ["EA", "RRAB", None]
    assert rows["id"].to_pylist() == [1, 2**60, 3]
