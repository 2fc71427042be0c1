import dataclasses
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from survey_files import LONG, save, source

from workflow_scripts import tables
from workflow_scripts.surveys import lists, local, points
from workflow_scripts.tables import DataError

OBJECTS = {"object_id": [7, 3019021001365], "ra_deg": [1.0, 2.0], "dec_deg": [3.0, 4.0], "class": ["EA", "EW"]}
SCHEMA = Path(__file__).parents[2] / "config" / "config.schema.yaml"


def test_a_sample_obeys_the_contract(tmp_path):
    sample = local.read(
        [save(tmp_path / "a.parquet", LONG)],
        [save(tmp_path / "b.csv", OBJECTS)],
        [save(tmp_path / "c.fits", {"object_id": [7], "g_mag": [15.0]})],
        source(),
    )
    tables.write(sample.objects, tmp_path / "objects", tables.OBJECTS)
    tables.write(sample.photometry, tmp_path / "photometry", tables.PHOTOMETRY)
    tables.write(sample.light_curves, tmp_path / "curves", tables.RAW_LIGHT_CURVES)
    assert sample.objects["object_id"].to_pylist() == ["3019021001365", "7"]
    assert sample.objects["survey"].to_pylist() == ["test survey"] * 2
    assert sample.photometry["object_id"].to_pylist() == ["7"]
    assert pc.sum(pc.list_value_length(sample.light_curves["time"])).as_py() == 20


def test_identifiers_match_whatever_type_each_file_gives_them(tmp_path):
    curves = save(tmp_path / "a.parquet", LONG)
    for name, ids in (("b.csv", ["7", "3019021001365"]), ("b.parquet", [7.0, 3019021001365.0])):
        sample = local.read([curves], [save(tmp_path / name, {**OBJECTS, "object_id": ids})], [], source())
        assert sample.objects["object_id"].to_pylist() == ["3019021001365", "7"]
        assert sample.objects["class"].to_pylist() == ["EW", "EA"]


def test_names_that_are_decimal_numbers_are_the_same_in_every_file(tmp_path):
    """A file of star 7.0 alone looks like one of integers that pandas wrote."""
    curves = [save(tmp_path / f"{name}.csv", {**LONG, "object_id": [name] * 20}) for name in ("7.0", "7.1")]
    listed = save(tmp_path / "list.csv", {**OBJECTS, "object_id": ["7.0", "7.1"]})
    colours = save(tmp_path / "colours.csv", {"object_id": ["7.0"], "g_mag": [15.0]})
    sample = local.read(curves, [listed], [colours], source())
    assert sample.objects.select(["object_id", "class"]).to_pylist() == [
        {"object_id": "7.0", "class": "EA"},
        {"object_id": "7.1", "class": "EW"},
    ]
    assert sample.light_curves["object_id"].to_pylist() == ["7.0", "7.1"]
    assert sample.photometry["object_id"].to_pylist() == ["7.0"]


def test_names_that_may_be_one_object_are_refused(tmp_path):
    curves = save(tmp_path / "a.parquet", LONG)
    listed = save(tmp_path / "list.csv", {**OBJECTS, "object_id": ["7.0", "3019021001365"]})
    with pytest.raises(DataError, match=r"7 and 7\.0 are one number; expected one spelling"):
        local.read([curves], [listed], [], source())
    with pytest.raises(DataError, match=r"7\.0 and 7\.00 are one number"):
        local.read([save(tmp_path / "b.csv", {**LONG, "object_id": ["7.0", "7.00"] * 10})], [], [], source())


def test_one_map_serves_files_with_different_names(tmp_path):
    curves = save(tmp_path / "a.parquet", {"mjd": LONG["time"], **{k: v for k, v in LONG.items() if k != "time"}})
    listed = save(tmp_path / "b.csv", {"CSS images": OBJECTS["object_id"], "kind": ["EA", "EW"]})
    mapping = {"object_id": "CSS images", "time": "mjd", "class": "kind"}
    sample = local.read([curves], [listed], [], source(columns=mapping))
    assert sample.objects["class"].to_pylist() == ["EW", "EA"]


