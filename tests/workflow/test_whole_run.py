"""The whole workflow on a small simulated survey: what comes out, and what reruns."""

import csv
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from small_run import CONFIG, LITTLE, Run, new_run, sha256
from workspace import ROOT, planned

from workflow_scripts import labels, probabilities, rerun, tables
from workflow_scripts.features import FEATURES
from workflow_scripts.stages.provenance import VARIES

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(900)]

SAMPLES = ("known", "field")
ENDS = ("parquet", "fits", "vot")
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
            for suffix in ENDS:
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


def records(run: Run, name: str) -> Iterator[dict]:
    """Record of a catalogue in each of its formats."""
    from astropy.io import fits, votable

    path = run.results / name
    yield json.loads(pq.read_schema(path).metadata[b"provenance"])
    comments = "".join(card.ljust(72) for card in fits.getheader(path.with_suffix(".fits"), 1)["COMMENT"])
    yield json.JSONDecoder().raw_decode(comments.partition("provenance: ")[2])[0]
    infos = votable.parse(path.with_suffix(".vot")).resources[0].infos
    yield json.loads(next(info.value for info in infos if info.name == "provenance"))


def test_every_final_table_says_what_it_was_made_from(demo):
    lock = sha256(ROOT / "requirements.lock")
    found = [record for name in CATALOGUES for record in records(demo, name)]
    found += [json.loads((demo.results / "models/final/settings.json").read_text())["provenance"]]
    assert len(found) == 13
    for record in found:
        assert set(record) == {"rule", "run", "code", "lock", "seed", "configuration", "inputs"}
        assert (record["lock"], record["seed"], record["run"]) == (lock, 20240416, "small")
        assert record["configuration"]["samples"]["known"]["demo"]["objects"] == 400
        assert not {"shards", "pace"} & set(record["configuration"])
        assert [(row["whose"], row["name"], row["sha256"]) for row in record["inputs"]] == [
            ("field", "SIMULATED, seed 20240416", None),  # in the order of the settings, which are sorted here
            ("known", "SIMULATED, seed 20240416", None),
        ]
        assert str(demo.folder) not in json.dumps(record), "no place on one machine"


def test_run_says_with_what_where_and_when_it_was_made(demo):
    said = json.loads((demo.results / "provenance.json").read_text())
    assert said["configuration"]["shards"] == CONFIG["shards"]
    assert said["jobs"]["hosts"] == [platform.node()]
    rules = said["jobs"]["rules"]
    assert (rules["clean"]["jobs"], rules["ensemble"]["jobs"], rules["inputs"]["jobs"]) == (4, 2, 1)
    assert 0 < rules["features"]["cpu_s"] < 10 * rules["features"]["wall_s"]
    assert 20 < rules["train"]["max_rss_mb"] < 10_000
    final = {f"models/final/{model}-original.{end}" for model in ("lightgbm", "xgboost") for end in ("model", "json")}
    names = final | {
        f"catalogue/{s}/{kind}.{end}" for s in SAMPLES for kind in ("catalogue", "suspected") for end in ENDS
    }
    assert names | {"report/report.html", "models/final/settings.json"} <= set(said["tables"])
    assert said["tables"] == {name: sha256(demo.results / name) for name in said["tables"]}


def test_run_without_science_objects_has_the_models_that_classify_one_star(tmp_path):
    run = new_run(tmp_path, **LITTLE | {"samples": {"known": LITTLE["samples"]["known"]}})
    plan = run.snakemake("-n")
    assert planned(plan) >= {"train_final", "object_settings", "report"}
    assert "predict" not in planned(plan)
    assert re.search(r"^train_final +2$", plan.stdout + plan.stderr, flags=re.MULTILINE), "both boosters"


def test_crate_of_the_run_can_be_read(demo):
    from rocrate.rocrate import ROCrate

    crate = ROCrate(demo.results)
    assert crate.mainEntity.id == "provenance/Snakefile"
    assert all((demo.results / part.id).is_file() for part in crate.root_dataset["hasPart"])


def test_report_is_one_file_that_needs_no_network(demo):
    text = (demo.results / "report/report.html").read_text()
    assert text.count("<html") == text.count("</html>") == 1
    for attribute in ('src="http', 'href="http', "url(http", "@import"):
        assert attribute not in text.replace('href="https://doi.org', "")


# The same bytes again


