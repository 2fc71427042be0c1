import re

import numpy as np
import pyarrow as pa
import pytest
from survey_files import LIST_SUFFIXES, LONG, SUFFIXES, save

from workflow_scripts import tables
from workflow_scripts.surveys import checks, columns, points
from workflow_scripts.tables import DataError


def read(*paths, mapping=None, time_format="mjd", flag_limit=1, bands=()) -> pa.Table:
    opened = [columns.read(path, points.COLUMNS, points.REQUIRED, mapping or {}) for path in paths]
    return points.light_curves(opened, time_format, flag_limit, bands)


def literal(rows: dict, band: str = points.NO_BAND) -> dict:
    """Light curves by object and band, point by point, in the order of the rows."""
    curves = {}
    for i in range(len(rows["time"])):
        key = (str(rows["object_id"][i]), str(rows["band"][i]) if "band" in rows else band)
        usable = not ("flag" in rows and rows["flag"][i] is not None and rows["flag"][i] >= 1)
        point = (float(rows["time"][i]), np.float32(rows["mag"][i]), np.float32(rows["mag_err"][i]), usable)
        curves.setdefault(key, []).append(point)
    return dict(sorted(curves.items()))


def as_dict(table: pa.Table) -> dict:
    assert table.schema == tables.RAW_LIGHT_CURVES.schema
    assert all(column.null_count == 0 for column in table.columns)
    values = ("time", "mag", "mag_err", "usable")
    return {(r["object_id"], r["band"]): list(zip(*(r[v] for v in values), strict=True)) for r in table.to_pylist()}


def listed(rows: dict) -> dict:
    """Join the points of each object into list columns, one row per object."""
    ids = sorted({int(i) for i in rows["object_id"]})
    lists = {n: [[float(v) for v in rows[n][rows["object_id"] == i]] for i in ids] for n in ("time", "mag", "mag_err")}
    return {"object_id": ids, **lists}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_long_files_of_every_format_agree_with_a_literal_grouping(tmp_path, suffix):
    found = read(save(tmp_path / f"a{suffix}", LONG))
    assert as_dict(found) == literal(LONG)
    assert found["object_id"].to_pylist() == ["3019021001365", "7"]


@pytest.mark.parametrize("suffix", LIST_SUFFIXES)
def test_list_columns_give_the_same_light_curves_as_long_files(tmp_path, suffix):
    assert as_dict(read(save(tmp_path / f"a{suffix}", listed(LONG)))) == literal(LONG)


def test_large_random_files_agree_with_a_literal_grouping(tmp_path):
    rng = np.random.default_rng(1)
    n = 5000
    rows = {
        "object_id": rng.integers(0, 300, n),
        "band": rng.choice(["g", "r", "i"], n),
        "time": rng.uniform(53000, 59000, n),
        "mag": rng.normal(15, 1, n),
        "mag_err": rng.uniform(0.01, 0.2, n),
        "flag": [None if i % 7 == 0 else int(i % 3) for i in range(n)],
    }
    found = as_dict(read(save(tmp_path / "a.parquet", rows)))
    assert found == literal(rows)
    assert list(found) == sorted(found)


def test_points_of_one_object_in_several_files_are_one_light_curve(tmp_path):
    first = {name: values[:11] for name, values in LONG.items()}
    second = {name: values[11:] for name, values in LONG.items()}
    paths = [save(tmp_path / "a.csv", first), save(tmp_path / "b.fits", second)]
    assert as_dict(read(*paths)) == literal(LONG)


def test_long_and_list_files_go_together(tmp_path):
    other = {**listed(LONG), "object_id": ["x", "y"]}
    found = as_dict(read(save(tmp_path / "a.csv", LONG), save(tmp_path / "b.parquet", other)))
    assert {name for name, _ in found} == {"3019021001365", "7", "x", "y"}
    assert sum(map(len, found.values())) == 40


def test_bands_of_a_list_file_and_rows_of_the_same_object(tmp_path):
    rows = {
        "object_id": [1, 1, 2, 1],
        "band": ["g", "r", "g", "g"],
        "time": [[55000.0, 55001.0], [55002.0], [], [55003.0]],
        "mag": [[15.0, 16.0], [17.0], [], [18.0]],
        "mag_err": [[0.1, 0.1], [0.1], [], [0.1]],
    }
    found = read(save(tmp_path / "a.parquet", rows))
    assert [(r["object_id"], r["band"], r["mag"]) for r in found.to_pylist()] == [
        ("1", "g", [15.0, 16.0, 18.0]),
        ("1", "r", [17.0]),
    ]


def test_null_lists_and_missing_points(tmp_path):
    rows = {
        "object_id": [1, 2],
        "time": [[55000.0, None], None],
        "mag": [[None, 15.0], None],
        "mag_err": [[0.1, None], None],
    }
    (row,) = read(save(tmp_path / "a.parquet", rows)).to_pylist()
    np.testing.assert_array_equal(row["time"], [55000.0, np.nan])
    np.testing.assert_array_equal(row["mag"], [np.nan, 15.0])
    np.testing.assert_allclose(row["mag_err"], [0.1, np.nan], rtol=1e-7)  # float32


