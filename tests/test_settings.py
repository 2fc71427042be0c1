"""Settings of a run: defaults from one place, and errors that say what to do."""

import copy
import dataclasses
import os
import re
from types import SimpleNamespace

import pytest
import yaml
from jsonschema import Draft202012Validator
from workspace import ROOT

from workflow_scripts import run_file, settings
from workflow_scripts.clustering import dec, gaia
from workflow_scripts.clustering.names import METHODS
from workflow_scripts.clustering.simulate import Simulated
from workflow_scripts.crossmatch.pairs import MOST_RADIUS_ARCSEC
from workflow_scripts.lightcurve.period_search import Search
from workflow_scripts.surveys import registry
from workflow_scripts.tables import DataError

SCHEMA = ROOT / "config/config.schema.yaml"
CONE = {"ra_deg": 1, "dec_deg": 2, "radius_deg": 0.5}
HATS = {"collection": "somewhere", "survey": "ZTF"}
SMALL = {"run": "x", "samples": {"stars": {"role": "labelled", "source": "demo"}}}


def changed(**keys: object) -> dict:
    return copy.deepcopy(SMALL) | keys


def problems(config: dict) -> list[str]:
    with pytest.raises(DataError) as error:
        settings.complete(config, SCHEMA, registry.offers())
    first, *lines = str(error.value).splitlines()
    assert "config/README.md" in first
    return [line.strip() for line in lines]


def walk(schema: dict, place: str = ""):
    """Every key of the schema with its own schema."""
    for key, part in schema.get("properties", {}).items():
        yield f"{place}{key}", part
        yield from walk(part, f"{place}{key}.")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from walk(schema["additionalProperties"], f"{place}*.")


KEYS = dict(walk(settings.schema(SCHEMA, registry.offers())))


def test_schema_is_a_schema_and_refuses_unknown_keys_everywhere():
    schema = settings.schema(SCHEMA, registry.offers())
    Draft202012Validator.check_schema(schema)
    for part in [schema, *KEYS.values()]:
        if part.get("type") == "object":
            assert "additionalProperties" in part


@pytest.mark.parametrize("key", KEYS)
def test_default_is_legal(key):
    if "default" in KEYS[key]:
        whole = Draft202012Validator(settings.schema(SCHEMA, registry.offers()))  # a part may refer to another
        whole.evolve(schema=KEYS[key]).validate(KEYS[key]["default"])


@pytest.mark.parametrize("key", KEYS)
def test_key_is_explained_or_has_keys_that_are(key):
    assert KEYS[key].get("description") or KEYS[key].get("properties")


def test_defaults_fill_every_depth():
    config = changed()
    settings.complete(config, SCHEMA, registry.offers())
    assert config["seed"] == KEYS["seed"]["default"]
    assert config["training"]["folds"] == KEYS["training.folds"]["default"]
    assert config["samples"]["stars"]["demo"]["objects"] == KEYS["samples.*.demo.objects"]["default"]
    complete = copy.deepcopy(config)
    settings.complete(config, SCHEMA, registry.offers())
    assert config == complete


def test_given_values_stay():
    config = changed(seed=1, training={"folds": 4})
    settings.complete(config, SCHEMA, registry.offers())
    assert (config["seed"], config["training"]["folds"]) == (1, 4)
    assert config["training"]["trees"] == KEYS["training.trees"]["default"]


def test_defaults_are_not_shared():
    config = changed(samples={name: {"role": "labelled", "source": "demo"} for name in "ab"})
    settings.complete(config, SCHEMA, registry.offers())
    assert config["samples"]["a"]["demo"] is not config["samples"]["b"]["demo"]


def turned(value):
    """The same value with the keys of every mapping the other way round."""
    return {key: turned(item) for key, item in reversed(value.items())} if isinstance(value, dict) else value


def completed(config: dict) -> dict:
    settings.complete(config, SCHEMA, registry.offers())
    return config


