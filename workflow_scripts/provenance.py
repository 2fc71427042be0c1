"""What does not change between identical runs: lock, settings, seed and inputs; every final table carries this record.

It holds no date, no host and nothing that only says how the work was done, so that the same work gives the same bytes.
"""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from workflow_scripts import digests, fingerprint
from workflow_scripts.tables import Column, DataError, Table

ROOT = fingerprint.PACKAGE.parent
# Settings that change no catalogue: into how many parts the work is cut, the pauses between requests, who reads a
# collection. With them in the record, the same catalogue made in 10 and in 1000 shards would differ in its bytes.
HOW = ("shards", "pace")
MANY = 20  # more files of one kind are one entry of the record: it is written into every final table

INPUTS = Table(
    "inputs",
    (
        Column("what", pa.string(), "", "what it is: light curves, objects, photometry, catalogue, counterparts, ..."),
        Column("whose", pa.string(), "", "sample or region that it is for; empty = for all"),
        Column("name", pa.string(), "", "file as the configuration names it, or table of the run; SIMULATED with seed"),
        Column("bytes", pa.int64(), "", "bytes; null = simulated", True),
        Column("sha256", pa.string(), "", "SHA-256 of the file, or of all light curves; null = simulated", True),
    ),
)


def lock() -> str:
    """SHA-256 of requirements.lock, which fixes the versions of all packages."""
    path = ROOT / "requirements.lock"
    if not path.is_file():
        raise DataError(f"{path} does not exist; it belongs to the workflow, fetch it with the rest")
    return digests.of_file(path)


def recorded(config: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings of a run that say what is computed, without those of HOW."""
    kept: dict[str, Any] = json.loads(json.dumps({key: value for key, value in config.items() if key not in HOW}))
    for sample in kept["samples"].values():
        sample.pop("shards", None)
        sample.get("hats", {}).pop("dask", None)
    return kept


def record(configuration: Mapping[str, Any], lock: str, inputs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Record of a run from its recorded settings, the lock's SHA-256 and rows of INPUTS."""
    return {
        "lock": lock,
        "seed": configuration["seed"],
        "configuration": dict(configuration),
        "inputs": list(_grouped(inputs)),
    }


def _grouped(inputs: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give the rows, but one entry for many files of one kind: SHA-256 of their lines as sha256sum prints them."""
    for (what, whose), group in itertools.groupby(inputs, key=lambda row: (row["what"], row["whose"])):
        rows = [dict(row) for row in group]
        if len(rows) <= MANY:
            yield from rows
            continue
        lines = "".join(sorted(f"{row['sha256']}  {row['name']}\n" for row in rows))
        yield {
            "what": what,
            "whose": whose,
            "name": f"{len(rows)} files",
            "bytes": sum(row["bytes"] for row in rows),
            "sha256": hashlib.sha256(lines.encode()).hexdigest(),
        }
