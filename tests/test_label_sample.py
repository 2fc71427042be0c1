import gzip
import logging
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from workflow_scripts import tables
from workflow_scripts.crossmatch.positions import separations_arcsec, unit_vectors
from workflow_scripts.label_sample import (
    IGNORED,
    LABEL_AGREEMENT,
    NO_COUNTERPART,
    NO_LABEL,
    ONE_CATALOGUE,
    RIVAL,
    Agreement,
    select,
)
from workflow_scripts.tables import DataError

CLASSES = {"EW": ["EW"], "RRAB": ["RRAB", "RR"], "ROT": ["BYDra", "RSCVN"]}
AGREEMENT = Agreement(1.5, CLASSES, ["L"])
ARCSEC = 1 / 3600


def catalogue(rows) -> pa.Table:
    """Rows of (object_id, offset in declination from a field [arcsec], label, period)."""
    columns = {"object_id": [], "ra_deg": [], "dec_deg": [], "class": [], "catalogue_period_d": []}
    for name, offset, label, period in rows:
        for column, value in zip(columns.values(), (name, 120.0, 30 + offset * ARCSEC, label, period), strict=True):
            column.append(value)
    return pa.table(columns, schema=tables.SOURCES.schema)


def choose(*rows, agreement=AGREEMENT, n_max=0, seed=1):
    given = {name: catalogue(part) for name, part in zip(("chen", "asassn", "third"), rows, strict=False)}
    return select(given, "ZTF", agreement, n_max, np.random.default_rng(seed))


def counts(table) -> dict:
    return {(row["first"], row["second"]): (row["n"], row["n_kept"]) for row in table.to_pylist()}


FIRST = [
    ("a1", 0, "EW", 0.3),
    ("a2", 10, "RR", 0.5),
    ("a3", 20, "RSCVN", 7.0),
    ("a4", 30, "EW", 0.4),
    ("a5", 40, "L", None),
    ("a6", 50, None, None),
    ("a7", 60, "EW", 0.2),
]
SECOND = [
    ("b1", 0.4, "EW", 0.6),
    ("b2", 10.4, "RRAB", 0.5),
    ("b3", 20.4, "BYDra", 7.1),
    ("b4", 30.4, "RRAB", 0.4),
    ("b5", 40.4, "L", 1.0),
    ("b6", 50.4, "EW", 1.0),
    ("b8", 70, "ROT", 1.0),
]


def test_objects_on_whose_class_both_agree_are_kept_as_the_first_has_them():
    objects, _ = choose(FIRST, SECOND, agreement=Agreement(1.5, CLASSES, ["L", "ROT"]))
    assert objects.schema.equals(tables.OBJECTS.schema)
    assert objects["object_id"].to_pylist() == ["a1", "a2", "a3"]
    assert objects["class"].to_pylist() == ["EW", "RR", "RSCVN"]  # the first catalogue's own labels
    assert objects["catalogue_period_d"].to_pylist() == [0.3, 0.5, 7.0]
    assert objects["dec_deg"].to_pylist() == [30, 30 + 10 * ARCSEC, 30 + 20 * ARCSEC]
    assert set(objects["survey"].to_pylist()) == {"ZTF"}


def test_accepted_pair_takes_the_label_of_the_second():
    """Chen et al. (2020) have no semi-detached binaries: their EW may be the EB of ASAS-SN, not the reverse."""
    classes = {"EW": ["EW"], "EB": ["EB", "EB:"], "EA": ["EA"]}
    first = [("a1", 0, "EW", 0.3), ("a2", 10, "EB", 0.5), ("a3", 20, "EA", 0.5), ("a4", 30, "EW", 0.1)]
    second = [("b1", 0.1, "EB:", 0.6), ("b2", 10.1, "EW", 0.5), ("b3", 20.1, "EB", 0.5), ("b4", 30.1, "EW", 0.1)]
    objects, agreed = choose(first, second, agreement=Agreement(1.5, classes, (), [("EW", "EB")]))
    assert list(zip(objects["object_id"].to_pylist(), objects["class"].to_pylist(), strict=True)) == [
        ("a1", "EB:"),
        ("a4", "EW"),
    ]
    assert objects["catalogue_period_d"].to_pylist() == [0.3, 0.1]
    assert counts(agreed)["EW", "EB"] == (1, 1)
    assert counts(agreed)["EB", "EW"] == counts(agreed)["EA", "EB"] == (1, 0)


