"""Weighted least-squares fit of a Fourier series to a light curve at one frequency, compiled.

The model is m(t) = a_0 + sum_k a_k cos(2 pi k f t) + b_k sin(2 pi k f t), k = 1 ... H, of each band on its own. All
entries of the normal equations are sums of weight * exp(i k phase), so one pass over the points serves every number
of harmonics; the Cholesky factor of the ordered basis gives the residuals of 1, 2 ... H harmonics at once.
"""

from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_kernel, compile_sum
from workflow_scripts.lightcurve.trigonometry import cosine_sine

# Added to the diagonal of the normal equations (relative to the sum of weights): keeps harmonics from growing
# without bound in gaps of the phase coverage, and changes a well-covered fit by one part in a million.
_RIDGE = 1e-6


@compile_kernel
def residuals(since: Any, weight: Any, mag: Any, bands: Any, frequency: float, harmonics: int, result: Any) -> None:
    """Put the weighted mean square residual [mag2] of the fit with h harmonics into result[h], h = 0 ... harmonics.

    since [d], weight (sums to 1) and mag [mag] have shape (n,); frequency in 1/d. Band b holds the points bands[b]
    to bands[b + 1]; each has its own series, the residuals are those of all. mag should have a mean near 0.
    """
    waves = np.empty((4, since.size))
    cosine_sine(since, frequency, waves[0], waves[1])
    size = 2 * harmonics + 1
    gram, moment = np.empty((size, size)), np.empty(size)
    result[: harmonics + 1] = 0
    for band in range(bands.size - 1):
        first, last = bands[band], bands[band + 1]
        square = _normal_equations(waves, weight, mag, first, last, harmonics, gram, moment)
        _factorise(gram)
        remaining = square
        for j in range(size):
            value = moment[j]
            for k in range(j):
                value -= gram[j, k] * moment[k]
            moment[j] = value / gram[j, j]
            remaining -= moment[j] ** 2
            if j % 2 == 0:
                result[j // 2] += max(remaining, 1e-12 * square)


@compile_kernel
def coefficients(since: Any, weight: Any, mag: Any, frequency: float, harmonics: int) -> Any:
    """Coefficients a_0, a_1, b_1, a_2, b_2, ... [mag] of the best fit to one band, shape (2 * harmonics + 1,)."""
    size, mean = 2 * harmonics + 1, mag[0]
    waves, gram, moment = np.empty((4, since.size)), np.empty((size, size)), np.empty(size)
    cosine_sine(since, frequency, waves[0], waves[1])
    _normal_equations(waves, weight, mag - mean, 0, since.size, harmonics, gram, moment)
    _factorise(gram)
    for j in range(size):
        for k in range(j):
            moment[j] -= gram[j, k] * moment[k]
        moment[j] /= gram[j, j]
    for j in range(size - 1, -1, -1):
        for k in range(j + 1, size):
            moment[j] -= gram[k, j] * moment[k]
        moment[j] /= gram[j, j]
    moment[0] += mean
    return moment


@compile_sum
def model(since: Any, frequency: float, series: Any) -> Any:
    """Magnitudes of the Fourier series at the epochs since [d], shape (n,)."""
    result, waves = np.full(since.size, series[0]), np.empty((4, since.size))
    cosine_sine(since, frequency, waves[0], waves[1])
    waves[2], waves[3] = 1, 0
    for k in range(1, (series.size + 1) // 2):
        a, b = series[2 * k - 1], series[2 * k]
        _turn(waves[0], waves[1], waves[2], waves[3])
        for i in range(since.size):
            result[i] += a * waves[2, i] + b * waves[3, i]
    return result


@compile_kernel
def _normal_equations(
    waves: Any, weight: Any, mag: Any, first: int, last: int, harmonics: int, gram: Any, moment: Any
) -> float:
    """Fill matrix and right-hand side of the fit to points first ... last; give the weighted sum of squares."""
    sums, data = np.empty((2, 2 * harmonics + 1)), np.empty((2, harmonics + 1))
    square = _sums(
        waves[0, first:last],
        waves[1, first:last],
        waves[2, first:last],
        waves[3, first:last],
        weight[first:last],
        mag[first:last],
        sums,
        data,
    )
    re, im = sums[0], sums[1]
    ridge = _RIDGE * re[0]
    moment[0], gram[0, 0] = data[0, 0], re[0] + ridge
    for p in range(1, harmonics + 1):
        c, s = 2 * p - 1, 2 * p
        moment[c], moment[s] = data[0, p], data[1, p]
        gram[c, 0], gram[s, 0] = re[p], im[p]
        for q in range(1, p + 1):
            gram[c, 2 * q - 1] = 0.5 * (re[p - q] + re[p + q])
            gram[s, 2 * q] = 0.5 * (re[p - q] - re[p + q])
            gram[s, 2 * q - 1] = 0.5 * (im[p + q] + im[p - q])
            if q < p:
                gram[c, 2 * q] = 0.5 * (im[p + q] - im[p - q])
        gram[c, c] += ridge
        gram[s, s] += ridge
    return square


@compile_sum
def _sums(cosine: Any, sine: Any, re: Any, im: Any, weight: Any, mag: Any, sums: Any, data: Any) -> float:
    """Add up weight * exp(i k phase), k = 0 ... 2H, and weight * mag * exp(i k phase), k = 0 ... H."""
    moment = weight * mag
    re[:] = 1
    im[:] = 0
    for k in range(sums.shape[1]):
        if k > 0:
            _turn(cosine, sine, re, im)
        sums[0, k], sums[1, k] = _product(weight, re), _product(weight, im)
        if k < data.shape[1]:
            data[0, k], data[1, k] = _product(moment, re), _product(moment, im)
    return _product(moment, mag)


@compile_sum
def _turn(cosine: Any, sine: Any, re: Any, im: Any) -> None:
    """Turn the waves re, im to the next harmonic of cosine, sine."""
    for i in range(cosine.size):
        turned = re[i] * cosine[i] - im[i] * sine[i]
        im[i] = re[i] * sine[i] + im[i] * cosine[i]
        re[i] = turned


@compile_sum
def _product(first: Any, second: Any) -> float:
    total = 0.0
    for i in range(first.size):
        total += first[i] * second[i]
    return total


@compile_kernel
def _factorise(gram: Any) -> None:
    """Cholesky factor of the lower triangle, in place."""
    smallest = _RIDGE * gram[0, 0]
    for j in range(gram.shape[0]):
        for k in range(j):
            value = gram[j, k]
            for m in range(k):
                value -= gram[j, m] * gram[k, m]
            gram[j, k] = value / gram[k, k]
        value = gram[j, j]
        for m in range(j):
            value -= gram[j, m] ** 2
        gram[j, j] = np.sqrt(max(value, smallest))
