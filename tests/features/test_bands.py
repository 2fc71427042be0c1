"""Two bands of one object: which rows belong together, and what the two show together."""

import numpy as np
import pytest
from star import measure, one_curve

from workflow_scripts.features.bands import pairs


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([], []),
        (["a"], [[-1, -1]]),
        (["a", "a"], [[0, 1], [0, 1]]),
        (["a", "b", "b", "c"], [[-1, -1], [1, 2], [1, 2], [-1, -1]]),
        (["a", "a", "a", "b", "b"], [[0, 1], [0, 1], [0, 1], [3, 4], [3, 4]]),
    ],
)
def test_rows_of_the_first_two_bands_of_each_object(ids, expected):
    found = pairs(ids)
    assert found.dtype == np.int64
    assert found.shape == (len(ids), 2)
    assert found.tolist() == expected


def two_bands(factor, offset_d=0.0, colour=0.0):
    """A star whose second band varies as its first times a factor, observed some time later."""
    star = one_curve(3, 200)
    residual = star["mag_a"] - star["mag_a"].mean()
    return star | {
        "time_b": star["time_a"] + offset_d,
        "mag_b": star["mag_a"].mean() - colour + factor * residual,
        "mag_err_b": star["mag_err_a"],
    }


@pytest.fixture(scope="module")
def measured():
    # Of the second band 0.003 d later each point is still the nearest to its own: points of a night are 0.02 d apart.
    stars = [two_bands(1), two_bands(-1), two_bands(1, 0.003), two_bands(1, 0.3), two_bands(1, colour=0.7)]
    return {name: values.tolist() for name, values in measure(stars).items()}


def test_achromatic_and_opposite_variation(measured):
    same, opposite, later, _, _ = measured["stetson_l_bands"]
    assert same > 5
    assert opposite == pytest.approx(-same, rel=1e-9)
    assert later == pytest.approx(same, rel=1e-9)  # within a quarter of a day


def test_a_quarter_of_a_day_is_the_limit():
    star = two_bands(1)
    nights = 53000.0 + np.arange(len(star["time_a"]))

    def after(offset_d):
        return measure([star | {"time_a": nights, "time_b": nights + offset_d}])["stetson_l_bands"][0]

    assert after(0.24) == pytest.approx(after(0.0), rel=1e-9)
    assert np.isnan(after(0.26))


def test_points_of_one_epoch_pair_in_a_night_of_many():
    # Every 0.02 d in one band, from 0.1 d on in the other: the first points of a night within 0.25 d are no pairs.
    star = one_curve(3, 200)
    time = np.add.outer(np.arange(10.0), np.arange(0, 0.25, 0.02)).ravel()
    mag = 15 + 0.3 * np.sin(2 * np.pi * time / 0.31)
    late = time % 1 > 0.09
    points = {"time": time, "mag": mag, "mag_err": np.full(len(time), 0.01)}
    fewer = {f"{name}_b": values[late] for name, values in points.items()}
    one = star | {f"{name}_a": values for name, values in points.items()} | fewer
    paired = star | {f"{name}_a": values[late] for name, values in points.items()} | fewer
    assert measure([one])["stetson_l_bands"][0] == pytest.approx(measure([paired])["stetson_l_bands"][0], rel=1e-9)
    assert measure([one])["stetson_l_bands"][0] > 5


def test_bands_never_observed_together_have_no_common_variability():
    # Every point of the second band half a year after the first band ends.
    assert np.isnan(measure([two_bands(1, 1200.0)])["stetson_l_bands"][0])


def test_points_further_apart_than_a_quarter_of_a_day_do_not_pair(measured):
    assert measured["stetson_l_bands"][3] != pytest.approx(measured["stetson_l_bands"][0], rel=1e-3)


def test_colour_is_first_minus_second_band(measured):
    assert measured["band_color"][0] == pytest.approx(0, abs=1e-12)
    assert measured["band_color"][4] == pytest.approx(0.7, abs=1e-12)
