"""Do a run again in a fresh folder with the settings that it recorded, and compare all its files byte for byte."""

import fnmatch
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workflow_scripts import digests, input_files, provenance
from workflow_scripts.tables import DataError

SETTINGS = "provenance/configuration.yaml"
_WHOLE = ".snakemake_timestamp"  # what Snakemake leaves in a folder that one job makes anew as a whole


@dataclass(frozen=True)
class Comparison:
    """Names of the files that are the same, differ, are in the run alone, and in the other alone; each sorted.

    left: in the run alone, since its settings do not make them.
    """

    same: list[str]
    different: list[str]
    missing: list[str]
    more: list[str]
    left: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """True if both hold the same files with the same bytes, but for what earlier settings left."""
        return not (self.different or self.missing or self.more)


def compare(run: Path, other: Path, varies: Sequence[str]) -> Comparison:
    """Compare the files of two folders by SHA-256, without those whose names fit a pattern of varies."""
    first, second = (_names(folder, varies) for folder in (run, other))
    both = sorted(first & second)
    same = {name for name in both if digests.of_file(run / name) == digests.of_file(other / name)}
    different = [name for name in both if name not in same]
    return Comparison(sorted(same), different, sorted(first - second), sorted(second - first))


def without_left(found: Comparison, repeated: Path) -> Comparison:
    """Comparison with a run that was repeated to its end: what that lacks, the present settings do not make.

    Nothing is left in a folder that one job makes as a whole: a file that is missing there is a difference.
    """
    left = [name for name in found.missing if not (repeated / name).with_name(_WHOLE).exists()]
    return replace(found, missing=[name for name in found.missing if name not in set(left)], left=left)


def repeat(run: Path, config: Mapping[str, Any], folder: Path, cores: int) -> Path:
    """Run the workflow in folder as in the run's folder, and give the folder of the new results.

    What was downloaded is taken from the run, so that no archive is asked. Raises DataError if the run fails.
    """
    work = _prepare(run, config, folder)
    where = ["--snakefile", provenance.ROOT / "Snakefile", "--directory", work, "--configfile", run / SETTINGS]
    command = [sys.executable, "-m", "snakemake", "--cores", cores, *where]
    with (work / "snakemake.log").open("wb") as log:
        done = subprocess.run([*map(str, command)], stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise DataError(f"the run in {work} ended with exit code {done.returncode}; {work}/snakemake.log says why")
    return work / "results" / str(config["run"])


def _prepare(run: Path, config: Mapping[str, Any], folder: Path) -> Path:
    """Folder to work in where the paths of the settings lead to the same files as in the run's own."""
    origin = run.parents[1]  # a run's results are in results/<run> of the folder it was started in
    paths = [Path(name) for name in input_files.from_user(config) if not Path(name).is_absolute()]
    # As deep as the settings climb, so that ../data stays inside.
    work = Path(folder, *["rerun"] * (1 + max((path.parts.count("..") for path in paths), default=0)))
    results = work / "results" / str(config["run"])
    results.mkdir(parents=True)
    for path in paths:
        link = Path(os.path.normpath(work / path))
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to((origin / path).resolve())
    for kept, place in ((run / "downloads", results / "downloads"), (origin / "results/dust", work / "results/dust")):
        if kept.is_dir():  # links, not copies: a file of either is replaced as a whole and never written into
            shutil.copytree(kept, place, copy_function=os.link)
    return work


def _names(folder: Path, varies: Sequence[str]) -> set[str]:
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in names if not any(fnmatch.fnmatchcase(name, pattern) for pattern in varies)}
