"""Matching file by file gives what matching whole catalogues gives, in bounded memory, and says what is wrong."""

import logging

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from skies import HARD_PLACES, all_sky, clumps, joined, literal_match, offset, same, shaken, sorted_file

from workflow_scripts import progress, tables
from workflow_scripts.crossmatch import PAIRS, Positions, Rule, match, row_groups, streaming
from workflow_scripts.crossmatch.row_groups import CELL, POSITIONS, SortedFile
from workflow_scripts.crossmatch.streaming import Catalogue, match_files
from workflow_scripts.tables import DataError

MODES = ("nearest", "mutual", "unique")
# Sources whose cells are neighbours on the sky and far apart in order: where four or three base cells meet.
SEAMS = [*HARD_PLACES, (0, 41.8103149), (45, 0), (135, 0), (90, -41.8103149), (0.001, 89.99), (270.001, 89.99)]


def survey(seed, count=700):
    a = joined(
        clumps(seed, count, SEAMS, 10.0, repeated=20), clumps(seed + 1, count, SEAMS, 600.0), all_sky(seed, count)
    )
    return a, joined(
        shaken(a, seed + 2, 0.6), clumps(seed + 3, count, SEAMS, 10.0, repeated=20), all_sky(seed + 4, count)
    )


def positions(path):
    """Positions in the order of the file."""
    rows = pq.read_table(path, columns=POSITIONS.names)
    return Positions(*(rows[name].to_numpy() for name in ("ra_deg", "dec_deg", "moved")))


def whole(a, b, rule):
    """The pairs of the whole catalogues, by one tree."""
    return match(positions(a), positions(b), rule)


@pytest.fixture(scope="module")
def sky():
    return survey(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("catalogues")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("radii", [(1.5, 3.0), (0.3, None), (180.0, 360.0)])
@pytest.mark.parametrize(("size_a", "size_b"), [(250_000, 250_000), (700, 300), (97, 1013), (1013, 13), (29, 2000)])
def test_files_give_the_pairs_of_the_whole_catalogues(sky, folder, mode, radii, size_a, size_b):
    a = sorted_file(sky[0], folder / "a.parquet", size_a)
    b = sorted_file(sky[1], folder / "b.parquet", size_b)
    rule = Rule(radii[0], mode, radii[1])
    outcome = match_files(a, b, folder / "pairs.parquet", rule)
    expected = whole(a, b, rule)
    assert tables.read(folder / "pairs.parquet", PAIRS).equals(expected)
    assert (outcome.a_rows, outcome.b_rows, outcome.pairs) == (len(sky[0]), len(sky[1]), expected.num_rows)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 10**6), st.sampled_from(MODES), st.integers(1, 60), st.integers(1, 60), st.sampled_from([1.5, 20.0])
)
def test_sizes_of_row_groups_do_not_show(tmp_path, seed, mode, size_a, size_b, radius):
    one = clumps(seed, 60, SEAMS[:6], 30.0)
    a = sorted_file(one, tmp_path / "a.parquet", size_a)
    b = sorted_file(joined(shaken(one, seed, 1.0), clumps(seed + 1, 20, SEAMS[:6])), tmp_path / "b.parquet", size_b)
    rule = Rule(radius, mode, 2 * radius)
    match_files(a, b, tmp_path / "pairs.parquet", rule)
    found = tables.read(tmp_path / "pairs.parquet", PAIRS)
    assert found.equals(whole(a, b, rule))
    same(found, literal_match(positions(a), positions(b), rule))


def test_bytes_do_not_depend_on_the_row_groups(sky, folder):
    found = set()
    for size in (250_000, 500, 61):
        a, b = (sorted_file(side, folder / f"{i}.parquet", size) for i, side in enumerate(sky))
        match_files(a, b, folder / "pairs.parquet", Rule(1.5))
        found.add((folder / "pairs.parquet").read_bytes())
    assert len(found) == 1


