"""Sums over a light curve at many equally spaced frequencies: a non-uniform fast Fourier transform made for SIMD.

S(f) = sum_j s_j exp(2 pi i f t_j) at f = low + step * (0 ... count - 1). As in FINUFFT (Barnett, Magland & af
Klinteberg 2019, SIAM J. Sci. Comput. 41, C479) the points are spread onto a fine grid with the kernel
exp(beta (sqrt(1 - z^2) - 1)), the grid is transformed, and the kernel's own transform divided out. One block holds
LANES * MODES frequencies as LANES transforms side by side: lane l has the frequencies l, l + LANES, l + 2 LANES ...
of the block, so that every loop runs over contiguous single-precision numbers, the result comes in the order of
frequency, and a block stays in the second-level cache. At 224 points and 260,000 frequencies this takes a sixth of
the time of FINUFFT 2.5 in single precision with a persistent plan (docs/benchmark.md).
"""

import math
from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_sum

LANES = 16  # transforms side by side: single-precision numbers in a 512-bit register
SIZE = 1024  # points of the fine grid; a power of 4
MODES = 832  # frequencies of one transform: the grid oversamples them 1.23 times
BLOCK = LANES * MODES  # frequencies of one block
PLANE = (SIZE + 8) * LANES  # numbers of a plane: rows of lanes, and some that are added to the first ones
WIDTH = 7  # grid points that a light-curve point is spread to; the transform is then good to 1e-4 (rms), 6e-4 at worst
_BETA = 0.96 * math.pi * (1 - 0.5 * MODES / SIZE) * WIDTH  # shape of the kernel, Barnett et al. 2019, sect. 4.2

_turns = np.exp(2j * np.pi * np.arange(SIZE) / SIZE)
_COSINE = _turns.real.astype(np.float32)
_SINE = _turns.imag.astype(np.float32)


def _correction() -> Any:
    """Inverse of the kernel's Fourier transform at each mode, each repeated for all lanes, shape (BLOCK,)."""
    node, share = np.polynomial.legendre.leggauss(64)
    kernel = np.exp(_BETA * (np.sqrt(1 - node**2) - 1))
    mode = np.arange(MODES) - MODES // 2
    transform = 0.5 * WIDTH * (np.cos(np.pi * WIDTH / SIZE * np.outer(mode, node)) @ (share * kernel))
    return np.repeat(1 / transform, LANES).astype(np.float32)


CORRECTION = _correction()


@compile_sum
def place(turns: Any, start: Any, taps: Any) -> None:
    """Spreading of points at `turns` (cycles per LANES steps of frequency).

    start (n,) gets the place of each point's first row in a plane, taps (n, WIDTH) the kernel's values at the rows.
    """
    for j in range(turns.size):
        x = (turns[j] - math.floor(turns[j])) * SIZE
        first = math.ceil(x - 0.5 * WIDTH)
        start[j] = (first & (SIZE - 1)) * LANES
        for i in range(WIDTH):
            z = (first + i - x) * (2 / WIDTH)
            taps[j, i] = math.exp(_BETA * (math.sqrt(max(1 - z * z, 0.0)) - 1))


@compile_sum
def spread(strengths: Any, start: Any, taps: Any, plane: Any) -> None:
    """Spread strengths (n, LANES) of the points onto a plane (PLANE,), periodically."""
    plane[:] = 0
    for j in range(start.size):
        row, strength = plane[start[j] : start[j] + WIDTH * LANES], strengths[j]
        t0, t1, t2, t3 = taps[j, 0], taps[j, 1], taps[j, 2], taps[j, 3]
        t4, t5, t6 = taps[j, 4], taps[j, 5], taps[j, 6]
        for lane in range(LANES):  # one loop with all taps: the compiler need check only once that arrays are apart
            value = strength[lane]
            row[lane] += t0 * value
            row[lane + LANES] += t1 * value
            row[lane + 2 * LANES] += t2 * value
            row[lane + 3 * LANES] += t3 * value
            row[lane + 4 * LANES] += t4 * value
            row[lane + 5 * LANES] += t5 * value
            row[lane + 6 * LANES] += t6 * value
    for i in range(PLANE - SIZE * LANES):
        plane[i] += plane[SIZE * LANES + i]


@compile_sum
def transform(re: Any, im: Any, out_re: Any, out_im: Any) -> None:
    """Fourier transform (positive exponent) of every lane, from re and im, which are overwritten, into out."""
    m, stride, turn, swapped = SIZE // 4, LANES, 1, False
    while m >= 1:  # SIZE is an odd power of 4: the last pass ends in out
        if swapped:
            _radix_4(out_re, out_im, re, im, m, stride, turn)
        else:
            _radix_4(re, im, out_re, out_im, m, stride, turn)
        m, stride, turn, swapped = m // 4, 4 * stride, 4 * turn, not swapped


@compile_sum
def _radix_4(x: Any, x_im: Any, y: Any, y_im: Any, m: int, stride: int, turn: int) -> None:
    """One pass of Stockham's self-sorting transform, from x to y."""
    for p in range(m):
        w1, w1_im = _COSINE[p * turn], _SINE[p * turn]
        w2, w2_im = _COSINE[2 * p * turn], _SINE[2 * p * turn]
        w3, w3_im = _COSINE[3 * p * turn], _SINE[3 * p * turn]
        a, a_im = _row(x, p, stride), _row(x_im, p, stride)
        b, b_im = _row(x, p + m, stride), _row(x_im, p + m, stride)
        c, c_im = _row(x, p + 2 * m, stride), _row(x_im, p + 2 * m, stride)
        d, d_im = _row(x, p + 3 * m, stride), _row(x_im, p + 3 * m, stride)
        y0, y0_im = _row(y, 4 * p, stride), _row(y_im, 4 * p, stride)
        y1, y1_im = _row(y, 4 * p + 1, stride), _row(y_im, 4 * p + 1, stride)
        y2, y2_im = _row(y, 4 * p + 2, stride), _row(y_im, 4 * p + 2, stride)
        y3, y3_im = _row(y, 4 * p + 3, stride), _row(y_im, 4 * p + 3, stride)
        for q in range(stride):
            even, even_im, odd, odd_im = a[q] + c[q], a_im[q] + c_im[q], b[q] + d[q], b_im[q] + d_im[q]
            half, half_im, turned, turned_im = a[q] - c[q], a_im[q] - c_im[q], d_im[q] - b_im[q], b[q] - d[q]
            y0[q] = even + odd
            y0_im[q] = even_im + odd_im
            u, v = half + turned, half_im + turned_im
            y1[q] = u * w1 - v * w1_im
            y1_im[q] = u * w1_im + v * w1
            u, v = even - odd, even_im - odd_im
            y2[q] = u * w2 - v * w2_im
            y2_im[q] = u * w2_im + v * w2
            u, v = half - turned, half_im - turned_im
            y3[q] = u * w3 - v * w3_im
            y3_im[q] = u * w3_im + v * w3


@compile_sum
def _row(plane: Any, place: int, stride: int) -> Any:
    return plane[place * stride : place * stride + stride]
