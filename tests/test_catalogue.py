"""The catalogue: its contract, its rows, and the three formats read back by other software."""

import csv
import io
import json
import resource
import shutil
import subprocess
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units
from astropy.io import fits, votable
from astropy.io.votable import ucd
from astropy.table import Table as AstropyTable

from workflow_scripts import catalogue, features, tables
from workflow_scripts.ensemble import Classified
from workflow_scripts.labels import misnamed
from workflow_scripts.tables import Column

CLASSES = ("EA", "RR_BLAZHKO", "SR")
FEATURES = (
    Column("period_d", pa.float64(), "d", "period of the best harmonic fit", True),
    Column("false_alarm_probability", pa.float64(), "", "false-alarm probability", True),
    Column("amplitude", pa.float64(), "mag", "half of the range in magnitude" + 20 * ", of long meaning", True),
    Column("slope", pa.float64(), "mag/d", "largest slope", True),
)
USED = [c.name for c in FEATURES]
TABLE = catalogue.catalogue_table(CLASSES, FEATURES, "labelled", 0.9)


def classified(n: int = 4) -> Classified:
    rng = np.random.default_rng(1)
    first, second, labelled = (rng.dirichlet([1, 1, 1], size=n) for _ in range(3))
    ids = np.array([f"star {i}" for i in range(n)], dtype=object)
    return Classified(ids, CLASSES, first, second, np.full(3, 1 / 3), labelled, np.full(3, 1 / 3))


def extras(n: int = 4) -> catalogue.Extras:
    conformal = np.tile([[True, False, True], [False, True, False]], (n, 1))[:n]
    period = np.where(np.arange(n) == 1, np.nan, 2.0 * np.arange(n))
    return catalogue.Extras(conformal, period, np.linspace(0, 3, n), 2.0)


def sources(n: int = 4, survey: str = "ZTF") -> pa.Table:
    return pa.table(
        {
            "object_id": [f"star {i}" for i in range(n)],
            "survey": [survey] * n,
            "band": ["g"] * n,
            "ra_deg": pa.array([float(i) for i in range(n)], pa.float64()),
            "dec_deg": pa.array([None] * n, pa.float64()),
            "class": pa.array(([None, "δ Sct", "EA", ""] * n)[:n], pa.string()),
            "period_d": pa.array([1.0] * n, pa.float64()),
            "false_alarm_probability": pa.array([1e-9] * n, pa.float64()),
            "amplitude": pa.array([0.3, None, 0.5, None][:n], pa.float64()),
            "slope": pa.array([-1.0] * n, pa.float64()),
        }
    )


def rows(n: int = 4, survey: str = "ZTF") -> pa.Table:
    return catalogue.rows(classified(n), extras(n), sources(n, survey), USED, TABLE)


@pytest.fixture
def written(tmp_path: Path):
    """Files of a small catalogue, in a folder of the name given."""

    def write(folder: str = "a", n: int = 4, survey: str = "ZTF") -> dict[str, Path]:
        files = {kind: tmp_path / folder / f"catalogue.{kind}" for kind in ("parquet", "fits", "vot")}
        with tables.provenance({"rule": "ensemble", "run": "test"}):
            catalogue.write(rows(n, survey), catalogue.AGREED, TABLE, *files.values())
        return files

    return write


def unwrapped(text: str) -> str:
    """Text without the line breaks that XML writers put in."""
    return " ".join(text.split())


def test_rows_by_hand():
    found, given = {name: rows()[name].to_pylist() for name in TABLE.names}, classified()
    mean = (given.lightgbm + given.xgboost) / 2
    for i in range(4):
        best = int(mean[i].argmax())
        assert found["class"][i] == CLASSES[best]
        assert found["probability"][i] == mean[i, best]
        assert found["probability_labelled"][i] == given.labelled[i, best]
        assert found["class_lightgbm"][i] == CLASSES[int(given.lightgbm[i].argmax())]
        assert found["probability_xgboost"][i] == given.xgboost[i].max()
        assert [found[f"p_{c}"][i] for c in CLASSES] == mean[i].tolist()
    assert found["conformal_set"] == ["EA|SR", "RR_BLAZHKO", "EA|SR", "RR_BLAZHKO"]
    assert found["conformal_size"] == [2, 1, 2, 1]
    assert found["band"] == ["g"] * 4
    assert found["period_d"] == [0.0, None, 4.0, 6.0]
    assert found["period_search_d"] == [1.0] * 4
    assert found["n_features_missing"] == [0, 1, 0, 1]
    assert found["out_of_distribution"] == [False, False, False, True]
    assert found["label"] == [None, "δ Sct", "EA", ""]
    assert found["amplitude"] == [0.3, None, 0.5, None]


def test_probabilities_of_a_row_sum_to_one():
    total = sum(rows()[f"p_{c}"].to_numpy() for c in CLASSES)
    np.testing.assert_allclose(total, 1, rtol=1e-12)


