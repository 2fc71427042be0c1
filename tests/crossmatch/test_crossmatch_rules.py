"""Which source is the counterpart: small scenes, the literal rules on crowded skies, astropy, symmetries, bad input."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord, search_around_sky
from hypothesis import given, settings
from hypothesis import strategies as st
from skies import HARD_PLACES, all_sky, clumps, joined, literal_match, offset, same, shaken

from workflow_scripts.crossmatch import PAIRS, Positions, Rule, match, neighbours
from workflow_scripts.tables import DataError

MODES = ("nearest", "mutual", "unique")
EMPTY = Positions(np.empty(0), np.empty(0))


def line(*arcsec, ra=30.0):
    """Sources on a meridian at these distances from the equator."""
    return Positions(np.full(len(arcsec), ra), np.array(arcsec, dtype=np.float64) / 3600)


def pairs(a, b, *rule):
    found = match(a, b, Rule(*rule))
    return list(zip(found["a_row"].to_pylist(), found["b_row"].to_pylist(), strict=True))


# Small scenes


@pytest.mark.parametrize("mode", MODES)
def test_one_source_beside_one(mode):
    (row,) = match(line(0), line(1.0), Rule(1.5, mode)).to_pylist()
    assert row.pop("separation_arcsec") == pytest.approx(1.0, abs=1e-9)
    expected = {"a_row": 0, "b_row": 0, "n_neighbours": 1, "second_separation_arcsec": None, "n_rivals": 0}
    assert row == expected | {"a_moved": False, "b_moved": False}


@pytest.mark.parametrize("mode", MODES)
def test_a_source_beyond_the_radius_is_none(mode):
    assert match(line(0), line(1.6), Rule(1.5, mode)).num_rows == 0


def test_two_sources_claim_one():
    # At 0 and 0.7, the source of B at 1.0: both have it for their nearest, it has the second.
    a, b = line(0, 0.7), line(1.0)
    assert pairs(a, b, 1.5, "nearest") == [(0, 0), (1, 0)]
    assert pairs(a, b, 1.5, "mutual") == [(1, 0)]
    assert match(a, b, Rule(1.5, "nearest"))["n_rivals"].to_pylist() == [1, 1]


def test_mutual_is_more_than_the_best_claim():
    # The nearest of a0 is b0. The nearest of b0 is a1, whose own nearest is b1: b0 stays without a counterpart.
    a, b = line(0, 1.9), line(1.0, 2.5)
    assert pairs(a, b, 1.5, "nearest") == [(0, 0), (1, 1)]
    assert pairs(a, b, 1.5, "mutual") == [(1, 1)]


def test_spitzer_rule_of_kim():
    # A counterpart within 1 arcsec, and no other source within 3 arcsec of the candidate.
    a = line(0, 100, 200, 300)
    b = line(0.5, 2.9, 100.5, 103.1, 200.9, 302.0)
    assert pairs(a, b, 1.0, "unique", 3.0) == [(1, 2), (2, 4)]
    assert match(a, b, Rule(1.0, "nearest", 3.0))["n_neighbours"].to_pylist() == [2, 1, 1]
    assert match(a, b, Rule(1.0, "nearest", 3.0))["second_separation_arcsec"].to_pylist() == [
        pytest.approx(2.9),
        None,
        None,
    ]


def test_x_ray_rule_of_kim():
    # The nearest within 5 arcsec, and no other within the same radius.
    a, b = line(0, 100), line(-4.0, 100.1, 104.9)
    assert pairs(a, b, 5.0, "unique") == [(0, 0)]


def test_neighbours_are_counted_around_the_candidate_and_not_around_the_counterpart():
    # A source 2.5 arcsec beyond the counterpart is 3.4 arcsec from the candidate.
    assert pairs(line(0), line(0.9, 3.4), 1.0, "unique", 3.0) == [(0, 0)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("ra", "dec"), HARD_PLACES)
def test_no_place_is_special(mode, ra, dec):
    angles = np.array([0.0, 90.0, 180.0, 270.0])
    a = Positions(*offset(np.full(4, float(ra)), np.full(4, float(dec)), angles, 60.0))
    b = Positions(*offset(np.full(4, float(ra)), np.full(4, float(dec)), angles, 61.0))
    found = match(a, b, Rule(1.5, mode))
    assert found["a_row"].to_pylist() == found["b_row"].to_pylist() == [0, 1, 2, 3]
    assert found["separation_arcsec"].to_numpy() == pytest.approx(np.ones(4), abs=1e-6)  # the tangent plane


def test_the_same_pole_and_the_same_meridian_written_differently():
    a, b = (
        Positions(np.array([0.0, 360.0]), np.array([90.0, 5.0])),
        Positions(np.array([0.0, 123.0]), np.array([5.0, 90.0])),
    )
    found = match(a, b, Rule(1e-6))
    assert found["b_row"].to_pylist() == [1, 0]
    assert found["separation_arcsec"].to_pylist() == [0.0, 0.0]


# Ties


def test_of_equal_positions_the_smaller_row_is_the_nearest():
    a, b = line(0, 0, 50), line(0.5, 50, 0.5, 50)
    assert pairs(a, b, 1.5, "nearest") == [(0, 0), (1, 0), (2, 1)]
    assert pairs(a, b, 1.5, "mutual") == [(0, 0), (2, 1)]
    assert pairs(a, b, 1.5, "unique") == []
    assert match(a, b, Rule(1.5))["second_separation_arcsec"].to_pylist() == [pytest.approx(0.5), 0.0]


@pytest.mark.parametrize("mode", MODES)
def test_many_sources_at_one_position(mode):
    # A catalogue whose missing positions are 0, 0.
    a, b = line(*np.zeros(300), ra=0.0), line(*np.zeros(500), ra=0.0)
    found = match(a, b, Rule(1.5, mode))
    assert found["a_row"].to_pylist() == {"nearest": list(range(300)), "mutual": [0], "unique": []}[mode]
    assert set(found["b_row"].to_pylist()) <= {0}
    assert set(found["n_neighbours"].to_pylist()) <= {500}
    assert set(found["n_rivals"].to_pylist()) <= {299}


# The literal rules


def crowded(seed, count=150):
    a = clumps(seed, count, spread_arcsec=8, repeated=10)
    return a, joined(shaken(a, seed + 1, 0.7), clumps(seed + 2, count, spread_arcsec=8, repeated=10))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("radii", [(0.5, None), (1.5, None), (1.5, 3.0), (5.0, 5.0), (30.0, 60.0)])
@pytest.mark.parametrize("mode", MODES)
def test_agrees_with_the_rules_written_down_literally(mode, radii, seed):
    a, b = crowded(10 * seed)
    rule = Rule(radii[0], mode, radii[1])
    expected = literal_match(a, b, rule)
    assert mode == "unique" or len(expected) > 20
    same(match(a, b, rule), expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(MODES), st.floats(0.01, 20), st.floats(1, 3), st.integers(1, 40))
def test_agrees_with_the_literal_rules_on_any_small_sky(seed, mode, radius, wider, count):
    a, b = clumps(seed, count, HARD_PLACES[:2], 5.0), clumps(seed + 1, 2 * count, HARD_PLACES[:2], 5.0)
    rule = Rule(radius, mode, radius * wider)
    same(match(a, b, rule), literal_match(a, b, rule))


@pytest.mark.parametrize("mode", MODES)
def test_blocks_and_parts_do_not_show(mode, monkeypatch):
    a, b = crowded(77)
    rule = Rule(20.0, mode, 40.0)
    whole = match(a, b, rule)
    for block, few, most, sample in ((7, 2, 50, 3), (64, 5, 1, 4096), (1000, 40, 400, 2)):
        monkeypatch.setattr(neighbours, "_BLOCK", block)
        monkeypatch.setattr(neighbours, "_FEW", few)
        monkeypatch.setattr(neighbours, "_MOST_PAIRS", most)
        monkeypatch.setattr(neighbours, "_SAMPLE", sample)
        assert match(a, b, rule).equals(whole)


def test_pairs_held_at_once_are_bounded(monkeypatch):
    sizes = []

    def watched(one, other):
        sizes.append(len(one))
        return computed(one, other)

    computed = neighbours.separations_arcsec
    monkeypatch.setattr(neighbours, "separations_arcsec", watched)
    monkeypatch.setattr(neighbours, "_MOST_PAIRS", 10_000)
    match(line(*np.zeros(400)), line(*np.zeros(300)), Rule(1.5))
    assert sum(sizes) == 400 * 300
    assert max(sizes) <= 10_000


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(1, 9))
def test_pairs_may_be_taken_in_by_parts_and_in_any_order(seed, count, parts):
    # Separations from a short list, so that many are equal; row numbers in disorder.
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(8 * 10)[:count]
    one, other, separation = pairs // 10, pairs % 10, rng.choice([0.0, 0.5, 1.0], count)
    rows = rng.permutation(100)[:10]
    found = neighbours.Nearest(8, rows)
    for part in np.array_split(rng.permutation(count), parts):
        found.add(one[part], other[part], separation[part])
    for i in range(8):
        near = sorted((separation[k], rows[other[k]], other[k]) for k in np.flatnonzero(one == i))
        assert found.count[i] == len(near)
        assert found.place[i] == (near[0][2] if near else -1)
        assert found.separation[i] == (near[0][0] if near else np.inf)
        assert found.second[i] == (near[1][0] if len(near) > 1 else np.inf)


# Oracles


@pytest.fixture(scope="module")
def survey():
    a = joined(all_sky(1, 20_000), clumps(2, 3000, spread_arcsec=600))
    return a, joined(shaken(a, 3, 0.4), all_sky(4, 8000), clumps(5, 3000, spread_arcsec=600))


def test_nearest_is_that_of_astropy(survey):
    a, b = survey
    one, other = (SkyCoord(p.ra_deg, p.dec_deg, unit="deg") for p in survey)
    row, separation, _ = one.match_to_catalog_sky(other)
    within = separation.arcsec <= 1.5
    found = match(a, b, Rule(1.5, "nearest"))
    assert found["a_row"].to_pylist() == np.flatnonzero(within).tolist()
    assert found["b_row"].to_pylist() == row[within].tolist()
    assert np.abs(found["separation_arcsec"].to_numpy() - separation.arcsec[within]).max() < 1e-8


def test_mutual_is_that_of_astropy_both_ways(survey):
    one, other = (SkyCoord(p.ra_deg, p.dec_deg, unit="deg") for p in survey)
    (forth, separation, _), (back, _, _) = one.match_to_catalog_sky(other), other.match_to_catalog_sky(one)
    mutual = np.flatnonzero((separation.arcsec <= 1.5) & (back[forth] == np.arange(len(one))))
    assert pairs(*survey, 1.5) == list(zip(mutual.tolist(), forth[mutual].tolist(), strict=True))


def test_counts_are_those_of_search_around_sky(survey):
    a, b = survey
    one, other = (SkyCoord(p.ra_deg, p.dec_deg, unit="deg") for p in survey)
    i, j, separation, _ = search_around_sky(one, other, 20 * u.arcsec)
    found = match(a, b, Rule(5.0, "nearest", 20.0))
    assert (np.bincount(i, minlength=len(a))[found["a_row"].to_numpy()] == found["n_neighbours"].to_numpy()).all()
    claims = np.bincount(j[separation.arcsec <= 5.0], minlength=len(b))
    assert (claims[found["b_row"].to_numpy()] - 1 == found["n_rivals"].to_numpy()).all()
    assert found["n_neighbours"].to_numpy().max() > 2


# Symmetries


def test_mutual_pairs_are_the_same_from_either_side(survey):
    a, b = survey
    assert sorted(pairs(a, b, 1.5)) == sorted((i, j) for j, i in pairs(b, a, 1.5))


def test_modes_are_parts_of_each_other(survey):
    nearest, mutual, unique = (set(pairs(*survey, 1.5, mode)) for mode in MODES)
    assert mutual < nearest
    assert unique < nearest
    assert len({j for _, j in mutual}) == len(mutual)


def test_order_of_the_rows_does_not_matter(survey):
    a, b = survey
    mixed = np.random.default_rng(6).permutation(len(b))
    again = pairs(a, Positions(b.ra_deg[mixed], b.dec_deg[mixed]), 1.5)
    assert [(i, mixed[j]) for i, j in again] == pairs(a, b, 1.5)


def test_a_catalogue_matches_itself(survey):
    a, _ = survey
    found = match(a, a, Rule(1.5))
    assert found["a_row"].equals(found["b_row"])
    assert set(found["separation_arcsec"].to_pylist()) == {0.0}


def test_flags_of_motion_are_handed_on():
    a = Positions(np.array([1.0, 2.0]), np.zeros(2), np.array([True, False]))
    b = Positions(np.array([2.0, 1.0]), np.zeros(2), np.array([False, True]))
    found = match(a, b, Rule(1.5))
    assert found["a_moved"].to_pylist() == [True, False]
    assert found["b_moved"].to_pylist() == [True, False]


# Bad input


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("a", "b"), [(EMPTY, EMPTY), (EMPTY, line(0)), (line(0), EMPTY)])
def test_without_sources_there_are_no_pairs(mode, a, b):
    found = match(a, b, Rule(1.5, mode))
    assert found.num_rows == 0
    assert found.schema.equals(PAIRS.schema)


def test_result_keeps_its_contract(survey):
    found = match(*survey, Rule(1.5))
    assert found.schema.equals(PAIRS.schema, check_metadata=True)
    assert [name for name in PAIRS.names if found[name].null_count] == ["second_separation_arcsec"]
    assert all(column.meaning for column in PAIRS.columns)


@pytest.mark.parametrize("radius", [0.0, -1.0, np.nan, np.inf, 180.1])
def test_radius_has_to_be_usable(radius):
    with pytest.raises(DataError, match=r"radius_arcsec is .*, expected more than 0 and at most 180 arcsec"):
        Rule(radius)


@pytest.mark.parametrize("isolation", [0.0, 1.4, 361.0, np.nan])
def test_isolation_has_to_be_usable(isolation):
    with pytest.raises(
        DataError, match=r"isolation_arcsec is .*, expected at least radius_arcsec \(1\.5\) and at most 360"
    ):
        Rule(1.5, "unique", isolation)


def test_mode_has_to_be_one_of_three():
    with pytest.raises(DataError, match="mode 'best' is none of nearest, mutual, unique"):
        Rule(1.5, "best")


def test_bad_positions_name_the_catalogue():
    with pytest.raises(DataError, match="catalogue B: 1 of 2 positions"):
        match(line(0), Positions(np.array([1.0, np.nan]), np.zeros(2)), Rule(1.5))
