"""Check a sample's catalogue against published catalogues."""

import logging
from pathlib import Path

from workflow_scripts import edge, tables, trained_on
from workflow_scripts.verification import VERIFICATION, verify

_LOG = logging.getLogger(__name__)


_PLACE_AND_CLASS = ["ra_deg", "dec_deg", "class"]
_LABELLED = ["object_id", *_PLACE_AND_CLASS]


def main(
    catalogue: Path,
    references: list[Path],
    labelled: list[Path],
    split: Path,
    verification: Path,
    classes: dict[str, list[str]],
    radius_arcsec: float,
) -> None:
    """Read the catalogue, the published and the labelled objects; write on how many common ones the classes agree.

    Of the labelled objects those of the split were trained on.
    """
    rows = tables.read(catalogue, tables.OBJECTS, _PLACE_AND_CLASS)
    known = tables.read_all(labelled, tables.OBJECTS, _LABELLED)
    trained = trained_on.used(known, tables.read(split, tables.SPLIT, ["object_id"]))
    published = {path.stem: tables.read(path, tables.SOURCES) for path in references}
    found = verify(rows, published, classes, radius_arcsec, trained)
    tables.write(found, verification, VERIFICATION)
    for row in found.to_pylist():
        if row["class"] == "all":
            _LOG.info(
                "%(reference)s: %(n_common)d common objects, %(n_trained_on)d of them trained on; of the others "
                "%(n_agree)d are of the same class",
                row,
            )


if __name__ == "__main__":
    edge.run(main)
