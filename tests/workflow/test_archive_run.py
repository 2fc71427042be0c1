"""From the archives to the catalogue: a LAMOST-like run whose archives are servers on this machine.

The stars are those of the demo survey (SIMULATED) here, and in the tests marked real those of the Catalina surveys.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from archive_runs import Run, catalina, simulated
from stand_in import LACKING, OTHERWISE, Archives
from workspace import ROOT, run_snakemake

sys.path.append(str(ROOT / "tests" / "archives"))
from loopback import Archive

from workflow_scripts import shards, tables
from workflow_scripts.label_sample import LABEL_AGREEMENT
from workflow_scripts.verification import VERIFICATION

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(1500)]


SKIES = {"SIMULATED": simulated, "Catalina": catalina}


@pytest.fixture(
    scope="module", params=["SIMULATED", pytest.param("Catalina", marks=[pytest.mark.real, pytest.mark.timeout(1500)])]
)
def done(request, tmp_path_factory) -> Iterator[Run]:
    archives = Archives(*SKIES[request.param]())
    server = Archive(archives)
    run = Run(tmp_path_factory.mktemp("archives"), archives, archives.mirrors(server.url))
    finished = run.snakemake()
    assert finished.returncode == 0, finished.stdout + finished.stderr
    yield run
    server.close()


def test_objects_are_those_on_which_both_label_catalogues_agree(done):
    names = [f"ZTFJ{s.name}" for i, s in enumerate(done.archives.labelled) if i % 10 not in (LACKING, OTHERWISE)]
    objects = tables.read(done.results / "samples/variables/objects.parquet", tables.OBJECTS)
    assert objects["object_id"].to_pylist() == sorted(names)
    agreement = tables.read(done.results / "samples/variables/agreement.parquet", LABEL_AGREEMENT)
    assert pc.sum(agreement["n_kept"]).as_py() == len(names)
    assert pc.sum(agreement["n"]).as_py() == len(done.archives.labelled)


def test_science_objects_are_the_stars_with_good_spectra(done):
    objects = tables.read(done.results / "samples/spectra/objects.parquet", tables.OBJECTS)
    assert objects["object_id"].to_pylist() == sorted(f"G{star.name}" for star in done.archives.science)
    assert set(objects["survey"].to_pylist()) == {"ZTF light curves (DR18), through mirrors"}


def test_light_curves_are_those_of_the_archive(done):
    rows = pa.concat_tables(done.spectra("raw"))
    found = {row["object_id"]: row for row in rows.to_pylist()}
    assert set(rows["band"].to_pylist()) == {"r"}
    for star in done.archives.science:
        curve = found[f"G{star.name}"]
        assert curve["time"] == pytest.approx(star.points[0].tolist(), abs=1e-8)
        assert curve["mag"] == pytest.approx(star.points[1].tolist(), abs=1e-5)


def test_shards_are_parts_of_the_sky_and_photometry_is_of_the_same_objects(done):
    objects = tables.read(done.results / "samples/spectra/objects.parquet", tables.OBJECTS)
    divided = shards.parts(objects, shards.by_sky(objects, 2), 2)
    assert {len(part) for part in divided} <= {len(objects) // 2, len(objects) - len(objects) // 2}
    for i, (part, raw) in enumerate(zip(divided, done.spectra("raw"), strict=True)):
        photometry = shards.read(done.results / "samples/spectra/photometry.parquet", tables.PHOTOMETRY, i)
        assert raw["object_id"].to_pylist() == photometry["object_id"].to_pylist() == part["object_id"].to_pylist()


def test_every_other_star_has_colours(done):
    photometry = tables.read(done.results / "samples/spectra/photometry.parquet", tables.PHOTOMETRY)
    assert photometry["g_mag"].null_count == pytest.approx(len(done.archives.science) / 2, abs=1)
    assert photometry["w3_mag"].null_count == len(photometry)  # an upper limit is no magnitude
    features = pa.concat_tables(done.spectra("features"))
    assert pc.min(features["bp_rp"]).as_py() == pytest.approx(0.9)
    assert features["bp_rp"].null_count >= photometry["g_mag"].null_count - 1


def test_catalogue_is_published_and_checked_against_a_reference(done):
    catalogue, suspected = (done.read(f"catalogue/spectra/{name}.parquet") for name in ("catalogue", "suspected"))
    assert len(catalogue) + len(suspected) > 0.8 * len(done.archives.science)
    checked = tables.read(done.results / "evaluation/verification/spectra.parquet", VERIFICATION)
    assert checked.filter(pc.equal(checked["class"], "all"))["n_objects"].to_pylist() == [len(catalogue)]


def test_second_run_asks_nothing(done):
    before = len(done.archives.asked)
    again = done.snakemake()
    assert "Nothing to be done" in again.stdout + again.stderr
    assert len(done.archives.asked) == before


def test_lost_tables_come_back_without_asking_again(done):
    before, asked = done.tables(), len(done.archives.asked)
    lost = ("published/chen_2020.parquet", "samples/variables/counterparts.parquet", "raw/variables/0000.parquet")
    for name in lost:
        (done.results / name).unlink()
    again = done.snakemake(*(f"results/small/{name}" for name in lost))
    assert again.returncode == 0, again.stderr
    assert len(done.archives.asked) == asked
    assert done.tables() == before


def test_spectra_may_have_their_light_curves_from_a_collection(done, tmp_path):
    """With the same magnitudes, divided into the shards of the collection's partitions."""
    lsdb = pytest.importorskip("lsdb", reason="reading HATS collections needs the extra `hats`")
    stars = done.archives.science
    columns = {"name": [s.name for s in stars], "ra": [s.ra for s in stars], "dec": [s.dec for s in stars]}
    columns |= {name: [s.points[i].tolist() for s in stars] for i, name in enumerate(("time", "mag", "mag_err"))}
    frame = pa.table(columns).to_pandas(types_mapper=pd.ArrowDtype)
    size = {"lowest_order": 3, "partition_rows": 10, "margin_threshold": None}
    lsdb.from_dataframe(frame, **size).write_catalog(tmp_path / "hats", progress_bar=False)

    run = Run(tmp_path / "run", done.archives, done.mirrors)
    run.folder.mkdir()
    collection = {"collection": str(tmp_path / "hats"), "survey": "SIMULATED", "columns": {"object_id": "name"}}
    run.take_spectra_from(collection | {"objects": "spectra", "counterparts": True}, shards=3)
    wanted = [f"light_curves/spectra/{i:04d}.parquet" for i in range(3)] + ["samples/spectra/photometry.parquet"]
    finished = run.snakemake(*(f"results/small/{name}" for name in wanted))
    assert finished.returncode == 0, finished.stdout + finished.stderr

    photometry = run.results / "samples/spectra/photometry.parquet"
    for i in range(3):
        listed = tables.read(run.results / f"samples/spectra/objects/{i:04d}.parquet", tables.OBJECTS)["object_id"]
        assert len(listed) > 0
        assert shards.read(photometry, tables.PHOTOMETRY, i)["object_id"].to_pylist() == listed.to_pylist()
    found, expected = (r.read("samples/spectra/photometry.parquet").sort_by("object_id") for r in (run, done))
    assert found.to_pylist() == expected.to_pylist()
    raw = [row for i in range(3) for row in run.read(f"raw/spectra/{i:04d}.parquet").to_pylist()]
    assert {row["object_id"] for row in raw} == {f"G{star.name}" for star in stars}


