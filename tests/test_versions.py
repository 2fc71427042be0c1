"""Versions of what is installed."""

import importlib.metadata
import platform
import re

import pytest
from workspace import ROOT

from workflow_scripts import versions


@pytest.fixture(scope="module")
def found() -> dict[str, str | None]:
    return versions.installed(ROOT / "pyproject.toml")


def test_python_and_every_package_of_the_project_are_there(found):
    assert found["python"] == platform.python_version()
    assert {"snakemake", "numpy", "lightgbm", "rocrate", "dustmaps", "lsdb"} <= set(found)
    assert not [name for name in found if not re.fullmatch(r"[A-Za-z0-9._-]+", name)]
    for name in ("numpy", "snakemake", "rocrate"):
        assert found[name] == importlib.metadata.version(name)


def test_installed_versions_are_those_of_the_lock(found):
    lock = re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)
    locked = {(re.sub("[-_.]+", "-", name), version) for name, version in lock}
    assert {(name, version) for name, version in found.items() if version and name != "python"} <= locked


def test_package_for_another_machine_has_no_version(tmp_path):
    text = '[project]\ndependencies = ["no-such-package; python_version < \'3\'", "numpy>=1"]\n'
    (tmp_path / "p.toml").write_text(text + "[project.optional-dependencies]\ndust = []\nhats = []\n")
    assert versions.installed(tmp_path / "p.toml") == {
        "python": platform.python_version(),
        "no-such-package": None,
        "numpy": importlib.metadata.version("numpy"),
    }