def test_a_slip_in_the_column_map_is_an_error(tmp_path):
    files = [save(tmp_path / "a.parquet", LONG)], [save(tmp_path / "b.csv", OBJECTS)]
    with pytest.raises(DataError, match=r"columns: \{class: clas\}: no file of the sample has a column 'clas'"):
        local.read(*files, [], source(columns={"class": "clas"}))


def test_the_order_of_rows_of_objects_and_files_changes_nothing_but_the_order_of_points(tmp_path):
    mixed = np.random.default_rng(5).permutation(20)
    one = save(tmp_path / "a.parquet", LONG)
    other = save(tmp_path / "b.parquet", {name: values[mixed] for name, values in LONG.items()})
    first, second = (local.read([path], [], [], source()) for path in (one, other))
    assert first.objects.equals(second.objects)
    for left, right in zip(first.light_curves.to_pylist(), second.light_curves.to_pylist(), strict=True):
        assert left["object_id"] == right["object_id"]
        assert sorted(zip(left["time"], left["mag"], strict=True)) == sorted(
            zip(right["time"], right["mag"], strict=True)
        )


def test_the_settings_are_those_of_the_configuration():
    schema = yaml.safe_load(SCHEMA.read_text())
    described = schema["properties"]["samples"]["additionalProperties"]["properties"]["local"]["properties"]
    ours = {field.name for field in dataclasses.fields(local.LocalSource)}
    assert set(described) - {"light_curves", "objects", "photometry"} == ours
    known = set(described["columns"]["propertyNames"]["enum"])
    assert known == {*points.COLUMNS, *lists.OBJECT, *lists.PHOTOMETRY}


# Real data.


@pytest.mark.real
def test_catalina_southern_variables(real_data):
    folder = real_data / "crts_sss_variables"
    mapping = {"time": "mjd", "catalogue_period_d": "period_d"}
    sample = local.read([folder / "light_curves.parquet"], [folder / "objects.parquet"], [], source(columns=mapping))
    assert sample.objects.num_rows == sample.light_curves.num_rows == 16_195
    assert pc.sum(pc.list_value_length(sample.light_curves["time"])).as_py() == 3_619_072
    classes = dict(zip(*np.unique(sample.objects["class"].to_pylist(), return_counts=True), strict=True))
    assert (len(classes), classes["EW"], classes["DSCT"]) == (11, 3156, 102)
    assert sample.objects["catalogue_period_d"].null_count == 0
    # One star against the file itself.
    raw = pq.read_table(folder / "light_curves.parquet", filters=[("object_id", "=", 3019021001365)])
    row = sample.light_curves.filter(pc.equal(sample.light_curves["object_id"], "3019021001365")).to_pylist()[0]
    assert row["time"] == raw["mjd"].to_pylist()
    assert row["mag"] == raw["mag"].to_pylist()


@pytest.mark.real
def test_catalina_transients_without_a_list_of_objects(real_data):
    path = real_data / "crts_transients" / "light_curves.parquet"
    with pytest.raises(DataError, match=r"no column 'time' for time; the file has .*'mjd'"):
        local.read([path], [], [], source())
    sample = local.read([path], [], [], source(columns={"time": "mjd"}))
    assert sample.objects.num_rows == sample.light_curves.num_rows == 395
    assert "1004051040704109194" in sample.objects["object_id"].to_pylist()  # beyond what a float64 can hold
    assert sample.objects["ra_deg"].null_count == 395


