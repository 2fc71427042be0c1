import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from workspace import ROOT

from workflow_scripts import calibrate, edge, models, period_rules, tables, training
from workflow_scripts.features import FEATURES, measure, names
from workflow_scripts.features.registry import PHOTOMETRY
from workflow_scripts.lightcurve import period_search, ragged
from workflow_scripts.lightcurve.clean import Cuts
from workflow_scripts.lightcurve.period_search import Search
from workflow_scripts.models import Settings
from workflow_scripts.period_rules import Rule
from workflow_scripts.stages import classify_object, object_settings
from workflow_scripts.tables import DataError

CUTS = Cuts(min_observations=50, clip_sigma=5, clip_iterations=1, clip_side="both", max_error_ratio=0)
SEARCH = Search(min_period_d=0.3, max_period_d=5, oversampling=3, max_harmonics=3)
PERIOD_D = 0.7321


def points(class_: str, seed: int, n: int = 80) -> dict[str, np.ndarray]:
    """Sawtooth (RR) or sine (SIN) of the same amplitude and period."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(58000, 58200, n))
    phase = (time / PERIOD_D) % 1
    shape = phase if class_ == "RR" else 0.5 + 0.5 * np.sin(2 * np.pi * phase)
    return {"time": time, "mag": 15 + shape + rng.normal(0, 0.02, n), "mag_err": np.full(n, 0.02)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a finished run leaves: settings, models that learnt two shapes, calibration, rules and samples."""
    folder = tmp_path_factory.mktemp("results") / "small run"
    final = folder / "models" / "final"
    class_ = np.array(["RR", "SIN"] * 100, dtype=object)
    rows = [{"object_id": f"{i:03d}", "band": "V", **points(c, i)} for i, c in enumerate(class_)]
    curves = ragged.from_table(pa.Table.from_pylist(rows, tables.LIGHT_CURVES.schema))
    nothing = {name: np.full(len(rows), np.nan) for name in PHOTOMETRY}
    measured = measure(curves, vars(period_search.search(curves, SEARCH)) | nothing)
    used = names("default")
    x = np.column_stack([measured[name] for name in used])
    sample = training.Sample(np.array([r["object_id"] for r in rows], dtype=object), class_,
                             np.full(len(rows), "train", dtype=object), x, tuple(used))  # fmt: skip
    for model in ("lightgbm", "xgboost"):
        settings = Settings(rounds=20, learning_rate=0.3, trees=1)
        trained = training.train(sample, model, "weighted", 1.0, settings, np.random.default_rng(0), 1)
        models.save(*trained, final / f"{model}-weighted.model", final / f"{model}-weighted.json")
    fitted = calibrate.Calibration(("RR", "SIN"), (0.5, 0.5), {"lightgbm": 1.1, "xgboost": 1.2}, 0.9, (0.5, 0.5))
    calibrate.save(fitted, final / "calibration.json")
    period_rules.save({"RR": Rule(), "SIN": Rule("period_ls_d", 2.0, 30)}, final / "period_rules.json")
    object_settings.main(final / "settings.json", CUTS, SEARCH, "weighted")
    write_samples(folder, "a real survey")
    no_lines = {"lag": np.empty(0, np.int32), "lower": np.empty(0), "upper": np.empty(0)}
    tables.write(no_lines, folder / "samples" / "boundary_lines.parquet", tables.BOUNDARY_LINES)
    return folder


def write_samples(folder: Path, survey: str) -> None:
    row = {"sample": "s", "role": "labelled", "survey": survey, "n_objects": 60, "n_light_curves": 60, "n_points": 1}
    path = folder / "samples" / "samples.parquet"
    tables.write(pa.Table.from_pylist([row], tables.SAMPLES.schema), path, tables.SAMPLES)


def csv(path: Path, columns: dict[str, np.ndarray]) -> Path:
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return path


def classify(capsys: pytest.CaptureFixture[str], **given: object) -> str:
    defaults = {"photometry": None, "columns": None, "time_format": "mjd", "flag_limit": 1, "band": "", "object_id": ""}
    classify_object.main(**edge.arguments(classify_object.main, {**defaults, **given}))
    return capsys.readouterr().out


@pytest.mark.parametrize(("class_", "period"), [("RR", PERIOD_D), ("SIN", 2 * PERIOD_D)])
def test_a_light_curve_gets_its_class_and_the_period_of_the_class(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], class_: str, period: float
) -> None:
    text = classify(capsys, run=run, light_curve=csv(tmp_path / "my star.csv", points(class_, 1001)))
    lines = text.splitlines()
    assert lines[0] == "my star, band default"
    assert lines[2].split()[:2] == ["class", class_]
    assert "both boosters agree" in lines[2]
    found = next(line for line in lines if line.startswith("period")).split()[1]
    # 200 d and 273 cycles: a hundredth of a cycle over the whole baseline is 3e-5 of the period; 1e-3 is ample.
    assert float(found) == pytest.approx(period, rel=1e-3)
    assert "SIMULATED" not in text


