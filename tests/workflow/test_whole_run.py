"""The whole workflow on a small simulated survey: what comes out, and what reruns."""

import os

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from small_run import CONFIG, Run, new_run, sha256
from workspace import planned

from workflow_scripts import labels, probabilities, tables
from workflow_scripts.features import FEATURES

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(900)]

SAMPLES = ("known", "field")
CATALOGUES = [f"catalogue/{sample}/{kind}.parquet" for sample in SAMPLES for kind in ("catalogue", "suspected")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Run:
    """A complete run; tests leave it complete."""
    run = new_run(tmp_path_factory.mktemp("demo"))
    done = run.snakemake()
    assert done.returncode == 0, done.stderr[-5000:]
    return run


# What comes out


def test_deliverables_exist_and_a_second_run_has_nothing_to_do(demo):
    for sample in SAMPLES:
        for kind in ("catalogue", "suspected"):
            for suffix in ("parquet", "fits", "vot"):
                assert (demo.results / f"catalogue/{sample}/{kind}.{suffix}").stat().st_size > 0
    assert planned(demo.snakemake("-n")) == set()


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_point_and_every_object_is_accounted_for(demo, sample):
    listed = tables.read(demo.results / f"samples/{sample}/objects.parquet", tables.OBJECTS)["object_id"].to_pylist()
    assert len(set(listed)) == len(listed) == CONFIG["samples"][sample]["demo"]["objects"]

    cleaning = demo.read("cleaning", tables.CLEANING, sample)
    assert sorted(cleaning["object_id"].to_pylist()) == sorted(listed)
    for row in cleaning.to_pylist():
        assert row["n_raw"] == row["n_kept"] + sum(row[f"n_{cut}"] for cut in tables.CUTS), row

    kept = sorted(cleaning.filter(cleaning["kept"])["object_id"].to_pylist())
    assert 0 < len(kept) < len(listed), "the simulation has light curves that are too short"
    assert sorted(demo.read("light_curves", tables.LIGHT_CURVES, sample)["object_id"].to_pylist()) == kept
    assert sorted(demo.read("features", FEATURES, sample)["object_id"].to_pylist()) == kept

    both = [pq.read_table(demo.results / f"catalogue/{sample}/{kind}.parquet") for kind in ("catalogue", "suspected")]
    assert sorted(both[0]["object_id"].to_pylist() + both[1]["object_id"].to_pylist()) == kept
    assert pc.all(pc.equal(both[0]["class_lightgbm"], both[0]["class_xgboost"])).as_py()
    assert not pc.any(pc.equal(both[1]["class_lightgbm"], both[1]["class_xgboost"])).as_py()


def test_every_labelled_object_is_used_or_says_why_not(demo):
    given = tables.read(demo.results / "split/labels.parquet", labels.LABELS)
    objects = tables.read(demo.results / "samples/known/objects.parquet", tables.OBJECTS)
    assert sorted(given["object_id"].to_pylist()) == sorted(objects["object_id"].to_pylist())
    used = given.filter(pc.equal(given["status"], "used"))["object_id"].to_pylist()
    split = tables.read(demo.results / "split/split.parquet", tables.SPLIT)
    assert sorted(split["object_id"].to_pylist()) == sorted(used)


def test_object_is_predicted_once_by_a_model_that_never_saw_it(demo):
    split = tables.read(demo.results / "split/split.parquet", tables.SPLIT)
    fold = dict(zip(split["object_id"].to_pylist(), split["fold"].to_pylist(), strict=True))
    for model in ("lightgbm", "xgboost"):
        for k in range(CONFIG["training"]["folds"]):
            predicted = probabilities.read([demo.results / f"models/fold{k}/{model}-original.parquet"])
            assert set(predicted.object_id) == {name for name, of in fold.items() if of == k}


def test_simulated_survey_is_called_so_wherever_it_shows(demo):
    for name in CATALOGUES:
        assert all("SIMULATED" in survey for survey in pq.read_table(demo.results / name)["survey"].to_pylist())
    assert "simulated" in (demo.results / "report/report.html").read_text().lower()


def test_catalogue_says_the_same_in_every_format(demo):
    from astropy.table import Table

    for name in CATALOGUES:
        path = demo.results / name
        rows = pq.read_table(path)
        for suffix in (".fits", ".vot"):
            other = Table.read(path.with_suffix(suffix))
            assert [str(v) for v in other["object_id"]] == rows["object_id"].to_pylist()
            assert other.colnames == rows.column_names
            assert str(other["period_d"].unit) == "d"


def test_report_is_one_file_that_needs_no_network(demo):
    text = (demo.results / "report/report.html").read_text()
    assert text.count("<html") == text.count("</html>") == 1
    for attribute in ('src="http', 'href="http', "url(http", "@import"):
        assert attribute not in text.replace('href="https://doi.org', "")


# The same bytes again


def test_shards_and_cores_do_not_change_the_catalogue(demo, tmp_path):
    other = new_run(tmp_path, shards=3)
    done = other.snakemake(*other.targets(*CATALOGUES), cores=1)
    assert done.returncode == 0, done.stderr[-5000:]
    for name in [*CATALOGUES, "split/split.parquet", "models/final/calibration.json"]:
        assert sha256(demo.results / name) == sha256(other.results / name), name


# What reruns


def test_comment_reruns_nothing_and_a_formula_what_depends_on_it(demo, repository):
    def plan() -> set[str]:
        return planned(demo.snakemake("-n", snakefile=repository.folder / "Snakefile"))

    assert plan() == set()
    for path in repository.folder.rglob("*.py"):
        os.utime(path)
    repository.edit("workflow_scripts/lightcurve/clean.py", '"""\n', '"""\n# A comment.\n\n')
    repository.edit("workflow_scripts/stages/clean.py", '"""Clean', '"""Really clean')
    assert plan() == set()
    repository.edit("workflow_scripts/stages/report.py", "def main(", "THRESHOLD = 1\n\n\ndef main(")
    assert plan() == {"all", "report"}
    repository.edit("workflow_scripts/lightcurve/clean.py", "def clean(", "THRESHOLD = 1\n\n\ndef clean(")
    assert plan() >= {"clean", "features", "split", "train", "calibrate", "predict", "ensemble", "report"}
    assert not plan() & {"simulate_sample", "check_samples"}
    repository.edit("workflow_scripts/lightcurve/clean.py", "THRESHOLD = 1\n\n\n", "")
    assert plan() == {"all", "report"}


def test_changed_setting_reruns_what_it_concerns(demo, tmp_path):
    changed = tmp_path / "changed.yaml"
    changed.write_text(yaml.safe_dump(CONFIG | {"catalogue": {"prior": "estimated"}}))
    assert planned(Run(demo.folder, changed).snakemake("-n")) == {"all", "ensemble", "report"}
