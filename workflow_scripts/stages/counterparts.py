"""Find the Gaia DR3, 2MASS and AllWISE counterparts of a sample's objects."""

from pathlib import Path

import numpy as np

from workflow_scripts import counterparts as science
from workflow_scripts import edge, tables
from workflow_scripts.surveys.catalogue import ASK_GENTLY
from workflow_scripts.surveys.mirrors import mirrored

MANNERS = ASK_GENTLY


def main(
    objects: Path,
    counterparts: Path,
    epoch_yr: float,
    radius_arcsec: float,
    folder: Path,
    mirrors: dict[str, str],
    pace: float,
    seed: int,
) -> None:
    """Read the objects, whose positions are of epoch_yr; write a row for each; the archive's answers stay in folder."""
    rows = tables.read(objects, tables.OBJECTS)
    asked = mirrored(science.query(radius_arcsec, epoch_yr), mirrors)
    candidates = science.fetch(
        rows, asked, folder / "gaia_dr3.parquet", MANNERS.paced(pace), np.random.default_rng(seed)
    )
    tables.write(science.choose(rows, candidates, epoch_yr, radius_arcsec), counterparts, science.COUNTERPARTS)


if __name__ == "__main__":
    edge.run(main)
