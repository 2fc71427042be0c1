import dataclasses
from pathlib import Path

import numpy as np
import pytest
import yaml

from workflow_scripts.surveys import demo
from workflow_scripts.surveys.stars import STARS


def many_epochs(n: int = 400) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [demo.epochs(rng) for _ in range(n)]


def test_the_survey_says_that_it_is_simulated():
    assert "SIMULATED" in demo.SURVEY


def test_mixes_are_shares_of_the_same_classes_and_clearly_differ():
    labelled, field = demo.MIXES["labelled"], demo.MIXES["field"]
    for shares in (labelled, field):
        assert set(shares) == set(STARS)
        assert sum(shares.values()) == pytest.approx(1, abs=1e-12)  # rounding of eight sums
    assert max(labelled, key=labelled.get) == "EW"
    assert min(labelled.values()) == 0.03
    # Total variation distance: a third of the objects would have to change their class.
    assert 0.5 * sum(abs(labelled[c] - field[c]) for c in labelled) > 0.3


def test_the_settings_are_those_of_the_configuration():
    schema = yaml.safe_load((Path(__file__).parents[2] / "config" / "config.schema.yaml").read_text())
    described = schema["properties"]["samples"]["additionalProperties"]["properties"]["demo"]["properties"]
    assert set(described) == {field.name for field in dataclasses.fields(demo.Demo)}
    assert set(described["mix"]["enum"]) == set(demo.MIXES)


def test_every_seed_and_every_sample_has_its_own_numbers():
    drawn = {demo.generator(seed, name).uniform() for seed in (0, 1, 2) for name in ("a", "b", "ab", "ba")}
    assert len(drawn) == 12
    assert len({demo.generator(1, name, block).uniform() for name in ("a", "a0") for block in (0, 1, 48)}) == 6
    assert demo.generator(1, "a").uniform() == demo.generator(1, "a").uniform()


def test_epochs_are_visits_of_half_an_hour_in_nights_of_seasons_over_six_to_eight_years():
    for time in many_epochs():
        assert (np.diff(time) > 0).all()
        nights, visits = np.unique(np.floor(time), return_counts=True)
        assert visits.max() <= 4
        last_of_night = np.searchsorted(np.floor(time), nights, side="right") - 1
        first_of_night = np.searchsorted(np.floor(time), nights)
        assert ((time[last_of_night] - time[first_of_night]) < 0.5 / 24).all()
        assert np.ptp(time) < 9.5 * 365.25
        assert 53000 < time.min() < time.max() < 58500
        # In at most three quarters of the year's days (bins of a twentieth; one more where the edges cut bins).
        seasons = np.unique(np.floor((nights / 365.25 % 1) * 20))
        assert len(seasons) <= 17


def test_numbers_of_epochs_are_those_of_the_catalina_surveys():
    n = np.array([len(time) for time in many_epochs()])
    assert n.min() >= 1
    assert 130 < np.median(n) < 230
    assert np.percentile(n, 95) < 350
    # Four in a hundred by design and a few more by chance; five standard deviations of 400 draws are 0.05.
    assert 0.005 < np.mean(n < 50) < 0.1


def observed(magnitude: float, n: int = 200_000) -> demo.Points:
    time = np.linspace(54000, 57000, n)
    return demo.observe(time, np.full(n, magnitude), np.random.default_rng(2))


def good(points: demo.Points) -> np.ndarray:
    return points.usable & (points.mag_err > 0) & (points.mag < 50) & (np.abs(points.time - 55500) < 1600)


@pytest.mark.parametrize(("magnitude", "stated", "true"), [(13, 0.05, 0.026), (19, 0.196, 0.192)])
def test_errors_grow_with_the_magnitude_and_are_overstated_at_the_bright_end(magnitude, stated, true):
    points = observed(magnitude)
    chosen = good(points)
    # One factor per light curve with 6 % scatter, here within three standard deviations.
    assert np.median(points.mag_err[chosen]) == pytest.approx(stated, rel=0.18)
    # Half the 16-to-84 percentile range: outliers do not count; one part in a hundred for them and for the sample.
    low, high = np.percentile(points.mag[chosen], [15.865, 84.135])
    assert (high - low) / 2 == pytest.approx(true, rel=0.03)


def test_every_kind_of_bad_point_has_its_share():
    points = observed(16)
    n = len(points.time)
    shares = {
        "not usable": (np.mean(~points.usable), 0.0149),
        "not a number": (np.mean(np.isnan(points.mag)), 0.003),
        "sentinel": (np.mean(points.mag == demo.SENTINEL), 0.003),
        "zero error": (np.mean(points.mag_err == 0), 0.002),
        "lost time": (np.mean(points.time == demo.LOST_TIME), 0.0003),
        "outlier": (np.mean(np.abs(points.mag[good(points)] - 16) > 0.35), 0.005),
    }
    for name, (found, expected) in shares.items():
        # Five standard deviations of the binomial.
        assert abs(found - expected) < 5 * np.sqrt(expected / n) + 0.02 * expected, name
    times = points.time[points.time != demo.LOST_TIME]
    assert (len(times) - len(np.unique(times))) / 200_000 == pytest.approx(0.005, rel=0.1)


def test_most_light_curves_are_unsorted_but_not_all():
    rng = np.random.default_rng(3)
    time = np.arange(100.0) + 55000
    curves = [demo.observe(time, np.full(100, 15.0), rng).time for _ in range(300)]
    ordered = [bool((np.diff(t[t > 0])[:80] > 0).all()) for t in curves]
    assert 0.1 < np.mean(ordered) < 0.4


def test_a_star_below_the_limit_is_not_seen():
    rng = np.random.default_rng(4)
    time = np.arange(1000.0) + 55000
    magnitude = np.where(np.arange(1000) < 400, 19.0, demo.FAINT_LIMIT + 0.5)
    points = demo.observe(time, magnitude, rng)
    assert points.time.max() < 55400
    assert 400 <= len(points.time) < 420
    assert len(demo.observe(time, np.full(1000, 25.0), rng).time) == 0
