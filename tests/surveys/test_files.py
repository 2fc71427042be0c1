import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table
from survey_files import LIST_SUFFIXES, LONG, SUFFIXES, save

from workflow_scripts.surveys import files
from workflow_scripts.tables import DataError


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_the_wanted_columns_and_the_names_of_all(tmp_path, suffix):
    file = files.read(save(tmp_path / f"a{suffix}", LONG), {"object_id", "mag", "not there"})
    assert file.names == list(LONG)
    assert sorted(file.rows.column_names) == ["mag", "object_id"]
    # Text for CSV, numbers elsewhere: the same digits either way.
    assert [str(v) for v in file.rows["object_id"].to_pylist()] == [str(v) for v in LONG["object_id"]]
    assert [float(v) for v in file.rows["mag"].to_pylist()] == LONG["mag"].tolist()


@pytest.mark.parametrize("suffix", LIST_SUFFIXES)
def test_vectors_of_any_length_become_list_columns(tmp_path, suffix):
    lists = [[1.5, 2.5], [3.5], [4.5, 5.5, 6.5]]
    rows = files.read(save(tmp_path / f"a{suffix}", {"n": [1, 2, 3], "time": lists}), {"time"}).rows
    assert rows["time"].to_pylist() == lists


@pytest.mark.parametrize("suffix", [".fits", ".vot"])
def test_vectors_of_fixed_length_become_list_columns(tmp_path, suffix):
    values = np.arange(12.0).reshape(3, 4)
    Table({"time": values}).write(tmp_path / f"a{suffix}", format="fits" if suffix == ".fits" else "votable")
    rows = files.read(tmp_path / f"a{suffix}", {"time"}).rows
    assert pa.types.is_fixed_size_list(rows["time"].type)
    assert rows["time"].to_pylist() == values.tolist()


@pytest.mark.parametrize("suffix", [".fits", ".vot"])
def test_masked_values_are_null_and_text_is_text(tmp_path, suffix):
    table = Table(
        {
            "number": MaskedColumn([1, 2, 3], mask=[False, True, False]),
            "real": MaskedColumn([1.5, 2.5, 3.5], mask=[True, False, False]),
            "name": MaskedColumn(["EA", "EW ", "RRAB"], mask=[False, False, True]),
        }
    )
    table.write(tmp_path / f"a{suffix}", format="fits" if suffix == ".fits" else "votable")
    rows = files.read(tmp_path / f"a{suffix}", {"number", "real", "name"}).rows
    assert rows["number"].to_pylist() == [1, None, 3]
    assert rows["real"].to_pylist()[1:] == [2.5, 3.5]
    assert rows["real"].to_pylist()[0] is None or np.isnan(rows["real"].to_pylist()[0])
    assert [name and name.strip() for name in rows["name"].to_pylist()[:2]] == ["EA", "EW"]
    assert not rows["name"].to_pylist()[2]


@pytest.mark.parametrize("suffix", [".fits", ".vot"])
def test_units_stay_with_their_columns_as_the_file_writes_them(tmp_path, suffix):
    table = Table({"mag": [1.5], "time": [2.5], "number": [3]})
    table["mag"].unit, table["time"].unit = "mmag", "d"
    table.write(tmp_path / f"a{suffix}", format="fits" if suffix == ".fits" else "votable")
    schema = files.read(tmp_path / f"a{suffix}", set(table.colnames)).rows.schema
    assert [(schema.field(name).metadata or {}).get(b"unit") for name in table.colnames] == [b"mmag", b"d", None]


def test_masked_parts_of_vectors_are_missing(tmp_path):
    values = np.ma.array([[1.0, 2.0], [3.0, 4.0]], mask=[[False, True], [False, False]])
    Table({"mag": MaskedColumn(values)}).write(tmp_path / "a.vot", format="votable")
    rows = files.read(tmp_path / "a.vot", {"mag"}).rows
    first = rows["mag"].to_pylist()[0]
    assert first[0] == 1.0
    assert first[1] is None or np.isnan(first[1])