@pytest.mark.parametrize(
    ("flags", "limit", "usable"),
    [
        ([0, 1, 2, None], 1, [True, False, False, True]),
        ([0, 32768, 100, None], 32768, [True, False, True, True]),
        ([False, True, True, None], 1, [True, False, False, True]),
        (["0", "1", " 2", ""], 2, [True, True, False, True]),
        ([-1, 0, 1, 5], 0, [True, False, False, False]),
    ],
)
def test_flags_at_or_above_the_limit_are_unusable_and_null_is_usable(tmp_path, flags, limit, usable):
    rows = {"object_id": [1] * 4, "time": [55000.0] * 4, "mag": [15.0] * 4, "mag_err": [0.1] * 4, "flag": flags}
    assert read(save(tmp_path / "a.parquet", rows), flag_limit=limit)["usable"].to_pylist() == [usable]


def test_a_list_of_flags_and_one_flag_for_a_whole_row(tmp_path):
    lists = {"time": [[55000.0, 55001.0]], "mag": [[15.0, 16.0]], "mag_err": [[0.1, 0.1]]}
    for flag, usable in (([[0, 1]], [True, False]), ([1], [False, False])):
        path = save(tmp_path / "a.parquet", {"object_id": [1], **lists, "flag": flag})
        assert read(path)["usable"].to_pylist() == [usable]


@pytest.mark.parametrize(
    ("time_format", "written"), [("jd", 2451545.0), ("jd-2450000", 1545.0), ("jd-2400000", 51545.0), ("mjd", 51544.5)]
)
def test_times_become_mjd(tmp_path, time_format, written):
    rows = {"object_id": [1], "time": [written], "mag": [15.0], "mag_err": [0.1]}
    assert read(save(tmp_path / "a.parquet", rows), time_format=time_format)["time"].to_pylist() == [[51544.5]]


def test_impossible_values_stay_for_cleaning_to_count(tmp_path):
    mags = [15.0, 99.999, float("nan"), float("inf"), 1e300, None, 15.0, 16.0, 17.0, 18.0]
    times = [55000.0 + i for i in range(9)] + [-2409998.0]
    rows = {"object_id": [1] * 10, "time": times, "mag": mags, "mag_err": [0.1] * 9 + [0.0]}
    (row,) = read(save(tmp_path / "a.parquet", rows)).to_pylist()
    expected = np.array([15, 99.999, np.nan, np.inf, np.inf, np.nan, 15, 16, 17, 18], dtype=np.float32)
    np.testing.assert_array_equal(np.array(row["mag"], dtype=np.float32), expected)
    assert row["time"] == times
    assert row["mag_err"][-1] == 0


def test_only_the_bands_that_are_asked_for_are_read(tmp_path):
    path = save(tmp_path / "a.parquet", {**LONG, "band": ["g", "g", "r", "i"] * 5})
    assert set(read(path)["band"].to_pylist()) == {"g", "r", "i"}
    found = read(path, bands=["r", "i"])
    assert set(found["band"].to_pylist()) == {"r", "i"}
    assert sum(map(len, found["time"].to_pylist())) == 10
    assert set(read(path, bands=["g"])["band"].to_pylist()) == {"g"}


def test_bands_that_are_numbers_are_named_by_their_digits(tmp_path):
    path = save(tmp_path / "a.parquet", {**LONG, "band": np.array([1, 2] * 10, dtype=np.uint8)})
    assert set(read(path, bands=["2"])["band"].to_pylist()) == {"2"}


def test_files_without_a_band_have_the_default_band(tmp_path):
    path = save(tmp_path / "a.parquet", LONG)
    assert set(read(path)["band"].to_pylist()) == {"default"}
    assert read(path, bands=["default"]).num_rows == 2


def test_bands_that_are_not_asked_for_may_have_another_time_system(tmp_path):
    times = np.where(np.arange(20) % 3 == 0, LONG["time"], LONG["time"] + 2400000.5)
    path = save(tmp_path / "a.parquet", {**LONG, "time": times, "band": np.resize(["I", "V", "V"], 20)})
    assert read(path, bands=["I"])["band"].to_pylist() == ["I", "I"]
    with pytest.raises(DataError, match="set time_format: jd"):
        read(path)


@pytest.mark.parametrize("form", ["long", "lists"])
@pytest.mark.parametrize(
    ("time_format", "kind", "said"),
    [
        ("mjd", pa.float32(), "0.004 d only (float32, steps of 338 s): periods below 0.1 d"),
        ("jd-2450000", pa.float32(), "0.0005 d only (float32, steps of 42 s): periods below 0.01 d"),
        ("mjd", pa.float64(), ""),
    ],
)
def test_times_of_low_resolution_are_said(tmp_path, caplog, form, time_format, kind, said):
    times = 55000.0 + np.arange(20) - checks.TO_MJD[time_format]
    rows = listed({**LONG, "time": times}) if form == "lists" else {**LONG, "time": times}
    stored = pa.list_(kind) if form == "lists" else kind
    read(save(tmp_path / "a.parquet", {**rows, "time": pa.array(rows["time"], stored)}), time_format=time_format)
    assert caplog.text.count("times are stored") == bool(said)
    assert said in caplog.text


