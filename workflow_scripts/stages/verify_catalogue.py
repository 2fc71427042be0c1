"""Check a sample's catalogue against published catalogues."""

import logging
from pathlib import Path

from workflow_scripts import edge, tables
from workflow_scripts.verification import VERIFICATION, verify

_LOG = logging.getLogger(__name__)


def main(
    catalogue: Path, references: list[Path], verification: Path, classes: dict[str, list[str]], radius_arcsec: float
) -> None:
    """Read the catalogue and the published ones; write on how many common objects the classes agree."""
    rows = tables.read(catalogue, tables.OBJECTS, ["ra_deg", "dec_deg", "class"])
    published = {path.stem: tables.read(path, tables.SOURCES) for path in references}
    found = verify(rows, published, classes, radius_arcsec)
    tables.write(found, verification, VERIFICATION)
    for row in found.to_pylist():
        if row["class"] == "all":
            _LOG.info("%(reference)s: %(n_common)d common objects, %(n_agree)d of the same class", row)


if __name__ == "__main__":
    edge.run(main)