@pytest.mark.parametrize("path", ["config.yaml", "crts.yaml", "lamost_dr9.yaml", "clusters_alvaro_2020.yaml"])
def test_defaults_that_are_written_out_and_the_order_of_keys_change_nothing(path):
    """Snakemake compares settings as text: the same ones must read the same."""
    given = yaml.safe_load((ROOT / "config" / path).read_text())
    first = completed(copy.deepcopy(given))
    other = turned(first) | {"samples": first["samples"], "clusters": turned(first["clusters"])}
    other["clusters"]["regions"] = first["clusters"]["regions"]
    assert repr(completed(copy.deepcopy(other))) == repr(first)


def test_whole_number_with_a_point_is_the_whole_number():
    """For the schema 5.0 is an integer, for range() it is none."""
    region = {"source": "demo", "ra_deg": 1, "dec_deg": 2, "radius_deg": 3, "dec": {"seeds": 3.0, "hidden": [8.0, 4]}}
    found = completed(changed(shards=2.0, training={"folds": 5.0}, clusters={"regions": {"a": region}}))
    numbers = [found["shards"], found["training"]["folds"], *found["clusters"]["regions"]["a"]["dec"]["hidden"]]
    numbers.append(found["clusters"]["regions"]["a"]["dec"]["seeds"])
    assert repr(numbers) == "[2, 5, 8, 4, 3]"
    assert found["training"]["learning_rate"] == KEYS["training.learning_rate"]["default"]


def test_free_names_are_sorted_where_their_order_says_nothing():
    mirrors = {"https://b.org": "https://c.org", "https://a.org": "https://c.org"}
    found = completed(changed(classes={"W": ["EW"], "A": ["EB", "EA"]}, mirrors=mirrors))
    assert list(found["classes"].items()) == [("A", ["EB", "EA"]), ("W", ["EW"])]
    assert list(found["mirrors"]) == ["https://a.org", "https://b.org"]


def test_samples_regions_and_lists_keep_the_order_in_which_they_are_reported():
    samples = {name: {"source": "demo", "role": "labelled"} for name in ("z", "a", "m")}
    region = {"source": "demo", "ra_deg": 1, "dec_deg": 2, "radius_deg": 3, "lists": {"Zwei": "z.csv", "Eins": "e.csv"}}
    found = completed(changed(samples=samples, clusters={"regions": {"z": region, "a": region}}))
    assert list(found["samples"]) == ["z", "a", "m"]
    assert list(found["clusters"]["regions"]) == ["z", "a"]
    assert list(found["clusters"]["regions"]["z"]["lists"]) == ["Zwei", "Eins"]
    assert list(found["samples"]["z"]) == ["role", "source", "demo"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (changed(sede=3), "sede: unknown key; allowed are boundary_lines, catalogue, catalogues, classes,"),
        (changed(sede=3), "did you mean seed?"),
        (changed(training={"rounds": "many"}), "training.rounds: 'many' is not of type 'integer' (Most boosting"),
        (changed(cleaning={"clip_side": "brigth"}), "cleaning.clip_side: 'brigth' is not one of ['both', 'bright']"),
        (changed(shards=0), "shards: 0 is less than the minimum of 1"),
        (changed(run="a b"), "run: 'a b' does not match"),
        ({"samples": SMALL["samples"]}, "run: this key is missing"),
        ({"run": "x"}, "samples: this key is missing"),
        (changed(samples={"s": {"role": "labelled", "source": "local"}}), "samples.s.local: this key is missing"),
        (
            changed(samples={"s": {"role": "labelled", "source": "demo", "demo": {"objcts": 30}}}),
            "samples.s.demo.objcts: unknown key; allowed are mix, objects; did you mean objects?",
        ),
        (
            changed(samples={"s": {"role": "science", "source": "demo"}}),
            "samples: training needs a sample with role labelled; the roles are science",
        ),
        (
            {"run": "x", "clusters": {}},
            "samples: there are none, and no clusters.regions; a run needs one or the other",
        ),
        (
            changed(clusters={"kmeans": {"fewest": 9, "most": 3}}),
            "clusters.kmeans: fewest 9 is above most 3",
        ),
        (
            changed(clusters={"regions": {"a": CONE | {"source": "gaia_dr3", "stars": ["b.csv"]}}}),
            "clusters.regions.a.stars: source gaia_dr3 has no use for these; remove them",
        ),
        (
            changed(period={"min_period_d": 2, "max_period_d": 1}),
            "period: min_period_d 2 is not below max_period_d 1",
        ),
        (changed(period={"max_period_d": float("nan")}), "period.max_period_d: nan is no finite number"),
        (changed(period={"max_period_d": float("inf")}), "period.max_period_d: inf is no finite number"),
        (
            changed(
                samples={"s": {"role": "labelled", "source": "hats", "hats": HATS | {"cone": [1, float("nan"), 2]}}}
            ),
            "samples.s.hats.cone.1: nan is no finite number",
        ),
        (changed(classes={"E": ["EA", "EW"], "W": ["EW"]}), "classes: label EW is in both E and W"),
        (
            changed(classes={"all": ["EA"], "macro": ["EB"], "A|B": ["EC"], "small": ["ED"]}),
            "classes: ['A|B', 'all', 'macro'] cannot be names of classes: macro, weighted and all name averages",
        ),
        (changed(classes={"E": ["EA"]}, ignore_labels=["EA"]), "classes: label EA is in E and in ignore_labels"),
    ],
)
def test_problem_is_named_with_its_place_and_cure(config, expected):
    assert any(expected in line for line in problems(config)), problems(config)


