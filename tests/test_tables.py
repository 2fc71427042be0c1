"""The data contract: what is written is whole, checked and the same bytes for the same rows."""

import errno
import fcntl
import hashlib
import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

import astropy.units
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io.votable.ucd import parse_ucd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workflow_scripts import tables
from workflow_scripts.tables import Column, DamagedError, DataError, Table

DECLARED = {name: value for name, value in vars(tables).items() if isinstance(value, Table)}
ROWS = {
    "object_id": ["a", "b", "c"],
    "survey": ["SIMULATED"] * 3,
    "ra_deg": [10.0, None, 359.5],
    "dec_deg": [-45.0, None, 89.0],
    "class": ["EA", None, "EW"],
    "catalogue_period_d": [1.5, None, 0.25],
}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# What is declared


def test_names_of_tables_are_unique():
    assert len({table.name for table in DECLARED.values()}) == len(DECLARED) > 10


@pytest.mark.parametrize("table", DECLARED.values(), ids=DECLARED)
def test_every_column_says_what_it_is(table):
    assert len(set(table.names)) == len(table.names)
    for column in table.columns:
        assert column.meaning
        astropy.units.Unit(column.unit, format="vounit")  # raises on a unit that a VOTable cannot carry
        if column.ucd:
            parse_ucd(column.ucd, check_controlled_vocabulary=True)  # raises on a word that is not in the vocabulary


@pytest.mark.parametrize("table", DECLARED.values(), ids=DECLARED)
def test_empty_table_keeps_units_and_meanings(table, tmp_path):
    tables.write(table.schema.empty_table(), tmp_path / "t.parquet", table)
    schema = pq.read_schema(tmp_path / "t.parquet")
    for column in table.columns:
        notes = schema.field(column.name).metadata
        assert notes[b"meaning"].decode() == column.meaning
        assert notes.get(b"unit", b"").decode() == column.unit
        assert schema.field(column.name).nullable == column.nullable
    assert tables.read(tmp_path / "t.parquet", table).num_rows == 0


def test_cleaning_counts_every_cut():
    assert [f"n_{cut}" for cut in tables.CUTS] == tables.CLEANING.names[3:-2]


# Written and read


def test_rows_come_back_as_they_were(tmp_path):
    path = tmp_path / "new folder" / "objects.parquet"
    tables.write(ROWS, path, tables.OBJECTS)
    assert tables.read(path, tables.OBJECTS).to_pydict() == ROWS
    assert path.stat().st_mode & 0o777 == 0o644


def test_columns_are_cast_and_ordered(tmp_path):
    shuffled = dict(reversed(ROWS.items())) | {"ra_deg": pa.array([1, 2, 3], pa.int16())}
    tables.write(shuffled, tmp_path / "t.parquet", tables.OBJECTS)
    rows = tables.read(tmp_path / "t.parquet", tables.OBJECTS)
    assert rows.column_names == tables.OBJECTS.names
    assert rows.schema.field("ra_deg").type == pa.float64()


def test_some_columns_are_read_alone(tmp_path):
    tables.write(ROWS, tmp_path / "t.parquet", tables.OBJECTS)
    rows = tables.read(tmp_path / "t.parquet", tables.OBJECTS, ["class", "object_id"])
    assert rows.column_names == ["class", "object_id"]


def test_columns_of_a_wider_table_are_read_under_a_narrower_contract(tmp_path):
    tables.write(ROWS, tmp_path / "t.parquet", tables.OBJECTS)
    narrow = Table("narrow", tables.OBJECTS.columns[:2])
    assert tables.read(tmp_path / "t.parquet", narrow, narrow.names).num_rows == 3
    with pytest.raises(DataError, match="unknown columns"):
        tables.read(tmp_path / "t.parquet", narrow)


def test_shards_are_read_in_the_order_given(tmp_path):
    paths = [tmp_path / "2.parquet", tmp_path / "1.parquet"]
    for path, name in zip(paths, "ba", strict=True):
        tables.write({key: [value[0]] for key, value in ROWS.items()} | {"object_id": [name]}, path, tables.OBJECTS)
    assert tables.read_all(paths, tables.OBJECTS)["object_id"].to_pylist() == ["b", "a"]
    assert tables.read_all([], tables.OBJECTS).schema == tables.OBJECTS.schema


