"""Command `make verify`: does a run again and compares every file byte for byte; no rule of the workflow runs it."""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from workflow_scripts import edge, fingerprint, provenance, rerun
from workflow_scripts.rerun import Comparison
from workflow_scripts.tables import DataError


def main(run: Path, cores: int = 1, against: Path | None = None, keep: bool = False) -> None:
    """Print what is the same, and end with 1 unless all is that the settings of a run (--run results/demo) make.

    The run is done again on so many --cores in a folder beside it, which stays only where something differs or with
    --keep true. --against takes the results of another finished run in its place, such as one made on a cluster.
    """
    run = run.absolute()
    said = _said(run)
    for name, now in (("code", fingerprint.code("stages")), ("lock", provenance.lock())):
        if said[name] != now:
            sys.stdout.write(f"The {name} is not that of the run any more ({said[name]}, now {now}).\n")
    folder = None
    if against:
        other = against.absolute()
    else:
        folder = Path(tempfile.mkdtemp(prefix=".verify-", dir=run.parent))
        other = rerun.repeat(run, said["configuration"], folder, cores)
    found = rerun.compare(run, other, said["varies"])
    if folder:
        found = rerun.without_left(found, other)
    sys.stdout.write(_text(found, run, other))
    if folder and found.agrees and not keep:
        shutil.rmtree(folder)
    if not found.agrees:
        sys.exit(1)


def _said(run: Path) -> dict[str, Any]:
    path = run / "provenance.json"
    if not path.is_file():
        raise DataError(f"{path} does not exist; --run must name the folder of a finished run, such as results/demo")
    said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return said


def _text(found: Comparison, run: Path, other: Path) -> str:
    parts = {
        "same": found.same,
        "different": found.different,
        f"only in {run}": found.missing,
        f"only in {other}": found.more,
    }
    if found.left:
        parts[f"left in {run} from earlier settings"] = found.left
    lines = [f"{len(names):8d}  {what}" for what, names in parts.items()]
    for what, names in list(parts.items())[1:]:
        lines += [f"{what}: {name}" for name in names]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    edge.run(main)
