import re

import numpy as np
import pytest

from workflow_scripts.surveys import checks
from workflow_scripts.tables import DataError

HERE = ["a.csv: column 'mjd' (time)"]
MJD = np.linspace(53000, 59000, 101)

OFFSETS = {"mjd": 0, "jd": 2400000.5, "jd-2450000": -49999.5, "jd-2400000": 0.5}


def test_offsets_are_the_definitions_of_the_time_systems():
    # J2000.0 is JD 2451545.0 and MJD 51544.5.
    as_written = {"mjd": 51544.5, "jd": 2451545.0, "jd-2450000": 1545.0, "jd-2400000": 51545.0}
    assert {f: as_written[f] + offset for f, offset in checks.TO_MJD.items()} == dict.fromkeys(as_written, 51544.5)


@pytest.mark.parametrize("true_format", OFFSETS)
def test_times_in_the_right_format_pass(true_format):
    checks.check_times(HERE, [MJD + OFFSETS[true_format]], true_format)


@pytest.mark.parametrize(("said", "true"), [("mjd", "jd"), ("mjd", "jd-2450000"), ("jd", "mjd"), ("jd-2450000", "jd")])
def test_times_in_another_format_are_recognised(said, true):
    with pytest.raises(DataError, match=rf"{true.upper()}: set time_format: {true}$") as caught:
        checks.check_times(HERE, [MJD + OFFSETS[true]], said)
    assert "a.csv: column 'mjd' (time): 100% of the times" in str(caught.value)


def test_times_that_may_count_from_another_epoch_are_not_called_one_format_alone():
    """TESS counts from JD 2457000, many tables from their first point: as JD-2450000 they would be of 1999."""
    with pytest.raises(DataError) as caught:
        checks.check_times(HERE, [np.linspace(1500, 1528, 50)], "mjd")
    both = (
        r"days since another epoch, such as BTJD .* to MJD first; if they are JD-2450000: set time_format: jd-2450000$"
    )
    assert re.search(both, str(caught.value))
    with pytest.raises(DataError, match=r"MJD; they look like JD: set time_format: jd$"):
        checks.check_times(HERE, [MJD + OFFSETS["jd"]], "mjd")


def test_times_in_no_format():
    with pytest.raises(DataError, match=r"no time_format .* fits them: convert them to MJD"):
        checks.check_times(HERE, [MJD * 86400], "mjd")


def test_half_of_the_times_may_be_absurd_and_what_is_not_finite_does_not_count():
    times = np.array([-2409998.0, 55000.0, np.nan, np.nan, np.inf])
    checks.check_times(HERE, [times], "mjd")
    with pytest.raises(DataError, match="67%"):
        checks.check_times(HERE, [np.append(times, 0.0)], "mjd")


def test_the_worst_file_is_named_and_the_share_is_of_all():
    where = ["good.csv", "bad.csv"]
    with pytest.raises(DataError, match=r"^bad\.csv: 75%"):
        checks.check_times(where, [MJD[:1], MJD[:3] + 2400000.5], "mjd")
    checks.check_times(where, [MJD[:3], MJD[:3] + 2400000.5], "mjd")


GOOD = np.linspace(14, 16, 1000)
CHECKS = {
    "times": lambda w, v: checks.check_times(w, v, "mjd"),
    "magnitudes": checks.check_magnitudes,
    "magnitude errors": checks.check_errors,
}
# What a file may hold where the others have MJD, mag, and errors in mag.
WRONG = [
    ("times", MJD, MJD + 2400000.5),
    ("magnitudes", GOOD, np.linspace(100, 9e4, 101)),
    ("magnitudes", GOOD, np.linspace(-9, -6, 101)),  # instrumental ones
    ("magnitude errors", GOOD / 1000, np.linspace(3, 90, 101)),
    ("magnitude errors", GOOD / 1000, np.linspace(-3, 0, 101)),
]


@pytest.mark.parametrize(("what", "right", "wrong"), WRONG)
def test_a_whole_file_that_is_wrong_among_larger_ones_is_named(what, right, wrong):
    where = ["a.csv", "wrong.csv", "b.csv"]
    right = np.resize(right, 5000)
    with pytest.raises(DataError, match=rf"^wrong\.csv: 100% of the {what}, such as"):
        CHECKS[what](where, [right, wrong, right])
    half = np.concatenate([wrong[:49], right[:51]])
    CHECKS[what](where, [right, half, right])
    more = np.concatenate([wrong[:60], right[:40], [np.nan] * 50])
    with pytest.raises(DataError, match=rf"^wrong\.csv: 60% of the {what}"):
        CHECKS[what](where, [right, more, right])


