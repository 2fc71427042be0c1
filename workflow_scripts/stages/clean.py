"""Clean the raw light curves of one shard and account for every point."""

import logging
from pathlib import Path

import pyarrow.compute as pc

from workflow_scripts import edge, shards, tables
from workflow_scripts.lightcurve.clean import Cuts, clean

log = logging.getLogger(__name__)


def main(raw: Path, light_curves: Path, cleaning: Path, cuts: Cuts, shard: str) -> None:
    """Read raw light curves; write the clean ones and the table of what each cut removed."""
    cleaned, removed = clean(shards.read(raw, tables.RAW_LIGHT_CURVES, int(shard)), cuts)
    tables.write(cleaned, light_curves, tables.LIGHT_CURVES)
    tables.write(removed, cleaning, tables.CLEANING)
    for column in tables.CLEANING.columns:
        if column.name.startswith("n_"):
            log.info("%9d %s", pc.sum(removed[column.name]).as_py() or 0, column.meaning)
    log.info("%d of %d light curves kept", cleaned.num_rows, removed.num_rows)


if __name__ == "__main__":
    edge.run(main)