def test_every_object_of_both_is_counted():
    _, agreement = choose(FIRST, SECOND, agreement=Agreement(1.5, CLASSES, ["L", "ROT"]))
    assert agreement.schema.equals(LABEL_AGREEMENT.schema)
    assert counts(agreement) == {
        ("EW", "EW"): (1, 1),
        ("RRAB", "RRAB"): (1, 1),
        ("ROT", "ROT"): (1, 1),
        ("EW", "RRAB"): (1, 0),
        (IGNORED, IGNORED): (1, 0),  # the same ignored label is no agreement
        (NO_LABEL, "EW"): (1, 0),
        ("EW", NO_COUNTERPART): (1, 0),
        (NO_COUNTERPART, IGNORED): (1, 0),
    }


def test_without_classes_every_label_is_one():
    objects, agreement = choose(FIRST[:2], [SECOND[0], ("b2", 10.4, "RR", None)], agreement=Agreement(1.5))
    assert objects["object_id"].to_pylist() == ["a1", "a2"]
    assert set(counts(agreement)) == {("EW", "EW"), ("RR", "RR")}


def test_an_object_that_one_catalogue_has_twice_is_counted_as_a_rival():
    twice = [("a1", 0.0, "EW", 0.3), ("a2", 1.0, "EW", 0.3)]
    objects, agreement = choose(twice, [("b1", 0.2, "EW", 0.3)])
    assert objects["object_id"].to_pylist() == ["a1"]
    assert counts(agreement) == {("EW", "EW"): (1, 1), ("EW", RIVAL): (1, 0)}
    objects, agreement = choose([("b1", 0.2, "EW", 0.3)], twice)
    assert objects["object_id"].to_pylist() == ["b1"]
    assert counts(agreement) == {("EW", "EW"): (1, 1), (RIVAL, "EW"): (1, 0)}


@pytest.mark.parametrize(("offset", "expected"), [(1.499, 1), (1.501, 0)])
def test_the_radius_is_the_radius(offset, expected):
    rows = [("a0", 100, "EW", 1.0), ("a1", 0, "EW", 1.0)], [("b0", 100, "EW", 1.0), ("b1", offset, "EW", 1.0)]
    objects, _ = choose(*rows)
    assert objects.num_rows == 1 + expected


def test_positions_across_right_ascension_zero_match():
    one, other = (
        catalogue([(name, 0, "EW", 1.0)]).set_column(1, tables.SOURCES.schema.field("ra_deg"), pa.array([ra]))
        for name, ra in (("a", 359.9999), ("b", 0.0001))
    )
    objects, _ = select({"a": one, "b": other}, "ZTF", AGREEMENT, 0, np.random.default_rng(1))
    assert objects["object_id"].to_pylist() == ["a"]


# The same, in the slowest way


def literal(first, second, radius_arcsec):
    """Confusion by comparing everything with everything."""
    ones, others = (unit_vectors(*(rows[c].to_numpy() for c in ("ra_deg", "dec_deg"))) for rows in (first, second))
    apart = np.array([[separations_arcsec(a[None], b[None])[0] for b in others] for a in ones])
    apart[apart > radius_arcsec] = np.inf
    labels = [rows["class"].to_pylist() for rows in (first, second)]
    found, paired = Counter(), set()
    for i, row in enumerate(apart):
        j = int(np.argmin(row))
        if np.isinf(row[j]):
            found[labels[0][i], NO_COUNTERPART] += 1
        elif np.argmin(apart[:, j]) != i:
            found[labels[0][i], RIVAL] += 1
        else:
            found[labels[0][i], labels[1][j]] += 1
            paired.add(j)
    for j in set(range(len(others))) - paired:
        found[RIVAL if np.isfinite(apart[:, j]).any() else NO_COUNTERPART, labels[1][j]] += 1
    return found