@pytest.mark.parametrize(("what", "right", "wrong"), WRONG)
def test_a_file_of_few_values_or_of_sentinels_may_be_an_odd_star(what, right, wrong):
    right = np.resize(right, 5000)
    CHECKS[what](["a.csv", "few.csv"], [right, wrong[:19]])
    CHECKS[what](["a.csv", "same.csv"], [right, np.resize(wrong[:3], 200)])
    CHECKS[what](["a.csv", "empty.csv", "nan.csv"], [right, wrong[:0], np.full(50, np.nan)])
    with pytest.raises(DataError, match=r"^b\.csv: 100%"):
        CHECKS[what](["a.csv", "b.csv"], [right, wrong[:20]])


def test_the_worst_of_several_wrong_files_is_named_and_its_own_time_format():
    where = ["a.csv", "half.csv", "jd.csv"]
    mixed = np.concatenate([MJD[:40], MJD[:60] + 2400000.5])
    with pytest.raises(DataError) as caught:
        checks.check_times(where, [np.resize(MJD, 5000), mixed, MJD + 2400000.5], "mjd")
    said = (
        "if they are MJD, as those of the other files are: convert this file, or make it a sample of its own; they "
        "look like JD: set time_format: jd"
    )
    assert str(caught.value).startswith("jd.csv: 100% of the times, such as 2453000.5, are outside")
    assert str(caught.value).endswith(said)


@pytest.mark.parametrize("values", [[1e4, 2e4, 15], [-9.99, -99, 3], [np.nan, 55, 44]])
def test_fluxes_are_no_magnitudes(values):
    with pytest.raises(DataError, match="look like fluxes or another unit: convert them to magnitudes"):
        checks.check_magnitudes(HERE, [np.array(values, dtype=float)])


def test_some_sentinels_among_the_magnitudes_are_for_cleaning():
    checks.check_magnitudes(HERE, [np.array([15, 16, 99.999, -99, np.nan, np.inf, -5, 40])])


def test_errors_must_mostly_be_positive():
    checks.check_errors(HERE, [np.array([0.1, 0.0])])
    with pytest.raises(DataError, match=r"67% of the magnitude errors, such as 0\.0, are zero or below"):
        checks.check_errors(HERE, [np.array([0.1, 0.0, -1.0])])


def test_errors_in_millimagnitudes_are_recognised():
    said = r"b\.csv: 67% of the magnitude errors, such as 2\.0, are above 1 mag; they look like millimagnitudes"
    with pytest.raises(DataError, match=said):
        checks.check_errors(["a.csv", "b.csv"], [np.array([0.5, 1.5]), np.array([2.0, 8.0, np.nan, 0.3, 5.0])])


def test_half_of_the_errors_may_be_large():
    checks.check_errors(HERE, [np.array([0.02, 1.0, 3.0, 99.0, np.nan])])


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [np.inf]])
def test_nothing_finite_at_all(values):
    for check in (checks.check_magnitudes, checks.check_errors, lambda w, v: checks.check_times(w, v, "mjd")):
        with pytest.raises(DataError, match="no value is a finite number"):
            check(HERE, [np.array(values, dtype=float)])


def test_coordinates_in_range_pass_and_missing_ones_too():
    checks.check_coordinates("ra", np.array([0, 359.999, np.nan]), 0, 360, False)
    checks.check_coordinates("dec", np.array([-90, 90, np.nan]), -90, 90, True)


@pytest.mark.parametrize(
    ("values", "limits"),
    [
        ([10, -0.1], (0, 360, False)),
        ([10, 360.0], (0, 360, False)),
        ([0, 90.1], (-90, 90, True)),
        ([1, -999], (-90, 90, True)),
    ],
)
def test_coordinates_out_of_range_are_an_error(values, limits):
    with pytest.raises(DataError, match=f"here has 1 of 2 values outside .* degrees, such as {float(values[1])!r}"):
        checks.check_coordinates("here", np.array(values, dtype=float), *limits)
