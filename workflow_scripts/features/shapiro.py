"""The normality test of Shapiro and Wilk in the approximation of Royston 1995 (AS R94)."""

import math
from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_sum
from workflow_scripts.features.registry import feature

# fmt: off
# Wichura 1988 (AS 241): numerator and denominator of each part of the range, highest power first.
_CENTRE = (
    (
        2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
        13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608,
    ),
    (
        5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
        5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0,
    ),
)
_TAIL = (
    (
        7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
        3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734,
    ),
    (
        1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
        0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0,
    ),
)
_FAR_TAIL = (
    (
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
        0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772,
    ),
    (
        2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
        0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0,
    ),
)
# fmt: on


_CENTRAL = 0.425  # distance from 0.5 up to which the first polynomials hold


@feature(reference="Qiao 2024, Table 1; Shapiro & Wilk 1965; Royston 1995, AS R94", qiao_2024=6)
def shapiro_wilk(sorted_mag: Any, square_sum: float) -> float:
    """Shapiro-Wilk normality test statistic W: 1 for a Gaussian."""
    return _royston_product(sorted_mag) ** 2 / square_sum


@compile_sum
def _royston_product(ordered: Any) -> float:
    """Sum of Royston's weights times the ordered values; the weights are antisymmetric."""
    n = ordered.size
    if n == 3:
        return math.sqrt(0.5) * (ordered[2] - ordered[0])
    # From here all indices run over the brighter half; the first two weights are corrected.
    expected = _expected(n)
    gap = ordered[::-1][: n // 2] - ordered[: n // 2]
    total = 2 * (expected * expected).sum()
    root, u = math.sqrt(total), 1 / math.sqrt(n)
    first = -expected[0] / root + u * (0.221157 + u * (-0.147981 + u * (-2.07119 + u * (4.434685 - 2.706056 * u))))
    if n <= 5:
        factor = math.sqrt((total - 2 * expected[0] ** 2) / (1 - 2 * first**2))
        return first * gap[0] - (expected[1:] * gap[1:]).sum() / factor
    tail = 0.042981 + u * (-0.293762 + u * (-1.752461 + u * (5.682633 - 3.582633 * u)))
    second = -expected[1] / root + u * tail
    rest = total - 2 * expected[0] ** 2 - 2 * expected[1] ** 2
    factor = math.sqrt(rest / (1 - 2 * first**2 - 2 * second**2))
    return first * gap[0] + second * gap[1] - (expected[2:] * gap[2:]).sum() / factor


@compile_sum
def _expected(n: int) -> Any:
    """Normal quantiles of (i - 3/8) / (n + 1/4) for the brighter half, Wichura 1988 (AS 241), relative error 1e-16."""
    result = np.empty(n // 2)
    tails = max(0, math.ceil((0.5 - _CENTRAL) * (n + 0.25) - 0.625))
    for i in range(tails):
        p = (i + 0.625) / (n + 0.25)
        r = math.sqrt(-math.log(p))
        result[i] = -_ratio(_TAIL, r - 1.6) if r <= 5 else -_ratio(_FAR_TAIL, r - 5)
    for i in range(tails, n // 2):
        q = (i + 0.625) / (n + 0.25) - 0.5
        result[i] = q * _ratio(_CENTRE, 0.180625 - q * q)
    return result


@compile_sum
def _ratio(polynomials: tuple[tuple[float, ...], tuple[float, ...]], x: float) -> float:
    top, bottom = polynomials[0][0], polynomials[1][0]
    for i in range(1, 8):
        top = top * x + polynomials[0][i]
        bottom = bottom * x + polynomials[1][i]
    return top / bottom
