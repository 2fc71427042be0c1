import logging
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Column, Table
from survey_files import LONG, source

from workflow_scripts import tables
from workflow_scripts.surveys import columns, lists, local, points, units
from workflow_scripts.tables import DataError


def in_ours(values, stated: str, ours: str):
    return units.converted(pa.chunked_array([pa.array(values)]), stated, ours, "here").to_pylist()


def test_units_are_those_of_the_contract():
    assert {
        **{"ra_deg": "deg", "dec_deg": "deg", "catalogue_period_d": "d", "time": "d", "mag": "mag", "mag_err": "mag"},
        "parallax_mas": "mas",
        **{name: "mag" for name in tables.PHOTOMETRY.names if name.endswith("_mag")},
    } == units.UNITS
    assert set(units.UNITS) <= {*points.COLUMNS, *lists.OBJECT, *lists.PHOTOMETRY}


@pytest.mark.parametrize(
    ("ours", "stated", "value", "expected"),
    [
        # An hour is 15 degrees, a day 86400 s; whole ratios are exact.
        ("ra_deg", "h", 23.5, 352.5),
        ("ra_deg", "hourangle", 12.0, 180.0),
        ("ra_deg", "Hours", 1.5, 22.5),
        ("ra_deg", "rad", np.pi, 180.0),
        ("ra_deg", "arcsec", 3600.0, 1.0),
        ("dec_deg", "mas", -3.6e6, -1.0),
        ("dec_deg", "arcmin", -90.0, -1.5),
        ("time", "s", 51544.5 * 86400, 51544.5),
        ("time", "SEC", 86400.0, 1.0),
        ("time", "min", 1440.0, 1.0),
        ("catalogue_period_d", "h", 12.0, 0.5),
        ("catalogue_period_d", "seconds", 43200.0, 0.5),
        ("mag_err", "mmag", 20.0, 0.02),
        ("mag", "mmag", 15250.0, 15.25),
        ("parallax_mas", "arcsec", 0.5, 500.0),
        ("parallax_mas", "uas", 1500.0, 1.5),
    ],
)
def test_other_units_are_converted(ours, stated, value, expected):
    (found,) = in_ours([value], stated, ours)
    assert found == pytest.approx(expected, rel=4e-16)  # two roundings


@pytest.mark.parametrize(
    ("ours", "stated"),
    [
        ("ra_deg", "deg"),
        ("ra_deg", "DEGREES"),
        ("time", "d"),
        ("time", "day"),
        ("time", "Days"),
        ("time", "D"),
        ("mag", "mag"),
        ("mag", "MAG"),
        ("mag", "mag(AB)"),
        ("mag", "mag(ct / s)"),
        ("parallax_mas", "mas"),
    ],
)
def test_our_own_units_change_nothing_and_say_nothing(caplog, ours, stated):
    caplog.set_level(logging.INFO)
    column = pa.chunked_array([pa.array([1, 2])])
    assert units.converted(column, stated, ours, "here") is column
    assert not caplog.records


@pytest.mark.parametrize(
    ("ours", "stated"),
    [
        *(("time", t) for t in ("JD", "MJD", "HJD", "JD-2450000", "BJD - 2457000, days", "day (MJD)", "TT", "UTC", "")),
        ("ra_deg", "h:m:s"),
        ("ra_deg", '"h:m:s"'),
        *(("mag", t) for t in ("AB mag", "Vega mag", "mag(Vega)", "---", "none")),
        *(("mag_err", t) for t in ("%", "0.01", "millimagnitudes")),
    ],
)
def test_what_is_no_unit_is_left_alone_and_logged(caplog, ours, stated):
    caplog.set_level(logging.INFO)
    assert in_ours([1.5], stated, ours) == [1.5]
    (record,) = caplog.records
    assert record.levelname == "INFO"
    assert f"here: the unit '{stated}' is not understood; the values are taken to be in " in record.getMessage()