def test_every_problem_is_listed_once():
    lines = problems({"sede": 1, "shards": "many"})
    assert [line.split(":")[0] for line in lines] == ["run", "samples", "sede", "shards"]


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.name)
def test_configurations_of_the_house_are_complete(path):
    if path != SCHEMA:
        settings.complete(yaml.safe_load(path.read_text()), SCHEMA, registry.offers())


def test_snakemake_shows_the_problem_and_not_the_schema(project, repository):
    bad = project.write("bad.yaml", "run: x\nsede: 1\nsamples: {s: {role: labelled, source: demo}}\n")
    done = repository.snakemake("-n", "--configfile", bad)
    text = done.stdout + done.stderr
    assert done.returncode == 1
    assert "sede: unknown key" in text
    assert len(text.splitlines()) < 12


TWICE = """run: x
samples:
  stars: {role: labelled, source: demo, role: science}
training:
  folds: 5
classes: {EW: [EW], "EW": [EB]}
training:
  folds: 3
"""


def test_key_that_is_there_twice_is_named_with_its_lines(tmp_path):
    (tmp_path / "run.yaml").write_text(TWICE)
    with pytest.raises(DataError) as error:
        run_file.check_keys([tmp_path / "run.yaml"])
    assert str(error.value).splitlines() == [
        "a key is there more than once, and only the last one would count; remove the others",
        f"  {tmp_path}/run.yaml, line 3: samples.stars.role, as in line 3",
        f"  {tmp_path}/run.yaml, line 6: classes.EW, as in line 6",
        f"  {tmp_path}/run.yaml, line 7: training, as in line 4",
    ]


@pytest.mark.parametrize(
    "text", ["", "- 1\n", "run: x\n", "a: {b: 1, c: 1}\nb: [{c: 1}, {c: 1}]\n", '{"run":\t"x"}', "a: [1"]
)
def test_other_files_are_left_to_snakemake(tmp_path, text):
    (tmp_path / "run.yaml").write_text(text)
    run_file.check_keys([tmp_path / "run.yaml"])


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.name)
def test_no_key_of_the_house_is_there_twice(path):
    run_file.check_keys([path])


def test_snakemake_shows_the_key_that_is_there_twice(project, repository):
    project.write("bad.yaml", "run: x\nsamples: {s: {role: labelled, source: demo}}\nshards: 1\nshards: 2\n")
    done = repository.snakemake("-n", "--configfile", "../mini workflow/bad.yaml", "--directory", "elsewhere")
    text = done.stdout + done.stderr
    assert done.returncode == 1
    assert "bad.yaml, line 4: shards, as in line 3" in text
    assert len(text.splitlines()) < 12


