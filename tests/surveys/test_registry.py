"""Surveys are found, never listed: a new file is in the registry, the schema, the manual and the DAG."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from workflow_scripts import manual, settings
from workflow_scripts.surveys import plugins, registry
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import DataError

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "config/config.schema.yaml"


@pytest.fixture
def another(tmp_path, monkeypatch):
    """A survey in a file of its own where plug-ins are looked for: a copy of another, under another title."""
    text = (Path(plugins.__file__).parent / "ztf.py").read_text(encoding="utf-8")
    (tmp_path / "brand_new.py").write_text(
        text + '\nSURVEY = __import__("dataclasses").replace(SURVEY, title="Brand New")\n'
    )
    monkeypatch.setattr(plugins, "__path__", [*plugins.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    yield "brand_new"
    sys.modules.pop(f"{plugins.__name__}.brand_new", None)
    registry.load.cache_clear()


def test_every_file_is_a_survey_with_title_and_reference():
    for name in registry.names():
        survey = registry.load(name)
        assert survey.title
        assert any(character.isdigit() for character in survey.reference), name  # a year


def test_new_survey_is_found(another):
    assert another in registry.names()
    assert registry.load(another).title == "Brand New"
    assert another in registry.offers()["archive"]


def test_new_survey_is_in_the_schema(another):
    sources = settings.schema(SCHEMA, registry.offers())["properties"]["samples"]["additionalProperties"]["properties"][
        "source"
    ]["enum"]
    assert another in sources
    assert {"demo", "local", "hats"} < set(sources)


def test_new_survey_is_in_the_manual(another):
    assert f"`{another}` | Brand New" in manual.parts()["surveys"]


def test_unknown_survey_is_named():
    with pytest.raises(DataError, match=r"survey 'nonsense' is not known; the surveys are .*ztf"):
        registry.load("nonsense")


def test_file_without_survey_is_named(tmp_path, monkeypatch):
    (tmp_path / "empty_one.py").write_text("SURVEY = 3\n")
    monkeypatch.setattr(plugins, "__path__", [*plugins.__path__, str(tmp_path)])
    with pytest.raises(DataError, match=r"empty_one\.py: expected SURVEY, a survey\.Survey, found 3"):
        registry.load("empty_one")


def test_survey_that_gives_nothing_is_refused():
    with pytest.raises(ValueError, match="neither a catalogue nor light curves"):
        Survey("Nothing", "Nobody 1900")


def test_new_survey_is_in_the_dag(tmp_path):
    """A checkout with one more file: a dry run plans its downloads."""
    for name in ("Snakefile", "requirements.lock", "rules", "envs", "config", "workflow_scripts"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(tmp_path / name)], check=True)
    folder = tmp_path / "workflow_scripts/surveys/plugins"
    (folder / "brand_new.py").write_text((folder / "ztf.py").read_text(encoding="utf-8"), encoding="utf-8")
    run = {
        "run": "new",
        "shards": 2,
        "samples": {"stars": {"role": "labelled", "source": "brand_new", "archive": {"objects": ["chen_2020"]}}},
    }
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(run), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "snakemake"), "--dry-run", "--configfile", "run.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    plan = done.stdout + done.stderr
    assert done.returncode == 0, plan
    assert "download_light_curves" in plan
    assert "brand_new" in plan
