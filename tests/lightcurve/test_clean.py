import dataclasses
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_scripts import tables
from workflow_scripts.lightcurve import clean as module
from workflow_scripts.lightcurve.clean import Cuts, clean
from workflow_scripts.surveys import local

PLAIN = Cuts(min_observations=1, clip_sigma=3, clip_iterations=0, clip_side="both", max_error_ratio=0)
PUBLISHED = Cuts(min_observations=50, clip_sigma=3, clip_iterations=1, clip_side="both", max_error_ratio=0)

Point = tuple[float, float, float, bool]


def raw_table(*curves: list[Point]) -> pa.Table:
    columns = {
        name: [[point[i] for point in curve] for curve in curves]
        for i, name in enumerate(("time", "mag", "mag_err", "usable"))
    }
    ids = {"object_id": [f"star {i}" for i in range(len(curves))], "band": ["V"] * len(curves)}
    return pa.table(ids | columns, schema=tables.RAW_LIGHT_CURVES.schema)


def counts(cleaning: pa.Table, row: int = 0) -> dict[str, int]:
    values = cleaning.slice(row, 1).to_pylist()[0]
    return {cut: values[f"n_{cut}"] for cut in tables.CUTS if values[f"n_{cut}"]}


def steady(n: int, **change: float) -> list[Point]:
    """Light curve of n points that alternate between 14.9 and 15.1 mag."""
    return [(55000.0 + i, 15.0 + (0.1 if i % 2 else -0.1), change.get("mag_err", 0.05), True) for i in range(n)]


# Closed form: one point too many for each cut.


@pytest.mark.parametrize(
    ("cut", "point"),
    [
        ("flagged", (55100.0, 15.0, 0.1, False)),
        ("absurd_time", (-2409998.0, 15.0, 0.1, True)),
        ("absurd_time", (15019.9, 15.0, 0.1, True)),
        ("absurd_time", (88069.1, 15.0, 0.1, True)),
        ("absurd_time", (2455000.0, 15.0, 0.1, True)),
        ("absurd_time", (math.nan, 15.0, 0.1, True)),
        ("absurd_time", (math.inf, 15.0, 0.1, True)),
        ("not_finite", (55100.0, math.nan, 0.1, True)),
        ("not_finite", (55100.0, -math.inf, 0.1, True)),
        ("not_finite", (55100.0, 15.0, math.nan, True)),
        ("not_finite", (55100.0, 15.0, math.inf, True)),
        ("sentinel", (55100.0, 99.999, 0.1, True)),
        ("sentinel", (55100.0, -99.99, 0.1, True)),
        ("sentinel", (55100.0, -9999, 0.1, True)),
        ("sentinel", (55100.0, -9.99, 0.1, True)),
        ("sentinel", (55100.0, 15.0, 9.999, True)),
        ("sentinel", (55100.0, 15.0, -99.0, True)),
        ("bad_error", (55100.0, 15.0, 0.0, True)),
        ("bad_error", (55100.0, 15.0, -1.0, True)),
        ("duplicate", (55000.0, 15.0, 0.1, True)),
    ],
)
def test_one_bad_point_is_removed_and_counted_once(cut, point):
    light_curves, cleaning = clean(raw_table([*steady(10), point]), PLAIN)
    assert counts(cleaning) == {cut: 1}
    assert light_curves["time"][0].as_py() == [55000.0 + i for i in range(10)]


@pytest.mark.parametrize("point", [(15020.0, 0.0, 0.1, True), (88069.0, -1.5, 8.9, True), (55100.0, 40.0, 1e-6, True)])
def test_points_at_the_limits_stay(point):
    _, cleaning = clean(raw_table([*steady(10), point]), PLAIN)
    assert counts(cleaning) == {}
    assert cleaning["n_kept"].to_pylist() == [11]


def test_a_point_that_fails_several_cuts_is_counted_in_the_first():
    wrong = (math.nan, math.nan, -99.0, False)
    assert counts(clean(raw_table([*steady(5), wrong]), PLAIN)[1]) == {"flagged": 1}
    assert counts(clean(raw_table([*steady(5), (math.nan, math.nan, -99.0, True)]), PLAIN)[1]) == {"absurd_time": 1}
    assert counts(clean(raw_table([*steady(5), (55000.0, 99.999, 99.999, True)]), PLAIN)[1]) == {"sentinel": 1}