def test_notes_and_provenance_go_to_the_metadata_and_end_with_the_block(tmp_path):
    with tables.provenance({"rule": "clean", "code": "abc"}):
        tables.write(ROWS, tmp_path / "in.parquet", tables.OBJECTS, {"classes": "[]"})
    tables.write(ROWS, tmp_path / "out.parquet", tables.OBJECTS)
    inside = pq.read_schema(tmp_path / "in.parquet").metadata
    assert json.loads(inside[b"provenance"]) == {"rule": "clean", "code": "abc"}
    assert (inside[b"table"], inside[b"classes"]) == (b"objects", b"[]")
    assert json.loads(pq.read_schema(tmp_path / "out.parquet").metadata[b"provenance"]) == {}


# Identical rows, identical bytes


def light_curves(n: int, points: int) -> pa.Table:
    rng = np.random.default_rng(5)
    lists = {name: pa.array(list(rng.random((n, points)))) for name in ("time", "mag", "mag_err")}
    return pa.table({"object_id": [f"o{i}" for i in range(n)], "band": ["V"] * n} | lists)


@pytest.fixture(scope="module")
def many() -> pa.Table:
    return light_curves(1500, 200)  # 2.4 MB a column of times: several pages of Parquet


@pytest.mark.parametrize("size", [7, 400])
def test_division_into_chunks_does_not_show_in_the_bytes(many, size, tmp_path):
    chunks = pa.concat_tables([many.slice(i, size) for i in range(0, len(many), size)])
    assert chunks["time"].num_chunks > 1
    tables.write(many, tmp_path / "one.parquet", tables.LIGHT_CURVES)
    tables.write(chunks, tmp_path / "chunks.parquet", tables.LIGHT_CURVES)
    assert sha256(tmp_path / "one.parquet") == sha256(tmp_path / "chunks.parquet")


def test_other_rows_give_other_bytes(tmp_path):
    tables.write(ROWS, tmp_path / "a.parquet", tables.OBJECTS)
    tables.write(ROWS | {"class": ["EA", None, "EB"]}, tmp_path / "b.parquet", tables.OBJECTS)
    assert sha256(tmp_path / "a.parquet") != sha256(tmp_path / "b.parquet")


TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
REAL = st.floats(allow_nan=False)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(TEXT, TEXT, REAL | st.none(), REAL | st.none(), TEXT | st.none(), REAL | st.none())),
    cut=st.integers(0, 10),
    order=st.permutations(tables.OBJECTS.names),
)
def test_any_rows_survive_and_repeat(rows, cut, order, tmp_path):
    whole = pa.table(
        {name: pa.array([row[i] for row in rows], c.type) for i, (name, c) in enumerate(columns_of(tables.OBJECTS))}
    )
    tables.write(whole, tmp_path / "a.parquet", tables.OBJECTS)
    parts = pa.concat_tables([whole.slice(0, cut), whole.slice(cut)]).select(order)
    tables.write(parts, tmp_path / "b.parquet", tables.OBJECTS)
    assert tables.read(tmp_path / "b.parquet", tables.OBJECTS).to_pylist() == whole.to_pylist()
    assert sha256(tmp_path / "a.parquet") == sha256(tmp_path / "b.parquet")


def columns_of(table: Table) -> list[tuple[str, Column]]:
    return [(column.name, column) for column in table.columns]


# What breaks the contract


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"class": None}, ["objects", "missing columns ['class']", "unknown columns []"]),
        ({"clas": ["EA"] * 3}, ["missing columns []", "unknown columns ['clas']"]),
        ({"survey": ["a", None, None]}, ["'survey'", "2 null values of 3"]),
    ],
)
def test_rows_against_the_contract_are_not_written(change, words, tmp_path):
    rows = {key: value for key, value in (ROWS | change).items() if value is not None}
    with pytest.raises(DataError) as error:
        tables.write(rows, tmp_path / "t.parquet", tables.OBJECTS)
    assert all(word in str(error.value) for word in [*words, "t.parquet"])
    assert left_over(tmp_path) == []


