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


def taking(monkeypatch, *seconds):
    """A clock by which the calls of some work take these times, the last one again and again; the calls so far."""
    calls, left = [], list(seconds)
    now = [0.0]

    def work(given):
        calls.append(given)
        now[0] += left.pop(0) if len(left) > 1 else left[0]

    monkeypatch.setattr(timing.time, "process_time", lambda: now[0])
    return work, calls


def test_a_reading_lasts_long_enough_and_its_first_call_does_not_count(monkeypatch):
    work, calls = taking(monkeypatch, 0.2, 0.125)
    assert clock(work, "curves", 10) == 0.0125
    assert calls == ["curves"] * 3


def test_a_call_that_lasts_long_enough_is_a_reading(monkeypatch):
    work, calls = taking(monkeypatch, 0.5)
    assert clock(work, "curves", 10) == 0.05
    assert len(calls) == 1


def test_time_is_that_of_the_processor():
    one = clock(lambda n: sum(range(n)), 100_000, 10)
    assert 0 < one * 10 < timing.LEAST_S


def test_every_contender_is_measured_on_no_more_than_its_light_curves(curves):
    found = compare(spinning("ours", 40, 1000), [spinning("slow", 4, 2000), spinning("all", 99, 1000)], curves, 2)
    assert [(one.name, one.count) for one in found] == [("ours", 40), ("slow", 4), ("all", 40)]
    assert found[0].faster == 1
    assert all(math.isfinite(value) and value > 0 for one in found for value in (one.seconds, one.faster, one.rate))