def test_of_points_at_one_time_the_smallest_error_stays_then_the_smallest_magnitude():
    same = [(55000.0, 15.3, 0.2, True), (55000.0, 15.2, 0.1, True), (55000.0, 15.1, 0.1, True)]
    for points in (same, same[::-1], [same[1], same[0], same[2]]):
        light_curves, cleaning = clean(raw_table(points), PLAIN)
        assert counts(cleaning) == {"duplicate": 2}
        assert light_curves["mag"][0].as_py() == [pytest.approx(15.1)]


def test_a_better_duplicate_that_another_cut_removed_does_not_count():
    points = [(55000.0, 15.0, 0.2, True), (55000.0, 15.0, 0.1, False)]
    light_curves, _ = clean(raw_table(points), PLAIN)
    assert light_curves["mag_err"][0].as_py() == [pytest.approx(0.2)]


def test_the_same_time_in_another_light_curve_is_no_duplicate():
    _, cleaning = clean(raw_table(steady(3), steady(3)), PLAIN)
    assert counts(cleaning, 0) == counts(cleaning, 1) == {}


def test_kim_2011_error_limit_is_relative_to_the_mean_error_of_the_light_curve():
    # Nine errors of 0.05 and one of 0.45: the mean is 0.09, and 0.45 is five times that.
    curve = [*steady(9), (55100.0, 15.0, 0.45, True)]
    for ratio, removed in [(0, {}), (3, {"large_error": 1}), (4.9, {"large_error": 1}), (5.1, {})]:
        cuts = dataclasses.replace(PLAIN, max_error_ratio=ratio)
        assert counts(clean(raw_table(curve, steady(9, mag_err=0.5)), cuts)[1]) == removed


@pytest.mark.parametrize(("magnitude", "both", "bright"), [(13.0, 1, 1), (17.0, 1, 0), (15.05, 0, 0)])
def test_three_sigma_clip_on_both_sides_or_the_bright_one(magnitude, both, bright):
    curve = [*steady(100), (56000.0, magnitude, 0.05, True)]
    for side, removed in (("both", both), ("bright", bright)):
        cuts = dataclasses.replace(PLAIN, clip_iterations=1, clip_side=side)
        assert counts(clean(raw_table(curve), cuts)[1]).get("clipped", 0) == removed


def test_clip_limit_is_the_standard_deviation_with_n_in_the_denominator():
    # n - 1 points at 0 and one at 1: the outlier is sqrt(n - 1) standard deviations away, 3 for n = 10.
    curve = [(55000.0 + i, 0.0 if i else 1.0, 0.05, True) for i in range(10)]
    for sigma, removed in [(3.001, {}), (2.999, {"clipped": 1})]:
        cuts = dataclasses.replace(PLAIN, clip_iterations=1, clip_sigma=sigma)
        assert counts(clean(raw_table(curve), cuts)[1]) == removed


def test_a_second_clip_finds_what_the_first_one_hid():
    curve = [*steady(100), (56000.0, 30.0, 0.05, True), (56001.0, 16.0, 0.05, True)]
    removed = [
        counts(clean(raw_table(curve), dataclasses.replace(PLAIN, clip_iterations=n))[1]).get("clipped", 0)
        for n in (0, 1, 2, 50)
    ]
    assert removed == [0, 1, 2, 2]


def test_a_constant_light_curve_is_not_clipped():
    curve = [(55000.0 + i, 15.0, 0.05, True) for i in range(60)]
    assert counts(clean(raw_table(curve), PUBLISHED)[1]) == {}


@pytest.mark.parametrize(("n", "kept"), [(0, False), (1, False), (49, False), (50, True), (51, True)])
def test_light_curves_with_fewer_than_50_points_are_dropped_but_accounted_for(n, kept):
    light_curves, cleaning = clean(raw_table(steady(n)), PUBLISHED)
    assert cleaning.select(["n_raw", "n_kept", "kept"]).to_pylist() == [{"n_raw": n, "n_kept": n, "kept": kept}]
    assert light_curves.num_rows == int(kept)


def test_a_light_curve_that_is_all_flagged_is_dropped():
    curve = [(t, m, e, False) for t, m, e, _ in steady(60)]
    light_curves, cleaning = clean(raw_table(curve, steady(60)), PUBLISHED)
    assert counts(cleaning) == {"flagged": 60}
    assert light_curves["object_id"].to_pylist() == ["star 1"]


def test_no_light_curves_at_all():
    light_curves, cleaning = clean(raw_table(), PUBLISHED)
    assert (light_curves.num_rows, cleaning.num_rows) == (0, 0)
    assert light_curves.schema == tables.LIGHT_CURVES.schema
    assert cleaning.schema == tables.CLEANING.schema


