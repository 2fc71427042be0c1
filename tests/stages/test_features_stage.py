"""Stages boundary_lines and features on a few stars with one and two bands."""

import numpy as np
import pyarrow as pa
import pytest

from workflow_scripts import features as registry
from workflow_scripts import tables
from workflow_scripts.features import fused
from workflow_scripts.features.boundaries import boundary_lines as draw_lines
from workflow_scripts.features.boundaries import lag_sums
from workflow_scripts.lightcurve import ragged
from workflow_scripts.lightcurve.period_search import Search
from workflow_scripts.stages import boundary_lines, features

SEARCH = Search(min_period_d=0.3, max_period_d=20, oversampling=3, max_harmonics=2)
PERIOD_D = 0.7321


def star(name, band, seed, n=60, period=PERIOD_D):
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(58000, 58100, n))
    mag = 15 + 0.2 * np.sin(2 * np.pi * time / period) + rng.normal(0, 0.02, n)
    return {"object_id": name, "band": band, "time": time, "mag": mag, "mag_err": np.full(n, 0.02)}


def write_curves(rows, path):
    tables.write(pa.Table.from_pylist(rows, tables.LIGHT_CURVES.schema), path, tables.LIGHT_CURVES)
    return path


def write_lines(path, length=0):
    lines = {
        "lag": np.arange(1, length + 1, dtype=np.int32),
        "lower": np.full(length, -0.1),
        "upper": np.full(length, 0.1),
    }
    tables.write(lines, path, tables.BOUNDARY_LINES)
    return path


@pytest.fixture
def photometry(tmp_path):
    row = {"object_id": "b", **{name: 10.0 + i for i, name in enumerate(registry.registry.PHOTOMETRY)}}
    tables.write(pa.Table.from_pylist([row], tables.PHOTOMETRY.schema), tmp_path / "p.parquet", tables.PHOTOMETRY)
    return tmp_path / "p.parquet"


def measured(rows, photometry, folder, lines=0):
    curves = write_curves(rows, folder / "curves.parquet")
    features.main(
        curves, photometry, write_lines(folder / "lines.parquet", lines), folder / "f.parquet", SEARCH, "0000"
    )
    return tables.read(folder / "f.parquet", registry.FEATURES)


def test_bands_of_an_object_are_searched_together_and_compared(photometry, tmp_path):
    rows = [star("a", "g", 1), star("b", "g", 2), star("b", "r", 3), star("c", "r", 4)]
    rows[2]["mag"] = rows[2]["mag"] + 1.5
    found = measured(rows, photometry, tmp_path)
    assert found["object_id"].to_pylist() == ["a", "b", "b", "c"]
    periods = found["period_d"].to_numpy()
    assert periods[1] == periods[2]
    np.testing.assert_allclose(periods, PERIOD_D, rtol=1e-3)
    color = found["band_color"].to_pylist()
    assert color[0] is None
    assert color[3] is None
    assert color[1] == color[2] == pytest.approx(-1.5, abs=0.1)
    assert found["parallax"].to_pylist() == [None, 10.0, 10.0, None]


def test_an_object_is_not_cut_by_a_batch(photometry, tmp_path, monkeypatch):
    rows = [
        star(name, band, i)
        for i, (name, band) in enumerate([("a", "g"), ("a", "r"), ("b", "g"), ("c", "g"), ("c", "r")])
    ]
    whole = measured(rows, photometry, tmp_path)
    monkeypatch.setattr(features, "_BATCH", 1)
    assert measured(rows, photometry, tmp_path).to_pydict() == whole.to_pydict()


def test_arrays_of_all_kinds_are_measured_by_the_same_code():
    """Of one row every column is without gaps, of several it may not be: the kernel must not be compiled for both."""
    names = ("excess_abbe", "period_d", "period_snr")
    kernel = fused.kernel(names)
    for n in (1, 3):
        curve = star("a", "g", 1)
        points = (np.tile(curve[name], n) for name in ("time", "mag", "mag_err"))
        time, mag, mag_err = points
        time.flags.writeable = n == 1
        table = np.full((n, 5), 2.5, dtype=np.float32 if n == 1 else np.float64)
        per_curve = {name: table[:, i] for i, name in enumerate(fused.given(names)) if name not in registry.POINTS}
        curves = ragged.LightCurves(np.arange(n + 1) * 60, time, mag, mag_err)
        registry.measure(curves, per_curve, list(names))
    assert len(kernel.signatures) == 1


def test_lags_outside_the_lines_are_counted_where_there_are_lines(photometry, tmp_path):
    assert measured([star("a", "g", 1)], photometry, tmp_path)["n_above"].to_pylist() == [None]
    counted = measured([star("a", "g", 1)], photometry, tmp_path, lines=40)
    assert counted["n_above"].to_pylist()[0] > 0


def test_no_light_curves_give_an_empty_table(photometry, tmp_path):
    assert measured([], photometry, tmp_path).num_rows == 0


def test_lines_are_of_constant_and_ordinary_labelled_stars(tmp_path):
    labelled = [star(f"s{i:02d}", "g", i) for i in range(40)]
    constant = [star(f"t{i:02d}", "g", 100 + i, n=50) for i in range(30)]
    names = [row["object_id"] for row in labelled]
    labels = ["LPV" if i % 4 == 0 else (None if i % 4 == 1 else "RR") for i in range(40)]
    objects = {
        "object_id": names,
        "ra_deg": np.zeros(40),
        "dec_deg": np.zeros(40),
        "survey": ["s"] * 40,
        "class": labels,
        "catalogue_period_d": [None] * 40,
    }
    tables.write({k: objects[k] for k in tables.OBJECTS.names}, tmp_path / "o.parquet", tables.OBJECTS)
    parts = [write_curves(part, tmp_path / f"{i}.parquet") for i, part in enumerate((labelled[:25], labelled[25:]))]
    still = write_curves(constant, tmp_path / "c.parquet")
    boundary_lines.main(parts, [still], [tmp_path / "o.parquet"], tmp_path / "lines.parquet", ["LPV"])
    lines = tables.read(tmp_path / "lines.parquet", tables.BOUNDARY_LINES)
    used = [row for row, label in zip(labelled, labels, strict=True) if label == "RR"] + constant
    assert len(used) == 50
    expected = draw_lines(lag_sums(ragged.from_table(pa.Table.from_pylist(used, tables.LIGHT_CURVES.schema))))
    np.testing.assert_array_equal([lines["lower"].to_numpy(), lines["upper"].to_numpy()], expected)
    assert lines["lag"].to_pylist() == list(range(1, expected.shape[1] + 1))
    # Lags 50 to 59 are reached by 20 labelled stars, which is enough.
    assert expected.shape[1] == 59


def test_without_stars_there_are_no_lines(tmp_path):
    empty = write_curves([], tmp_path / "c.parquet")
    tables.write(pa.Table.from_pylist([], tables.OBJECTS.schema), tmp_path / "o.parquet", tables.OBJECTS)
    boundary_lines.main([empty], [], [tmp_path / "o.parquet"], tmp_path / "lines.parquet", ["LPV"])
    assert tables.read(tmp_path / "lines.parquet", tables.BOUNDARY_LINES).num_rows == 0