def test_simulated_training_data_are_said_first(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_samples(run, "SIMULATED survey")
    text = classify(capsys, run=run, light_curve=csv(tmp_path / "a.csv", points("RR", 1)))
    write_samples(run, "a real survey")
    assert "learnt from SIMULATED data" in text.splitlines()[0]


def test_columns_and_time_format_may_be_the_users_own(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = points("RR", 5)
    plain = classify(capsys, run=run, light_curve=csv(tmp_path / "a.csv", own))
    renamed = {"HJD": own["time"] + 2400000.5, "V": own["mag"], "eV": own["mag_err"], "other": own["mag"]}
    mapped = classify(
        capsys,
        run=run,
        light_curve=csv(tmp_path / "a.csv", renamed),
        columns='{"time": "HJD", "mag": "V", "mag_err": "eV"}',
        time_format="jd",
    )
    # Julian Dates in float64 are good to 5e-10 d: what is printed, to 7 digits, is the same.
    assert mapped == plain


def test_measured_like_the_stages_measure(tmp_path: Path) -> None:
    own = points("SIN", 8)
    raw = classify_object._read(csv(tmp_path / "a.csv", own), {}, "mjd", 1)
    cleaned, nothing = classify_object._cleaned(raw, CUTS), dict.fromkeys(PHOTOMETRY, np.nan)
    found = classify_object._measured(cleaned, SEARCH, nothing, tables.BOUNDARY_LINES.schema.empty_table())
    assert set(found) == set(FEATURES.names[2:])
    assert found["n_obs"] == 80


def test_photometry_becomes_colours(tmp_path: Path) -> None:
    raw = classify_object._read(csv(tmp_path / "a.csv", points("RR", 1)), {}, "mjd", 1)
    path = csv(tmp_path / "colours.csv", {"object_id": ["b", "a"], "Gmag": [12.0, 13.5], "parallax_mas": [1.0, 2.5]})
    found = classify_object._magnitudes(path, raw, {"g_mag": "Gmag"})
    assert (found["g_mag"], found["parallax_mas"]) == (13.5, 2.5)
    assert np.isnan(found["w3_mag"])


def test_photometry_that_gives_no_colour_is_refused(tmp_path: Path) -> None:
    raw = classify_object._read(csv(tmp_path / "a.csv", points("RR", 1)), {}, "mjd", 1)
    path = csv(tmp_path / "colours.csv", {"object_id": ["a"], "Gmag": [13.5], "bp_mag": [14.0]})
    with pytest.raises(DataError, match=r"\{rp_mag: RPmag\}: no file of the sample has a column 'RPmag'"):
        classify_object._magnitudes(path, raw, {"rp_mag": "RPmag"})
    assert classify_object._magnitudes(path, raw, {"object_id": "star"})["bp_mag"] == 14.0
    bare = csv(tmp_path / "bare.csv", {"object_id": ["a"], "Gmag": [13.5]})
    with pytest.raises(DataError, match=r"bare\.csv: no column of photometry; .* the file has \['object_id', 'Gmag'\]"):
        classify_object._magnitudes(bare, raw, {})


def two_stars(path: Path) -> Path:
    own = points("RR", 1)
    both = {name: np.tile(values, 2) for name, values in own.items()}
    return csv(path, {"object_id": np.repeat(["one", "two"], 80), **both})


def test_one_of_several_light_curves_is_chosen(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = classify(capsys, run=run, light_curve=two_stars(tmp_path / "a.csv"), object_id="two")
    assert text.startswith("two, band default\n")


# --- what cannot be classified -----------------------------------------------------------------------------------


def test_several_light_curves_need_a_choice(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(
        DataError, match="2 light curves, expected one; there are one in default, two in default: choose"
    ):
        classify(capsys, run=run, light_curve=two_stars(tmp_path / "a.csv"))
    with pytest.raises(DataError, match="0 light curves of three, expected one; there are one in default"):
        classify(capsys, run=run, light_curve=two_stars(tmp_path / "a.csv"), object_id="three")


def test_too_few_points_are_accounted_for(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = points("RR", 1, n=52)
    own["mag_err"][:4] = 0
    with pytest.raises(
        DataError, match=r"48 of 52 points are left, the models of this run need 50 .*; removed: 4 with an"
    ):
        classify(capsys, run=run, light_curve=csv(tmp_path / "a.csv", own))


def test_a_missing_column_is_named(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = points("RR", 1)
    path = csv(tmp_path / "a.csv", {"time": own["time"], "Vmag": own["mag"], "mag_err": own["mag_err"]})
    with pytest.raises(DataError, match=r"no column 'mag' .*closest: .*Vmag"):
        classify(capsys, run=run, light_curve=path)


def test_a_column_map_that_fits_nothing_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = csv(tmp_path / "a.csv", points("RR", 1))
    with pytest.raises(DataError, match=r"\['tiem'\] are none of ours"):
        classify(capsys, run=run, light_curve=path, columns={"tiem": "time"})
    with pytest.raises(DataError, match="no file of the sample has a column 'nothing'"):
        classify(capsys, run=run, light_curve=path, columns={"band": "nothing"})


def test_a_folder_without_a_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError, match=r"settings.json does not exist; --run must name the folder of a finished run"):
        classify(capsys, run=tmp_path, light_curve=tmp_path / "a.csv")


def test_settings_survive_the_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    object_settings.main(path, CUTS, SEARCH, "smote")
    assert classify_object._settings(path) == object_settings.Settings(CUTS, SEARCH, "smote")
    assert list(json.loads(path.read_text())) == ["cuts", "data", "provenance", "search"]


# --- as a command ------------------------------------------------------------------------------------------------


def command(run: Path, path: Path, *options: str) -> subprocess.CompletedProcess:
    line = [
        sys.executable,
        "-m",
        "workflow_scripts.stages.classify_object",
        "--run",
        run,
        "--light-curve",
        path,
        *options,
    ]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ))


def test_the_command_prints_the_verdict(run: Path, tmp_path: Path) -> None:
    done = command(run, csv(tmp_path / "a.csv", points("RR", 2000)))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("a, band default\n\nclass                    RR (both boosters agree)\n")


def test_the_command_ends_with_the_message_alone(run: Path, tmp_path: Path) -> None:
    done = command(run, csv(tmp_path / "a.csv", points("RR", 1, n=10)))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "10 of 10 points are left" in done.stderr
    assert "Traceback" not in done.stderr