def test_the_settings_are_those_of_the_configuration():
    schema = yaml.safe_load((Path(__file__).parents[2] / "config" / "config.schema.yaml").read_text())
    assert set(schema["properties"]["cleaning"]["properties"]) == {f.name for f in dataclasses.fields(Cuts)}
    assert list(module._CUTS) == list(tables.CUTS)


# Agreement with a slow literal transcription.


def literal(curve: list[Point], cuts: Cuts) -> tuple[dict[str, int], list[Point]]:
    """Clean one light curve point by point."""
    # float32 as in the table
    points = [(t, float(np.float32(m)), float(np.float32(e)), u) for t, m, e, u in curve]
    removed = dict.fromkeys(tables.CUTS, 0)

    def cut(name, is_bad):
        nonlocal points
        removed[name] += sum(map(is_bad, points))
        points = [p for p in points if not is_bad(p)]

    cut("flagged", lambda p: not p[3])
    cut("absurd_time", lambda p: not 15020 <= p[0] <= 88069)
    cut("not_finite", lambda p: not (math.isfinite(p[1]) and math.isfinite(p[2])))
    cut("sentinel", lambda p: p[1] < -5 or p[1] > 40 or abs(p[2]) >= 9)
    cut("bad_error", lambda p: p[2] <= 0)
    points.sort(key=lambda p: (p[0], p[2], p[1]))
    if cuts.max_error_ratio and points:
        mean_error = mean([p[2] for p in points])
        cut("large_error", lambda p: p[2] > cuts.max_error_ratio * mean_error)
    first = {}
    for p in points:
        first.setdefault(p[0], p)
    removed["duplicate"] = len(points) - len(first)
    points = list(first.values())
    for _ in range(cuts.clip_iterations):
        if not points:
            break
        m = mean([p[1] for p in points])
        sigma = math.sqrt(mean([(p[1] - m) * (p[1] - m) for p in points]))
        if cuts.clip_side == "bright":
            cut("clipped", lambda p, m=m, sigma=sigma: m - p[1] > cuts.clip_sigma * sigma)
        else:
            cut("clipped", lambda p, m=m, sigma=sigma: abs(p[1] - m) > cuts.clip_sigma * sigma)
    return removed, points


def mean(values: list[float]) -> float:
    """Mean by adding one value after the other; the function `sum` compensates for rounding in newer versions."""
    total = 0.0
    for value in values:
        total += value
    return total / len(values)


TIMES = st.one_of(
    st.floats(53000, 56000),
    st.integers(55000, 55005).map(float),
    st.sampled_from([math.nan, math.inf, -math.inf, -2409998.0, 15020.0, 88069.0, 2455000.5]),
)
MAGS = st.one_of(
    st.floats(12, 20),
    st.sampled_from([math.nan, math.inf, -math.inf, 99.999, -99.99, -999.0, -5.0, 40.0, 0.0, 15.0, 25.0, 3e38]),
)
ERRORS = st.one_of(st.floats(0.001, 1), st.sampled_from([math.nan, math.inf, 0.0, -0.1, 9.0, 9.999, 99.999, 0.05]))
POINTS = st.tuples(TIMES, MAGS, ERRORS, st.sampled_from([True, True, True, False]))
GOOD = st.tuples(st.floats(53000, 56000), st.floats(14, 16), st.floats(0.01, 0.2), st.just(True))
CURVES = st.lists(
    st.one_of(
        st.lists(POINTS, max_size=20),
        st.lists(POINTS, min_size=1, max_size=6).flatmap(
            lambda bad: st.lists(GOOD, min_size=46, max_size=52).map(lambda good: good + bad)
        ),
        st.sampled_from([0, 1, 49, 50]).map(steady),
    ),
    max_size=5,
)
ALL_CUTS = st.builds(
    Cuts,
    min_observations=st.sampled_from([3, 10, 50]),
    clip_sigma=st.sampled_from([1.0, 2.5, 3.0]),
    clip_iterations=st.sampled_from([0, 1, 2, 5]),
    clip_side=st.sampled_from(["both", "bright"]),
    max_error_ratio=st.sampled_from([0, 1.5, 3]),
)


