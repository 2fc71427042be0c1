"""Command `make classify`: the class of one light curve by the models of a run; no rule of the workflow runs it."""

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from workflow_scripts import calibrate, edge, models, period_rules, tables, verdict
from workflow_scripts.features import boundaries, measure
from workflow_scripts.features.registry import PHOTOMETRY
from workflow_scripts.lightcurve import period_search, ragged
from workflow_scripts.lightcurve.clean import Cuts, clean
from workflow_scripts.lightcurve.period_search import Search
from workflow_scripts.report.inputs import simulated
from workflow_scripts.stages.object_settings import Settings
from workflow_scripts.surveys import columns as user_columns
from workflow_scripts.surveys import files, lists, points
from workflow_scripts.surveys.checks import TimeFormat
from workflow_scripts.tables import DataError


def main(
    run: Path,
    light_curve: Path,
    photometry: Path | None = None,
    columns: dict[str, str] | None = None,
    time_format: TimeFormat = "mjd",
    flag_limit: int = 1,
    band: str = "",
    object_id: str = "",
) -> None:
    """Print what the models of a run (--run results/demo) say about the light curve in a file.

    --columns '{"time": "hjd", "mag": "Vmag"}' says which of the file's columns are ours (ours: theirs) and
    --time-format what the times are, as in the configuration of a run; --photometry is a file with colours, without
    the dust where the run takes it off (dust.map). A file with several light curves needs --band or --object-id.
    """
    final = run / "models" / "final"
    settings = _settings(final / "settings.json")
    points_map, photometry_map = _maps(columns or {})
    raw = _one(_read(light_curve, points_map, time_format, flag_limit), band, object_id, light_curve)
    lines = tables.read(run / "samples" / "boundary_lines.parquet", tables.BOUNDARY_LINES)
    magnitudes = _magnitudes(photometry, raw, photometry_map)
    features = _measured(_cleaned(raw, settings.cuts), settings.search, magnitudes, lines)
    found = verdict.judge(
        features,
        {name: _booster(final, name, settings.data) for name in verdict.BOOSTERS},
        calibrate.load(final / "calibration.json"),
        period_rules.load(final / "period_rules.json"),
    )
    if simulated(tables.read(run / "samples" / "samples.parquet", tables.SAMPLES)):
        sys.stdout.write(f"The models of {run} learnt from SIMULATED data: do not use this for a real star.\n\n")
    sys.stdout.write(f"{raw['object_id'][0]}, band {raw['band'][0]}\n\n{verdict.text(found)}")


def _settings(path: Path) -> Settings:
    if not path.is_file():
        raise DataError(f"{path} does not exist; --run must name the folder of a finished run, such as results/demo")
    with tables.undamaged(path, "the settings of a run"):
        given = json.loads(path.read_text(encoding="utf-8"))
        return Settings(Cuts(**given["cuts"]), Search(**given["search"]), given["data"])


def _maps(columns: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Parts of a column map that speak of points and of photometry."""
    unknown = sorted(set(columns) - {*points.COLUMNS, *lists.PHOTOMETRY})
    if unknown:
        raise DataError(f"columns: {unknown} are none of ours, which are {[*points.COLUMNS, *lists.PHOTOMETRY[1:]]}")
    first, second = ({k: v for k, v in columns.items() if k in ours} for ours in (points.COLUMNS, lists.PHOTOMETRY))
    return first, second


def _read(path: Path, mapping: Mapping[str, str], time_format: TimeFormat, flag_limit: int) -> pa.Table:
    """Raw light curves of the file; a file without object_id is one object, which bears the file's name."""
    found = user_columns.read(path, points.COLUMNS, ["time", "mag", "mag_err"], mapping)
    if not found.has("object_id") and "object_id" not in mapping:
        rows = found.file.rows.append_column("object_id", pa.array([path.stem] * found.file.rows.num_rows))
        found = user_columns.Columns(files.File(path, [*found.file.names, "object_id"], rows), mapping)
    user_columns.check_mapping(mapping, found.file.names)
    return points.light_curves([found], time_format, flag_limit, [])


def _one(raw: pa.Table, band: str, object_id: str, path: Path) -> pa.Table:
    chosen = [
        i
        for i, (name, its_band) in enumerate(zip(raw["object_id"].to_pylist(), raw["band"].to_pylist(), strict=True))
        if name == (object_id or name) and its_band == (band or its_band)
    ]
    if len(chosen) != 1:
        names = [f"{raw['object_id'][i]} in {raw['band'][i]}" for i in (chosen or range(min(3, len(raw))))][:3]
        raise DataError(
            f"{path}: {len(chosen)} light curves{f' of {object_id}' * bool(object_id)}{f' in {band}' * bool(band)}, "
            f"expected one; there are {', '.join(names)}: choose one with --object-id and --band"
        )
    return raw.take(chosen)


def _cleaned(raw: pa.Table, cuts: Cuts) -> pa.Table:
    light_curve, counts = clean(raw, cuts)
    row = counts.to_pylist()[0]
    if not row["kept"]:
        removed = [f"{row[f'n_{cut}']} {meaning}" for cut, meaning in tables.CUTS.items() if row[f"n_{cut}"]]
        raise DataError(
            f"{row['object_id']}: {row['n_kept']} of {row['n_raw']} points are left, the models of this run need "
            f"{cuts.min_observations} (cleaning.min_observations); removed: {'; '.join(removed) or 'none'}"
        )
    return light_curve


def _magnitudes(path: Path | None, raw: pa.Table, mapping: Mapping[str, str]) -> dict[str, float]:
    """Magnitudes and parallax of the object by name, NaN where there are none."""
    if path is None:
        return dict.fromkeys(PHOTOMETRY, np.nan)
    found = user_columns.read(path, lists.PHOTOMETRY, lists.REQUIRED, mapping)
    # The light curve's file may have the object under another name.
    user_columns.check_mapping({k: v for k, v in mapping.items() if k not in lists.REQUIRED}, found.file.names)
    row = lists.photometry([found], raw).to_pylist()[0]
    return {name: np.nan if row[name] is None else row[name] for name in PHOTOMETRY}


def _measured(
    light_curve: pa.Table, search: Search, magnitudes: Mapping[str, float], lines: pa.Table
) -> dict[str, float]:
    curves = ragged.from_table(light_curve)
    periods = vars(period_search.search(curves, dataclasses.replace(search, device="cpu")))
    per_curve = periods | {name: np.array([value]) for name, value in magnitudes.items()}
    measured = measure(curves, per_curve, lines=boundaries.from_table(lines))
    return {name: float(values[0]) for name, values in measured.items()}


def _booster(final: Path, name: str, data: str) -> models.Trained:
    return models.load(final / f"{name}-{data}.model", final / f"{name}-{data}.json")


if __name__ == "__main__":
    edge.run(main)
