import os
import re
import subprocess
import sys

import numpy as np
import pytest
from workspace import ROOT

from bench import machine

CPUINFO = "model name\t: EPYC 1\nflags\t\t: fpu {flags}\n\nmodel name\t: EPYC 2\nflags\t\t: fpu\n"


@pytest.mark.parametrize(
    ("flags", "text"), [("avx2 avx512f", "EPYC 1 (AVX-512)"), ("avx2", "EPYC 1 (AVX2)"), ("sse", "EPYC 1")]
)
def test_processor_is_the_first_one_with_its_widest_vectors(tmp_path, flags, text):
    (tmp_path / "cpuinfo").write_text(CPUINFO.format(flags=flags))
    assert machine.processor(tmp_path / "cpuinfo") == text


def test_processor_has_a_name_where_that_file_is_not(tmp_path):
    assert machine.processor(tmp_path / "none")


def test_description_says_how_busy_the_machine_is():
    assert re.search(
        r"\d+ cores, one in use, \d+ GiB of memory, .*load average when the run began \d", machine.description()
    )


@pytest.mark.parametrize(
    ("named", "classified", "text"),
    [
        ("GPL-3.0-or-later", ["MIT License"], "GPL-3.0-or-later"),
        ("BSD-3-Clause AND 0BSD AND MIT", [], "BSD-3-Clause and others"),
        ("\n   Apache License\n   Version 2.0, January 2004\n", [], "Apache License"),
        ("Copyright (c) 2001 Enthought", ["BSD License"], "BSD License"),
        ("", ["MIT License"], "MIT License"),
        ("", [], "not stated"),
    ],
)
def test_licence_has_a_short_name(named, classified, text):
    assert machine.licence_name(named, classified) == text


def test_versions_are_those_installed():
    found = {name: (version, licence) for name, version, licence in machine.versions(("numpy",))}
    assert found["numpy"][0] == np.__version__
    assert found["Variable Sky (ours)"][1] == "MIT"


def test_peak_memory_grows_with_what_is_in_use():
    before = machine.peak_memory_mib()
    held = np.ones(2**25 + int(before) * 2**17)  # more than ever before
    assert machine.peak_memory_mib() > before + 200
    assert held.sum() == held.size


HELD = """
import os
from bench import machine
machine.hold_one_core()
import numba
print(numba.config.NUMBA_NUM_THREADS, len(os.sched_getaffinity(0)), *(os.environ[name] for name in machine.THREADS))
"""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot bind a process to a core")
def test_one_core_and_one_thread_for_everything():
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
    command = [sys.executable, "-c", HELD]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"1"}
