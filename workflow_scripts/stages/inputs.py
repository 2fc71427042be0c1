"""Stage of rule inputs: what went into a branch of the run, each with its SHA-256, and the record of the run."""

import itertools
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from workflow_scripts import digests, edge, provenance, tables

_LOG = logging.getLogger(__name__)


def main(
    files: list[Path],
    light_curves: list[Path],
    inputs: Path,
    record: Path,
    described: list[tuple[str, ...]],
    from_archives: dict[str, int],
    simulated: list[str],
    configuration: dict[str, Any],
    lock: str,
) -> None:
    """Hash the files (described: what and whose) and the light curves, in order, so many shards of each sample."""
    rows = [*_files(files, described), *_light_curves(light_curves, from_archives)]
    seed = f"SIMULATED, seed {configuration['seed']}"
    rows += [_row("simulation", name, seed) for name in simulated]
    tables.write(pa.Table.from_pylist(rows, provenance.INPUTS.schema), inputs, provenance.INPUTS)
    text = json.dumps(provenance.record(configuration, lock, rows), indent=2, sort_keys=True)
    with tables.whole(record) as part:
        part.write_text(text + "\n", encoding="utf-8")
    _LOG.info("%d inputs, %.1f MB", len(rows), sum(row["bytes"] or 0 for row in rows) / 1e6)


def _files(paths: list[Path], described: list[tuple[str, ...]]) -> Iterator[dict[str, Any]]:
    for path, (what, whose) in zip(paths, described, strict=True):
        yield _row(what, whose, path.as_posix(), path.stat().st_size, digests.of_file(path))


def _light_curves(shards: list[Path], samples: dict[str, int]) -> Iterator[dict[str, Any]]:
    rest = iter(shards)
    for name, n_shards in samples.items():
        mine = list(itertools.islice(rest, n_shards))
        yield _row("light curves", name, mine[0].parent.as_posix(), *digests.of_light_curves(mine))


def _row(what: str, whose: str, name: str, size: int | None = None, sha256: str | None = None) -> dict[str, Any]:
    return {"what": what, "whose": whose, "name": name, "bytes": size, "sha256": sha256}


if __name__ == "__main__":
    edge.run(main)