@pytest.mark.parametrize("seed", range(5))
def test_confusion_is_that_of_comparing_all_with_all(seed):
    rng = np.random.default_rng(seed)
    sides = [
        catalogue(
            [
                (f"{side}{i:03d}", rng.uniform(0, 400), rng.choice(["EW", "EA", "ROT"]), 1.0)
                for i in range(rng.integers(80, 120))
            ]
        )
        for side in "ab"
    ]
    objects, agreement = select(dict(zip("ab", sides, strict=True)), "ZTF", Agreement(1.5), 0, rng)
    found = counts(agreement)
    assert {key: n for key, (n, _) in found.items()} == literal(*sides, 1.5)
    kept = {key: n_kept for key, (_, n_kept) in found.items() if n_kept}
    assert kept == {key: n for key, (n, _) in found.items() if key[0] == key[1]}
    assert sum(kept.values()) == objects.num_rows
    for side, place, lost in ((sides[0], 0, (NO_COUNTERPART, RIVAL)), (sides[1], 1, (NO_COUNTERPART, RIVAL))):
        assert sum(n for key, (n, _) in found.items() if key[place] not in lost) == side.num_rows
    assert any(RIVAL in key for key in found), "the test needs crowded objects"


# One catalogue


def test_one_catalogue_gives_all_its_objects():
    objects, agreement = choose(FIRST)
    assert objects["object_id"].to_pylist() == [row[0] for row in FIRST]
    assert objects["class"].to_pylist() == [row[2] for row in FIRST]
    expected = {"EW": 3, "RR": 1, "RSCVN": 1, "L": 1, NO_LABEL: 1}
    assert counts(agreement) == {(label, ONE_CATALOGUE): (n, n) for label, n in expected.items()}


# A random subset


def many(n=200):
    return [(f"s{i:04d}", 10 * i, "EW" if i % 2 else "RR", None) for i in range(n)]


def test_a_subset_is_random_and_does_not_depend_on_the_order_of_rows():
    drawn = choose(many(), n_max=50)[0]["object_id"].to_pylist()
    assert len(drawn) == 50
    assert drawn == sorted(drawn)
    assert drawn == choose(many()[::-1], n_max=50)[0]["object_id"].to_pylist()
    assert drawn != choose(many(), n_max=50, seed=2)[0]["object_id"].to_pylist()
    assert drawn != [row[0] for row in many()[:50]]


def test_every_object_has_the_same_chance():
    """Ten of twenty, four hundred times: each 200 times, give or take 5 standard deviations of 10."""
    times = Counter(
        name for seed in range(400) for name in choose(many(20), n_max=10, seed=seed)[0]["object_id"].to_pylist()
    )
    assert len(times) == 20
    assert max(abs(n - 200) for n in times.values()) < 50


def test_a_subset_is_counted_beside_the_whole():
    objects, agreement = choose(many(), n_max=50)
    found = counts(agreement)
    assert {key: n for key, (n, _) in found.items()} == {("EW", ONE_CATALOGUE): 100, ("RR", ONE_CATALOGUE): 100}
    assert sum(kept for _, kept in found.values()) == 50
    assert found["EW", ONE_CATALOGUE][1] == pc.sum(pc.equal(objects["class"], "EW")).as_py()


def test_a_subset_of_two_catalogues_is_drawn_from_what_agrees():
    objects, agreement = choose(FIRST[:3], SECOND[:3], n_max=2)
    assert objects.num_rows == 2
    assert sum(n for n, _ in counts(agreement).values()) == 3


@pytest.mark.parametrize("n_max", [0, 200, 1000])
def test_no_limit_and_a_high_limit_keep_all(n_max):
    assert choose(many(), n_max=n_max)[0].num_rows == 200


# Bad input


def test_labels_that_no_class_lists_are_counted_over_both_catalogues():
    strange = [("b1", 0.4, "XX", None), ("b2", 50, "XX", None), ("b3", 60, "YY", None)]
    with pytest.raises(DataError, match=r"4 objects have labels that no class lists: XX \(2\), YY \(1\), ZZ \(1\)"):
        choose([*FIRST, ("a9", 900, "ZZ", None)], strange)


