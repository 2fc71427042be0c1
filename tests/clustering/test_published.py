"""What is published: three formats of one table, and a verdict on DEC."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from simulated_region import region

from workflow_scripts.clustering import compare, published
from workflow_scripts.clustering.fields import Field
from workflow_scripts.clustering.members import MEMBERS, members
from workflow_scripts.clustering.membership import Membership
from workflow_scripts.clustering.regions import Region
from workflow_scripts.clustering.selection import from_weights
from workflow_scripts.clustering.space import Centre
from workflow_scripts.clustering.stars import Locus

STARS = region(np.random.default_rng(1), (), n_field=40).stars
N = STARS.num_rows
LOCUS = Locus(1.0, 2.0, 3.0)
FIRST = np.arange(N) < 20
FAR = "FAR from the locus of Dias 2002, maybe another cluster:"


def final(probability: np.ndarray, reason: str | None = None) -> Membership:
    return Membership(probability, LOCUS, np.eye(3), 9.0, reason, Centre(0.0, 0.0), {"steps": 3.0})


def place(survey: str) -> Field:
    return Field(Region("M 1", Centre(130.0, 20.0), 1.0), survey, "DR3", 0.5, "Dias 2002", LOCUS)


def write(tmp_path, rows: pa.Table, survey: str, against: str | None):
    paths = [tmp_path / f"members.{suffix}" for suffix in ("parquet", "fits", "vot")]
    published.write(rows, place(survey), against, *paths)
    return paths


def test_three_formats_hold_the_same_stars(tmp_path):
    from astropy.io.votable import parse_single_table
    from astropy.table import Table

    methods = {"DEC": FIRST, "HDBSCAN": FIRST & (np.arange(N) > 9)}
    rows = members("M 1", STARS, final(FIRST * 0.9), methods)
    parquet, fits, votable = write(tmp_path, rows, "Gaia DR3", None)
    stored = pq.read_table(parquet)
    assert stored.num_rows == 20
    assert set(stored["methods"].to_pylist()) == {"DEC", "DEC|HDBSCAN"}
    description = stored.schema.metadata[b"description"].decode()
    assert "Gaia DR3" in description
    assert "SIMULATED" not in description
    for table in (Table.read(fits), parse_single_table(votable).to_table()):
        assert [str(name) for name in table["source_id"]] == stored["source_id"].to_pylist()
        np.testing.assert_allclose(table["probability"], 0.9)


@pytest.mark.parametrize("reason", [None, "nothing stands out"])
def test_simulated_stars_are_said_to_be_even_where_there_are_none(tmp_path, reason):
    chosen = np.zeros(N) if reason else FIRST * 0.9
    rows = members("M 1", STARS, final(chosen, reason), {})
    paths = write(tmp_path, rows, "demo region (SIMULATED)", f"NO MEMBERS: {reason}" if reason else None)
    description = pq.read_schema(paths[0]).metadata[b"description"].decode()
    assert "SIMULATED" in description
    assert ("NO MEMBERS: nothing stands out" in description) == bool(reason)
    assert all(b"SIMULATED" in path.read_bytes() for path in paths)
    assert rows.num_rows == (0 if reason else 20)


def test_table_has_the_columns_of_members_and_the_survey():
    names = [column.name for column in published.PUBLISHED.columns]
    assert set(names) == {*MEMBERS.names, "survey", "ref_epoch_yr"}


@pytest.mark.parametrize(
    ("survey", "release", "epoch"),
    [("Gaia DR2", "DR2", 2015.5), ("Gaia DR3 (local files)", "DR3", 2016.0), ("demo region (SIMULATED)", "DR3", None)],
)
def test_epoch_of_the_positions_is_that_of_the_release(tmp_path, survey, release, epoch):
    from astropy.io.votable import parse_single_table
    from astropy.table import Table

    where = dataclasses.replace(place(survey), release=release)
    paths = [tmp_path / f"members.{suffix}" for suffix in ("parquet", "fits", "vot")]
    published.write(members("M 1", STARS, final(FIRST * 0.9), {}), where, None, *paths)
    assert set(pq.read_table(paths[0])["ref_epoch_yr"].to_pylist()) == {epoch}
    fits, votable = Table.read(paths[1]), parse_single_table(paths[2]).to_table()
    for table in (fits, votable):
        seen = np.asarray(table["ref_epoch_yr"])
        np.testing.assert_array_equal(seen, np.full(20, np.nan if epoch is None else epoch))
        assert table["ref_epoch_yr"].unit == "yr"
    assert "at ref_epoch_yr" in votable["dec_deg"].description
    assert votable["ref_epoch_yr"].meta["ucd"] == "meta.ref;time.epoch"


def test_literature_is_the_locus_without_errors():
    row = published.literature(place("Gaia"), place("Gaia").region.centre)["literature (Dias 2002)"]
    assert row.mean.tolist() == [1, 2, 3]
    assert np.isnan(row.standard_error).all()


@pytest.mark.parametrize("locus", [Locus(1.0, 2.0, np.nan), Locus(np.nan, np.nan, 3.0)])
def test_literature_with_half_a_locus_has_that_half(locus):
    centre = place("Gaia").region.centre
    where = dataclasses.replace(place("Gaia"), locus=locus)
    given = locus.array()
    mean = published.literature(where, centre)["literature (Dias 2002)"].mean
    np.testing.assert_array_equal(mean, given)
    # Along other axes: a motion turns by the difference in right ascension times the sine of the declination.
    moved = published.literature(where, Centre(131.0, 20.0))["literature (Dias 2002)"].mean
    angle = np.radians(1.0) * np.sin(np.radians(20.0))
    turned = [given[0] + angle * given[1], given[1] - angle * given[0], given[2]]
    np.testing.assert_allclose(np.abs(moved - turned), np.where(np.isnan(given), np.nan, 0), atol=1e-3)


def test_nan_becomes_null_and_nothing_else_changes():
    table = pa.table({"a": [1.0, float("nan"), None], "b": ["x", "y", None]})
    assert published.without_nan(table).to_pydict() == {"a": [1.0, None, None], "b": ["x", "y", None]}


@pytest.mark.parametrize(("n_dec", "verdict"), [(40, "WORSE than K-Means: F1 0.667 against 0.889"), (20, "not worse")])
def test_dec_that_is_worse_than_kmeans_is_told_in_words(n_dec, verdict):
    found = [
        from_weights("K-Means", (np.arange(N) < 25) * 1.0, {}),
        from_weights("DEC", (np.arange(N) < n_dec) * 1.0, {}),
    ]
    flags = {one.method: one.selected for one in found}
    scores = compare.agreement("M 1", np.full(N, 15.0), flags, {"CG": FIRST})
    notes = {(m, n): v for m, n, v in published.comparison(found, final(FIRST * 0.9), scores, place("Gaia"))}
    assert str(notes["DEC", "judged by CG"]).startswith(verdict)
    assert str(notes["DEC", "judged by final members"]).startswith(verdict)
    assert notes["membership", "steps"] == 3.0
    both = min(n_dec, 25)
    assert notes["DEC", "F1 with K-Means"] == pytest.approx(2 * both / (n_dec + 25))


@pytest.mark.parametrize(
    ("dec", "verdict"),
    [
        (0.9681, "not worse than K-Means: F1 0.968 against 0.968"),
        (0.9669, "WORSE than K-Means: F1 0.967 against 0.968"),
    ],
)
def test_verdict_on_dec_is_that_of_the_scores_as_they_are_printed(monkeypatch, dec, verdict):
    found = [from_weights(name, (np.arange(N) < n) * 1.0, {}) for name, n in (("K-Means", 20), ("DEC", 30))]
    flags = {one.method: one.selected for one in found}
    scores = compare.agreement("M 1", np.full(N, 15.0), flags, {"none": FIRST & ~FIRST})
    monkeypatch.setattr(published.consensus, "f1", lambda chosen, _: dec if chosen.sum() == 30 else 0.9684)
    notes = {n: v for _, n, v in published.comparison(found, final(FIRST * 0.9), scores, place("Gaia"))}
    assert "judged by none" not in notes  # a list without a star in the region
    assert notes["judged by final members"] == verdict


def test_without_members_and_lists_nothing_is_judged_and_the_reason_is_noted():
    found = [from_weights(name, np.zeros(N), {}) for name in ("K-Means", "DEC")]
    scores = compare.agreement("M 1", np.full(N, 15.0), {}, {})
    notes = published.comparison(found, final(np.zeros(N), "nothing stands out"), scores, place("Gaia"))
    assert ("membership", "no members", "nothing stands out") in notes
    assert not [note for _, note, _ in notes if note.startswith(("judged", "members less"))]


@pytest.mark.parametrize(
    ("literature", "expected"),
    [
        (Locus(2.0, 4.0, 2.5), "-1.00 mas/yr, -2.00 mas/yr, +0.500 mas"),
        (Locus(5.0, 5.5, 3.0), f"{FAR} -4.00 mas/yr, -3.50 mas/yr, +0.000 mas"),
        (Locus(1.0, 2.0, 1.8), f"{FAR} +0.00 mas/yr, +0.00 mas/yr, +1.200 mas"),
        (Locus(2.0, 4.0, np.nan), "-1.00 mas/yr, -2.00 mas/yr"),
        (Locus(5.0, 5.5, np.nan), f"{FAR} -4.00 mas/yr, -3.50 mas/yr"),
        (Locus(np.nan, np.nan, 2.5), "+0.500 mas"),
        (Locus(np.nan, np.nan, 1.8), f"{FAR} +1.200 mas"),
    ],
)
def test_members_far_from_the_literature_may_be_another_cluster(literature, expected):
    where = dataclasses.replace(place("Gaia"), locus=literature)
    scores = compare.agreement("M 1", np.full(N, 15.0), {}, {})
    notes = {n: v for _, n, v in published.comparison([], final(FIRST * 0.9), scores, where)}
    assert notes["members less the locus of Dias 2002"] == expected
    assert (published.doubt(final(FIRST * 0.9), where) is None) == ("FAR" not in expected)
    assert published.doubt(final(FIRST * 0.0, "nothing stands out"), where) is None


def test_without_a_locus_there_is_nothing_to_be_far_from():
    where = dataclasses.replace(place("Gaia"), locus=None, locus_from="none")
    scores = compare.agreement("M 1", np.full(N, 15.0), {}, {})
    assert not [n for _, n, _ in published.comparison([], final(FIRST * 0.9), scores, where) if "members less" in n]
