"""The periodogram of periodogram.py on a CUDA device, by cuFINUFFT (Shih et al. 2021, arXiv 2102.08463) and CuPy.

The frequencies are cut into blocks that are transformed side by side, each about its own centre: angles then stay
small enough for single precision. cupy and cufinufft come with envs/gpu.yaml and are imported where they are used.
"""

import functools
import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.lightcurve.periodogram import Grid, Reals, centred
from workflow_scripts.tables import DataError

_MODES = 4096  # frequencies of a block
_PRECISION = 1e-5


def power(
    time: Reals, mag: Reals, mag_err: Reals, frequencies: Grid, bands: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Normalised power (0 to 1) at each frequency of the grid, as periodogram.power, computed on the GPU."""
    cupy, transforms = libraries()
    spectrum: NDArray[np.float32] = cupy.asnumpy(spectra(time, mag, mag_err, frequencies, bands, cupy, transforms))
    return spectrum


def spectra(
    time: Reals,
    mag: Reals,
    mag_err: Reals,
    frequencies: Grid,
    bands: NDArray[np.int64] | None,
    arrays: Any,
    transforms: Any,
) -> Any:
    """Power with the array library and the transform library given (cupy and cufinufft, or numpy and finufft)."""
    limits = np.array([0, len(time)]) if bands is None else bands
    weight, residual, _ = centred(mag, mag_err, limits)
    since, whole = time - time.min(), float(np.dot(weight, residual**2))
    total = arrays.zeros(frequencies.count, dtype=np.float32)
    for first, last in itertools.pairwise(limits):
        points = slice(first, last)
        its_weight = weight[points] / weight[points].sum()
        scatter = float(np.dot(weight[points], residual[points] ** 2))
        if scatter > 0:
            share = np.float32(scatter / whole)
            total += share * _one_band(since[points], its_weight, residual[points], frequencies, arrays, transforms)
    return total


@functools.cache
def libraries() -> tuple[Any, Any]:
    """Load cupy and cufinufft; raise DataError where they or a CUDA device are missing."""
    try:
        import cufinufft
        import cupy

        cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # noqa: BLE001, RUF100 - cupy raises errors of its own kinds for drivers and devices
        raise DataError(
            f"period.device is gpu, but no CUDA device can be used ({type(error).__name__}: {error}); run the rule "
            "in envs/gpu.yaml on a machine with one, or set period.device: cpu"
        ) from error
    return cupy, cufinufft


def _one_band(since: Reals, weight: Reals, residual: Reals, grid: Grid, arrays: Any, transforms: Any) -> Any:
    blocks = -(-grid.count // _MODES)
    centres = grid.low + grid.step * (_MODES * np.arange(blocks) + _MODES // 2)
    turns = arrays.asarray(np.outer(centres, since))
    carrier = arrays.exp(2j * np.pi * (turns - arrays.floor(turns)))
    w, moment = arrays.asarray(weight), arrays.asarray(weight * residual)
    both = _transform(arrays.concatenate([carrier * w, carrier * moment]), since * grid.step, arrays, transforms)
    doubled = _transform(carrier**2 * w, 2 * since * grid.step, arrays, transforms)
    at_f, data, at_2f = (part.ravel()[: grid.count] for part in (both[:blocks], both[blocks:], doubled))
    cc = 0.5 * (1 + at_2f.real) - at_f.real**2
    ss = 0.5 * (1 - at_2f.real) - at_f.imag**2
    cs = 0.5 * at_2f.imag - at_f.real * at_f.imag
    determinant = cc * ss - cs * cs
    explained = ss * data.real**2 + cc * data.imag**2 - 2 * cs * data.real * data.imag
    usable = determinant > 1e-4
    scatter = float(np.dot(weight, residual**2))
    value = arrays.where(usable, explained / arrays.where(usable, determinant, 1), 0) / np.float32(scatter)
    return arrays.clip(value, 0, 1)


def _transform(strengths: Any, turns: Reals, arrays: Any, transforms: Any) -> Any:
    """Add up over the points for each row of strengths, at _MODES frequencies about its centre."""
    angles = arrays.asarray((2 * np.pi * (turns - np.floor(turns + 0.5))).astype(np.float32))
    plan = _plan(transforms, len(strengths))
    plan.setpts(angles)
    return plan.execute(arrays.ascontiguousarray(strengths.astype(np.complex64)))


@functools.lru_cache(maxsize=128)
def _plan(transforms: Any, count: int) -> Any:
    """Keep the plan for so many transforms: planning costs more than a transform."""
    return transforms.Plan(1, (_MODES,), count, eps=_PRECISION, isign=1, dtype="complex64")
