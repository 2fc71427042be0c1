"""The branch of open clusters through Snakemake: simulated regions, and in the tests marked real M67."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from report_reader import Reader, column
from workspace import REAL_DATA, ROOT, planned, run_snakemake

from workflow_scripts import tables
from workflow_scripts.clustering import compare, gaia, published, selection, summary
from workflow_scripts.stages.overdensities import OVERDENSITIES

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(900)]

SAMPLES = {"known": {"role": "labelled", "source": "demo"}}
CONE = {"source": "demo", "ra_deg": 0, "dec_deg": -60, "radius_deg": 1}
QUICK = {"seeds": 2, "hidden": [20, 20], "epochs": 5, "steps": 60}
FILES = {
    "members.parquet": published.PUBLISHED,
    "cluster.parquet": summary.CLUSTERS,
    "methods.parquet": summary.METHODS,
    "agreement.parquet": compare.AGREEMENT,
    "notes.parquet": selection.NOTES,
    "overdensities.parquet": OVERDENSITIES,
    "cuts.parquet": gaia.CUTS,
}


def snakemake(folder: Path, clusters: dict, *more: object, timeout: float = 300, **others: object):
    config = folder / "run.yaml"
    config.write_text(yaml.safe_dump({"run": "small", "clusters": clusters, **others}))
    where = ["--snakefile", ROOT / "Snakefile", "--directory", folder, "--configfile", config]
    return run_snakemake(folder, *more, *where, cores=2, timeout=timeout)


def regions() -> dict:
    return {
        "dec": QUICK,
        "kmeans": {"most": 4},
        "regions": {
            "cluster": CONE | {"demo": {"members": 150, "field": 650}},
            "empty": CONE | {"demo": {"members": 0, "field": 800}},
        },
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clusters")
    done = snakemake(folder, regions())
    assert done.returncode == 0, done.stderr[-5000:]
    return folder


def read(run: Path, region: str, name: str):
    return tables.read(run / f"results/small/clusters/{region}/{name}", FILES[name])


@pytest.mark.parametrize("region", ["cluster", "empty"])
def test_every_table_is_there_and_keeps_its_contract(run, region):
    for name in FILES:
        assert set(read(run, region, name)["cluster"].to_pylist()) <= {region}
    folder = run / f"results/small/clusters/{region}"
    assert (folder / "diagrams.png").read_bytes().startswith(b"\x89PNG")
    assert read(run, region, "cuts.parquet").to_pylist()[-1] == {"cluster": region, "cut": "stars kept", "n": 800}


def test_run_without_samples_computes_clusters_alone(run):
    made = {path.name for path in (run / "results/small").iterdir()}
    assert made == {"clusters", "inputs", "logs", "provenance", "provenance.json", "ro-crate-metadata.json"}
    assert not (run / "results/small/clusters/open_clusters.parquet").exists()


def test_clusters_of_a_run_with_samples_can_be_asked_for_alone(tmp_path):
    alone = planned(snakemake(tmp_path, regions(), "clusters", "-n", samples=SAMPLES))
    assert alone == planned(snakemake(tmp_path, regions(), "-n")) - {"provenance", "all"} | {"clusters"}
    assert alone < planned(snakemake(tmp_path, regions(), "-n", samples=SAMPLES)) | {"clusters"}


def test_run_of_clusters_is_verified(run):
    command = [sys.executable, "-m", "workflow_scripts.stages.verify_run", "--run", run / "results/small"]
    done = subprocess.run([*map(str, command), "--cores", "2"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    same, *others = [int(line.split()[0]) for line in done.stdout.splitlines()]
    assert same > 2 * 20
    assert others == [0, 0, 0]


def test_cluster_is_found_by_all_that_is_published(run):
    row = read(run, "cluster", "cluster.parquet").to_pylist()[0]
    assert 130 < row["n_members"] < 170
    ids = read(run, "cluster", "members.parquet")
    members = [r["source_id"] for r in ids.select(["source_id", "is_member"]).to_pylist() if r["is_member"]]
    assert sum(name.startswith("SIM1") for name in members) > 0.95 * len(members)
    methods = read(run, "cluster", "methods.parquet")["method"].to_pylist()
    assert methods[-1] == "membership"
    assert {"K-Means", "K-Means, silhouette", "DEC", "DEC, filtered", "HDBSCAN"} <= set(methods)
    assert read(run, "cluster", "overdensities.parquet").num_rows == 1
    notes = {(r["method"], r["note"]): r["value"] for r in read(run, "cluster", "notes.parquet").to_pylist()}
    assert "K-Means: F1" in notes["DEC", "judged by final members"]
    assert "few seeds" in {note for _, note in notes}


def test_field_without_a_cluster_ends_with_the_reason(run):
    row = read(run, "empty", "cluster.parquet").to_pylist()[0]
    assert row["n_members"] == 0
    assert row["reason"]
    assert read(run, "empty", "members.parquet")["is_member"].to_pylist().count(True) == 0
    assert read(run, "empty", "overdensities.parquet").num_rows == 0


def test_report_is_one_file_with_both_regions(run):
    seen = Reader((run / "results/small/clusters/report.html").read_text())
    assert list(column(seen, "clusters", "Members")) == ["cluster", "empty"]
    assert set(seen.images) == {"diagrams_cluster", "diagrams_empty"}
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in seen.addresses)
    assert "This run contains SIMULATED stars: cluster, empty." in seen.text
    assert "No cluster: " in seen.text
    assert "DEC, few seeds: 2 of 2 kept" in seen.text


def test_report_is_made_anew_for_another_assumption(run, repository):
    where = ["--snakefile", repository.folder / "Snakefile", "--configfile", run / "run.yaml"]
    assert planned(run_snakemake(run, "-n", *where)) == set()
    repository.edit("workflow_scripts/clustering/dec.py", "# ASSUME 20,000 stars", "# ASSUME 20,000 bright stars")
    assert planned(run_snakemake(run, "-n", *where)) == {"all", "cluster_report", "provenance"}


@pytest.mark.parametrize("region", ["cluster", "empty"])
def test_nobody_takes_it_for_real(run, region):
    folder = run / f"results/small/clusters/{region}"
    for name in ("members.parquet", "members.fits", "members.vot"):
        assert b"SIMULATED" in (folder / name).read_bytes()
    assert pq.read_schema(folder / "members.parquet").metadata[b"description"].startswith((b"SIMULATED", b"Stars of"))
    survey = pq.read_table(folder / "region.parquet", partitioning=None)["survey"].to_pylist()
    assert survey == ["demo region (SIMULATED)"]


@pytest.mark.parametrize("region", ["cluster", "empty"])
def test_published_tables_say_what_they_were_made_from(run, region):
    from astropy.io import votable

    folder = run / f"results/small/clusters/{region}"
    names = ("members.parquet", "cluster.parquet", "overdensities.parquet")
    found = [pq.read_schema(folder / name).metadata[b"provenance"] for name in names]
    infos = votable.parse(folder / "members.vot").resources[0].infos
    found += [info.value for info in infos if info.name == "provenance"]
    assert len(found) == 4
    for record in map(json.loads, found):
        assert set(record) == {"rule", "run", "code", "lock", "seed", "configuration", "inputs"}
        assert [row["whose"] for row in record["inputs"]] == ["cluster", "empty"]
        assert {row["name"] for row in record["inputs"]} == {"SIMULATED, seed 20240416"}


def test_networks_trained_again_give_the_same_bytes(run):
    folder = run / "results/small/clusters/cluster"
    first = digests(folder)
    assert len(first) == 21
    done = snakemake(run, regions(), f"{folder.relative_to(run)}/members.parquet", "--forcerun", "dec")
    assert done.returncode == 0, done.stderr[-5000:]
    assert (done.stderr + done.stdout).count("Finished jobid") == 3  # dec, membership, summarise_cluster
    assert digests(folder) == first


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*.*")}


def test_nothing_is_to_be_done_again(run):
    assert planned(snakemake(run, regions(), "-n")) == set()


def test_setting_of_the_summary_reruns_no_search(run):
    config = run / "run.yaml"
    before = config.read_bytes()
    every = {"all", "inputs", "provenance"}  # what holds all settings of the run
    try:
        likelier = planned(snakemake(run, regions() | {"least_probability": 0.7}, "-n"))
        assert likelier == {"summarise_cluster", "cluster_report", *every}
        listed = regions()
        listed["regions"]["cluster"]["lists"] = {"New 2024": "new.csv"}
        (run / "new.csv").write_text("ra,dec\n0,-60\n")
        compared = planned(snakemake(run, listed, "-n"))
        assert compared == {"read_lists", "summarise_cluster", "cluster_report", *every}
        larger = regions()
        larger["regions"]["another"] = CONE | {"demo": {"members": 0, "field": 700}}
        rules = snakemake(run, larger, "-n")
    finally:
        config.write_bytes(before)
    assert {"overdensities", "summarise_cluster", *every} < planned(rules)
    searched = re.findall(r"Clusters of region (\w+) of which nothing is known", rules.stdout + rules.stderr)
    assert set(searched) == {"another"}


def test_branch_is_off_without_regions(tmp_path):
    rules = planned(snakemake(tmp_path, {}, "-n", samples=SAMPLES))
    assert "train" in rules
    assert not rules & {"kmeans", "dec", "membership", "select_regions", "summarise_cluster"}


def test_regions_that_cannot_be_are_refused_before_anything_runs(tmp_path):
    changes = {"flat": {"radius_deg": 0}, "none": {"source": "local"}, "old": {"source": "gaia_dr1"}}
    done = snakemake(tmp_path, {"regions": {name: CONE | change for name, change in changes.items()}}, "-n")
    assert done.returncode != 0
    for message in (
        "clusters.regions.flat.radius_deg: 0 is less than or equal to the minimum of 0",
        "clusters.regions.none.stars: this key is missing",
        "clusters.regions.old.source: 'gaia_dr1' is not one of",
    ):
        assert message in done.stderr + done.stdout


def test_list_is_looked_at_before_any_method_runs(tmp_path):
    (tmp_path / "colours.csv").write_text("bp_rp\n1.5\n")
    listed = regions()
    listed["regions"]["cluster"]["lists"] = {"Colours 2020": "colours.csv"}
    done = snakemake(tmp_path, listed)
    text = done.stderr + done.stdout
    assert done.returncode != 0
    assert "colours.csv: no columns ra or RA_ICRS or ra_deg or RAdeg or RAJ2000 with dec or DE_ICRS or" in text
    assert not re.search(r"rule (kmeans|dec|baselines|membership|overdensities):", text)


# Real stars. F1 at G < 18; members of a list that the cut on RUWE removes count as missed.
LEAST = {"membership": 0.90, "HDBSCAN": 0.88, "DEC": 0.88, "K-Means": 0.82, "mixture in a window": 0.90}


@pytest.mark.real
def test_m67_is_found_as_well_as_measured(tmp_path):
    folder = REAL_DATA / "gaia_clusters"
    if not folder.is_dir():
        pytest.skip(f"no real survey data: {folder} does not exist")
    lists = {
        "CG2020": str(folder / "members_cantat_gaudin_2020/NGC_2682.csv"),
        "Tarricq": str(folder / "members_tarricq_2022/NGC_2682.csv"),
        "Clusterix": str(folder / "members_clusterix_thesis/NGC2682.csv"),
    }
    region = {"source": "local", "cluster": "NGC 2682", "stars": [str(folder / "ngc_2682_dr3.parquet")], "lists": lists}
    clusters = {"catalogue": str(folder / "openclust/clusters.dat"), "dec": {"seeds": 10}, "regions": {"M67": region}}
    done = snakemake(tmp_path, clusters, timeout=800)
    assert done.returncode == 0, done.stderr[-5000:]
    scores = {
        (row["selection"], row["reference"]): row["f1"]
        for row in read(tmp_path, "M67", "agreement.parquet").to_pylist()
    }
    found = {name: scores[name, "CG2020"] for name in LEAST}
    assert {name: f1 >= LEAST[name] for name, f1 in found.items()} == dict.fromkeys(LEAST, True), found
    assert scores["membership", "Tarricq"] > 0.97
    row = read(tmp_path, "M67", "cluster.parquet").to_pylist()[0]
    for name, theirs in (("pmra_mas_yr", -10.986), ("pmdec_mas_yr", -2.964), ("parallax_mas", 1.135)):
        assert abs(row[name] - theirs) < (0.15 if "pm" in name else 0.09)  # two systematic errors of DR2
    description = pq.read_schema(tmp_path / "results/small/clusters/M67/members.parquet").metadata[b"description"]
    assert b"SIMULATED" not in description