def test_run_file_without_a_name_is_not_mixed_with_the_default_run(project, repository):
    bad = project.write("bad.yaml", "samples: {s: {role: labelled, source: demo}}\n")
    done = repository.snakemake("-n", "--configfile", bad)
    assert "run: this key is missing" in done.stdout + done.stderr


def test_results_folder_that_can_be_made_passes(tmp_path):
    settings.check_writable(tmp_path / "results" / "x")
    assert list(tmp_path.iterdir()) == []


def test_results_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "results").touch()
    with pytest.raises(DataError, match=r"results/x: .*results is a file; move it or run elsewhere"):
        settings.check_writable(tmp_path / "results" / "x")
    monkeypatch.setattr("os.access", lambda _, mode: mode & os.W_OK == 0)  # root may write anywhere
    with pytest.raises(DataError, match=rf"{tmp_path.name} is not writable; run elsewhere"):
        settings.check_writable(tmp_path / "other" / "x")


def test_run_into_such_a_folder_ends_before_any_job(project, repository):
    config = project.write("run.yaml", "run: x\nsamples: {s: {role: labelled, source: demo}}\n")
    project.write("results", "a file in the way")
    done = repository.snakemake("--directory", project.folder, "--configfile", config)
    text = done.stdout + done.stderr
    assert done.returncode == 1
    assert "results is a file; move it or run elsewhere" in text
    assert "Traceback" not in text


# Samples from archives.


def archived(role: str = "labelled", **archive: object) -> dict:
    sample = {"role": role, "source": "ztf", "archive": archive}
    return changed(samples={"stars": sample, "more": {"role": "labelled", "source": "demo"}})


def test_sample_of_an_archive_is_filled():
    config = archived(objects=["chen_2020"])
    settings.complete(config, SCHEMA, registry.offers())
    filled = config["samples"]["stars"]["archive"]
    assert filled == {
        "objects": ["chen_2020"],
        "accept": [],
        "radius_arcsec": 1.5,
        "bands": [],
        "at_most": 0,
        "counterparts": True,
    }
    assert config["dust"] == {"map": "none", "file": ""}


def test_accepted_pair_names_classes_of_the_run():
    pair = [["Ew", "EA"]]
    config = archived(objects=["chen_2020", "asassn"], accept=pair)
    classes = {"EW": ["EW"], "EA": ["EA"]}
    said = "samples.stars.archive.accept: Ew is no class; they are EW, EA"
    assert said in problems(config | {"classes": classes})
    assert said not in problems(archived(objects=["chen_2020", "asassn"], accept=[["EW", "EA"]]) | {"classes": classes})
    assert not [line for line in problems(config | {"classes": {}}) if "accept" in line]  # labels are classes then


def test_survey_without_archive_settings_is_named():
    config = changed(samples={"stars": {"role": "labelled", "source": "ztf"}})
    assert problems(config) == ["samples.stars.archive: this key is missing"]


@pytest.mark.parametrize("source", ["demo", "hats"])
def test_settings_of_another_source_are_named(source):
    collection = {"collection": "ztf_hats", "survey": "ZTF"}
    both = {"role": "labelled", "source": source, "archive": {"objects": ["chen_2020"]}, "hats": collection}
    found = problems(changed(samples={"stars": both}))
    others = {"demo": ["archive", "hats"], "hats": ["archive"]}[source]
    cure = f"source {source} does not use this; remove it or change the source"
    assert found == [f"samples.stars.{block}: {cure}" for block in others]