def test_contract_says_which_prior_a_probability_carries():
    on = catalogue.catalogue_table(CLASSES, FEATURES, "estimated", 0.9)
    for table, said in ((TABLE, "class shares of the labelled sample"), (on, "estimated from this sample")):
        for name in ("probability", "probability_lightgbm", "probability_xgboost", "p_EA"):
            meaning = next(c.meaning for c in table.columns if c.name == name)
            assert said in meaning
            assert "calibrated by temperature and class biases" in meaning
        labelled = next(c.meaning for c in table.columns if c.name == "probability_labelled")
        assert "class shares of the labelled sample" in labelled
    assert "0.9" in next(c.meaning for c in TABLE.columns if c.name == "conformal_set")


def test_contract_has_no_column_twice_and_ends_with_the_features():
    assert len(set(TABLE.names)) == len(TABLE.names)
    assert TABLE.names[-2:] == ["amplitude", "slope"]
    assert TABLE.names[:5] == ["object_id", "survey", "ra_deg", "dec_deg", "class"]


def test_contract_of_all_real_features_is_legal():
    """Every unit must be one that FITS and VOTable know, every UCD one of the controlled vocabulary."""
    table = catalogue.catalogue_table(CLASSES, features.FEATURES.columns[2:], "labelled", 0.9)
    assert set(features.names("all")) <= set(table.names)
    for column in table.columns:
        assert column.meaning, column.name
        units.Unit(column.unit, format="vounit")
        units.Unit(column.unit, format="fits")
        assert not column.ucd or ucd.check_ucd(column.ucd, check_controlled_vocabulary=True), column
        assert (column.name + column.meaning).isascii(), column.name


def test_matrix_has_nan_where_a_feature_is_missing():
    found = catalogue.matrix(sources(), ["slope", "amplitude"])
    np.testing.assert_array_equal(found, [[-1, 0.3], [-1, np.nan], [-1, 0.5], [-1, np.nan]])
    assert catalogue.matrix(sources(), []).shape == (4, 0)