def test_agreement_in_the_report_is_that_of_the_catalogue_s_probabilities(demo):
    curves = tables.read(demo.results / "evaluation/risk_coverage.parquet", tables.RISK_COVERAGE).to_pylist()
    [agreement] = [row for row in curves if row["rule"] == "agreement"]
    with (demo.results / "report/tables/key_figures.csv").open(newline="") as file:
        printed = dict(csv.reader(file))
    assert printed["Share of objects on which both agree"].startswith(f"{agreement['coverage']:.3f} [")
    assert printed["Accuracy where both agree"].startswith(f"{agreement['accuracy']:.3f} [")


def test_shards_and_cores_do_not_change_the_catalogue(demo, tmp_path):
    """Nor any other file but those in shards and the two that say how many there are."""
    other = new_run(tmp_path, shards=3)
    other.complete(cores=1)
    sharded = [f"{name}/*" for name in ("raw", "light_curves", "cleaning", "features", "predictions")]
    sharded.append("samples/*/photometry.parquet")
    found = rerun.compare(other.results, demo.results, [*VARIES, *sharded])
    assert found.different == ["provenance/configuration.yaml", "report/report.html"]
    assert (found.missing, found.more) == ([], [])
    assert {*CATALOGUES, "split/split.parquet", "models/final/calibration.json"} <= set(found.same)
    assert [name for name in found.same if name.endswith(".model")]


def verify(run: Run, *options: object) -> subprocess.CompletedProcess:
    """Run the command behind make verify."""
    command = [sys.executable, "-m", "workflow_scripts.stages.verify_run", "--run", run.results, *options]
    return subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)


