"""Values that no star has: every column refuses what stands for a missing value, and takes what Gaia publishes."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workflow_scripts.clustering import gaia, limits
from workflow_scripts.clustering.stars import STARS
from workflow_scripts.tables import DataError

N = 60
THEIRS = {ours: names[0] for ours, names in gaia.NATIVE.items()}
COLOURS = ("phot_bp_mean_mag", "phot_rp_mean_mag")
NAMES = {**THEIRS, **{name: name for name in COLOURS}}


def given(ours: str = "", *values: float | None) -> dict[str, object]:
    """Columns of the archive: everything is 0.5 but the magnitudes, and the first rows of one are as given."""
    columns = {name: [0.5] * N for key, name in THEIRS.items() if key != "source_id"}
    columns |= {"source_id": [10**18 + i for i in range(N)], "phot_g_mean_mag": [15.0] * N}
    if ours in COLOURS:
        columns |= {name: [15.0] * N for name in COLOURS}
        del columns["bp_rp"]
    if ours:
        columns[NAMES[ours]][: len(values)] = values
    return columns


def read(tmp_path, columns: dict[str, object]) -> pa.Table:
    pq.write_table(pa.table(columns), tmp_path / "stars.parquet")
    return gaia.read([tmp_path / "stars.parquet"], "DR3")


def refused(tmp_path, ours: str, *values: float) -> str:
    with pytest.raises(DataError, match=r"stars.parquet: values that no star of Gaia has: ") as error:
        read(tmp_path, given(ours, *values))
    return str(error.value)


def test_every_real_column_of_a_star_has_limits():
    assert set(limits.LIMITS) == {*STARS.names[1:], *COLOURS}


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e20, -1e20, -999.0, 999.0, -9999.0, 9999.0, 999.99e9])
@pytest.mark.parametrize("ours", limits.LIMITS)
def test_stand_ins_for_a_missing_value_are_refused_in_every_column(tmp_path, ours, value):
    said = refused(tmp_path, ours, value)
    assert (
        f"{NAMES[ours]} ({ours}) in 1 of 60 rows, such as {value:g} of source_id 1000000000000000000, expected" in said
    )
    assert "leave missing values empty" in said


@pytest.mark.parametrize("value", [99.99, -99.0, 99.0])
@pytest.mark.parametrize("ours", [name for name, (_, high) in limits.LIMITS.items() if high <= 50])
def test_short_stand_ins_are_refused_where_they_can_be_no_value(tmp_path, ours, value):
    refused(tmp_path, ours, value)


@pytest.mark.parametrize(
    ("ours", "value", "expected"),
    [
        ("pmra_error_mas_yr", 0.0, "1e-06 to 50 mas/yr;"),
        ("pmdec_error_mas_yr", -0.1, "1e-06 to 50 mas/yr;"),
        ("parallax_error_mas", -0.02, "1e-06 to 50 mas;"),
        ("pmra_pmdec_corr", 1.01, "-1 to 1;"),
        ("parallax_pmra_corr", -1.01, "-1 to 1;"),
        ("parallax_mas", -999.0, "-2500 to 2500 mas, 999 being none;"),
        ("pmra_mas_yr", -9999.0, "-11000 to 11000 mas/yr, 999 and 9999 being none;"),
        ("g_mag", 0.0, "1 to 25 mag;"),
        ("phot_bp_mean_mag", 99.99, "-5 to 40 mag;"),
        ("ruwe", 0.0, "0.01 to 10000, 999 and 9999 being none;"),
    ],
)
def test_what_is_expected_is_said(tmp_path, ours, value, expected):
    assert f"expected {expected}" in refused(tmp_path, ours, value)


def test_every_bad_column_is_named_with_its_rows(tmp_path):
    columns = given("pmra_error_mas_yr", 0.5, np.inf, -0.5)
    columns["ruwe"][3] = -999.0
    with pytest.raises(DataError) as error:
        read(tmp_path, columns)
    assert "pmra_error (pmra_error_mas_yr) in 2 of 60 rows, such as inf of source_id 1000000000000000001" in str(
        error.value
    )
    assert "ruwe (ruwe) in 1 of 60 rows, such as -999 of source_id 1000000000000000003" in str(error.value)


@pytest.mark.parametrize("missing", [None, np.nan])
@pytest.mark.parametrize("ours", limits.LIMITS)
def test_missing_values_are_taken(tmp_path, ours, missing):
    rows = read(tmp_path, given(ours, missing))
    assert rows["bp_rp_mag" if ours in COLOURS else ours].null_count == 1


@pytest.mark.parametrize(
    ("ours", "values"),
    [
        ("parallax_mas", (768.5, -1900.0, 1900.0)),
        ("pmdec_mas_yr", (10393.3, -99.0, 99.99)),
        ("pmra_error_mas_yr", (0.004, 17.0)),
        ("parallax_pmra_corr", (-1.0, 1.0)),
        ("g_mag", (1.6, 23.5)),
        ("bp_rp_mag", (-6.0, 10.0)),
        ("ruwe", (0.3, 300.0, 99.99)),
        ("ra_deg", (-1.98, 0.0, 360.0)),
        ("dec_deg", (-90.0, 90.0)),
    ],
)
def test_extremes_of_gaia_are_taken(tmp_path, ours, values):
    columns = given(ours, *values) | {name: [0.0] * N for name in THEIRS.values() if name.endswith("_corr")}
    columns[NAMES[ours]][: len(values)] = values
    assert read(tmp_path, columns)[ours].to_pylist()[: len(values)] == list(values)


def test_correlations_that_contradict_each_other_are_refused(tmp_path):
    columns = given() | {THEIRS[name]: [0.5, -1.0, *[0.0] * (N - 2)] for name in limits.CORRELATIONS}
    with pytest.raises(
        DataError, match="correlations that contradict each other in 1 of 60 rows, such as 1000000000000000001"
    ):
        read(tmp_path, columns)
    columns = given() | {
        THEIRS[name]: [sign] * N for name, sign in zip(limits.CORRELATIONS, (1.0, -1.0, -1.0), strict=True)
    }
    assert read(tmp_path, columns).num_rows == N  # as far as they may go