def test_text_of_any_length_in_a_votable(tmp_path):
    fields = "".join(f'<FIELD name="{n}" datatype="char" arraysize="*"/>' for n in ("object_id", "class"))
    row = "<TR><TD>star one</TD><TD>EA</TD></TR><TR><TD>star 2</TD><TD></TD></TR>"
    (tmp_path / "a.xml").write_text(
        '<?xml version="1.0"?><VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
        f"{fields}<DATA><TABLEDATA>{row}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    )
    rows = files.read(tmp_path / "a.xml", {"object_id", "class"}).rows
    assert rows["object_id"].to_pylist() == ["star one", "star 2"]
    assert rows["class"].to_pylist()[0] == "EA"
    assert not rows["class"].to_pylist()[1]


def test_csv_keeps_every_digit_and_knows_what_is_missing(tmp_path):
    (tmp_path / "a.csv").write_text("\ufeffobject_id,mag,class\n000123,14.5,EA\n9007199254740993,NaN,\n7,null,RRC\n")
    rows = files.read(tmp_path / "a.csv", {"object_id", "mag", "class"}).rows
    assert rows["object_id"].to_pylist() == ["000123", "9007199254740993", "7"]
    assert rows["mag"].to_pylist() == ["14.5", None, None]
    assert rows["class"].to_pylist() == ["EA", None, "RRC"]


def test_csv_without_a_wanted_column_still_tells_its_names(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert files.read(tmp_path / "a.csv", {"mag"}).names == ["a", "b"]


def test_several_row_groups_are_read_in_order(tmp_path):
    pq.write_table(pa.table({"mag": list(range(100))}), tmp_path / "a.parquet", row_group_size=7)
    assert files.read(tmp_path / "a.parquet", {"mag"}).rows["mag"].to_pylist() == list(range(100))


# What cannot be read.


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"nothing\.csv: no such file; check the path"):
        files.read(tmp_path / "nothing.csv", {"mag"})


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "a.parquet").mkdir()
    with pytest.raises(DataError, match="no such file"):
        files.read(tmp_path / "a.parquet", {"mag"})


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_of_no_bytes(tmp_path, suffix):
    (tmp_path / f"a{suffix}").touch()
    with pytest.raises(DataError, match="empty"):
        files.read(tmp_path / f"a{suffix}", {"mag"})


@pytest.mark.parametrize("name", ["a.txt", "a.dat", "parquet", "a.csv.bz2"])
def test_an_unknown_suffix_names_the_known_ones(tmp_path, name):
    (tmp_path / name).write_text("object_id,mag\n1,2\n")
    with pytest.raises(DataError, match=r"unknown kind of file; known suffixes are \.parquet, \.csv"):
        files.read(tmp_path / name, {"mag"})


@pytest.mark.parametrize("suffix", [".parquet", ".csv.gz", ".fits", ".fits.gz", ".vot"])
@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.filterwarnings("ignore:File may have been truncated")
def test_a_truncated_file_is_named(tmp_path, suffix, share):
    many = {name: np.resize(values, 5000) for name, values in LONG.items()}
    path = save(tmp_path / f"a{suffix}", many)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=rf"a{suffix}: not a whole \w+ file .*; copy or write it again"):
        files.read(path, set(LONG))


@pytest.mark.parametrize("suffix", [".csv.gz", ".fits.gz"])
def test_a_compressed_file_with_damaged_bytes_is_named(tmp_path, suffix):
    many = {name: np.resize(values, 5000) for name, values in LONG.items()}
    path = save(tmp_path / f"a{suffix}", many)
    content, rng = bytearray(path.read_bytes()), np.random.default_rng(1)
    for place in rng.integers(20, len(content) - 8, 8):  # between the header and the checksum
        content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"not a whole \w+ file .*; copy or write it again"):
        files.read(path, set(LONG))


@pytest.mark.parametrize("suffix", [".parquet", ".csv.gz", ".fits", ".vot"])
def test_a_file_of_another_kind_is_named(tmp_path, suffix):
    (tmp_path / f"a{suffix}").write_text("<html>404 not found</html>\n" * 10)
    with pytest.raises(DataError, match="not a whole"):
        files.read(tmp_path / f"a{suffix}", {"mag"})


def test_a_csv_file_with_rows_of_different_length(tmp_path):
    (tmp_path / "a.csv").write_text("object_id,mag\n1,2\n1,2,3\n")
    with pytest.raises(DataError, match=r"not a whole CSV file .*Expected 2 columns, got 3"):
        files.read(tmp_path / "a.csv", {"mag"})


@pytest.mark.parametrize(
    "text",
    ["object_id,mag\n1,14,3\n", "object_id;mag;time\n1;14,3;5,5\n", "# made by hand\nobject_id,mag\n1,14.3\n"],
    ids=["decimal commas", "semicolons", "a comment"],
)
def test_a_csv_file_of_another_kind_is_told_what_is_expected(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    said = "copy or write it again: names in the first line, no comments, commas between columns and points in numbers"
    with pytest.raises(DataError, match=said):
        files.read(tmp_path / "a.csv", {"mag"})


def test_an_empty_compressed_file(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(DataError, match="not a whole CSV file"):
        files.read(tmp_path / "a.csv.gz", {"mag"})


def test_a_fits_file_without_a_table(tmp_path):
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(tmp_path / "a.fits")
    with pytest.raises(DataError, match="not a whole FITS file"):
        files.read(tmp_path / "a.fits", {"mag"})


def test_a_column_that_is_there_twice(tmp_path):
    (tmp_path / "a.csv").write_text("object_id,mag,mag,mag2\n1,2,3,4\n")
    with pytest.raises(DataError, match=r"more than one column is called \['mag'\]"):
        files.read(tmp_path / "a.csv", {"mag", "object_id"})
    assert files.read(tmp_path / "a.csv", {"object_id"}).rows["object_id"].to_pylist() == ["1"]
