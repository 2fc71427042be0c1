"""Cosine and sine of many angles at once: polynomials that compile to SIMD, good to 3e-15."""

import math
from typing import Any

from workflow_scripts.compiled import compile_sum

# Taylor coefficients of cos and sin of the half angle, which lies within pi / 2 of zero.
_COSINE = tuple((-1) ** k / math.factorial(2 * k) for k in range(11))
_SINE = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(11))


@compile_sum
def cosine_sine(time: Any, frequency: float, cosine: Any, sine: Any) -> None:
    """Put cos(2 pi f t) and sin(2 pi f t) into arrays of the same shape (n,) as time."""
    for i in range(time.size):
        turns = time[i] * frequency
        half = math.pi * (turns - math.floor(turns + 0.5))
        square = half * half
        c, s = _COSINE[10], _SINE[10]
        for k in range(9, -1, -1):
            c = c * square + _COSINE[k]
            s = s * square + _SINE[k]
        s *= half
        cosine[i] = 1 - 2 * s * s
        sine[i] = 2 * s * c
