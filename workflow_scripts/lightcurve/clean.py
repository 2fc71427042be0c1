"""Cleaning of light curves: unusable points, impossible values, duplicates and outliers (Qiao 2024, 2.2).

Every cut is made over all light curves of a shard at once, and every removed point is counted in the first cut
that removes it. The result does not depend on the order of the points.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts import tables
from workflow_scripts.lightcurve import ragged

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

TIME_RANGE_MJD = (15020.0, 88069.0)  # 1900-01-01 to 2100-01-01

# ASSUME a magnitude outside -5 to 40 stands for a missing value (99.999, -9.99, -999, ...): Sirius has -1.5.
MAG_RANGE = (-5.0, 40.0)

# ASSUME an error of 9 mag or more, of either sign, stands for a missing value (9.999, 99, -99, ...).
ERROR_LIMIT_MAG = 9.0


@dataclass(frozen=True)
class Cuts:
    """Settings of the cuts; meanings and defaults stand in config.schema.yaml under `cleaning`."""

    min_observations: int
    clip_sigma: float
    clip_iterations: int
    clip_side: Literal["both", "bright"]
    max_error_ratio: float


def clean(raw: pa.Table, cuts: Cuts) -> tuple[pa.Table, pa.Table]:
    """Remove bad points and outliers, then drop light curves with fewer than min_observations points.

    Takes tables.RAW_LIGHT_CURVES; gives tables.LIGHT_CURVES, sorted in time, without the dropped ones, and
    tables.CLEANING with a row for each light curve: n_raw is the sum of all n_<cut> and n_kept. Reference: Qiao
    2024, 2.2 (criteria 1 to 3); Kim 2011, 5.1 (error limit, only if max_error_ratio is above 0).
    """
    # DEVIATES Qiao 2024 2.2: impossible values and duplicates go too; the paper names only flags and the clip.
    points = _sorted_points(raw)
    left = np.ones(len(points.curve), dtype=bool)
    removed = {}
    for cut in tables.CUTS:
        bad = left & _CUTS[cut](points, left, cuts)
        removed[cut] = points.count(bad)
        left &= ~bad
    # ASSUME the 50 observations of Qiao 2024 2.2 are counted after the cuts; the paper does not say.
    kept = points.count(left) >= cuts.min_observations
    return _light_curves(raw, points, left, kept), _cleaning(raw, points, removed, left, kept)


@dataclass(frozen=True)
class _Points:
    """Points of n light curves end to end, each curve sorted by time, then error, then magnitude."""

    n: int
    curve: NDArray[np.int64]
    time: Reals
    mag: Reals
    mag_err: Reals
    usable: Flags

    def count(self, chosen: Flags) -> NDArray[np.int64]:
        """Chosen points of each light curve, shape (n,)."""
        return np.bincount(self.curve[chosen], minlength=self.n)

    def mean(self, values: Reals, chosen: Flags) -> Reals:
        """Mean over the chosen points of the point's own light curve, for every point; 0 where none is chosen.

        The sum runs over the points one after the other, so it is the same in whatever shard the curve stands.
        """
        total = np.bincount(self.curve[chosen], weights=values[chosen], minlength=self.n)
        return (total / np.maximum(self.count(chosen), 1))[self.curve]


def _sorted_points(raw: pa.Table) -> _Points:
    curves = ragged.from_table(raw)
    usable = raw["usable"].combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(bool)
    curve = np.repeat(np.arange(len(curves)), np.diff(curves.offsets))
    order = np.lexsort((curves.mag, curves.mag_err, curves.time, curve))
    return _Points(
        len(curves), curve[order], curves.time[order], curves.mag[order], curves.mag_err[order], usable[order]
    )


def _flagged(points: _Points, _left: Flags, _cuts: Cuts) -> Flags:
    return ~points.usable


def _absurd_time(points: _Points, _left: Flags, _cuts: Cuts) -> Flags:
    return ~((points.time >= TIME_RANGE_MJD[0]) & (points.time <= TIME_RANGE_MJD[1]))


def _not_finite(points: _Points, _left: Flags, _cuts: Cuts) -> Flags:
    return ~(np.isfinite(points.mag) & np.isfinite(points.mag_err))


def _sentinel(points: _Points, _left: Flags, _cuts: Cuts) -> Flags:
    impossible = (points.mag < MAG_RANGE[0]) | (points.mag > MAG_RANGE[1])
    return impossible | (np.abs(points.mag_err) >= ERROR_LIMIT_MAG)


def _bad_error(points: _Points, _left: Flags, _cuts: Cuts) -> Flags:
    return points.mag_err <= 0


def _large_error(points: _Points, left: Flags, cuts: Cuts) -> Flags:
    """Errors greater than max_error_ratio times the mean error of the light curve (Kim 2011, 5.1: 3 times)."""
    if not cuts.max_error_ratio:
        return np.zeros_like(left)
    return points.mag_err > cuts.max_error_ratio * points.mean(points.mag_err, left)


def _duplicate(points: _Points, left: Flags, _cuts: Cuts) -> Flags:
    """All but one of the points at exactly the same time: the smallest error stays, then the smallest magnitude."""
    index = np.flatnonzero(left)
    again = (np.diff(points.curve[index]) == 0) & (np.diff(points.time[index]) == 0)
    duplicate = np.zeros_like(left)
    duplicate[index[1:][again]] = True
    return duplicate


def _clipped(points: _Points, left: Flags, cuts: Cuts) -> Flags:
    """Points further than clip_sigma standard deviations from the mean (Qiao 2024, 2.2, criterion 3)."""
    # ASSUME the paper's sigma is the standard deviation of the light curve itself, with n (not n - 1) below the line.
    inside = left.copy()
    for _ in range(cuts.clip_iterations):
        offset = points.mag - points.mean(points.mag, inside)
        limit = cuts.clip_sigma * np.sqrt(points.mean(offset**2, inside))
        far = inside & ((-offset > limit) if cuts.clip_side == "bright" else (np.abs(offset) > limit))
        inside &= ~far
        if not far.any():
            break
    return left & ~inside


_CUTS = {
    "flagged": _flagged,
    "absurd_time": _absurd_time,
    "not_finite": _not_finite,
    "sentinel": _sentinel,
    "bad_error": _bad_error,
    "large_error": _large_error,
    "duplicate": _duplicate,
    "clipped": _clipped,
}


def _light_curves(raw: pa.Table, points: _Points, left: Flags, kept: Flags) -> pa.Table:
    chosen = left & kept[points.curve]
    lengths = points.count(chosen)[kept]
    rows = raw.select(["object_id", "band"]).filter(pa.array(kept))
    return pa.table(
        {
            "object_id": rows["object_id"],
            "band": rows["band"],
            "time": ragged.to_lists(points.time[chosen], lengths),
            "mag": ragged.to_lists(points.mag[chosen].astype(np.float32), lengths),
            "mag_err": ragged.to_lists(points.mag_err[chosen].astype(np.float32), lengths),
        },
        schema=tables.LIGHT_CURVES.schema,
    )


def _cleaning(
    raw: pa.Table, points: _Points, removed: dict[str, NDArray[np.int64]], left: Flags, kept: Flags
) -> pa.Table:
    counts = {"n_raw": points.count(np.ones_like(left))}
    counts |= {f"n_{cut}": number for cut, number in removed.items()}
    counts["n_kept"] = points.count(left)
    columns = {name: pa.array(number.astype(np.int32)) for name, number in counts.items()}
    rows = {"object_id": raw["object_id"], "band": raw["band"], **columns, "kept": pa.array(kept)}
    return pa.table(rows, schema=tables.CLEANING.schema)