def test_unknown_survey_gets_a_hint():
    config = archived(objects=["chen_2020"])
    config["samples"]["stars"]["source"] = "zft"
    assert any("did you mean ztf?" in line for line in problems(config))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (archived(objects=["chen_2021"]), "samples.stars.archive.objects: chen_2021 is no catalogue.*mean chen_2020"),
        (changed(references=["gaia"]), "references: gaia is no catalogue; known are"),
        (
            archived("science", objects=["chen_2020", "lamost_dr9"]),
            "two catalogues are for a labelled sample, this one is sc",
        ),
        (
            changed(samples={"all": {"role": "labelled", "source": "hats", "hats": HATS | {"counterparts": True}}}),
            "samples.all.hats.objects: counterparts need a catalogue of objects",
        ),
        (
            changed(samples={"all": {"role": "labelled", "source": "hats", "hats": HATS | {"objects": "chen_2021"}}}),
            "samples.all.hats.objects: chen_2021 is no catalogue",
        ),
        (archived(objects=["a", "b", "c"]), "samples.stars.archive.objects: .* is too long"),
        (archived(objects=["chen_2020"], radius_arcsec=0), "radius_arcsec: 0 is less than or equal to the minimum"),
        (
            archived(objects=["chen_2020"], radius_arcsec=200),
            "archive.radius_arcsec: 200 is greater than the maximum of",
        ),
        (changed(reference_radius_arcsec=200), "reference_radius_arcsec: 200 is greater than the maximum of 180"),
        (
            changed(samples={"all": {"role": "labelled", "source": "hats", "hats": HATS | {"radius_arcsec": 200}}}),
            "samples.all.hats.radius_arcsec: 200 is greater than the maximum of 180",
        ),
        (archived(objects=["chen_2020"], bands=["g", "R"]), "archive.bands: R is no band of ztf; they are g, i, r$"),
        (changed(mirrors={"https://a.org": "ftp://b.org"}), "mirrors.https://a.org: 'ftp://b.org' does not match"),
        (changed(catalogues={"sure": {"survey": "chen_2021"}}), "catalogues.sure.survey: 'chen_2021' is not one of"),
        (changed(dust={"map": "bayestar2017"}), "dust.map: 'bayestar2017' is not one of.*did you mean bayestar2019"),
    ],
)
def test_bad_archive_settings_are_named(config, expected):
    assert re.search(expected, "\n".join(problems(config)))


def test_radius_may_be_as_large_as_the_crossmatch_takes():
    radii = {place: part["maximum"] for place, part in KEYS.items() if place.split(".")[-1].endswith("radius_arcsec")}
    assert set(radii.values()) == {MOST_RADIUS_ARCSEC}
    assert len(radii) == 3


def test_catalogue_with_a_condition_can_be_named():
    config = archived(objects=["sure"]) | {"catalogues": {"sure": {"survey": "chen_2020", "where": "x > 1"}}}
    settings.complete(config, SCHEMA, registry.offers())
    assert config["catalogues"]["sure"] == {"survey": "chen_2020", "where": "x > 1"}


def test_region_may_differ_from_the_branch_in_settings_of_dec():
    """config/clusters_alvaro_2020.yaml: Alvaro 2020, Tables 5.1-5.7."""
    config = yaml.safe_load((ROOT / "config/clusters_alvaro_2020.yaml").read_text())
    settings.complete(config, SCHEMA, registry.offers())
    branch, regions = config["clusters"]["dec"], config["clusters"]["regions"]
    assert {name: region["groups"] for name, region in regions.items()} == {
        "NGC_2516": 8,
        "NGC_2632": 10,
        "NGC_2682": 10,
        "Melotte_22": 5,
        "Melotte_25": 9,
    }
    assert (branch["learning_rate"], branch["seeds"], branch["quantile"]) == (1, 20, 0.1)
    assert regions["NGC_2516"]["dec"] == {"hidden": [50, 50, 60], "quantile": 0.15}  # not filled: the branch's hold
    assert regions["Melotte_22"]["dec"] == {"hidden": [50, 50, 200]}
    assert regions["Melotte_25"]["locus"] == [104.9, -28.0, 21.1]  # Table 5.8; Dias 2002 has a distance only


def test_unknown_setting_of_a_region_s_dec_is_named():
    region = {"source": "demo", "ra_deg": 1, "dec_deg": 2, "radius_deg": 3, "dec": {"learn": 1}}
    found = problems(changed(clusters={"regions": {"m67": region}}))
    assert any(line.startswith("clusters.regions.m67.dec.learn: unknown key") for line in found)