@pytest.mark.parametrize("held", [(1, 1), (200, 1), (1, 200)])
@pytest.mark.parametrize("most", [1, 300, 10**6])
def test_little_memory_does_not_show(sky, folder, monkeypatch, held, most):
    a, b = sorted_file(sky[0], folder / "a.parquet", 400), sorted_file(sky[1], folder / "b.parquet", 150)
    monkeypatch.setattr(row_groups, "_HELD", held[0])
    monkeypatch.setattr(row_groups, "_HELD_BORDERS", held[1])
    monkeypatch.setattr(streaming, "_MOST_ROWS", most)
    outcome = match_files(a, b, folder / "pairs.parquet", Rule(1.5))
    assert tables.read(folder / "pairs.parquet", PAIRS).equals(whole(a, b, Rule(1.5)))
    assert outcome.b_rows_read >= outcome.b_rows * 0.9


def test_a_rival_in_another_row_group_is_seen(tmp_path):
    # Two sources of A on either side of a seam between base cells claim the source of B between them; the second is
    # nearer. Each is in a row group of its own, far from the other in the file.
    ra, dec = np.array([45.0, 45.0]), np.zeros(2)
    a = Positions(*offset(ra, dec, np.array([0.0, 180.0]), np.array([1.0, 0.4])))
    b = Positions(*offset(ra[:1], dec[:1], np.array([0.0]), np.array([0.1])))
    one, other = sorted_file(a, tmp_path / "a.parquet", 1), sorted_file(b, tmp_path / "b.parquet", 1)
    cells = pq.read_table(one)[CELL].to_numpy()
    assert cells[1] - cells[0] > 4**29 // 2
    match_files(one, other, tmp_path / "mutual.parquet", Rule(1.5))
    (row,) = tables.read(tmp_path / "mutual.parquet", PAIRS).to_pylist()
    assert row["separation_arcsec"] == pytest.approx(0.5, abs=1e-6)
    assert row["n_rivals"] == 1
    match_files(one, other, tmp_path / "nearest.parquet", Rule(1.5, "nearest"))
    assert tables.read(tmp_path / "nearest.parquet", PAIRS).num_rows == 2


def test_few_targets_against_a_large_catalogue_are_cut_into_parts(tmp_path, monkeypatch):
    b = all_sky(3, 20_000)
    a = shaken(b, 4, 0.3, share=0.02)
    one, other = sorted_file(a, tmp_path / "a.parquet"), sorted_file(b, tmp_path / "b.parquet", 500)
    monkeypatch.setattr(streaming, "_MOST_ROWS", 10)
    monkeypatch.setattr(row_groups, "_HELD", 1000)
    most = []
    near = SortedFile.near

    def watched(self, coarse):
        found = near(self, coarse)
        most.append(len(found.points))
        return found

    monkeypatch.setattr(SortedFile, "near", watched)
    outcome = match_files(one, other, tmp_path / "pairs.parquet", Rule(1.5))
    assert outcome.pairs == len(a)
    assert max(most) < 100  # of 20,000; the number asked for is an estimate
    # With the borders between parts kept, row groups are read few times although there are many parts.
    assert len(most) >= 32
    assert outcome.b_rows_read < 4 * len(b)


def test_row_groups_are_read_about_twice_at_most(tmp_path):
    # Once for the borders of row groups that came before, once for itself.
    sky = all_sky(5, 60_000)
    a = sorted_file(sky, tmp_path / "a.parquet", 1500)
    b = sorted_file(shaken(sky, 6, 0.3), tmp_path / "b.parquet", 1500)
    outcome = match_files(a, b, tmp_path / "pairs.parquet", Rule(1.5))
    assert outcome.a_rows_read < 2.2 * outcome.a_rows
    assert outcome.b_rows_read < 2.5 * outcome.b_rows


def test_only_what_is_near_is_read(tmp_path):
    b = sorted_file(all_sky(7, 20_000), tmp_path / "b.parquet", 500)
    a = sorted_file(clumps(8, 50, [(200.0, -30.0)]), tmp_path / "a.parquet")
    assert match_files(a, b, tmp_path / "pairs.parquet", Rule(1.5)).b_rows_read <= 1000


