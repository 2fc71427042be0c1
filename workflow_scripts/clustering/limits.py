"""Values that no star of Gaia has, such as -999 for a missing one: refused where stars are read, with the cure."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts.clustering.stars import STARS, Reals
from workflow_scripts.tables import DataError

Rows = NDArray[np.intp]

# Gaia publishes five parameters where the semi-major axis of their errors is below 1.2 mas times 10^(0.2 (G - 18)),
# 4.8 mas at G = 21 (Lindegren 2018, eq. 11): 50 is beyond every row, and 99.99 beyond 50.
_ERROR = (1e-6, 50.0)
CORRELATIONS = ("pmra_pmdec_corr", "parallax_pmra_corr", "parallax_pmdec_corr")

# Least and greatest value, wide enough for every row of Gaia, spurious ones included.
LIMITS: Mapping[str, tuple[float, float]] = {
    "ra_deg": (-180.0, 360.0),
    "dec_deg": (-90.0, 90.0),
    "parallax_mas": (-2500.0, 2500.0),  # Proxima 768; pairs that DR2 confused reach 1,900 either way
    "parallax_error_mas": _ERROR,
    "pmra_mas_yr": (-11_000.0, 11_000.0),  # Barnard's star 10,394
    "pmra_error_mas_yr": _ERROR,
    "pmdec_mas_yr": (-11_000.0, 11_000.0),
    "pmdec_error_mas_yr": _ERROR,
    **dict.fromkeys(CORRELATIONS, (-1.0, 1.0)),
    "g_mag": (1.0, 25.0),  # 1.7 to 23
    "phot_bp_mean_mag": (-5.0, 40.0),  # a flux near 0 is a faint magnitude
    "phot_rp_mean_mag": (-5.0, 40.0),
    "bp_rp_mag": (-20.0, 20.0),
    "ruwe": (0.01, 10_000.0),  # about 1; hundreds for bright or confused stars
}
# Stand for a missing value and are within some limits. A measured value, of three or more digits after the point, is
# none of them but by a chance of 1 in 1,000 for the few stars that are so fast; -99 may be a real proper motion.
_STAND_INS = (999.0, 9999.0)
_NO_MATRIX = -1e-3  # determinant of correlations that contradict each other; 0 to rounding is possible


def check(values: Mapping[str, Reals], names: Mapping[str, str], source_id: pa.ChunkedArray, path: Path) -> None:
    """Refuse values (n,), NaN = missing, that no star of Gaia has; values and names, those of path, by our names.

    Raises DataError that says of each column how many rows are wrong, with an example, and what is expected.
    """
    n, said = len(source_id), []
    for ours, column in values.items():
        if len(bad := _outside(ours, column)):
            example = f"such as {column[bad[0]]:g} of source_id {source_id[bad[0]]}"
            said.append(f"{names[ours]} ({ours}) in {len(bad)} of {n} rows, {example}, expected {_expected(ours)}")
    if not said and len(bad := _contradicting(values)):
        said.append(f"correlations that contradict each other in {len(bad)} of {n} rows, such as {source_id[bad[0]]}")
    if said:
        raise DataError(
            f"{path}: values that no star of Gaia has: {'; '.join(said)}; leave missing values empty, and correct or "
            "remove the other rows"
        )


def _outside(ours: str, column: Reals) -> Rows:
    low, high = LIMITS[ours]
    return np.flatnonzero((column < low) | (column > high) | np.isin(np.abs(column), _STAND_INS))


def _expected(ours: str) -> str:
    low, high = LIMITS[ours]
    unit = next((column.unit for column in STARS.columns if column.name == ours), "mag")
    stand_ins = f", {' and '.join(f'{n:g}' for n in _STAND_INS if n < high)} being none" if high > _STAND_INS[0] else ""
    return f"{low:g} to {high:g}{f' {unit}' if unit else ''}{stand_ins}"


def _contradicting(values: Mapping[str, Reals]) -> Rows:
    """Rows whose three correlations are of no covariance, such as -1 three times."""
    nothing = np.full(len(next(iter(values.values()))), np.nan)
    a, b, c = (values.get(name, nothing) for name in CORRELATIONS)
    return np.flatnonzero(1 + 2 * a * b * c - a**2 - b**2 - c**2 < _NO_MATRIX)