def test_run_that_is_done_again_is_the_same_and_one_byte_more_is_named(demo):
    done = verify(demo, "--cores", 1, "--keep", "true")
    assert done.returncode == 0, done.stdout + done.stderr
    counts = [int(line.split()[0]) for line in done.stdout.splitlines()]
    parts = [path.relative_to(demo.results).parts for path in demo.results.rglob("*") if path.is_file()]
    assert counts == [sum(part[0] not in (*VARIES, "logs") for part in parts), 0, 0, 0]

    (again,) = demo.results.parent.glob(".verify-*/rerun/results/small")
    changed = demo.results / "catalogue/field/suspected.fits"
    content, times = changed.read_bytes(), changed.stat()
    try:
        changed.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        done = verify(demo, "--against", again)
    finally:
        changed.write_bytes(content)
        os.utime(changed, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert done.returncode == 1
    assert done.stdout.splitlines()[4:] == ["different: catalogue/field/suspected.fits"]
    shutil.rmtree(again.parents[2])


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
    repository.edit("workflow_scripts/lightcurve/clean.py", "# A comment.", "# ASSUME what the report prints.")
    assert plan() == {"all", "report", "provenance"}
    repository.edit("workflow_scripts/lightcurve/clean.py", "# ASSUME what the report prints.", "# A comment.")
    repository.edit("workflow_scripts/stages/report.py", "def main(", "THRESHOLD = 1\n\n\ndef main(")
    assert plan() == {"all", "report", "provenance"}
    repository.edit("workflow_scripts/lightcurve/clean.py", "def clean(", "THRESHOLD = 1\n\n\ndef clean(")
    assert plan() >= {"clean", "features", "split", "train", "calibrate", "predict", "ensemble", "report"}
    assert not plan() & {"simulate_sample", "check_samples"}
    repository.edit("workflow_scripts/lightcurve/clean.py", "THRESHOLD = 1\n\n\n", "")
    assert plan() == {"all", "report", "provenance"}


def test_changed_setting_reruns_what_it_concerns(demo, tmp_path):
    changed = tmp_path / "changed.yaml"
    changed.write_text(yaml.safe_dump(CONFIG | {"catalogue": {"prior": "estimated"}}))
    every = {"all", "inputs", "object_settings", "report", "provenance"}  # what holds all settings of the run
    assert planned(Run(demo.folder, changed).snakemake("-n")) == {"ensemble", *every}


def test_labels_are_checked_again_for_other_folds_and_nothing_is_measured_again(demo, tmp_path):
    changed = tmp_path / "changed.yaml"
    changed.write_text(yaml.safe_dump(CONFIG | {"training": CONFIG["training"] | {"folds": 4}}))
    plan = planned(Run(demo.folder, changed).snakemake("-n"))
    assert plan >= {"check_labels", "split", "train"}
    assert not plan & {"clean", "boundary_lines", "features", "check_samples"}


@pytest.mark.parametrize("cores", [1, 2])
def test_labels_that_cannot_be_split_end_the_run_before_features_cost_anything(tmp_path, cores):
    """With two cores the check and the last rule before the features run side by side."""
    samples = {"known": {"role": "labelled", "source": "demo", "demo": {"objects": 60}}}
    run = new_run(tmp_path, samples=samples, training={"folds": 20}, shards=8)
    said = run.refused(cores=cores)
    assert "classes with fewer usable objects, those at one place counted once, than the 20 folds" in said
    assert "check_labels" in said
    measured = list(run.results.glob("features/known/*.parquet"))
    assert len(measured) <= 2 * (cores - 1), "of eight shards those that had begun"


def test_setting_that_only_says_how_writes_no_final_table_again(demo, tmp_path):
    changed = tmp_path / "changed.yaml"
    changed.write_text(yaml.safe_dump(CONFIG | {"pace": 0.5}))
    assert planned(Run(demo.folder, changed).snakemake("-n")) == {"all", "report", "provenance"}


def test_default_that_is_written_out_and_another_order_of_the_keys_rerun_nothing(demo, tmp_path):
    written = json.loads((demo.results / "provenance.json").read_text())["configuration"]
    changed = tmp_path / "changed.yaml"
    changed.write_text(yaml.safe_dump(written))
    assert set(written) > set(CONFIG)
    assert planned(Run(demo.folder, changed).snakemake("-n")) == set()


def test_sample_of_objects_that_were_trained_on_gets_no_catalogue(demo, tmp_path):
    """Even where the models are there already, and other jobs go on after the check of the samples has failed."""
    shutil.copytree(demo.folder, tmp_path, dirs_exist_ok=True)
    known = pq.read_table(demo.results / "raw/known.parquet")
    pq.write_table(known.slice(0, 30), tmp_path / "again.parquet")
    again = {"role": "science", "source": "local", "local": {"light_curves": ["again.parquet"]}}
    run = new_run(tmp_path, samples=CONFIG["samples"] | {"again": again})
    said = run.refused("catalogue/again/catalogue.parquet", more=("--keep-going",))
    assert "objects are in more than one sample" in said
    assert not (run.results / "catalogue/again").exists()
    assert not (run.results / "predictions/again").exists()


MORE = {"more": {"role": "science", "source": "demo", "demo": {"objects": 30}}}


def test_new_sample_measures_and_trains_nothing_again(demo, tmp_path):
    changed = tmp_path / "changed.yaml"
    changed.write_text(yaml.safe_dump(CONFIG | {"samples": CONFIG["samples"] | MORE}))
    done = Run(demo.folder, changed).snakemake("-n")
    assert not planned(done) & {"split", "train", "train_final", "calibrate", "boundary_lines"}
    measured = set(re.findall(r"Period and features of the light curves of (\w+),", done.stdout + done.stderr))
    assert measured == {"more"}


@pytest.mark.parametrize(("key", "value", "rule"), [("rounds", 19, "train"), ("test_share", 0.4, "split")])
def test_new_sample_hides_no_changed_setting_of_the_rules_behind_it(demo, tmp_path, key, value, rule):
    """Where a rule runs again, Snakemake looks at no settings of those behind it, and an ancient input starts none."""
    changed = tmp_path / "changed.yaml"
    training = CONFIG["training"] | {key: value}
    changed.write_text(yaml.safe_dump(CONFIG | {"samples": CONFIG["samples"] | MORE, "training": training}))
    assert planned(Run(demo.folder, changed).snakemake("-n")) >= {"check_samples", rule, "predict", "ensemble"}


def test_features_of_a_killed_run_are_not_forgotten_beside_a_new_sample(demo, tmp_path):
    """Those that were measured anew before the kill are newer than what was made of the old ones."""
    shutil.copytree(demo.folder, tmp_path, dirs_exist_ok=True)
    for path in (tmp_path / "results").rglob("features/*/*.parquet"):
        pq.write_table(pq.read_table(path), path, compression="none")
    run = new_run(tmp_path, samples=CONFIG["samples"] | MORE)
    assert planned(run.snakemake("-n")) >= {"split", "train", "predict", "ensemble"}
