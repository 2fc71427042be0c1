"""A clock that is wrong or was set: times of files in the future, in the past and in the wrong order."""

import os
import random
import time

import pytest
from small_run import assert_same

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
SPLIT = "split/split.parquet"
DAY_S = 86400.0


def future(_: random.Random) -> float:
    return time.time() + DAY_S


def past(_: random.Random) -> float:
    return time.time() - 10_000 * DAY_S


def mixed(rng: random.Random) -> float:
    return time.time() + rng.uniform(-1, 1) * DAY_S


@pytest.mark.parametrize("when", [future, past, mixed])
def test_wrong_times_of_intermediates_change_no_bytes(finished, undisturbed, when):
    rng = random.Random(6)
    for name in undisturbed.files():
        if name.startswith(("raw/", "light_curves/", "features/", "samples/", "split/")):
            os.utime(finished.results / name, (at := when(rng), at))
    finished.complete(SPLIT)
    assert_same(finished, undisturbed, *undisturbed.files())
