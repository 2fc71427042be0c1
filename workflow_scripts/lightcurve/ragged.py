"""Light curves as ragged arrays: values end to end, with the offsets at which each light curve begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class LightCurves:
    """n light curves: curve i holds the points offsets[i] to offsets[i + 1].

    time [d, MJD], mag and mag_err [mag] are float64 of shape (offsets[-1],); offsets is int64 of shape (n + 1,).
    """

    offsets: NDArray[np.int64]
    time: Reals
    mag: Reals
    mag_err: Reals

    def __len__(self) -> int:
        """Count the light curves."""
        return len(self.offsets) - 1


def from_table(rows: pa.Table) -> LightCurves:
    """Ragged arrays of a light-curve table (tables.LIGHT_CURVES), in its row order.

    They are copies: for Arrow's own memory, which is read-only, all kernels would be compiled once more.
    """
    time, mag, mag_err = (rows[name].combine_chunks() for name in ("time", "mag", "mag_err"))
    lengths = time.value_lengths().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return LightCurves(offsets, *(np.array(a.flatten(), dtype=np.float64) for a in (time, mag, mag_err)))


def objects(object_ids: Sequence[str]) -> NDArray[np.int64]:
    """Row at which each object begins, and the number of rows; rows of one object follow each other."""
    ids = np.asarray(object_ids, dtype=object)
    return np.flatnonzero(np.r_[True, ids[1:] != ids[:-1], True][: len(ids) + 1] if len(ids) else [True])


def to_lists(values: NDArray[Any], lengths: NDArray[np.integer]) -> pa.ListArray:
    """List column whose i-th list has lengths[i] of the values, end to end."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))
