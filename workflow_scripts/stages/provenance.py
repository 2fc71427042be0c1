"""Stage of rule provenance: what a run was made from, with what, where, when and at what cost, and its RO-Crate."""

import json
import logging
import platform
import shutil
from pathlib import Path
from typing import Any

import yaml

from workflow_scripts import crate, digests, edge, fingerprint, jobs, tables, versions
from workflow_scripts import provenance as records

_LOG = logging.getLogger(__name__)
# What cannot be the same twice: dates, hosts, times, where an archive's answers were broken off, what a fault left.
VARIES = ("logs/*", "downloads/*", "*.damaged", "provenance.json", "ro-crate-metadata.json")


def main(
    final: list[Path],
    inputs: list[Path],
    provenance: Path,
    ro_crate: Path,
    workflow: Path,
    settings: Path,
    run: str,
    configuration: dict[str, Any],
    lock: str,
) -> None:
    """Write provenance.json, copies of the Snakefile and of the settings, and the RO-Crate of all."""
    folder = provenance.parent
    with tables.whole(workflow) as part:
        shutil.copyfile(records.ROOT / "Snakefile", part)
    with tables.whole(settings) as part:
        part.write_text(yaml.safe_dump(configuration, sort_keys=False, allow_unicode=True), encoding="utf-8")
    names = sorted((path.relative_to(folder).as_posix(), path) for path in final)
    said = {
        "run": run,
        "configuration": configuration,
        "seed": configuration["seed"],
        "lock": lock,
        "code": fingerprint.code("stages"),
        "inputs": [row for path in inputs for row in tables.read(path, records.INPUTS).to_pylist()],
        "tables": {name: digests.of_file(path) for name, path in names},
        "versions": versions.installed(records.ROOT / "pyproject.toml"),
        "platform": platform.platform(),
        "jobs": jobs.summary(list(jobs.read(folder / "logs"))),
        "varies": VARIES,
    }
    with tables.whole(provenance) as part:
        part.write_text(json.dumps(said, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    crate.write(ro_crate, said, *(path.relative_to(folder).as_posix() for path in (workflow, settings)))
    _LOG.info("%d final files, %d inputs", len(names), len(said["inputs"]))


if __name__ == "__main__":
    edge.run(main)
