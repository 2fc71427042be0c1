"""How probable it is that noise alone gives a Lomb-Scargle peak as high as the one found.

Analytically, Baluev 2008, MNRAS 385, 1279, or by a bootstrap: the magnitudes, with their errors, are drawn anew for
the same epochs, which keeps the window of the observations and breaks any periodicity.
"""

import itertools
import math
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.compiled import compile_kernel
from workflow_scripts.lightcurve.periodogram import Grid, power

Reals = NDArray[np.float64]


@compile_kernel
def baluev(peak: float, time: Any, weight: Any, bands: Any, max_frequency: float) -> float:
    """Probability that noise gives a normalised peak (0 to 1) this high below max_frequency [1/d].

    Baluev 2008, eq. 4-6, for one band. With b bands, each with a sinusoid of its own, the power is that of 2b
    parameters: as in Baluev 2009, MNRAS 395, 1541, the number of crossings grows by (n peak / 2)^(b-1) / (b-1)!.
    """
    # ASSUME bands of one object are observed over the same time, one effective length for all, and their errors are
    # right relative to each other: where those of one band are half of what they should be, 7 of 10 noise stars
    # seem significant at 0.05; the bootstrap holds then.
    n_bands = bands.size - 1
    n_mean, n_model = time.size - n_bands, time.size - 3 * n_bands
    if n_model < 1 or not peak > 0:
        return 1.0
    if peak >= 1:
        return 0.0
    mean = (weight * time).sum() / weight.sum()
    spread = (weight * (time - mean) ** 2).sum() / weight.sum()
    bandwidth = max_frequency * math.sqrt(4 * math.pi * spread)
    gamma = math.sqrt(2 / n_mean) * math.exp(math.lgamma(n_mean / 2) - math.lgamma((n_mean - 1) / 2))
    level = 0.5 * n_mean * peak
    crossings = gamma * bandwidth * (1 - peak) ** (0.5 * (n_model - 1)) * math.sqrt(level)
    single, term = 0.0, (1 - peak) ** (0.5 * n_model)
    for i in range(n_bands):
        single += term
        term *= (0.5 * n_model + i) * peak / (i + 1)
        if i + 1 < n_bands:
            crossings *= level / (i + 1)
    return -math.expm1(math.log1p(-single) - crossings) if single < 1 else 1.0


def bootstrap(
    peak: float, time: Reals, mag: Reals, mag_err: Reals, bands: NDArray[np.int64], grid: Grid, draws: int, seed: int
) -> float:
    """Share (k + 1) / (draws + 1) of resampled light curves whose highest power on the grid reaches the peak.

    time, mag and mag_err have shape (n,), band b holds points bands[b] to bands[b + 1]. The random numbers follow
    from the seed and the epochs alone, so that a light curve's result does not depend on its neighbours.
    """
    rng = np.random.default_rng([seed, zlib.crc32(np.ascontiguousarray(time).tobytes())])
    reached = 0
    for _ in range(draws):
        drawn = np.concatenate([rng.integers(a, b, b - a) for a, b in itertools.pairwise(bands)])
        reached += bool(power(time, mag[drawn], mag_err[drawn], grid, bands).max() >= peak)
    return (reached + 1) / (draws + 1)
