"""Published member lists from files: which stars of a region are on them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workflow_scripts.clustering import compare, gaia
from workflow_scripts.surveys import columns, files
from workflow_scripts.tables import DataError

_PROBABILITY = ("PMemb", "Proba", "probability")
_PLACES = {axis: gaia.NATIVE[axis] for axis in ("ra_deg", "dec_deg")}
_ID = gaia.NATIVE["source_id"]


def on_list(path: Path, stars: pa.Table, least_probability: float) -> NDArray[np.bool_]:
    """Stars (n,) of a table STARS that a list has, by position within 1.5 arcsec, or by source_id without positions.

    Where the list has probabilities (PMemb, Proba, probability) rows below the least one are left out. Raises DataError
    for a list with neither positions nor identifiers.
    """
    wanted = {*_PROBABILITY, *_ID, *(name for names in _PLACES.values() for name in (*names,))}
    file = files.read(path, wanted)
    rows, here = file.rows, file.rows.column_names
    for name in [name for name in _PROBABILITY if name in here][:1]:
        probability = columns.numbers(rows[name], f"{path}: column '{name}'")
        rows = rows.filter(pa.array(probability >= least_probability))
    axes = [next((name for name in names if name in here), None) for names in _PLACES.values()]
    if axes[0] and axes[1]:
        ra, dec = (columns.numbers(rows[name], f"{path}: column '{name}'") for name in axes if name)
        return compare.in_region(stars, ra, dec)
    if identifier := next((name for name in _ID if name in here), None):
        ids = rows[identifier].cast(pa.string())
        return np.asarray(pc.is_in(stars["source_id"], ids.combine_chunks()).to_numpy(zero_copy_only=False))
    raise DataError(
        f"{path}: no columns {' or '.join(_PLACES['ra_deg'])} with {' or '.join(_PLACES['dec_deg'])}, and none of "
        f"{', '.join(_ID)}; it has {file.names}; a member list needs positions or identifiers"
    )