@pytest.mark.real
def test_catalina_field_stars_with_the_survey_s_blend_flag(real_data):
    folder = real_data / "crts_field_stars"
    files = [folder / "light_curves.parquet"], [folder / "objects.parquet"], []
    sample = local.read(*files, source(columns={"time": "mjd", "flag": "blend"}))
    assert sample.objects.num_rows == sample.light_curves.num_rows == 9_758
    blend = pq.read_table(folder / "light_curves.parquet", columns=["blend"])["blend"].to_numpy()
    usable = sample.light_curves["usable"].combine_chunks().flatten()
    assert len(usable) - usable.true_count == (blend >= 1).sum() > 0


@pytest.mark.real
def test_eros_in_one_of_two_bands(real_data):
    folder = real_data / "eros_lmc"
    files = [folder / "light_curves.parquet"], [folder / "objects.parquet"], []
    with pytest.raises(DataError, match="JD-2450000: set time_format: jd-2450000"):
        local.read(*files, source())
    sample = local.read(*files, source(time_format="jd-2450000", bands=["B"]))
    assert set(sample.light_curves["band"].to_pylist()) == {"B"}
    assert sample.objects.num_rows == 2912


@pytest.mark.real
def test_ztf_bulk_files_with_list_columns(real_data):
    names = {"object_id": "objectid", "band": "filterid", "time": "hmjd", "mag_err": "magerr", "flag": "catflags"}
    path = real_data / "ztf_dr5_field" / "DR5_field_example.parquet"
    sample = local.read([path], [], [], source(columns=names, flag_limit=32768))
    raw = pq.read_table(path, columns=["objectid", "mag"])
    assert sample.objects.num_rows == len(set(raw["objectid"].to_pylist()))
    n_points = pc.sum(pc.list_value_length(raw["mag"])).as_py()
    assert pc.sum(pc.list_value_length(sample.light_curves["mag"])).as_py() == n_points


@pytest.mark.real
def test_native_csv_of_the_catalina_web_service(real_data):
    names = {"object_id": "ID", "time": "MJD", "mag": "Mag", "mag_err": "Magerr", "flag": "Blend"}
    path = real_data / "crts_native" / "web_service.csv"
    sample = local.read([path], [], [], source(columns=names))
    with path.open() as lines:
        ids = [line.split(",")[1] for line in lines][1:]
    assert sample.objects["object_id"].to_pylist() == sorted(set(ids))
    assert pc.sum(pc.list_value_length(sample.light_curves["time"])).as_py() == len(ids)


@pytest.mark.real
def test_coordinates_written_as_text(real_data):
    folder = real_data / "qso_be"
    files = [folder / "light_curves.parquet"], [folder / "objects.parquet"], []
    mapping = {"ra_deg": "ra", "dec_deg": "dec"}
    sample = local.read(*files, source(columns=mapping, time_format="jd", bands=["I"]))
    row = sample.objects.filter(pc.equal(sample.objects["object_id"], "LMC_SC10_100630")).to_pylist()[0]
    assert (row["ra_deg"], row["dec_deg"], row["class"]) == (77.730795, -69.23719, "BE")


def test_native_files_of_a_survey_need_no_column_map(tmp_path):
    for star, mag in (("OGLE-LMC-CEP-0001", 15.0), ("OGLE-LMC-CEP-0002", 16.0)):
        path = tmp_path / "phot" / "I" / f"{star}.dat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{5000 + day}.5 {mag:.3f} 0.010\n" for day in range(3)))
    (tmp_path / "stars.csv").write_text("object_id,class\nOGLE-LMC-CEP-0001,CEP\n")
    ogle = source(survey="OGLE-IV", format="ogle", bands=["I"])
    sample = local.read(sorted(tmp_path.glob("phot/I/*.dat")), [tmp_path / "stars.csv"], [], ogle)
    first = sample.light_curves.to_pylist()[0]
    assert (first["object_id"], first["band"]) == ("OGLE-LMC-CEP-0001", "I")
    assert first["time"] == [55000.0, 55001.0, 55002.0]  # HJD - 2450000 became MJD
    assert sample.objects["class"].to_pylist() == ["CEP", None]
