"""The cache of compiled kernels, used by several processes at once."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numba.core.caching import IndexDataCacheFile
from workspace import ROOT

from workflow_scripts import compiled


@pytest.fixture
def slow(tmp_path, monkeypatch):
    """Two views of one cache, as two processes have them, with time between reading the index and writing it."""
    read = IndexDataCacheFile._load_index

    def slowly(self):
        found = read(self)
        time.sleep(0.1)
        return found

    monkeypatch.setattr(IndexDataCacheFile, "_load_index", slowly)
    return [IndexDataCacheFile(str(tmp_path), "kernel", source_stamp=1) for _ in range(2)]


def saved_at_once(save, caches):
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(save, cache, key, f"code for {key}") for cache, key in zip(caches, "AB", strict=True)]
    for job in jobs:
        job.result()
    return {key: caches[0].load(key) for key in "AB"}


def test_code_of_two_types_compiled_at_once_is_kept_apart(slow):
    assert saved_at_once(IndexDataCacheFile.save, slow) == {"A": "code for A", "B": "code for B"}


def test_numba_alone_mixes_them_up(slow):
    """Should this fail, numba has mended it: the lock can go."""
    found = saved_at_once(IndexDataCacheFile.save.__wrapped__, slow)
    assert found != {"A": "code for A", "B": "code for B"}


def test_file_that_an_index_names_is_written_before_anybody_reads_it(tmp_path, monkeypatch):
    cache = IndexDataCacheFile(str(tmp_path), "kernel", source_stamp=2)
    IndexDataCacheFile(str(tmp_path), "kernel", source_stamp=1).save("A", "code of before")
    write = IndexDataCacheFile._save_data

    def slowly(self, name, data):
        time.sleep(0.2)
        write(self, name, data)

    monkeypatch.setattr(IndexDataCacheFile, "_save_data", slowly)
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(cache.save, "B", "code for B")
        time.sleep(0.1)
        assert cache.load("B") == "code for B"
    job.result()


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
from numba.core.codegen import CPUCodeLibrary
from workflow_scripts import features
from workflow_scripts.features import smoothness
from workflow_scripts.lightcurve import ragged

if "numba alone" in sys.argv:
    CPUCodeLibrary._optimize_final_module = CPUCodeLibrary._optimize_final_module.__wrapped__
rng = np.random.default_rng(1)
time, mag = np.sort(rng.uniform(0, 100, (50, 150))), rng.normal(15, 0.1, (50, 150))
if "others first" in sys.argv:
    smoothness._running_sums(mag[0])
curves = ragged.LightCurves(np.arange(51) * 150, time.ravel(), mag.ravel(), np.full(mag.size, 0.1))
print(features.measure(curves, {}, ["excess_abbe", "s_b", "kurtosis"])["excess_abbe"].tobytes().hex())
"""


def measured(cache, *how: str) -> str:
    """Feature of some stars in a process of its own."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, "-c", MEASURED, *how]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def test_features_are_the_same_whatever_the_process_has_compiled_or_loaded(tmp_path):
    found = [measured(tmp_path / "one"), measured(tmp_path / "one"), measured(tmp_path / "one", "others first")]
    found += [measured(tmp_path / "other", "others first"), measured(tmp_path / "other")]
    assert set(found) == {found[0]}
    assert len(found[0]) > 700