def test_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"table 'objects': .*gone\.parquet does not exist; run the rule"):
        tables.read(tmp_path / "gone.parquet", tables.OBJECTS)


@pytest.mark.parametrize("keep", [0, 1, 4, 0.3, 0.9, -1])
def test_truncated_file_is_named(keep, tmp_path):
    path = tmp_path / "objects.parquet"
    tables.write(ROWS, path, tables.OBJECTS)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(DataError, match=r"objects\.parquet is not a whole Parquet file .*delete it and run again"):
        tables.read(path, tables.OBJECTS)


def test_damage_inside_the_file_is_not_read_as_data(many, tmp_path):
    path = tmp_path / "curves.parquet"
    tables.write(many, path, tables.LIGHT_CURVES)
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 2000] = bytes(2000)
    path.write_bytes(data)
    with pytest.raises(DataError, match="not a whole Parquet file"):
        tables.read(path, tables.LIGHT_CURVES)


def test_any_flipped_bit_is_found_or_changes_no_value(tmp_path):
    path, rng = tmp_path / "objects.parquet", np.random.default_rng(8)
    tables.write(ROWS, path, tables.OBJECTS)
    data, found = path.read_bytes(), 0
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << rng.integers(8)]) + data[at + 1 :])
        try:
            rows = tables.read(path, tables.OBJECTS)
        except DamagedError:
            found += 1
        else:
            assert rows.to_pydict() == ROWS
    assert found > len(data) / 2


def test_flipped_bit_in_a_page_is_found_by_its_checksum(many, tmp_path):
    path = tmp_path / "curves.parquet"
    tables.write(many, path, tables.LIGHT_CURVES)
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    pq.read_table(path)  # without the checksums these would be data
    with pytest.raises(DamagedError, match="CRC checksum verification failed"):
        tables.read(path, tables.LIGHT_CURVES)


def test_file_that_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "?")

    monkeypatch.setattr(pq, "ParquetFile", refuse)
    with pytest.raises(DataError, match=r"t\.parquet cannot be read \(Permission denied\)") as error:
        tables.read(tmp_path / "t.parquet", tables.OBJECTS)
    assert not isinstance(error.value, DamagedError)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"other": 1}', '"text"'])