@pytest.fixture(scope="module")
def troubled(done, tmp_path_factory) -> tuple[Run, subprocess.CompletedProcess, int]:
    """A run that meets a host that is down, is then killed four times and ends; what it said, and where it went on."""
    run, moments = Run(tmp_path_factory.mktemp("troubled"), done.archives, done.mirrors), random.Random(1)
    done.archives.down = {"irsa"}
    try:
        failed = run.snakemake("--keep-going")
    finally:
        done.archives.down = set()
    asked = len(done.archives.asked)
    command = [Path(sys.executable).with_name("snakemake"), "--cores", "2", *run.options]
    for _ in range(4):
        child = subprocess.Popen(list(map(str, command)), cwd=run.folder, start_new_session=True)
        time.sleep(moments.uniform(8, 25))
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        run_snakemake(run.folder, "--unlock", *run.options)
    finished = run.snakemake()
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return run, failed, asked


def test_host_that_is_down_is_named_with_what_to_do(troubled):
    run, failed, _ = troubled
    said = failed.stdout + failed.stderr
    assert failed.returncode == 1
    known, unknown = run.read("samples/variables/objects.parquet").num_rows, len(run.archives.science)
    for shard, count in (
        ("variables/0000", known),
        ("spectra/0000", (unknown + 1) // 2),
        ("spectra/0001", unknown // 2),
    ):
        assert f"{count} of {count} targets are missing" in said
        assert f"all are listed in results/small/downloads/ztf/{shard}/targets.parquet" in said
    assert "HTTP status 503" in said
    assert "then run again" in said


def test_what_the_other_hosts_gave_is_not_asked_for_again(troubled, done):
    _, _, asked = troubled
    assert not [path for path in done.archives.asked[asked:] if path.startswith("/vizier")]


def test_run_that_was_killed_ends_with_the_same_bytes(troubled, done):
    run, _, _ = troubled
    assert run.tables() == done.tables()
