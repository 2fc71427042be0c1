"""Objects at the place of one that the models were trained on: what these models say of them is no test of anything.

Two samples may have one star under two identifiers, of two surveys or of two fields and detectors of one.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts.crossmatch import Positions, Rule, match
from workflow_scripts.crossmatch.positions import Flags, Rows
from workflow_scripts.split import MOST_OF_A_STAR, STAR_RADIUS_ARCSEC
from workflow_scripts.tables import Column

NAME = "trained_on"
COLUMN = Column(
    NAME,
    pa.string(),
    "",
    f"object within {STAR_RADIUS_ARCSEC:g} arcsec that the models were trained on: the same star under another "
    "identifier or a close neighbour; of the same star, class and probability are no prediction (see its own row in "
    "the labelled sample's catalogue). null = none, or no coordinates",
    True,
    "meta.id.cross",
)


def used(labelled: pa.Table, split: pa.Table) -> pa.Table:
    """Rows of labelled objects that the models were trained on: those of the split."""
    return labelled.filter(pc.is_in(labelled["object_id"], value_set=split["object_id"].combine_chunks()))


def neighbours(objects: pa.Table, trained: pa.Table) -> pa.Array:
    """COLUMN of objects, given those that the models were trained on (both: object_id, ra_deg, dec_deg), shape (n,).

    An object that is itself among these has none: models that never saw it classify it. Of several the nearest counts.
    """
    # ASSUME positions are compared as published: a star that moves more than 1.5 arcsec between the epochs of two
    # surveys is not found among those that were trained on; nor is one whose coordinates more than 20 objects share.
    itself = pc.is_in(objects["object_id"], value_set=trained["object_id"].combine_chunks()).to_numpy()
    rows, own = _placed(objects, ~itself), _placed(trained, np.ones(trained.num_rows, dtype=bool))
    a, b = (_positions(side.take(pa.array(at))) for side, at in ((objects, rows), (trained, own)))
    pairs = match(a, b, Rule(STAR_RADIUS_ARCSEC, "nearest"))
    name = np.full(objects.num_rows, None, dtype=object)
    name[rows[pairs["a_row"].to_numpy()]] = trained["object_id"].to_numpy()[own[pairs["b_row"].to_numpy()]]
    return pa.array(name, pa.string())


def _placed(objects: pa.Table, wanted: Flags) -> Rows:
    """Rows of the wanted objects with coordinates that no more than 20 of them have."""
    known = pc.and_(objects["ra_deg"].is_valid(), objects["dec_deg"].is_valid()).to_numpy()
    rows = np.flatnonzero(known & wanted)
    at = _positions(objects.take(pa.array(rows)))
    _, place, count = np.unique(at.ra_deg + 1j * at.dec_deg, return_inverse=True, return_counts=True)
    return rows[count[place] <= MOST_OF_A_STAR]


def _positions(objects: pa.Table) -> Positions:
    return Positions(objects["ra_deg"].to_numpy(), objects["dec_deg"].to_numpy())
