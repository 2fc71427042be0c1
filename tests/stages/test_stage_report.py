import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import synthetic_run

from workflow_scripts import edge, tables
from workflow_scripts.label_sample import LABEL_AGREEMENT
from workflow_scripts.labels import LABELS
from workflow_scripts.report import catalogue
from workflow_scripts.stages import report
from workflow_scripts.surveys.curve_status import STATUS
from workflow_scripts.verification import VERIFICATION

CLASSES = ("EA", "RRAB")
SHARDS = 2


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Inputs, outputs and params as the rule gives them, all files written."""
    folder = tmp_path_factory.mktemp("run")
    run = synthetic_run.run(CLASSES)
    single = {
        "samples": tables.SAMPLES, "labels": LABELS, "split": tables.SPLIT, "metrics": tables.METRICS,
        "confusion": tables.CONFUSION,
        "calibration_metrics": tables.METRICS, "reliability": tables.RELIABILITY,
        "risk_coverage": tables.RISK_COVERAGE, "period_agreement": tables.PERIODS,
        "period_errors": tables.PERIOD_ERRORS,
    }  # fmt: skip
    values: dict[str, object] = {name: folder / f"{name}.parquet" for name in single}
    for name, table in single.items():
        tables.write(getattr(run, name), folder / f"{name}.parquet", table)
    values |= {"importance": [], "priors": [], "objects": [], "cleaning": [], "light_curves": []}
    values |= {"catalogues": [], "suspected": [], "agreement": [], "downloads": [], "verification": []}

    def write(name: str, rows: pa.Table, table: tables.Table) -> None:
        path = folder / f"{name}-{len(values[name])}.parquet"
        tables.write(rows, path, table)
        values[name].append(path)

    for model in ("lightgbm", "xgboost"):
        write("importance", run.importance.filter(np.array(run.importance["model"]) == model), tables.IMPORTANCE)
    for sample, objects in run.objects.items():
        write("priors", run.priors.filter(np.array(run.priors["sample"]) == sample), tables.PRIORS)
        write("objects", objects, tables.OBJECTS)
        curves = synthetic_run.light_curves(objects["object_id"].to_pylist(), np.random.default_rng(5), n=20)
        for shard in range(SHARDS):
            write("cleaning", _part(run.cleaning[sample], shard), tables.CLEANING)
            write("light_curves", _part(curves, shard), tables.LIGHT_CURVES)
        for name, rows in (("catalogues", run.catalogues[sample]), ("suspected", run.suspected[sample])):
            path = folder / f"{name}-{sample}.parquet"
            own = rows.append_column("bp_rp", pa.repeat(0.7, len(rows))) if sample == "labelled" else rows
            pq.write_table(synthetic_run.whole_catalogue(own, CLASSES), path)
            values[name].append(path)
    write("agreement", synthetic_run.agreement(), LABEL_AGREEMENT)
    for _ in range(SHARDS):
        write("downloads", synthetic_run.downloads(), STATUS)
    write("verification", synthetic_run.verification(), VERIFICATION)
    outputs = {name: folder / "report" / name for name in ("report.html", "figures", "tables")}
    values |= {"report": outputs["report.html"], "figures": outputs["figures"], "tables": outputs["tables"]}
    return values | {
        "run": "synthetic",
        "configuration": run.configuration,
        "sample_names": list(run.objects),
        "archived": {"agreement": ["known"], "downloads": ["known"], "verification": ["field"]},
        "n_shards": dict.fromkeys([*run.objects, "known"], SHARDS),
    }


def _part(rows: pa.Table, shard: int) -> pa.Table:
    return rows.take(np.arange(shard, len(rows), SHARDS))


@pytest.fixture(scope="module")
def done(job: dict[str, object]) -> Path:
    """Run once; the folder that holds the report."""
    report.main(**edge.arguments(report.main, job))
    return Path(str(job["report"])).parent


def test_the_page_its_figures_and_its_tables_are_written(done: Path) -> None:
    html = (done / "report.html").read_text(encoding="utf-8")
    figures = {path.stem for path in (done / "figures").iterdir()}
    lists = {path.stem for path in (done / "tables").iterdir()}
    assert {"confusion_lightgbm", "importance_xgboost", "reliability", "classes_field", "gallery_field_EA"} <= figures
    assert {"comparison_original_smote", "cleaning", "objects", "periods", "assumptions"} <= lists
    assert {"agreement_known", "downloads", "verification_field"} <= lists
    assert all(f'<figure id="{name}">' in html for name in figures)
    assert all(f'<figure class="table" id="{name}">' in html for name in lists)
    assert html.count("<figure") == len(figures) + len(lists)


def test_the_files_hold_what_the_page_shows(done: Path) -> None:
    assert (done / "figures" / "reliability.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    lines = list(csv.reader((done / "tables" / "objects.csv").read_text(encoding="utf-8").splitlines()))
    assert lines[0][0] == "Sample"
    assert [line[:2] for line in lines[1:]] == [["labelled", "120"], ["field", "120"]]


def test_colours_of_the_classified_objects_are_counted(done: Path) -> None:
    lines = list(csv.DictReader((done / "tables" / "samples.csv").read_text(encoding="utf-8").splitlines()))
    assert {line["Sample"]: line["With colours"] for line in lines} == {"labelled": "100.0 %", "field": "0.0 %"}
    assert "Most labelled objects have bp_rp" in (done / "report.html").read_text(encoding="utf-8")


def test_assumptions_of_the_package_are_in_the_page(done: Path) -> None:
    # lightcurve/clean.py says what it takes for a missing value.
    assert ",workflow_scripts/lightcurve/clean.py," in (done / "tables" / "assumptions.csv").read_text(encoding="utf-8")


def test_only_the_shown_light_curves_are_read(job: dict[str, object]) -> None:
    rows = tables.read(job["catalogues"][1], catalogue.READ, catalogue.READ.names)
    found = report._chosen(job["light_curves"][SHARDS:], rows)
    assert sorted(found["object_id"].to_pylist()) == sorted(synthetic_run.chosen_ids(rows))
    assert len(found) < len(rows)


def test_again_gives_the_same_bytes_and_leaves_no_stale_file(
    job: dict[str, object], done: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    for name in ("figures", "tables"):
        (again / name).mkdir(parents=True)
    (again / "figures" / "gallery_of_yesterday.png").touch()
    (again / "tables" / "yesterday.csv").touch()
    outputs = {"report": again / "report.html", "figures": again / "figures", "tables": again / "tables"}
    report.main(**edge.arguments(report.main, {**job, **outputs}))
    first, second = ({p.relative_to(d): p.read_bytes() for p in d.rglob("*.*")} for d in (done, again))
    assert first == second


def test_a_missing_column_of_the_catalogue_is_named(job: dict[str, object], tmp_path: Path) -> None:
    broken = tmp_path / "catalogue.parquet"
    pq.write_table(pq.read_table(job["catalogues"][0]).drop_columns(["probability"]), broken)
    with pytest.raises(tables.DataError, match="probability"):
        report.main(**edge.arguments(report.main, {**job, "catalogues": [broken, job["catalogues"][1]]}))
