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
SIZE = 1024  # points of the fine grid; the passes of the transform are written out for it
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
    # Literals, for SIZE and LANES as they are: with shapes that it knows the compiler need not check for every row
    # whether arrays overlap, which is three times faster.
    _radix_4(re, im, out_re, out_im, 256, 16)
    _radix_4(out_re, out_im, re, im, 64, 64)
    _radix_4(re, im, out_re, out_im, 16, 256)
    _radix_4(out_re, out_im, re, im, 4, 1024)
    _radix_4(re, im, out_re, out_im, 1, 4096)


@compile_sum
def _radix_4(x: Any, x_im: Any, y: Any, y_im: Any, m: int, stride: int) -> None:
    """One pass of Stockham's self-sorting transform, from x to y."""
    u, v = x[: SIZE * LANES].reshape(4, m * stride), y[: SIZE * LANES].reshape(m, 4 * stride)
    u_im, v_im = x_im[: SIZE * LANES].reshape(4, m * stride), y_im[: SIZE * LANES].reshape(m, 4 * stride)
    for p in range(m):
        turn = p * (SIZE // 4 // m)
        w1, w1_im = _COSINE[turn], _SINE[turn]
        w2, w2_im = _COSINE[2 * turn], _SINE[2 * turn]
        w3, w3_im = _COSINE[3 * turn], _SINE[3 * turn]
        for q in range(stride):
            i = p * stride + q
            a, b, c, d = u[0, i], u[1, i], u[2, i], u[3, i]
            a_im, b_im, c_im, d_im = u_im[0, i], u_im[1, i], u_im[2, i], u_im[3, i]
            even, even_im, odd, odd_im = a + c, a_im + c_im, b + d, b_im + d_im
            half, half_im, turned, turned_im = a - c, a_im - c_im, d_im - b_im, b - d
            v[p, q] = even + odd
            v_im[p, q] = even_im + odd_im
            s, s_im = half + turned, half_im + turned_im
            v[p, stride + q] = s * w1 - s_im * w1_im
            v_im[p, stride + q] = s * w1_im + s_im * w1
            s, s_im = even - odd, even_im - odd_im
            v[p, 2 * stride + q] = s * w2 - s_im * w2_im
            v_im[p, 2 * stride + q] = s * w2_im + s_im * w2
            s, s_im = half - turned, half_im - turned_im
            v[p, 3 * stride + q] = s * w3 - s_im * w3_im
            v_im[p, 3 * stride + q] = s * w3_im + s_im * w3