@pytest.mark.parametrize(
    "stated", ["Jy", "mJy", "electron / s", "ct", "adu", "erg / (s cm2)", "dex", "dex(d)", "s", "deg"]
)
def test_what_is_no_magnitude_is_refused(stated):
    said = f"here is in {stated} by what the file says, expected mag: convert fluxes to magnitudes, map another column"
    for ours in ("mag", "mag_err", "w1_mag"):
        with pytest.raises(DataError, match=re.escape(said)):
            in_ours([1.5], stated, ours)


@pytest.mark.parametrize(
    ("ours", "stated"), [("dec_deg", "h"), ("ra_deg", "s"), ("time", "mag"), ("parallax_mas", "pc")]
)
def test_a_unit_of_something_else_is_refused(ours, stated):
    with pytest.raises(DataError, match=f"here is in {stated} .*expected {units.UNITS[ours]}: convert the values"):
        in_ours([1.5], stated, ours)


def test_numbers_in_text_are_not_converted():
    assert in_ours(["12:30:00"], "deg", "ra_deg") == ["12:30:00"]
    with pytest.raises(DataError, match="here holds text in h; expected numbers"):
        in_ours(["12.5"], "h", "ra_deg")


def test_reals_keep_the_digits_they_were_stored_with_and_integers_become_reals():
    for kind, expected in ((pa.float32(), pa.float32()), (pa.float64(), pa.float64()), (pa.int16(), pa.float64())):
        found = units.converted(pa.chunked_array([pa.array([5, None], kind)]), "mmag", "mag_err", "here")
        assert found.type == expected
        assert found.null_count == 1
        np.testing.assert_allclose(found[0].as_py(), 0.005, rtol=1e-7)  # float32


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.large_list(pa.int32()), pa.list_(pa.float64(), 2)])
def test_lists_are_converted_element_by_element(kind):
    column = pa.chunked_array([pa.array([[60, 120]], kind), pa.array([[180, None]], kind)])
    assert units.converted(column, "min", "time", "here").to_pylist() == [[60 / 1440, 120 / 1440], [0.125, None]]
    if not pa.types.is_fixed_size_list(kind):
        column = pa.chunked_array([pa.array([None, [], [720]], kind)])
        assert units.converted(column, "min", "time", "here").to_pylist() == [[], [], [0.5]]


# Files of a user.


def save(path, rows: dict, stated: dict):
    """FITS or VOTable that states units, in FITS as they are: astropy would not write those it cannot read."""
    if path.suffix == ".vot":
        Table({name: Column(values, unit=stated.get(name)) for name, values in rows.items()}).write(
            path, format="votable"
        )
        return path
    codes = {"i": "K", "f": "D", "U": "20A"}
    given = {name: np.asarray(values) for name, values in rows.items()}
    found = [fits.Column(n, codes[v.dtype.kind], array=v, unit=stated.get(n)) for n, v in given.items()]
    fits.BinTableHDU.from_columns(found).writeto(path)
    return path


