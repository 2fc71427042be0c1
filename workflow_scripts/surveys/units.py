"""Units that a user's file states for its columns: values in another unit than ours are converted, or refused."""

import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts import tables
from workflow_scripts.tables import DataError

log = logging.getLogger(__name__)

# Units of our columns, as the contract has them.
UNITS = {
    column.name: column.unit
    for table in (tables.OBJECTS, tables.PHOTOMETRY, tables.RAW_LIGHT_CURVES)
    for column in table.columns
    if column.unit
}

# Stated as units of times, they are none; astropy takes TT for a teratesla.
_TIME_SCALES = ("TT", "TAI", "UT", "UTC", "TDB", "TCB", "TCG", "ET")


def converted(values: pa.ChunkedArray, stated: str, ours: str, where: str) -> pa.ChunkedArray:
    """Give values (numbers, or lists of them) of one of our columns in our unit; as they are where both units agree.

    stated = unit in the words of the file. One that cannot be understood, and a number without dimension, is left
    alone: times have all kinds of text there. Raises DataError for a unit of something else, such as a flux.
    """
    factor = _factor(stated, ours, where)
    if factor == 1:
        return values
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        raise DataError(f"{where} holds text in {stated}; expected numbers: write the column as numbers")
    log.info("%s is in %s: converted to %s", where, stated, UNITS[ours])
    return _scaled(values, factor)


def _factor(stated: str, ours: str, where: str) -> Fraction:
    """Stated unit in ours, exact where it is a ratio of integers: astropy's hour angle has 14.999999999999998 deg."""
    from astropy import units

    target, first = units.Unit(UNITS[ours]), None
    for unit in _readings(stated, ours):
        factor = Fraction(float(unit.to(target)) if unit.is_equivalent(target) else 0.0)
        if factor > 0:  # a dex, the logarithm of a flux, has -2.5 mag
            return factor.limit_denominator(10**10)
        first = first or unit
    is_magnitude = target == units.mag
    if first is None or (is_magnitude and "mag" in stated.lower()):  # such as AB mag
        log.info("%s: the unit '%s' is not understood; the values are taken to be in %s", where, stated, target)
        return Fraction(1)
    advice = "convert fluxes to magnitudes" if is_magnitude else "convert the values"
    raise DataError(
        f"{where} is in {stated} by what the file says, expected {target}: {advice}, map another column, or correct "
        "the unit in the file"
    )


def _readings(stated: str, ours: str) -> Iterator[Any]:
    """Give what the text of a unit may mean, as it stands and as a loose spelling (DAYS, hours, sec) that fits ours."""
    from astropy import units

    lower = stated.strip().lower()
    loose = [lower, lower.removesuffix("s"), lower.removesuffix("s").replace("sec", "s")]
    as_it_stands = [] if stated.strip().upper() in _TIME_SCALES and UNITS[ours] == "d" else [stated]
    for spelling in (*as_it_stands, *loose):
        unit = units.Unit(spelling, parse_strict="silent")
        unit = getattr(unit, "function_unit", unit)  # mag(AB) counts in mag
        if ours == "ra_deg" and unit == units.hour:
            unit = units.hourangle  # right ascensions in h are no times
        is_known = not isinstance(unit, units.UnrecognizedUnit) and unit.physical_type != "dimensionless"
        if is_known and (spelling == stated or unit.is_equivalent(units.Unit(UNITS[ours]))):
            yield unit


def _scaled(values: pa.ChunkedArray, factor: Fraction) -> pa.ChunkedArray:
    """Numbers times a factor. Reals keep their type, which says to how many digits they were stored."""
    kind = values.type
    if pa.types.is_nested(kind):
        lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy()
        flat = _scaled(pc.list_flatten(values), factor).combine_chunks()
        offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int64())
        return pa.chunked_array([pa.LargeListArray.from_arrays(offsets, flat)])
    kind = kind if kind in (pa.float32(), pa.float64()) else pa.float64()
    many, one = (pa.scalar(float(part), kind) for part in (factor.numerator, factor.denominator))
    return pc.divide(pc.multiply(values.cast(kind, safe=False), many), one)
