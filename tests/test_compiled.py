"""The cache of compiled kernels, used by several processes at once."""

import os
import subprocess
import sys

import numpy as np
import pytest
from workspace import ROOT

from workflow_scripts import compiled

AT_ONCE = """
import sys
from numba.core.caching import IndexDataCacheFile

folder, between, *how = sys.argv[1:]
if "numba alone" not in how:
    from workflow_scripts import compiled
one, other = (IndexDataCacheFile(folder, "kernel", source_stamp=1) for _ in range(2))  # as two processes have them
other._load_index = dict  # it has read the index when that was still empty
step = getattr(one, between)
setattr(one, between, lambda *given: (other.save("B", "code for B"), step(*given)))
one.save("A", "code for A")
print([IndexDataCacheFile(folder, "kernel", source_stamp=1).load(types) for types in "AB"])
"""


def printed(script: str, *how: object, **environment: str) -> str:
    """What a script prints in a process of its own."""
    command = [sys.executable, "-c", script, *map(str, how)]
    within = {"cwd": ROOT, "env": os.environ | environment}
    return subprocess.run(command, **within, capture_output=True, text=True, check=True).stdout.strip()


def test_code_of_two_types_compiled_at_once_is_never_taken_for_each_other(tmp_path):
    assert printed(AT_ONCE, tmp_path, "_save_data") == "['code for A', 'code for B']"


def test_code_that_lost_its_place_in_the_index_is_compiled_again(tmp_path):
    assert printed(AT_ONCE, tmp_path, "_save_index") == "['code for A', None]"


def test_numba_alone_takes_them_for_each_other(tmp_path):
    """Should this fail, numba has mended it: `save` can go."""
    assert printed(AT_ONCE, tmp_path, "_save_data", "numba alone") == "[None, 'code for A']"


def test_kernels_are_cached_and_sums_may_be_reordered():
    def total(x):
        result = 0.0
        for value in x:
            result += value
        return result

    x = np.random.default_rng(1).normal(size=1000)
    assert compiled.compile_kernel(total)(x) == total(x), "bit for bit in the order of the source"
    assert compiled.compile_sum(total)(x) == pytest.approx(total(x), rel=1e-13)


def test_cache_is_where_the_user_says_and_named_after_the_code(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    compiled.cache_folder.cache_clear()
    try:
        folder = compiled.cache_folder()
        assert folder.parent == tmp_path
        assert folder.is_dir()
    finally:
        compiled.cache_folder.cache_clear()


def test_folder_that_cannot_be_made_is_replaced_by_a_temporary_one(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    compiled.cache_folder.cache_clear()
    try:
        assert compiled.cache_folder().name.startswith("variable-sky-")
    finally:
        compiled.cache_folder.cache_clear()


MEASURED = """
import sys
import numpy as np
from workflow_scripts import features
from workflow_scripts.features import smoothness
from workflow_scripts.lightcurve import ragged

rng = np.random.default_rng(1)
time, mag = np.sort(rng.uniform(0, 100, (50, 150))), rng.normal(15, 0.1, (50, 150))
if "others first" in sys.argv:
    smoothness._running_sums(mag[0])
curves = ragged.LightCurves(np.arange(51) * 150, time.ravel(), mag.ravel(), np.full(mag.size, 0.1))
print(features.measure(curves, {}, ["excess_abbe", "s_b", "kurtosis"])["excess_abbe"].tobytes().hex())
"""


def test_features_are_the_same_whatever_the_process_has_compiled_or_loaded(tmp_path):
    order = [("one", ""), ("one", ""), ("one", "others first"), ("other", "others first"), ("other", "")]
    found = [printed(MEASURED, how, NUMBA_CACHE_DIR=str(tmp_path / folder)) for folder, how in order]
    assert set(found) == {found[0]}
    assert len(found[0]) == 50 * 16
