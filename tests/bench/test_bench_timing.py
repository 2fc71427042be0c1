import math

import numpy as np
import pytest

from bench import samples, timing
from bench.timing import Contender, clock, compare, cost


def spinning(name, count, turns):
    """Contender that adds up numbers, so many for each light curve."""

    def work(n):
        return sum(range(turns * n))

    return Contender(name, "adds", count, len, work)


@pytest.fixture(scope="module")
def curves():
    return samples.simulate(np.random.default_rng(1), np.full(40, 20))


def test_cost_is_the_median_and_the_ratio_that_of_pairs():
    one = Contender("peer", "work", 3, len, len)
    found = cost(one, 3, ours=[1.0, 2.0, 4.0], readings=[10.0, 40.0, 40.0])
    assert (found.seconds, found.rate, found.count) == (40.0, 1 / 40, 3)
    assert found.faster == 10  # median of 10, 20 and 10
    assert found.spread == 15 / 40


def test_a_reading_lasts_long_enough_to_be_read():
    seen = []
    one = clock(lambda n: seen.append(sum(range(n))), 1000, 10)
    assert 0 < one < timing.LEAST_S
    assert len(seen) > 1
    assert one * 10 * len(seen) >= timing.LEAST_S * 0.99


def test_every_contender_is_measured_on_no_more_than_its_light_curves(curves):
    found = compare(spinning("ours", 40, 1000), [spinning("slow", 4, 2000), spinning("all", 99, 1000)], curves, 2)
    assert [(one.name, one.count) for one in found] == [("ours", 40), ("slow", 4), ("all", 40)]
    assert found[0].faster == 1
    assert all(math.isfinite(value) and value > 0 for one in found for value in (one.seconds, one.faster, one.rate))