def test_damaged_json_file_is_named(text, tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(text)
    with (
        pytest.raises(DamagedError, match=r"settings\.json is not the settings \(.*delete it and run again") as error,
        tables.undamaged(path, "the settings"),
    ):
        json.loads(path.read_text())["cuts"]
    assert error.value.path == path


def write_parquet(path: Path, **columns: pa.Array) -> Path:
    pq.write_table(pa.table({name: pa.array(value) for name, value in (ROWS | columns).items()}), path)
    return path


def test_another_table_is_refused(tmp_path):
    path = write_parquet(tmp_path / "t.parquet", extra=[1, 2, 3])
    with pytest.raises(DataError, match=r"unknown columns \['extra'\]"):
        tables.read(path, tables.OBJECTS)
    tables.write(ROWS, path, tables.OBJECTS)
    with pytest.raises(DataError, match=r"missing columns .*'time'"):
        tables.read(path, tables.LIGHT_CURVES)
    with pytest.raises(DataError, match=r"missing columns \['time'\], unknown columns \[\]"):
        tables.read(path, tables.LIGHT_CURVES, ["object_id", "time"])


def test_column_of_another_type_is_refused(tmp_path):
    path = write_parquet(tmp_path / "t.parquet", ra_deg=pa.array([1, 2, 3], pa.float32()))
    with pytest.raises(DataError, match="column 'ra_deg' is float, expected double"):
        tables.read(path, tables.OBJECTS)


def test_null_where_none_is_allowed_is_refused(tmp_path):
    path = write_parquet(tmp_path / "t.parquet", survey=["x", None, "x"])
    with pytest.raises(DataError, match=r"column 'survey' in .* has 1 null values of 3"):
        tables.read(path, tables.OBJECTS)
    assert tables.read(path, tables.OBJECTS, ["class"]).num_rows == 3


def test_column_that_the_contract_lacks_cannot_be_asked_for(tmp_path):
    tables.write(ROWS, tmp_path / "t.parquet", tables.OBJECTS)
    with pytest.raises(ValueError, match=r"table 'objects' has no columns \['colour'\]"):
        tables.read(tmp_path / "t.parquet", tables.OBJECTS, ["colour"])


# Whole or not at all


def test_failure_inside_the_block_leaves_what_was_there(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("old")
    with pytest.raises(TypeError), tables.whole(path) as part:
        part.write_text("half") + "this fails"
    assert path.read_text() == "old"
    assert left_over(tmp_path) == ["t.txt"]


def test_success_replaces_in_one_step(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("old")
    with tables.whole(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
        assert part.parent == path.parent  # a rename within one file system cannot be seen half done
        assert part.suffix == path.suffix  # writers that go by the suffix write the same format
    assert path.read_text() == "new"
    assert left_over(tmp_path) == ["t.txt"]


def test_failed_write_of_a_table_leaves_nothing(tmp_path, monkeypatch):
    def half(*_: object, **__: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", half)  # when the head of the file is written
    with pytest.raises(RuntimeError, match="no memory"):
        tables.write(ROWS, tmp_path / "t.parquet", tables.OBJECTS)
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "?"), "No space left on device; make room and run again"),
        (OSError(errno.EDQUOT, "?"), "Disk quota exceeded; make room and run again"),
        (OSError(errno.EROFS, "?"), "Read-only file system; make its folder writable or run elsewhere"),
        (OSError(errno.EIO, "?"), "Input/output error; have the disk looked after or run elsewhere"),
    ],
)
def test_full_or_broken_disk_is_said_and_leaves_nothing(error, words, tmp_path):
    with pytest.raises(DataError) as said, tables.whole(tmp_path / "t.fits"):
        raise error
    assert str(said.value) == f"cannot write {tmp_path / 't.fits'}: {words}"
    assert left_over(tmp_path) == []


def test_error_of_another_kind_stays_what_it_is(tmp_path):
    with pytest.raises(ConnectionResetError), tables.whole(tmp_path / "t.csv"):
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def test_parquet_on_a_full_disk_is_said(many, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(DataError, match=r"cannot write .*t\.parquet: File too large; make room and run again"):
            tables.write(many, tmp_path / "t.parquet", tables.LIGHT_CURVES)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert left_over(tmp_path) == []


def test_next_write_removes_what_killed_writers_left_and_spares_living_ones(tmp_path):
    kept = {".t.parquet.stillold.parquet", ".t.parquet.abcdefgh.json", ".other.parquet.abcdefgh.parquet"}
    for name in (*kept, ".t.parquet.abcdefgh.parquet"):
        (tmp_path / name).write_bytes(b"PAR1 half")
    with (tmp_path / ".t.parquet.stillold.parquet").open("rb") as living:
        fcntl.flock(living, fcntl.LOCK_EX)
        tables.write(ROWS, tmp_path / "t.parquet", tables.OBJECTS)
    assert set(left_over(tmp_path)) == {*kept, "t.parquet"}


def test_two_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "t.txt"
    with tables.whole(path) as first:
        first.write_text("first")
        with tables.whole(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert left_over(tmp_path) == ["t.txt"]


def test_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "results").write_text("a file, not a folder")
    with pytest.raises(DataError, match=r"cannot write .*t\.parquet: .*make its folder writable"):
        tables.write(ROWS, tmp_path / "results" / "t.parquet", tables.OBJECTS)


WRITER = """
import sys, time
from pathlib import Path
from workflow_scripts import tables
with tables.whole(Path(sys.argv[1])) as part:
    part.write_bytes(b"PAR1 half of a table")
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_killed_writer_leaves_no_file_and_the_next_one_succeeds(how, tmp_path):
    path = tmp_path / "t.parquet"
    root = Path(__file__).parents[1]
    with subprocess.Popen([sys.executable, "-c", WRITER, path], cwd=root, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "writing\n"
        writer.send_signal(how)
        assert writer.wait(10) == -how
    assert not path.exists()
    assert [name for name in left_over(tmp_path) if not name.startswith(".")] == []
    tables.write(ROWS, path, tables.OBJECTS)
    assert tables.read(path, tables.OBJECTS).num_rows == 3
