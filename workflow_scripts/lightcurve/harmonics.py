"""Weighted least-squares fit of a Fourier series to a light curve at one frequency, compiled.

The model is m(t) = a_0 + sum_k a_k cos(2 pi k f t) + b_k sin(2 pi k f t), k = 1 ... H. All entries of the normal
equations are sums of weight * exp(i k phase), so one pass over the points serves every number of harmonics; the
Cholesky factor of the ordered basis gives the residuals of 1, 2 ... H harmonics at once.
"""

import math
from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_kernel

# Added to the diagonal of the normal equations (weights sum to 1): keeps harmonics from growing without bound
# in gaps of the phase coverage, and changes a well-covered fit by one part in a million.
_RIDGE = 1e-6


@compile_kernel
def residuals(since: Any, weight: Any, mag: Any, frequency: float, harmonics: int, result: Any) -> None:
    """Put the weighted mean square residual [mag2] of the fit with h harmonics into result[h], h = 0 ... harmonics.

    since [d], weight (sums to 1) and mag [mag] have shape (n,); frequency in 1/d.
    """
    size = 2 * harmonics + 1
    gram, moment, square = _normal_equations(since, weight, mag, frequency, harmonics)
    _factorise(gram)
    remaining = square
    for j in range(size):
        value = moment[j]
        for k in range(j):
            value -= gram[j, k] * moment[k]
        moment[j] = value / gram[j, j]
        remaining -= moment[j] ** 2
        if j % 2 == 0:
            result[j // 2] = max(remaining, 1e-12 * square)


@compile_kernel
def coefficients(since: Any, weight: Any, mag: Any, frequency: float, harmonics: int) -> Any:
    """Coefficients a_0, a_1, b_1, a_2, b_2, ... [mag] of the best fit, shape (2 * harmonics + 1,)."""
    size = 2 * harmonics + 1
    gram, moment, _ = _normal_equations(since, weight, mag, frequency, harmonics)
    _factorise(gram)
    for j in range(size):
        for k in range(j):
            moment[j] -= gram[j, k] * moment[k]
        moment[j] /= gram[j, j]
    for j in range(size - 1, -1, -1):
        for k in range(j + 1, size):
            moment[j] -= gram[k, j] * moment[k]
        moment[j] /= gram[j, j]
    # The fit was made about the first magnitude.
    moment[0] += mag[0]
    return moment


@compile_kernel
def model(since: Any, frequency: float, series: Any) -> Any:
    """Magnitudes of the Fourier series at the epochs since [d], shape (n,)."""
    result = np.full(since.size, series[0])
    for i in range(since.size):
        angle = 2 * math.pi * ((since[i] * frequency) % 1.0)
        for k in range(1, (series.size + 1) // 2):
            result[i] += series[2 * k - 1] * math.cos(k * angle) + series[2 * k] * math.sin(k * angle)
    return result


@compile_kernel
def _normal_equations(since: Any, weight: Any, mag: Any, frequency: float, harmonics: int) -> Any:
    """Matrix, right-hand side and sum of squares of the fit to mag - mag[0] (about zero: no cancellation)."""
    sums, data, square = _sums(since, weight, mag, frequency, harmonics)
    size = 2 * harmonics + 1
    gram, moment = np.zeros((size, size)), np.zeros(size)
    moment[0] = data[0].real
    gram[0, 0] = sums[0].real + _RIDGE
    for p in range(1, harmonics + 1):
        c, s = 2 * p - 1, 2 * p
        moment[c], moment[s] = data[p].real, data[p].imag
        gram[c, 0], gram[s, 0] = sums[p].real, sums[p].imag
        for q in range(1, p + 1):
            plus, minus = sums[p + q], sums[p - q]
            gram[c, 2 * q - 1] = 0.5 * (minus.real + plus.real)
            gram[s, 2 * q] = 0.5 * (minus.real - plus.real)
            gram[s, 2 * q - 1] = 0.5 * (plus.imag + minus.imag)
            if q < p:
                gram[c, 2 * q] = 0.5 * (plus.imag - minus.imag)
        gram[s, c] = 0.5 * sums[2 * p].imag
        gram[c, c] += _RIDGE
        gram[s, s] += _RIDGE
    return gram, moment, square


@compile_kernel
def _sums(since: Any, weight: Any, mag: Any, frequency: float, harmonics: int) -> Any:
    """Add up weight * exp(i k phase), k = 0 ... 2H, and weight * mag * exp(i k phase), k = 0 ... H."""
    sums = np.zeros(2 * harmonics + 1, dtype=np.complex128)
    data = np.zeros(harmonics + 1, dtype=np.complex128)
    square = 0.0
    for i in range(since.size):
        angle = 2 * math.pi * ((since[i] * frequency) % 1.0)
        turn = complex(math.cos(angle), math.sin(angle))
        power, y = complex(weight[i], 0.0), mag[i] - mag[0]
        square += weight[i] * y * y
        for k in range(harmonics + 1):
            sums[k] += power
            data[k] += y * power
            power *= turn
        for k in range(harmonics + 1, 2 * harmonics + 1):
            sums[k] += power
            power *= turn
    return sums, data, square


@compile_kernel
def _factorise(gram: Any) -> None:
    """Cholesky factor of the lower triangle, in place."""
    for j in range(gram.shape[0]):
        for k in range(j):
            value = gram[j, k]
            for m in range(k):
                value -= gram[j, m] * gram[k, m]
            gram[j, k] = value / gram[k, k]
        value = gram[j, j]
        for m in range(j):
            value -= gram[j, m] ** 2
        gram[j, j] = math.sqrt(max(value, _RIDGE))
