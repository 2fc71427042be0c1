"""Check a sample's catalogue against published catalogues."""

import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts import edge, tables
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
    known = pa.concat_tables([tables.read(path, tables.OBJECTS, _LABELLED) for path in labelled])
    used = tables.read(split, tables.SPLIT, ["object_id"])["object_id"].combine_chunks()
    trained = known.filter(pc.is_in(known["object_id"], value_set=used))
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