@pytest.mark.parametrize("title", [*METHODS, "Cantat-Gaudin 2020"])
def test_list_has_no_name_of_a_method(title):
    region = {"source": "demo", "ra_deg": 1, "dec_deg": 2, "radius_deg": 3, "lists": {title: "a.csv"}}
    config = changed(clusters={"regions": {"m67": region}})
    if title in METHODS:
        (found,) = problems(config)
        assert found.startswith(f"clusters.regions.m67.lists.{title}: this is the name of a method")
    else:
        settings.complete(config, SCHEMA, registry.offers())


def located(*locus: float) -> dict:
    region = {"source": "demo", "ra_deg": 1, "dec_deg": 2, "radius_deg": 3, "locus": list(locus)}
    return changed(clusters={"regions": {"m67": region}})


@pytest.mark.parametrize("locus", [(), (-10.9, -3, 1.1)])
def test_locus_has_three_numbers_or_none(locus):
    config = located(*locus)
    settings.complete(config, SCHEMA, registry.offers())
    assert config["clusters"]["regions"]["m67"]["locus"] == list(locus)


@pytest.mark.parametrize("locus", [(1,), (1, 2), (1, 2, float("nan")), (1, 2, float("inf"))])
def test_other_locus_is_refused_at_the_plan(locus):
    (found,) = problems(located(*locus))
    assert found.startswith(
        f"clusters.regions.m67.locus: {list(locus)} is neither empty nor three finite numbers: proper"
    )


@pytest.mark.parametrize(
    ("text", "place", "kind"),
    [
        ("clusters: {regions: {2682: {source: demo}}}", "clusters.regions.2682", "int"),
        ("clusters: {regions: {off: {source: demo}}}", "clusters.regions.False", "bool"),
        (
            "clusters: {regions: {a: {source: demo, lists: {2020-01-01: a.csv}}}}",
            "clusters.regions.a.lists.2020-01-01",
            "date",
        ),
        ("samples: {1: {role: labelled, source: demo}}", "samples.1", "int"),
        ("classes: {null: [EW]}", "classes.None", "NoneType"),
        ("3: 4", "3", "int"),
    ],
)
def test_key_that_yaml_reads_as_no_text_is_to_be_quoted(text, place, kind):
    assert problems(changed(**{"sede": 1}) | yaml.safe_load(text)) == [
        f"{place}: YAML reads this key as {kind}, expected text; put it in quotes as you wrote it"
    ]


def test_codes_of_bands_may_be_numbers():
    sample = {"role": "labelled", "source": "hats", "hats": HATS | {"bands": {1: "g", 2: "r"}}}
    settings.complete(changed(samples={"all": sample}), SCHEMA, registry.offers())


def test_longer_locus_is_refused_with_what_it_means():
    (found,) = problems(located(1, 2, 3, 4))
    assert found.startswith("clusters.regions.m67.locus: [1, 2, 3, 4] is too long (Three numbers: proper motion")


def test_full_disk_is_named_before_the_run_begins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings.check_room(tmp_path / "results" / "new")
    monkeypatch.setattr(settings.shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    with pytest.raises(DataError, match=rf"the disk of {tmp_path} is full \(100 bytes free\); make room"):
        settings.check_room(tmp_path / "results" / "new")


@pytest.mark.parametrize(
    ("place", "made"),
    [
        ("period", Search),
        ("clusters.cuts", gaia.Cuts),
        ("clusters.regions.*.demo", Simulated),
        ("clusters.dec", dec.Settings),
    ],
)
def test_defaults_in_code_are_those_of_the_schema(place, made):
    # One that the schema leaves open (a seed, the number of groups) comes from elsewhere in the settings.
    stated = {field.name: field.default for field in dataclasses.fields(made)}
    parts = {name: KEYS.get(f"{place}.{name}", {}) for name in stated}
    given = {name: part["default"] for name, part in parts.items() if "default" in part}
    assert len(given) >= 2
    for name, default in given.items():
        assert stated[name] == (tuple(default) if isinstance(default, list) else default), name
