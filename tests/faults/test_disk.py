"""A full disk and a read-only one: one message that says what, where and what to do, and nothing half written."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from small_run import Run, assert_same, assert_whole

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
FEATURES = "features/field/0001.parquet"
MODEL = "models/final/lightgbm-original.model"


@dataclass(frozen=True)
class Disk:
    """A small file system of its own, mounted on a folder whose content it took over."""

    folder: Path

    def remount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", self.folder], check=True)

    def fill(self) -> None:
        """Leave not a byte free."""
        room = os.statvfs(self.folder)
        self.remount(f"size={(room.f_blocks - room.f_bfree) * room.f_frsize}")
        assert os.statvfs(self.folder).f_bfree == 0


@pytest.fixture
def disk() -> Iterator[Callable[[Path], Disk]]:
    """Give a function that moves a folder onto a file system of its own."""
    mounted: list[Path] = []

    def move(folder: Path) -> Disk:
        aside = folder.with_name(f"{folder.name} aside")
        folder.rename(aside)
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
        mounted.append(folder)
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        shutil.rmtree(aside)
        return Disk(folder)

    yield move
    for folder in mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)


def ends_well(run: Run, undisturbed: Run, name: str) -> None:
    run.complete(name)
    assert_same(run, undisturbed, *undisturbed.files())


@pytest.mark.parametrize("place", [".", "results"])
def test_disk_that_is_full_before_the_run_begins_is_named(finished, undisturbed, disk, place):
    (finished.results / FEATURES).unlink()
    small = disk(finished.folder / place)
    small.fill()
    said = finished.refused(FEATURES)
    assert f"the disk of {finished.folder.resolve()}" in said
    assert "is full (0 bytes free); make room and run again" in said
    assert not (finished.results / FEATURES).exists()
    small.remount("size=1g")
    ends_well(finished, undisturbed, FEATURES)


@pytest.mark.parametrize("name", [FEATURES, MODEL])
def test_job_on_a_full_disk_says_so_and_leaves_no_half_file(finished, undisturbed, disk, name):
    path = finished.results / name
    small = disk(path.parent)
    for old in path.parent.glob(f"{path.stem}*"):
        old.unlink()
    small.fill()
    words = f"cannot write results/small/{name}: No space left on device; make room and run again"
    assert words in finished.refused(name)
    assert_whole(finished.folder)
    assert not path.exists()
    small.remount("size=1g")
    ends_well(finished, undisturbed, name)


def test_folder_that_became_read_only_is_named_before_its_job_begins(finished, undisturbed, disk):
    """Snakemake clears the place of a job's files first: the message is its own, with a traceback."""
    path = finished.results / FEATURES
    small = disk(path.parent)
    path.unlink()
    small.remount("ro")
    done = finished.snakemake(*finished.targets(FEATURES))
    assert done.returncode == 1
    assert f"Read-only file system: 'results/small/{FEATURES}'" in done.stdout + done.stderr
    assert_whole(finished.folder)
    assert not path.exists()
    small.remount("rw")
    ends_well(finished, undisturbed, FEATURES)


def test_read_only_results_are_refused_before_the_run_begins(finished, undisturbed, disk):
    (finished.results / FEATURES).unlink()
    small = disk(finished.folder / "results")
    small.remount("ro")
    said = finished.refused(FEATURES)
    assert "results cannot be written to results/small: " in said
    assert "is not writable; run elsewhere" in said
    small.remount("rw")
    ends_well(finished, undisturbed, FEATURES)