def test_parts_of_a_job_in_turn_are_the_whole(sky, folder):
    a, b = sorted_file(sky[0], folder / "a.parquet", 400), sorted_file(sky[1], folder / "b.parquet", 350)
    match_files(a, b, folder / "pairs.parquet", Rule(1.5))
    with SortedFile(a) as file:
        n = file.n_groups
    parts = [range(3), range(3, 4), range(4, n), range(n, n)]
    for i, part in enumerate(parts):
        match_files(a, b, folder / f"part{i}.parquet", Rule(1.5), part)
    found = tables.read_all([folder / f"part{i}.parquet" for i in range(4)], PAIRS)
    assert found.equals(tables.read(folder / "pairs.parquet", PAIRS).replace_schema_metadata(None))


def test_columns_are_carried(sky, folder):
    names = np.array([f"star {i}" for i in range(len(sky[0]))])
    text = pa.field("name", pa.string(), metadata={"meaning": "name in the survey"})
    mag = pa.field("g_mag", pa.float32(), metadata={"unit": "mag", "ucd": "phot.mag"})
    a = sorted_file(sky[0], folder / "a.parquet", 300, name=pa.array(names))
    b = sorted_file(sky[1], folder / "b.parquet", 200, g_mag=pa.array(np.arange(len(sky[1])), pa.float32()))
    for path, field in ((a, text), (b, mag)):
        table = pq.read_table(path)
        place = table.column_names.index(field.name)
        pq.write_table(table.set_column(place, field, table[field.name]), path, row_group_size=250)
    match_files(Catalogue(a, ("name",)), Catalogue(b, ("g_mag",)), folder / "pairs.parquet", Rule(1.5))
    found = pq.read_table(folder / "pairs.parquet")
    assert found.column_names == [*PAIRS.names, "a_name", "b_g_mag"]
    assert found.select(PAIRS.names).equals(whole(a, b, Rule(1.5)))
    assert found["a_name"].to_pylist() == pq.read_table(a)["name"].take(found["a_row"]).to_pylist()
    assert found["b_g_mag"].to_pylist() == pq.read_table(b)["row"].take(found["b_row"]).to_pylist()
    assert found.schema.field("a_name").metadata == {b"meaning": b"name in the survey"}
    assert found.schema.field("b_g_mag").metadata == {b"unit": b"mag", b"ucd": b"phot.mag"}


def test_without_sources_there_are_no_pairs(tmp_path):
    none = sorted_file(Positions(np.empty(0), np.empty(0)), tmp_path / "none.parquet")
    some = sorted_file(all_sky(1, 10), tmp_path / "some.parquet")
    for a, b in ((none, some), (some, none), (none, none)):
        assert match_files(a, b, tmp_path / "pairs.parquet", Rule(1.5)).pairs == 0
        assert tables.read(tmp_path / "pairs.parquet", PAIRS).num_rows == 0


def test_one_source_matches_one(tmp_path):
    one = sorted_file(Positions(np.array([0.0]), np.array([90.0])), tmp_path / "one.parquet")
    match_files(one, one, tmp_path / "pairs.parquet", Rule(1.5))
    assert tables.read(tmp_path / "pairs.parquet", PAIRS)["separation_arcsec"].to_pylist() == [0.0]


def test_provenance_and_contract_are_in_the_file(sky, folder):
    a, b = (sorted_file(side, folder / f"{i}.parquet") for i, side in enumerate(sky))
    with tables.provenance({"fingerprint": "abc"}):
        match_files(a, b, folder / "pairs.parquet", Rule(1.5))
    metadata = pq.read_schema(folder / "pairs.parquet").metadata
    assert metadata[b"table"] == b"pairs"
    assert metadata[b"provenance"] == b'{"fingerprint": "abc"}'
    assert pq.read_schema(folder / "pairs.parquet").field("separation_arcsec").metadata[b"unit"] == b"arcsec"