@settings(max_examples=150, deadline=None)
@given(CURVES, ALL_CUTS)
def test_agrees_with_a_literal_transcription_bit_for_bit(curves, cuts):
    light_curves, cleaning = clean(raw_table(*curves), cuts)
    expected = [literal(curve, cuts) for curve in curves]
    for (removed, points), row in zip(expected, cleaning.to_pylist(), strict=True):
        assert {cut: row[f"n_{cut}"] for cut in tables.CUTS} == removed
        assert (row["n_kept"], row["kept"]) == (len(points), len(points) >= cuts.min_observations)
    kept = [points for _, points in expected if len(points) >= cuts.min_observations]
    found = [list(zip(*(row[n] for n in ("time", "mag", "mag_err")), strict=True)) for row in light_curves.to_pylist()]
    assert found == [[p[:3] for p in points] for points in kept]


# Properties.


@settings(max_examples=60, deadline=None)
@given(CURVES, ALL_CUTS)
def test_every_point_is_accounted_for_and_kept_curves_are_sorted_and_sane(curves, cuts):
    light_curves, cleaning = clean(raw_table(*curves), cuts)
    for row, curve in zip(cleaning.to_pylist(), curves, strict=True):
        assert row["n_raw"] == len(curve) == sum(row[f"n_{cut}"] for cut in tables.CUTS) + row["n_kept"]
    assert light_curves.schema == tables.LIGHT_CURVES.schema
    for row in light_curves.to_pylist():
        assert (np.diff(row["time"]) > 0).all()
        assert np.isfinite(row["mag"]).all()
        assert (np.array(row["mag_err"]) > 0).all()
        assert len(row["time"]) >= cuts.min_observations


@settings(max_examples=60, deadline=None)
@given(CURVES, ALL_CUTS, st.randoms(use_true_random=False))
def test_the_order_of_the_points_does_not_matter(curves, cuts, random):
    mixed = [random.sample(curve, len(curve)) for curve in curves]
    for one, other in zip(clean(raw_table(*curves), cuts), clean(raw_table(*mixed), cuts), strict=True):
        assert one.equals(other)


@settings(max_examples=40, deadline=None)
@given(CURVES, ALL_CUTS)
def test_a_light_curve_is_cleaned_alike_in_any_company(curves, cuts):
    together = clean(raw_table(*curves), cuts)
    alone = [clean(raw_table(*curves).slice(i, 1), cuts) for i in range(len(curves))]
    for i, whole in enumerate(together):
        assert whole.to_pylist() == [row for part in alone for row in part[i].to_pylist()]


@settings(max_examples=60, deadline=None)
@given(CURVES, ALL_CUTS, st.sampled_from([0, 1000]))
def test_cleaning_again_changes_nothing_once_the_clip_is_off_or_at_rest(curves, cuts, iterations):
    cuts = dataclasses.replace(cuts, clip_iterations=iterations, max_error_ratio=0)
    once, _ = clean(raw_table(*curves), cuts)
    usable = pa.array([[True] * len(time) for time in once["time"].to_pylist()], pa.list_(pa.bool_()))
    again, cleaning = clean(once.append_column("usable", usable), cuts)
    assert again.equals(once)
    assert cleaning["n_kept"].equals(cleaning["n_raw"])


def test_raw_tables_in_several_chunks_are_the_same_as_in_one():
    curves = [steady(60), steady(3), steady(55)]
    parts = pa.concat_tables([raw_table(curve) for curve in curves])
    one = parts.set_column(0, parts.schema.field(0), pa.array(["star 0", "star 1", "star 2"]))
    for left, right in zip(clean(one, PUBLISHED), clean(raw_table(*curves), PUBLISHED), strict=True):
        assert left.to_pylist() == right.to_pylist()


# Real data, golden.


@pytest.mark.real
def test_real_catalina_light_curves(real_data):
    source = local.LocalSource("CRTS", "tables", {"time": "mjd"}, "mjd", 1, [])
    raw = local.read([real_data / "crts_sss_variables" / "light_curves.parquet"], [], [], source).light_curves
    light_curves, cleaning = clean(raw, PUBLISHED)
    total = {name: int(np.sum(cleaning[name].to_numpy())) for name in cleaning.column_names[2:]}
    assert total["n_raw"] == 3_619_072
    assert total["n_absurd_time"] == 2  # the two rows with -2409998
    assert total["n_flagged"] == total["n_not_finite"] == total["n_bad_error"] == 0
    # Distinct (object, time) pairs, counted on their own.
    keys = raw.flatten().select(["object_id", "time"])
    n_distinct = sum(len(np.unique(t)) for t in keys["time"].to_numpy())
    assert total["n_duplicate"] == total["n_raw"] - n_distinct
    assert light_curves.num_rows == cleaning["kept"].to_pylist().count(True)