# What is refused.


@pytest.mark.parametrize(
    ("suffix", "time_format", "kind", "step"), [
        (".parquet", "jd", np.float32, "0.2 d only (float32, steps of 21600 s), expected 0.01 d or better"),
        (".fits", "jd", np.float32, "0.2 d only (float32"),
        (".parquet", "jd-2450000", np.float16, "4 d only (float16"),
    ],
)  # fmt: skip
def test_times_that_lost_their_digits(tmp_path, suffix, time_format, kind, step):
    times = (LONG["time"] - checks.TO_MJD[time_format]).astype(kind)
    with pytest.raises(DataError, match=re.escape(f"(time): times are stored to {step}")):
        read(save(tmp_path / f"a{suffix}", {**LONG, "time": times}), time_format=time_format)


def test_one_absurd_time_says_nothing_of_the_resolution_of_the_others(tmp_path):
    times = LONG["time"].astype(np.float32)
    times[3] = 1e30
    assert read(save(tmp_path / "a.parquet", {**LONG, "time": times})).num_rows == 2


def test_a_band_that_is_nowhere(tmp_path):
    path = save(tmp_path / "a.parquet", {**LONG, "band": ["g", "r"] * 10})
    with pytest.raises(DataError, match=r"bands: \['V'\] are in no file .*they have \['g', 'r'\]; correct `bands`"):
        read(path, bands=["g", "V"])


def test_a_row_without_a_band_or_an_object(tmp_path):
    with pytest.raises(DataError, match=r"\(band\) is empty in 5 of 20 rows, the first being row 4"):
        read(save(tmp_path / "a.parquet", {**LONG, "band": ["g", "g", "r", None] * 5}))
    with pytest.raises(DataError, match=r"\(object_id\) is empty in 10 of 20 rows"):
        read(save(tmp_path / "a.csv", {**LONG, "object_id": ["a", ""] * 10}))


@pytest.mark.parametrize("missing", ["object_id", "time", "mag", "mag_err"])
def test_a_missing_column(tmp_path, missing):
    path = save(tmp_path / "a.csv", {name: values for name, values in LONG.items() if name != missing})
    with pytest.raises(DataError, match=f"a.csv: no column '{missing}' for {missing}; the file has"):
        read(path)


@pytest.mark.parametrize("column", ["time", "mag", "mag_err", "flag"])
def test_text_where_numbers_belong(tmp_path, column):
    path = save(tmp_path / "a.csv", {**LONG, "flag": [0] * 20, column: ["1"] * 19 + ["n.a."]})
    with pytest.raises(DataError, match=rf"column '{column}' \({column}\) holds text in 1 of 20 rows"):
        read(path)


@pytest.mark.parametrize(
    ("column", "factor", "message"),
    [("time", 1e6, "no time_format"), ("mag", 1e3, "look like fluxes"), ("mag_err", -1, "zero or below")],
)
def test_the_wrong_unit(tmp_path, column, factor, message):
    with pytest.raises(DataError, match=message):
        read(save(tmp_path / "a.parquet", {**LONG, column: LONG[column] * factor}))


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("time", LONG["time"] + 2400000.5, "they look like JD"),
        ("mag", 10 ** (0.4 * (25 - LONG["mag"])), "look like fluxes"),
        ("mag_err", LONG["mag_err"] * 1000, "millimagnitudes"),
    ],
)
def test_the_wrong_unit_in_the_smaller_of_two_files(tmp_path, column, values, message):
    large = save(tmp_path / "a.parquet", {name: np.tile(own, 50) for name, own in LONG.items()})
    small = save(tmp_path / "b.csv", {**LONG, column: values})
    with pytest.raises(DataError, match=rf"b\.csv: column '{column}' \({column}\): 100% of .*{message}"):
        read(large, small)
    assert read(large, save(tmp_path / "c.csv", LONG)).num_rows == 2


def test_lists_of_different_length(tmp_path):
    rows = listed(LONG)
    rows["mag"][1] = rows["mag"][1][:-1]
    with pytest.raises(DataError, match=r"\(mag\) has 9 values in row 2 \(object 3019021001365\) but 'time' has 10"):
        read(save(tmp_path / "a.parquet", rows))


def test_lists_beside_single_values(tmp_path):
    with pytest.raises(DataError, match=r"\(mag_err\) holds one value per row, but 'time' a list"):
        read(save(tmp_path / "a.parquet", {**listed(LONG), "mag_err": [0.1, 0.1]}))
