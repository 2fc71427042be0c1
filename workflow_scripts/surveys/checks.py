"""Are a user's numbers what the configuration says they are? Checks that refuse a wrong unit or time system early."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.lightcurve.clean import MAG_RANGE, TIME_RANGE_MJD
from workflow_scripts.tables import DataError

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
TimeFormat = Literal["mjd", "jd", "jd-2450000", "jd-2400000"]

# MJD minus the time in each format [d].
TO_MJD: dict[TimeFormat, float] = {"mjd": 0.0, "jd": -2400000.5, "jd-2450000": 49999.5, "jd-2400000": -0.5}


def check_times(where: Sequence[str], time: Sequence[Reals], time_format: TimeFormat) -> None:
    """Raise DataError if more than half of all finite times, or of one file, fall outside 1900-2100 as MJD."""

    def sensible(times: Reals, offset: float = TO_MJD[time_format]) -> Flags:
        return (times + offset >= TIME_RANGE_MJD[0]) & (times + offset <= TIME_RANGE_MJD[1])

    worst = _mostly_bad(where, time, sensible)
    if worst:
        better = [f for f, offset in TO_MJD.items() if np.mean(sensible(worst.values, offset)) > 0.5]
        advice = _advice(better[0]) if better else _NO_FORMAT
        raise DataError(
            f"{worst.place}: {worst.share:.0%} of the times, such as {worst.example}, are outside the years 1900-2100 "
            f"if they are {time_format.upper()}{_OTHERS_FIT if worst.alone else ''}; {advice}"
        )


_OTHERS_FIT = ", as those of the other files are: convert this file, or make it a sample of its own"


def _advice(time_format: TimeFormat) -> str:
    """Say what to do with times that fit a format; small numbers may be days since anything."""
    meant = f"{time_format.upper()}: set time_format: {time_format}"
    if time_format != "jd-2450000":
        return f"they look like {meant}"
    return (
        "convert days since another epoch, such as BTJD (JD-2457000) or the first point, to MJD first; if they are "
        f"{meant}"
    )


_NO_FORMAT = f"no time_format ({', '.join(TO_MJD)}) fits them: convert them to MJD, or map another column to `time`"


def check_magnitudes(where: Sequence[str], mag: Sequence[Reals]) -> None:
    """Raise DataError if more than half of all finite magnitudes, or of one file, are outside -5 to 40."""
    worst = _mostly_bad(where, mag, lambda m: (m >= MAG_RANGE[0]) & (m <= MAG_RANGE[1]))
    if worst:
        raise DataError(
            f"{worst.place}: {worst.share:.0%} of the magnitudes, such as {worst.example}, are outside "
            f"{MAG_RANGE[0]:g} to {MAG_RANGE[1]:g}; they look like fluxes or another unit: convert them to magnitudes"
        )


def check_errors(where: Sequence[str], mag_err: Sequence[Reals]) -> None:
    """Raise DataError if more than half of all finite errors, or of one file, are zero or below, or above 1 mag."""
    worst = _mostly_bad(where, mag_err, lambda e: e > 0)
    if worst:
        raise DataError(
            f"{worst.place}: {worst.share:.0%} of the magnitude errors, such as {worst.example}, are zero or below; "
            "expected standard errors in mag: map the right column to `mag_err`"
        )
    # ASSUME no light curve is worth reading whose median error is above 1 mag: larger ones are in another unit.
    worst = _mostly_bad(where, mag_err, lambda e: e <= 1)
    if worst:
        raise DataError(
            f"{worst.place}: {worst.share:.0%} of the magnitude errors, such as {worst.example}, are above 1 mag; they "
            "look like millimagnitudes: convert them to mag, or map the right column to `mag_err`"
        )


def check_coordinates(where: str, values: Reals, low: float, high: float, closed: bool) -> None:
    """Raise DataError if a coordinate [deg] is below low or above high (or at high, unless closed); NaN is missing."""
    bad = (values < low) | (values > high) | ((values == high) & (not closed))
    if bad.any():
        raise DataError(
            f"{where} has {bad.sum()} of {len(values)} values outside {low:g} to {high:g} degrees, such as "
            f"{float(values[bad][0])!r}; expected ICRS degrees: convert them, and leave missing ones empty"
        )


@dataclass(frozen=True)
class _Worst:
    """A file with bad values: an example, the bad share and the finite values of it alone, or of all files."""

    place: str
    example: float
    share: float
    values: Reals
    alone: bool


# A file by itself is judged from so many values on, since those of one star may be few and odd, and if its bad ones are
# more than so many different numbers: a star without a good point has one or two that stand for a missing value (-99,
# 99.999), which cleaning takes out. Fluxes, and times in another system, are all different.
_FEWEST, _SENTINELS = 20, 3


def _mostly_bad(where: Sequence[str], values: Sequence[Reals], good: Callable[[Reals], Flags]) -> _Worst | None:
    """Worst file, if more than half of the values of all files are bad; else the worst file that is bad by itself."""
    finite = [v[np.isfinite(v)] for v in values]
    bad = [v[~good(v)] for v in finite]
    shares = [len(b) / max(len(v), 1) for b, v in zip(bad, finite, strict=True)]
    total = sum(len(v) for v in finite)
    if not total:
        raise DataError(f"{where[0]}: no value is a finite number; map the right column, or check how it was written")
    share, worst = sum(len(v) for v in bad) / total, int(np.argmax(shares))
    if share > 0.5:
        return _Worst(where[worst], float(bad[worst][0]), share, np.concatenate(finite), alone=False)
    wrong = [i for i, part in enumerate(shares) if part > 0.5 and _is_telling(finite[i], bad[i])]
    worst = max(wrong, key=shares.__getitem__, default=-1)
    return _Worst(where[worst], float(bad[worst][0]), shares[worst], finite[worst], alone=True) if wrong else None


def _is_telling(finite: Reals, bad: Reals) -> bool:
    return len(finite) >= _FEWEST and len(np.unique(bad)) > _SENTINELS
