"""Two bands of one object: synchronous variability and colour (Kim et al. 2011), from the first two bands it has."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.compiled import compile_sum
from workflow_scripts.features.registry import feature
from workflow_scripts.features.stetson import kurtosis_of

_GAUSSIAN_K = 0.798
# ASSUME points of two bands within a quarter of a day are simultaneous.
_SIMULTANEOUS_D = 0.25


def pairs(object_ids: Sequence[str]) -> NDArray[np.int64]:
    """Rows of the first and second band of each row's object, shape (n, 2), -1 where it has one band.

    Rows must be sorted by object and band, as in the table of light curves; a third band is left out.
    """
    result = np.full((len(object_ids), 2), -1, dtype=np.int64)
    for row in range(1, len(object_ids)):
        if object_ids[row] == object_ids[row - 1]:
            first = row - 1 if result[row - 1, 0] < 0 else result[row - 1, 0]
            result[[row - 1, row]] = first, first + 1
    return result


@feature(reference="Kim et al. 2011, eq. A3-A5; Stetson 1996", ordered=True, kim_2011=8)
def stetson_l_bands(
    deviation: Any, mag_err: Any, time_a: Any, mag_a: Any, mag_err_a: Any, time_b: Any, mag_b: Any, mag_err_b: Any
) -> float:
    """Stetson's L of two bands: synchronous variability of simultaneous points, large for achromatic variables."""
    # ASSUME K of Stetson's L of two bands is that of the row's own light curve; the paper says a single band.
    first, second = _simultaneous(time_a, time_b)
    n = first.size
    residual_a, residual_b = mag_a[first], mag_b[second]
    residual_a = (residual_a - residual_a.sum() / n) / mag_err_a[first]
    residual_b = (residual_b - residual_b.sum() / n) / mag_err_b[second]
    product = residual_a * residual_b
    index_j = math.sqrt(n / (n - 1)) * (np.sign(product) * np.sqrt(np.abs(product))).sum() / n
    return index_j * kurtosis_of(deviation / mag_err) / _GAUSSIAN_K


@feature(unit="mag", reference="Kim et al. 2011, eq. A7", min_obs=1, kim_2011=10)
def band_color(mag_a: Any, mag_b: Any) -> float:
    """Mean magnitude in the object's first band minus that in its second, in the order of their names."""
    return mag_a.sum() / mag_a.size - mag_b.sum() / mag_b.size


@compile_sum
def _simultaneous(time_a: Any, time_b: Any) -> Any:
    """Places of the points of both bands that pair up, in time order: each is the nearest in time to the other."""
    first, second = np.empty(time_a.size, np.int64), np.empty(time_a.size, np.int64)
    count, j = 0, 0
    for i in range(time_a.size if time_b.size else 0):
        while j + 1 < time_b.size and abs(time_a[i] - time_b[j + 1]) <= abs(time_a[i] - time_b[j]):
            j += 1
        apart = abs(time_a[i] - time_b[j])
        is_nearest = i == 0 or abs(time_a[i - 1] - time_b[j]) > apart
        is_nearest = is_nearest and (i + 1 == time_a.size or abs(time_a[i + 1] - time_b[j]) >= apart)
        if is_nearest and apart <= _SIMULTANEOUS_D:
            first[count], second[count], count = i, j, count + 1
    return first[:count], second[:count]