@pytest.mark.parametrize("suffix", [".fits", ".vot"])
def test_a_sample_in_other_units_is_the_sample_in_ours(tmp_path, suffix):
    objects = {"id": [7, 3019021001365], "RA": [10.0, 350.0], "dec_deg": [-5.0, 5.0], "P": [0.5, 2.0]}
    colours = {"object_id": [7], "plx": [2.0], "g_mag": [15.0]}
    mapping = {"time": "HJD", "ra_deg": "RA", "catalogue_period_d": "P", "parallax_mas": "plx", "object_id": "id"}
    curves = {("HJD" if name == "time" else name): values for name, values in LONG.items()}
    plain = local.read(
        [save(tmp_path / f"a{suffix}", curves, {"HJD": "MJD", "mag": "mag"})],
        [save(tmp_path / f"b{suffix}", objects, {"RA": "deg", "dec_deg": "deg"})],
        [save(tmp_path / f"c{suffix}", colours, {"plx": "mas"})],
        source(columns=mapping),
    )
    curves |= {"HJD": curves["HJD"] * 86400, "mag_err": curves["mag_err"] * 1000}
    objects |= {"RA": [10 / 15, 350 / 15], "dec_deg": [-18000.0, 18000.0], "P": [12.0, 48.0]}
    found = local.read(
        [save(tmp_path / f"d{suffix}", curves, {"HJD": "s", "mag_err": "mmag", "mag": "mag"})],
        [save(tmp_path / f"e{suffix}", objects, {"RA": "h", "dec_deg": "arcsec", "P": "h"})],
        [save(tmp_path / f"f{suffix}", colours | {"plx": [0.002]}, {"plx": "arcsec", "g_mag": "mag"})],
        source(columns=mapping),
    )
    for name in ("ra_deg", "dec_deg", "catalogue_period_d"):
        np.testing.assert_allclose(found.objects[name].to_numpy(), plain.objects[name].to_numpy(), rtol=1e-15)
    np.testing.assert_allclose(found.photometry["parallax_mas"].to_numpy(), [2.0], rtol=1e-15)
    for name, tolerance in (("time", 1e-15), ("mag", 0), ("mag_err", 1e-7)):  # float32
        values = (sample.light_curves[name].combine_chunks().flatten().to_numpy() for sample in (found, plain))
        np.testing.assert_allclose(*values, rtol=tolerance)


def test_parquet_files_may_state_units_as_our_own_tables_do(tmp_path):
    fields = [pa.field("object_id", pa.int64()), pa.field("ra_deg", pa.float64(), metadata={"unit": "h"})]
    pq.write_table(pa.table([[1], [2.0]], schema=pa.schema(fields)), tmp_path / "a.parquet")
    assert columns.read(tmp_path / "a.parquet", lists.OBJECT, [], {})["ra_deg"].to_pylist() == [30.0]
    pq.write_table(tables.OBJECTS.schema.empty_table(), tmp_path / "b.parquet")
    assert pq.read_schema(tmp_path / "b.parquet").field("ra_deg").metadata[b"unit"] == b"deg"


def test_a_column_in_two_parts_is_converted_once(tmp_path):
    """BP and RP of one column: whoever maps so gets one number, not the conversion of a conversion."""
    path = save(tmp_path / "a.fits", {"object_id": [7], "M": [15000.0]}, {"M": "mmag"})
    found = columns.read(path, lists.PHOTOMETRY, [], {"bp_mag": "M", "rp_mag": "M"})
    assert found["bp_mag"].to_pylist() == found["rp_mag"].to_pylist() == [15.0]


def test_a_file_of_fluxes_is_refused_with_file_and_column(tmp_path):
    path = save(
        tmp_path / "lc.fits", {**LONG, "FLUX": LONG["mag"]}, {"FLUX": "electron/s", "time": "BJD - 2457000, days"}
    )
    said = r"lc\.fits: column 'FLUX' \(mag\) is in electron/s by what the file says, expected mag"
    with pytest.raises(DataError, match=said):
        columns.read(path, points.COLUMNS, points.REQUIRED, {"mag": "FLUX"})
    # What is mapped to nothing may be in any unit.
    assert columns.read(path, points.COLUMNS, points.REQUIRED, {})["mag"].to_pylist() == LONG["mag"].tolist()


def test_vectors_in_other_units(tmp_path):
    time = np.array([[86400, 172800], [0, 43200]], dtype=np.int64)
    rows = {"object_id": [1, 2], "time": Column(time + 55000 * 86400, unit="s"), "mag": np.full((2, 2), 15.0)}
    Table({**rows, "mag_err": np.full((2, 2), 0.1)}).write(tmp_path / "a.fits")
    opened = columns.read(tmp_path / "a.fits", points.COLUMNS, points.REQUIRED, {})
    found = points.light_curves([opened], "mjd", 1, [])
    assert found["time"].to_pylist() == [[55001.0, 55002.0], [55000.0, 55000.5]]
