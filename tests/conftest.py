"""What several tests share."""

import shutil
from pathlib import Path

import pytest
from workspace import DOUBLE, DOUBLING, HOUSE, REAL_DATA, REPORT, ROOT, SNAKEFILE, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two rules, double -> report, whose stages share nothing but what each imports from the miniature package."""
    mini = Project(tmp_path / "mini workflow")
    for name in HOUSE:
        mini.write(f"workflow_scripts/{name}.py", (ROOT / "workflow_scripts" / f"{name}.py").read_text())
    mini.write("workflow_scripts/stages/__init__.py", "")
    mini.write("workflow_scripts/doubling.py", DOUBLING)
    mini.write("workflow_scripts/stages/double.py", DOUBLE)
    mini.write("workflow_scripts/stages/report.py", REPORT)
    mini.write("Snakefile", SNAKEFILE)
    mini.write("raw.txt", "21")
    return mini


@pytest.fixture
def repository(tmp_path: Path) -> Project:
    """Copy of the real workflow that a test may edit."""
    copy = Project(tmp_path / "repository")
    unwanted = shutil.ignore_patterns("__pycache__")
    for name in ("workflow_scripts", "rules", "config"):
        shutil.copytree(ROOT / name, copy.folder / name, ignore=unwanted)
    for name in ("Snakefile", "requirements.lock"):
        shutil.copy(ROOT / name, copy.folder)
    return copy


@pytest.fixture
def real_data() -> Path:
    """Folder of real survey data, where the machine has it."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real survey data: {REAL_DATA} does not exist")
    return REAL_DATA
