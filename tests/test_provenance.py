"""What does not change between identical runs, and which inputs a run has."""

import hashlib
import json

import pytest
import yaml
from workspace import ROOT

from workflow_scripts import input_files, provenance, settings
from workflow_scripts.surveys import registry
from workflow_scripts.tables import DataError


def complete(**given: object) -> dict:
    """Settings of a run with all defaults."""
    config = {"run": "r", "samples": {"known": {"role": "labelled", "source": "demo"}}} | given
    settings.complete(config, ROOT / "config/config.schema.yaml", registry.offers())
    return config


LOCAL = {"light_curves": ["data/a.csv", "/far/b.csv"], "objects": ["../stars.csv"], "photometry": ["colours.csv"]}
SAMPLES = {
    "mine": {"role": "labelled", "source": "local", "local": LOCAL},
    "asked": {"role": "science", "source": "ztf", "archive": {"objects": ["chen_2020"]}},
    "plain": {"role": "constant", "source": "ztf", "archive": {"objects": ["sdss_standards"], "counterparts": False}},
    "all": {
        "role": "science",
        "source": "hats",
        "hats": {
            "collection": "../ztf",
            "survey": "ZTF",
            "objects": "drake_2014",
            "counterparts": True,
            "dask": "tcp://node1:8786",
        },
    },
    "made": {"role": "science", "source": "demo"},
}
CONE = {"ra_deg": 1, "dec_deg": 2, "radius_deg": 1}
REGIONS = {
    "own": CONE | {"source": "local", "stars": ["gaia.csv"], "lists": {"Somebody 2020": "list.csv"}},
    "asked": {"source": "gaia_dr3", "cluster": "NGC 2682"},
    "made": CONE | {"source": "demo"},
}


def test_what_only_says_how_is_left_out_of_the_record():
    one = complete(samples=SAMPLES)
    other = complete(samples=json.loads(json.dumps(SAMPLES)), shards=77, pace=0.5)
    other["samples"]["all"]["hats"]["dask"] = ""
    assert provenance.recorded(one) == provenance.recorded(other)
    assert not {"shards", "pace"} & set(provenance.recorded(one))
    assert one["samples"]["all"]["hats"]["dask"] == "tcp://node1:8786", "the settings themselves stay"


@pytest.mark.parametrize("key", ["seed", "mirrors", "features", "references"])
def test_what_says_what_is_computed_is_recorded(key):
    other = {"seed": 1, "mirrors": {"https://a.org": "https://b.org"}, "features": "all", "references": ["chen_2020"]}
    assert provenance.recorded(complete()) != provenance.recorded(complete(**{key: other[key]}))


def test_lock_is_that_of_the_repository(monkeypatch, tmp_path):
    assert provenance.lock() == hashlib.sha256((ROOT / "requirements.lock").read_bytes()).hexdigest()
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    with pytest.raises(DataError, match=r"requirements\.lock does not exist"):
        provenance.lock()


def rows(n: int, whose: str = "known") -> list[dict]:
    return [
        {"what": "light curves", "whose": whose, "name": f"{i}.csv", "bytes": 10, "sha256": f"{i:064x}"}
        for i in range(n)
    ]


def test_record_lists_few_files_one_by_one():
    found = provenance.record({"seed": 5, "run": "r"}, "abc", rows(provenance.MANY))
    assert found == {
        "lock": "abc",
        "seed": 5,
        "configuration": {"seed": 5, "run": "r"},
        "inputs": rows(provenance.MANY),
    }


def test_record_counts_many_files_and_hashes_their_lines():
    many = rows(provenance.MANY + 1)
    found = provenance.record({"seed": 5}, "abc", [*many, *rows(1, "field")])["inputs"]
    text = "".join(f"{row['sha256']}  {row['name']}\n" for row in many)
    entry = {"what": "light curves", "whose": "known", "name": "21 files", "bytes": 210}
    assert found[0] == entry | {"sha256": hashlib.sha256(text.encode()).hexdigest()}
    assert found[1:] == rows(1, "field")


def test_inputs_of_the_catalogue_are_the_users_files_and_what_archives_gave():
    config = complete(samples=SAMPLES, references=["drake_2017"], dust={"map": "bayestar2019"})
    found = input_files.inputs(config, "catalogue")
    assert found.files == (
        ("light curves", "mine", "data/a.csv"),
        ("light curves", "mine", "/far/b.csv"),
        ("objects", "mine", "../stars.csv"),
        ("photometry", "mine", "colours.csv"),
        ("catalogue", "asked", "results/r/published/chen_2020.parquet"),
        ("counterparts", "asked", "results/r/samples/asked/counterparts.parquet"),
        ("catalogue", "plain", "results/r/published/sdss_standards.parquet"),
        ("catalogue", "all", "results/r/published/drake_2014.parquet"),
        ("counterparts", "all", "results/r/samples/all/counterparts.parquet"),
        ("catalogue", "references", "results/r/published/drake_2017.parquet"),
        ("dust map", "", "results/dust/bayestar2019.h5"),
    )
    assert found.from_archives == ("asked", "plain", "all")
    assert found.simulated == ("made",)


def test_inputs_of_the_clusters_are_stars_and_lists():
    found = input_files.inputs(complete(clusters={"regions": REGIONS}), "clusters")
    assert found.files == (
        ("open clusters", "", "results/r/clusters/open_clusters.parquet"),
        ("stars", "own", "gaia.csv"),
        ("member list Somebody 2020", "own", "list.csv"),
        ("stars", "asked", "results/r/clusters/asked/stars.parquet"),
    )
    assert (found.from_archives, found.simulated) == ((), ("made",))


def test_simulated_run_has_no_files_and_no_regions_no_inputs():
    assert input_files.inputs(complete(), "catalogue") == input_files.Inputs((), (), ("known",))
    assert input_files.inputs(complete(), "clusters") == input_files.Inputs((), (), ())


def test_users_files_are_those_that_the_settings_name_and_no_table_of_the_run():
    dust = {"map": "bayestar2019", "file": "maps/dust.h5"}
    clusters = {"regions": REGIONS, "catalogue": "clusters.dat"}
    found = input_files.from_user(complete(samples=SAMPLES, dust=dust, clusters=clusters))
    expected = ["../stars.csv", "../ztf", "/far/b.csv", "clusters.dat", "colours.csv", "data/a.csv", "gaia.csv"]
    assert found == [*expected, "list.csv", "maps/dust.h5"]


def test_collection_on_a_server_is_no_file():
    away = SAMPLES["all"] | {"hats": SAMPLES["all"]["hats"] | {"collection": "s3://bucket/ztf"}}
    found = input_files.from_user(complete(samples={"all": away, "known": {"role": "labelled", "source": "demo"}}))
    assert found == []


RUNS = [path for path in sorted((ROOT / "config").glob("*.yaml")) if path.stem != "config.schema"]


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_settings_with_all_defaults_mean_the_same_run(path):
    config = complete(**yaml.safe_load(path.read_text()))
    again = yaml.safe_load(yaml.safe_dump(config))
    settings.complete(again, ROOT / "config/config.schema.yaml", registry.offers())
    assert again == config