@pytest.mark.parametrize("n", [0, 1, 4])
def test_formats_hold_the_same_values(written, n):
    files = written(n=n)
    parquet = tables.read(files["parquet"], TABLE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flexible = AstropyTable.read(files["fits"], hdu=1)
        virtual = votable.parse(files["vot"], verify="exception").get_first_table().array
    assert parquet.num_rows == len(flexible) == len(virtual) == n
    for column in TABLE.columns:
        expected = parquet[column.name].to_pylist()
        if column.type == pa.string():
            expected = [(v or "").encode("ascii", "backslashreplace").decode() for v in expected]
            assert [str(v) for v in np.ma.filled(flexible[column.name], "")] == expected
            assert [str(v) for v in virtual[column.name]] == expected
        else:
            numbers = np.array([np.nan if v is None else v for v in expected], dtype=float)
            np.testing.assert_array_equal(np.ma.filled(flexible[column.name].astype(float), np.nan), numbers)
            np.testing.assert_array_equal(np.ma.filled(virtual[column.name].astype(float), np.nan), numbers)


def test_units_and_meanings_are_in_all_formats(written):
    files = written()
    flexible = AstropyTable.read(files["fits"], hdu=1)
    header = fits.getheader(files["fits"], 1)
    fields = {f.name: f for f in votable.parse(files["vot"]).get_first_table().fields}
    schema = pq.read_schema(files["parquet"])
    for i, column in enumerate(TABLE.columns, start=1):
        assert header[f"TTYPE{i}"] == column.name
        assert (flexible[column.name].unit or "") == (units.Unit(column.unit) if column.unit else "")
        assert (fields[column.name].unit or "") == (units.Unit(column.unit) if column.unit else "")
        assert header.get(f"TUCD{i}", "") == (fields[column.name].ucd or "") == column.ucd
        assert header[f"TCOMM{i}"] == column.meaning
        assert unwrapped(fields[column.name].description) == unwrapped(column.meaning)
        assert schema.field(column.name).metadata[b"meaning"].decode() == column.meaning


@pytest.mark.parametrize(("survey", "is_simulated"), [("SIMULATED demo", True), ("ZTF", False)])
def test_simulated_objects_are_stated_in_all_formats(written, survey, is_simulated):
    files = written(survey=survey)
    notes = pq.read_schema(files["parquet"]).metadata[b"description"].decode()
    comments = "".join(fits.getheader(files["fits"], 1)["COMMENT"])
    virtual = unwrapped(votable.parse(files["vot"]).get_first_table().description)
    for text in (notes, comments, virtual):
        assert ("SIMULATED" in text) is is_simulated
        assert "class shares of" in text
    assert notes == virtual
    assert notes.startswith("SIMULATED") is is_simulated


def test_long_record_survives_every_format(tmp_path):
    """Values that FITS could harm: blanks wherever a card may end, letters outside ASCII, quotes."""
    record = {"rule": "ensemble", "inputs": [{"name": f'{"x" * (i % 7)} it\'s "ü" {i}'} for i in range(300)]}
    files = {kind: tmp_path / f"catalogue.{kind}" for kind in ("parquet", "fits", "vot")}
    with tables.provenance(record):
        catalogue.write(rows(), catalogue.AGREED, TABLE, *files.values())
    assert json.loads(pq.read_schema(files["parquet"]).metadata[b"provenance"]) == record
    comments = "".join(card.ljust(72) for card in fits.getheader(files["fits"], 1)["COMMENT"])
    assert json.JSONDecoder().raw_decode(comments.partition("provenance: ")[2])[0] == record
    infos = {info.name: info.value for info in votable.parse(files["vot"]).resources[0].infos}
    assert json.loads(infos["provenance"]) == record


def test_provenance_is_in_all_formats(written):
    files = written()
    expected = {"rule": "ensemble", "run": "test"}
    assert json.loads(pq.read_schema(files["parquet"]).metadata[b"provenance"]) == expected
    assert json.dumps(expected) in "".join(fits.getheader(files["fits"], 1)["COMMENT"])
    infos = {info.name: info.value for info in votable.parse(files["vot"]).resources[0].infos}
    assert json.loads(infos["provenance"]) == expected


def test_identical_rows_give_identical_bytes(written):
    first, second = written("a"), written("b")
    for kind in first:
        assert first[kind].read_bytes() == second[kind].read_bytes(), kind
    assert b"DATE" not in first["fits"].read_bytes()


def test_nothing_partial_is_left_behind(written):
    folder = written()["fits"].parent
    assert sorted(p.name for p in folder.iterdir()) == ["catalogue.fits", "catalogue.parquet", "catalogue.vot"]


def test_full_disk_is_said(written):
    limits, size = resource.getrlimit(resource.RLIMIT_FSIZE), written("whole")["fits"].stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1, limits[1]))
    try:
        with pytest.raises(tables.DataError, match=r"cannot write .*full/catalogue\.fits: File too large; make room"):
            written("full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_votable_is_valid(written):
    report = io.StringIO()
    votable.validate(str(written()["vot"]), output=report, xmllint=False)
    assert report.getvalue().rstrip().endswith("astropy.io.votable found no violations.")


def stilts(*arguments: str) -> str:
    """Run STILTS, the command line of TOPCAT, and return what it prints."""
    if shutil.which("stilts") is None:
        pytest.skip("the command stilts is missing (Debian package stilts)")
    done = subprocess.run(["stilts", *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_stilts_finds_no_fault_in_the_votable(written):
    assert stilts("votlint", str(written()["vot"])).strip() == ""


@pytest.mark.parametrize(("kind", "form"), [("fits", "fits"), ("vot", "votable")])
def test_stilts_reads_the_columns(written, kind, form):
    source = (f"in={written()[kind]}", f"ifmt={form}", "ofmt=csv")
    found = list(csv.DictReader(io.StringIO(stilts("tpipe", *source, "cmd=meta name units ucd description"))))
    assert [row["Name"] for row in found] == TABLE.names
    for column, row in zip(TABLE.columns, found, strict=True):
        assert row["UCD"] == column.ucd
        assert unwrapped(row["Description"]) == column.meaning
        assert (units.Unit(row["Units"]) if row["Units"] else "") == (units.Unit(column.unit) if column.unit else "")
    values = list(csv.DictReader(io.StringIO(stilts("tpipe", *source))))
    expected = rows()
    assert [row["out_of_distribution"] for row in values] == ["false", "false", "false", "true"]
    assert [row["conformal_set"] for row in values] == expected["conformal_set"].to_pylist()
    assert [float(row["probability"]) for row in values] == expected["probability"].to_pylist()
    assert [row["amplitude"] for row in values] == ["0.3", "", "0.5", ""]
    assert values[1]["label"] == "\\u03b4 Sct"


def test_class_with_letters_outside_ascii_is_in_every_format(tmp_path: Path) -> None:
    classes = ("δ Sct", "ü-b & <c>", 58 * "x" + "yz")
    table = catalogue.catalogue_table(classes, FEATURES, "labelled", 0.9)
    found = catalogue.rows(replace(classified(), classes=classes), extras(), sources(), USED, table)
    files = [tmp_path / f"catalogue.{kind}" for kind in ("parquet", "fits", "vot")]
    catalogue.write(found, catalogue.AGREED, table, *files)
    stored = tables.read(files[0], table)
    others = AstropyTable.read(files[1]), AstropyTable.read(files[2], use_names_over_ids=True)
    assert misnamed(classes) == ""
    for name in classes:
        escaped = "p_" + name.encode("ascii", "backslashreplace").decode()
        for other in others:
            np.testing.assert_array_equal(other[escaped], stored[f"p_{name}"].to_numpy())


@pytest.mark.parametrize("name", [61 * "x", 61 * "x" + "|", 11 * "δ", "δ" + 55 * "x"])
def test_class_whose_column_no_fits_file_holds_is_refused_at_once(name: str) -> None:
    assert "60 characters" in misnamed([name, "EA"])
