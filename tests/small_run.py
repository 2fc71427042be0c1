"""Runs of the whole workflow that are small enough for a test, started, watched and compared."""

import contextlib
import fnmatch
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from workspace import ROOT, run_snakemake

from workflow_scripts import tables
from workflow_scripts.stages.provenance import VARIES

CONFIG = {
    "run": "small",
    "shards": 2,
    "samples": {
        "known": {"role": "labelled", "source": "demo", "demo": {"objects": 400}},
        "field": {"role": "science", "source": "demo", "demo": {"objects": 120, "mix": "field"}},
    },
    "training": {
        "folds": 3,
        "compare": ["lightgbm"],
        "rounds": 40,
        "learning_rate": 0.1,
        "trees": 20,
        "permutations": 1,
    },
}
# Less of everything, where a run is made many times; and what such a run is asked for.
LITTLE = {
    "samples": {
        "known": {"role": "labelled", "source": "demo", "demo": {"objects": 240}},
        "field": {"role": "science", "source": "demo", "demo": {"objects": 40, "mix": "field"}},
    },
    "training": {"folds": 3, "rounds": 5, "learning_rate": 0.1},
}
MADE = ("catalogue/field/catalogue.parquet", "models/random/lightgbm-original.parquet")
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds its jobs in /proc")


@dataclass(frozen=True)
class Run:
    """A run of the workflow in a folder of its own."""

    folder: Path
    config: Path

    @property
    def results(self) -> Path:
        return self.folder / "results/small"

    def options(self, snakefile: Path = ROOT / "Snakefile") -> list[object]:
        return ["--snakefile", snakefile, "--directory", self.folder, "--configfile", self.config, "--rerun-incomplete"]

    def snakemake(self, *more: object, cores: int = 2, snakefile: Path = ROOT / "Snakefile"):
        return run_snakemake(self.folder, *more, *self.options(snakefile), cores=cores, timeout=900)

    def start(self, *targets: str, cores: int = 1) -> subprocess.Popen:
        """Start snakemake in a process group of its own and do not wait for it."""
        command = [Path(sys.executable).with_name("snakemake"), "--cores", cores, *targets, *self.options()]
        return subprocess.Popen(
            [*map(str, command)],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def complete(self, *names: str, cores: int = 2) -> None:
        """Make files of the results; nothing may stand in the way any more."""
        done = self.snakemake(*self.targets(*names), cores=cores)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-5000:]

    def refused(self, *names: str, cores: int = 2, more: tuple[str, ...] = ()) -> str:
        """Give what snakemake says while it fails to make files of the results; a traceback is no message."""
        done = self.snakemake(*self.targets(*names), *more, cores=cores)
        said = done.stdout + done.stderr
        assert done.returncode == 1, said
        assert "Traceback" not in said, said
        return said

    def targets(self, *names: str) -> list[str]:
        return [f"results/small/{name}" for name in names]

    def read(self, name: str, table: tables.Table, sample: str):
        """All shards of a table of one sample."""
        return tables.read_all(sorted((self.results / name / sample).glob("*.parquet")), table)

    def files(self) -> dict[str, str]:
        """Give the sha256 of every file of the results, but for logs and what else tells of one run."""
        found = (path for path in self.results.rglob("*") if path.is_file())
        names = {path.relative_to(self.results).as_posix(): path for path in found}
        once = [pattern for pattern in VARIES if pattern != "*.damaged"]
        kept = [name for name in sorted(names) if not any(fnmatch.fnmatchcase(name, pattern) for pattern in once)]
        return {name: sha256(names[name]) for name in kept}


def new_run(folder: Path, **changes: object) -> Run:
    config = folder / "small.yaml"
    config.write_text(yaml.safe_dump(CONFIG | changes))
    return Run(folder, config)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def jobs_of(parent: int) -> Iterator[int]:
    """Processes below a process that run a stage."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            ancestor = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (entry / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if ancestor == parent:
            if "/.snakemake/scripts/" in command:
                yield int(entry.name)
            yield from jobs_of(int(entry.name))


def working_in(folder: Path) -> list[int]:
    """Processes that work in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cwd").resolve() == folder.resolve():
                found.append(int(entry.name))
    return found


def wait_for(what, seconds: float = 600):
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.005)
    return found


def assert_whole(folder: Path) -> None:
    """No file under its final name is half written."""
    for path in folder.glob("results/**/*"):
        if path.suffix == ".parquet" and not path.name.startswith("."):
            pq.read_table(path, page_checksum_verification=True, partitioning=None)
        elif path.suffix == ".json" and not path.name.startswith("."):
            json.loads(path.read_text())


def assert_same(run: Run, undisturbed: Run, *names: str) -> None:
    """Every file of a run is the same, byte for byte, as that of one that nothing disturbed; none is left over."""
    found, expected = run.files(), undisturbed.files()
    assert set(names) <= set(found)
    assert found == {name: expected.get(name, "no such file") for name in found}
