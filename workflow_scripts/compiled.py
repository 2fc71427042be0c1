"""Compilation of numerical kernels with numba, cached between jobs.

Numba notices an edited source file but not an edited function that a kernel calls in another file. The cache is
therefore one folder per fingerprint of the numerical code: an old kernel can never answer for new code. Two more of its
habits are changed here, because with them the bits of a result depended on which process had compiled what, and when.
"""

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import IndexDataCacheFile
from numba.core.codegen import CPUCodeLibrary
from platformdirs import user_cache_path

from workflow_scripts import fingerprint

NUMERICAL = ("features", "lightcurve.period_search")
_FREE = {"reassoc", "contract", "nsz"}


@functools.cache
def cache_folder() -> Path:
    """Folder for compiled kernels: NUMBA_CACHE_DIR, or the user's cache, or a temporary one if that is read-only."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    root = Path(given) if given else user_cache_path("variable-sky")
    folder = root / fingerprint.code(*NUMERICAL)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    return folder if writable else Path(tempfile.mkdtemp(prefix="variable-sky-"))


def save(index: Any, types: Any, code: Any) -> None:
    """Keep compiled code in a file named after the types that it is for, and then name it in the function's index.

    Numba numbers the files by what the index holds: two processes that compile at once may give one number to two
    types, and the code for one would run on the other. Here the one that loses its place in the index compiles again.
    """
    digest = hashlib.sha256(index._dump(types)).hexdigest()
    name = index._data_name(int(digest[:15], 16))
    index._save_data(name, code)
    index._save_index(index._load_index() | {types: name})


def optimize_with_own_copies(library: CPUCodeLibrary, optimize: Any = CPUCodeLibrary._optimize_final_module) -> None:
    """Let the code of a compiled function call its own copies of other functions, not those loaded for another one.

    Copies are optimised for their callers, and sums in another order end in other bits: which copy answered would
    depend on what the process has loaded, and whether it compiled anything itself. Other functions have the same result
    in all copies.
    """
    for function in library._final_module.functions:
        if function.linkage.name == "linkonce_odr" and " reassoc " in str(function):
            function.linkage = "internal"
    optimize(library)


IndexDataCacheFile.save = save  # type: ignore[method-assign]
CPUCodeLibrary._optimize_final_module = optimize_with_own_copies  # type: ignore[method-assign]

# Locators are chosen when a function is decorated, so the folder is set before the first decoration.
numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined]


def compile_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a numerical function: IEEE arithmetic (0/0 is nan, as in numpy), no reassociation, cached."""
    compiled: Callable[..., Any] = numba.njit(function, cache=True, error_model="numpy", nogil=True)
    return compiled


def compile_sum(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a numerical function whose sums may be added in another order: several times faster, same on one CPU.

    Only the order of additions and fused multiply-add are freed; nan and infinity keep their meaning.
    """
    compiled: Callable[..., Any] = numba.njit(function, cache=True, error_model="numpy", nogil=True, fastmath=_FREE)
    return compiled


def compile_estimate(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile as compile_sum does, roots and divisions by the CPU's estimate and a Newton step: single precision only.

    Good to 1e-6 and twice as fast; the estimates of another make of CPU differ in their last bits.
    """
    compiled: Callable[..., Any] = numba.njit(
        function, cache=True, error_model="numpy", nogil=True, fastmath={*_FREE, "arcp", "afn"}
    )
    return compiled