def test_progress_is_logged(sky, folder, caplog, monkeypatch):
    a, b = sorted_file(sky[0], folder / "a.parquet", 1000), sorted_file(sky[1], folder / "b.parquet", 1000)
    monkeypatch.setattr(progress, "_EVERY_S", 0.0)
    with caplog.at_level(logging.INFO):
        match_files(a, b, folder / "pairs.parquet", Rule(1.5))
    assert "3 of 3 row groups matched, 0 s left" in caplog.text


# Bad input


@pytest.fixture
def good(tmp_path):
    return sorted_file(all_sky(1, 500), tmp_path / "good.parquet", 100)


def refused(a, b, tmp_path, message, **options):
    with pytest.raises(DataError, match=message):
        match_files(a, b, tmp_path / "pairs.parquet", Rule(1.5), **options)
    assert not [path for path in tmp_path.iterdir() if "pairs" in path.name]


def changed(good, tmp_path, change, row_group=100):
    table = change(pq.read_table(good))
    pq.write_table(table, tmp_path / "changed.parquet", row_group_size=row_group)
    return tmp_path / "changed.parquet"


def test_a_missing_file_is_named(good, tmp_path):
    refused(good, tmp_path / "gone.parquet", tmp_path, r"gone\.parquet does not exist; sort_by_healpix writes it")


def test_a_truncated_file_is_named(good, tmp_path):
    (tmp_path / "half.parquet").write_bytes(good.read_bytes()[:-100])
    refused(tmp_path / "half.parquet", good, tmp_path, r"half\.parquet is not a whole Parquet file")


def test_a_catalogue_that_was_never_sorted_is_refused(good, tmp_path):
    plain = changed(good, tmp_path, lambda t: t.drop_columns([CELL]))
    refused(good, plain, tmp_path, r"changed\.parquet has no columns \['_healpix_29'\].*sort_by_healpix")


def test_row_groups_in_disorder_are_refused(good, tmp_path):
    mixed = changed(good, tmp_path, lambda t: pa.concat_tables([t.slice(300), t.slice(0, 300)]))
    refused(mixed, good, tmp_path, "not sorted by '_healpix_29': row group 2 begins below the end of the one before")


def test_positions_changed_after_sorting_are_refused(good, tmp_path):
    def shift(table):
        return table.set_column(1, "ra_deg", pa.array((table["ra_deg"].to_numpy() + 90) % 360))

    refused(good, changed(good, tmp_path, shift), tmp_path, "positions changed after sorting: write the file with")


def test_other_types_are_refused(good, tmp_path):
    def single(table):
        return table.set_column(1, "ra_deg", table["ra_deg"].cast(pa.float32()))

    refused(changed(good, tmp_path, single), good, tmp_path, "column 'ra_deg' is float, expected double")


def test_nulls_are_refused(good, tmp_path):
    def gap(table):
        return table.set_column(2, "dec_deg", pa.array(table["dec_deg"].to_numpy(), mask=np.arange(500) == 250))

    refused(changed(good, tmp_path, gap), good, tmp_path, "column 'dec_deg' has 1 null values in row group 2")


def test_bad_positions_are_named_by_their_row(good, tmp_path):
    def far(table):
        dec = table["dec_deg"].to_numpy().copy()
        dec[[203, 207]] = 99
        return table.set_column(2, "dec_deg", pa.array(dec))

    refused(
        changed(good, tmp_path, far), good, tmp_path, r"changed\.parquet, row group 2: 2 of 100 positions .* row 203 "
    )


def test_files_without_statistics_are_refused(good, tmp_path):
    pq.write_table(pq.read_table(good), tmp_path / "bare.parquet", write_statistics=False)
    refused(good, tmp_path / "bare.parquet", tmp_path, "row group 0 has no statistics of '_healpix_29'")


def test_row_groups_that_are_not_there_are_refused(good, tmp_path):
    refused(good, good, tmp_path, "has row groups 0 to 4, asked for range.3, 6.", row_groups=range(3, 6))


def test_columns_to_carry_have_to_be_there_and_new(good, tmp_path):
    refused(Catalogue(good, ("mag",)), good, tmp_path, r"has no columns \['mag'\]")
    refused(Catalogue(good, ("row",)), good, tmp_path, r"columns \['a_row'\] would be in the result twice")
