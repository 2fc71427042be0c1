"""Compilation of numerical kernels with numba, cached between jobs.

Numba notices an edited source file but not an edited function that a kernel calls in another file. The cache is
therefore one folder per fingerprint of the numerical code: an old kernel can never answer for new code. And it numbers
the files of a function's compiled types by what its index holds: two processes that compile at once may give one number
to two types, and the code for one would run on the other. The index is therefore used by one process at a time.
"""

import fcntl
import functools
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

_OURS = f"{len('workflow_scripts')}workflow_scripts"  # in the names that functions of this package have when compiled
NUMERICAL = ("features", "lightcurve.period_search")


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


def alone(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method of numba's cache, which reads or writes an index and its files, run in one process at a time."""

    @functools.wraps(method)
    def locked(*given: Any) -> Any:
        with (cache_folder() / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return method(*given)

    return locked


IndexDataCacheFile.load = alone(IndexDataCacheFile.load)  # type: ignore[method-assign]
IndexDataCacheFile.save = alone(IndexDataCacheFile.save)  # type: ignore[method-assign]


def with_own_copies(optimize: Callable[[CPUCodeLibrary], None]) -> Callable[[CPUCodeLibrary], None]:
    """Let the code of a compiled function call its own copies of our functions, not those loaded for another one.

    Copies are optimised for their callers, and sums in another order end in other bits: which copy answered would
    depend on what the process has loaded, and whether it compiled anything itself.
    """

    @functools.wraps(optimize)
    def optimized(library: CPUCodeLibrary) -> None:
        for function in library._final_module.functions:
            if _OURS in function.name and function.linkage.name == "linkonce_odr":
                function.linkage = "internal"
        optimize(library)

    return optimized


CPUCodeLibrary._optimize_final_module = with_own_copies(  # type: ignore[method-assign]
    CPUCodeLibrary._optimize_final_module
)

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
    free = {"reassoc", "contract", "nsz"}
    compiled: Callable[..., Any] = numba.njit(function, cache=True, error_model="numpy", nogil=True, fastmath=free)
    return compiled
