"""What the tests of faults share: one undisturbed run, and copies of it or of its beginning to be disturbed."""

import shutil
from pathlib import Path

import pytest
from small_run import LITTLE, MADE, Run, new_run


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that nothing disturbed; tests only read it."""
    run = new_run(tmp_path_factory.mktemp("undisturbed"), **LITTLE)
    done = run.snakemake(*run.targets(*MADE))
    assert done.returncode == 0, done.stderr[-5000:]
    return run


@pytest.fixture
def empty(tmp_path: Path) -> Run:
    """A run of the same settings that has not begun."""
    return new_run(tmp_path, **LITTLE)


@pytest.fixture
def finished(undisturbed: Run, tmp_path: Path) -> Run:
    """Copy of the undisturbed run that a test may spoil."""
    shutil.copytree(undisturbed.folder, tmp_path, dirs_exist_ok=True)
    return Run(tmp_path, tmp_path / undisturbed.config.name)
