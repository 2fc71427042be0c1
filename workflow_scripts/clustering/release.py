"""Whether a file of stars is of the release of Gaia that the configuration says, as far as its own columns tell."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from workflow_scripts.clustering.fields import Release
from workflow_scripts.surveys import columns, files
from workflow_scripts.tables import DataError

EPOCHS_YR: dict[Release, float] = {"DR2": 2015.5, "DR3": 2016.0}
# The astrometry of EDR3 is that of DR3.
_DESIGNATIONS: dict[str, Release] = {"GAIA DR2": "DR2", "GAIA EDR3": "DR3", "GAIA DR3": "DR3"}
_EPOCH, _DESIGNATION = ("ref_epoch", "REF_EPOCH"), ("designation", "DESIGNATION")  # as the archive writes them
COLUMNS = (*_EPOCH, *_DESIGNATION)

# Of each different value of a column: as text, the release that it is of if any, and the number of its rows.
_Told = Sequence[tuple[str, Release | None, int]]


def check(file: files.File, release: Release, path: Path) -> None:
    """Compare the columns ref_epoch and designation of a file, where it has them, with a release; null says nothing.

    Raises DataError for values of another release or of none.
    """
    for name in file.rows.column_names:
        if name in _EPOCH:
            expected = f"{EPOCHS_YR[release]:g}"
            _compare(_epochs(file.rows[name], f"{path}: column '{name}' (years)"), release, expected, path, name)
        elif name in _DESIGNATION:
            told = _designated(file.rows[name], f"{path}: column '{name}'")
            _compare(told, release, f"'Gaia {release} ...'", path, name)


def _epochs(column: pa.ChunkedArray, where: str) -> _Told:
    values = columns.numbers(column, where)
    of = {epoch: release for release, epoch in EPOCHS_YR.items()}
    found, n = np.unique(values[~np.isnan(values)], return_counts=True)
    return [(f"{epoch:.10g}", of.get(epoch), rows) for epoch, rows in zip(found.tolist(), n.tolist(), strict=True)]


def _designated(column: pa.ChunkedArray, where: str) -> _Told:
    codes, names = columns.texts(column, where)
    n = np.bincount(codes[codes >= 0], minlength=len(names)).tolist()
    releases = (_DESIGNATIONS.get(name.rpartition(" ")[0].upper()) for name in names)
    return [one for one in zip(map(repr, names), releases, n, strict=True) if one[2]]


def _compare(told: _Told, release: Release, expected: str, path: Path, name: str) -> None:
    wrong = [one for one in told if one[1] != release]
    if not wrong:
        return
    n_wrong, n = (sum(rows for _, _, rows in part) for part in (wrong, told))
    (other, *more) = {of for _, of, _ in told}
    if other and not more:
        advice = f"give the region `release: {other}`, or take the stars from {release}"
    else:
        one = f"all stars must be of one release, {' or '.join(EPOCHS_YR)}, and at its epoch"
        advice = f"{one}: take out other rows, or the column if it is not the archive's {name.lower()}"
    raise DataError(
        f"{path}: column '{name}' is {wrong[0][0]} in {n_wrong} of {n} rows, the region's release is {release}: "
        f"expected {expected}; {advice}"
    )
