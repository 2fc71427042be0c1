"""Features of real light curves: defined wherever they say they are. All 16,195 with VARIABLE_SKY_ALL_CURVES=1."""

import os

import numpy as np
import pyarrow.parquet as pq
import pytest
from star import given
from test_contract import MAY_BE_UNDEFINED, stacked
from workspace import REAL_DATA

from workflow_scripts import features
from workflow_scripts.features.boundaries import boundary_lines, lag_sums
from workflow_scripts.features.registry import PERIODS, PHOTOMETRY, SERIES
from workflow_scripts.lightcurve.ragged import LightCurves

pytestmark = pytest.mark.real

FOLDER = REAL_DATA / "crts_sss_variables"
SAMPLE = 500


def clean(points):
    """Points in time order, one at each time."""
    time, first = np.unique(points["mjd"], return_index=True)
    return {"time": time, "mag": points["mag"][first], "mag_err": points["mag_err"][first]}


@pytest.fixture(scope="module")
def curves():
    if not FOLDER.is_dir():
        pytest.skip(f"no real survey data: {FOLDER} does not exist")
    table = pq.read_table(FOLDER / "light_curves.parquet").sort_by("object_id")
    columns = {name: np.asarray(table[name], dtype=np.float64) for name in ("mjd", "mag", "mag_err")}
    ids, starts = np.unique(np.asarray(table["object_id"]), return_index=True)
    ends = np.r_[starts[1:], table.num_rows]
    objects = pq.read_table(FOLDER / "objects.parquet")
    period_of = dict(zip(objects["object_id"].to_pylist(), objects["period_d"].to_pylist(), strict=True))
    chosen = np.arange(len(ids))
    if not os.environ.get("VARIABLE_SKY_ALL_CURVES"):
        chosen = np.random.default_rng(1).choice(chosen, SAMPLE, replace=False)
    slices = [(slice(starts[i], ends[i]), period_of[ids[i]]) for i in chosen]
    cleaned = [(clean({name: v[points] for name, v in columns.items()}), period) for points, period in slices]
    return [c | given(c, period) for c, period in cleaned if period and np.isfinite(period)]


@pytest.fixture(scope="module")
def measured(curves):
    lengths = [len(c["time"]) for c in curves]
    points = [np.concatenate([c[name] for c in curves]) for name in ("time", "mag", "mag_err")]
    ragged = LightCurves(np.r_[0, np.cumsum(lengths)].astype(np.int64), *points)
    per_curve = {name: np.array([c[name] for c in curves]) for name in (*PERIODS, *SERIES, *PHOTOMETRY)}
    return features.measure(ragged, per_curve, lines=boundary_lines(lag_sums(ragged)))


def test_every_feature_is_finite_where_there_are_points_enough(curves, measured):
    lengths = np.array([len(c["time"]) for c in curves])
    assert len(curves) >= 0.9 * SAMPLE
    for one in features.members("all"):
        if one.name in MAY_BE_UNDEFINED:
            continue
        enough = np.tile(lengths >= one.min_obs, one.parts)
        undefined = enough & ~np.isfinite(stacked(measured, one.name))
        assert not undefined.any(), f"{one.name}: {undefined.sum()} of {enough.sum()} undefined"


@pytest.mark.parametrize(
    ("name", "share"),
    [("welch_stetson_i", 0.99), ("night_eta", 0.95), ("excess_abbe", 0.99), ("excursions", 0.99), ("n_above", 0.99)],
)
def test_features_that_may_be_undefined_rarely_are(name, share, measured):
    assert np.isfinite(measured[name]).mean() >= share


def test_ranges(measured):
    """Bounds that hold for any light curve."""
    for name in (
        "stetson_k",
        "stetson_k_robust",
        "stetson_k_ac",
        "shapiro_wilk",
        "window_power",
        "beyond_1std",
        "cssd",
    ):
        assert (measured[name] >= 0).all(), name
        assert (measured[name] <= 1 + 1e-6).all(), name
    assert (np.abs(measured["lag1_autocorrelation"]) < 1).all()
    assert (measured["eta"] <= 4 * (1 + 1e-9)).all()
    assert (measured["intrinsic_std"] <= measured["std"]).all()
    assert (measured["mad"] <= 2 * measured["std"]).all()  # half of the points are as far from the median or further
    length = measured["autocorrelation_length"]
    assert ((length >= 1) & (length <= 1000)).all()