def test_a_label_with_two_meanings_is_refused():
    with pytest.raises(DataError, match=r"labels \['EW'\] are listed more than once"):
        choose(FIRST, SECOND, agreement=Agreement(1.5, CLASSES | {"EB": ["EW"]}, ["L"]))


def test_an_object_in_two_rows_is_refused_with_its_catalogue():
    with pytest.raises(DataError, match=r"catalogue asassn: 1 duplicate rows, such as \{'object_id': 'b1'\}"):
        choose(FIRST, [SECOND[0], SECOND[0]])


def test_catalogues_that_agree_on_nothing_are_refused_with_the_counts():
    with pytest.raises(
        DataError, match=r"chen and asassn: no object is left of 1: EW and RRAB: 1; check radius_arcsec"
    ):
        choose(FIRST[:1], [("b1", 0.4, "RRAB", None)])


def test_an_empty_catalogue_is_refused():
    with pytest.raises(DataError, match="no object is left of 0: no rows"):
        choose([])
    with pytest.raises(DataError, match=r"EW and \(no counterpart\): 1"):
        choose(FIRST[:1], [])


def test_two_catalogues_are_the_most():
    with pytest.raises(DataError, match="one catalogue or two, found 3: chen, asassn, third"):
        choose(FIRST, SECOND, SECOND)


def test_a_position_out_of_range_is_refused():
    with pytest.raises(DataError, match="positions are missing, not finite or out of range"):
        choose(FIRST, [("b1", 70 * 3600, "EW", None)])


def test_what_was_found_goes_to_the_log(caplog):
    caplog.set_level(logging.INFO)
    choose(FIRST, [*SECOND[:-1], ("b9", -0.9, "EW", None)], n_max=2)
    assert "6 pairs within 1.5 arcsec, 1 of them with a second neighbour" in caplog.text
    assert "8 objects in chen, asassn, 3 wanted, 2 kept" in caplog.text


# Real catalogues: Catalina (Drake 2014, table 2) and LINEAR (Palaversa 2013)

DRAKE = {"1": "EW", "2": "EA", "4": "RRAB", "5": "RRC", "11": "DSCT"}
LINEAR = {"1": "RRAB", "2": "RRC", "4": "EA", "5": "EW", "6": "DSCT"}


@pytest.mark.real
def test_catalina_and_linear_agree_on_most_stars(real_data):
    with gzip.open(real_data / "catalogues" / "drake2014_table3.txt.gz", "rt") as file:
        rows = [line for line in file if line.startswith("CSS_J")]
    hms = [15 * (int(r[21:23]) + int(r[24:26]) / 60 + float(r[27:32]) / 3600) for r in rows]
    dms = [(-1) ** (r[33] == "-") * (int(r[34:36]) + int(r[37:39]) / 60 + float(r[39:44]) / 3600) for r in rows]
    ids = [f"{r[:20].strip()}-{i}" for i, r in enumerate(rows)]
    labels = [DRAKE.get(r[69:71].strip(), "other") for r in rows]
    drake = pa.table([ids, hms, dms, labels, pa.nulls(len(ids), pa.float64())], schema=tables.SOURCES.schema)
    with gzip.open(real_data / "catalogues" / "LINEARattributesFinalApr2013.dat.gz", "rt") as file:
        values = [line.split() for line in file if not line.startswith("#")]
    columns = [
        [v[13] for v in values],
        *([float(v[i]) for v in values] for i in (0, 1)),
        [LINEAR[v[12]] for v in values],
        [10 ** float(v[6]) for v in values],
    ]
    linear = pa.table(columns, schema=tables.SOURCES.schema)
    agreement = Agreement(1.5, {}, ["other"])
    objects, found = select({"drake": drake, "linear": linear}, "CRTS", agreement, 0, np.random.default_rng(1))
    both = {key: n for key, (n, _) in counts(found).items() if not any(part.startswith("(") for part in key)}
    assert objects.num_rows > 2000
    assert objects.num_rows / sum(both.values()) > 0.9
    assert both["RRAB", "RRAB"] > 10 * sum(n for key, n in both.items() if "RRAB" in key and key[0] != key[1])
    assert sum(n for (first, _), (n, _) in counts(found).items() if first not in (NO_COUNTERPART, RIVAL)) == len(rows)
