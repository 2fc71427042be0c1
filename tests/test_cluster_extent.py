"""What the report of a cluster says against its size and depth."""

from math import degrees

import numpy as np
import pytest

from workflow_scripts.clustering import summary
from workflow_scripts.report import extent

M67 = {
    "parallax_mas": 1.1562,
    "parallax_dispersion_mas": 0.0248,
    "parallax_dispersion_low_mas": 0.0233,
    "errors_deconvolved": True,
    "distance_pc": 852.4,
    "r50_deg": 0.162,
}


def said(**changes: object) -> list[str]:
    return list(extent.warnings(dict.fromkeys(summary.CLUSTERS.names) | M67 | changes))


def test_parallaxes_that_spread_more_than_the_cluster_can_be_deep_are_warned_of():
    assert said() == [
        "The parallaxes spread by 0.0248 mas beyond their errors, which would be a depth of 18 pc, 7.5 times r50 "
        "(2.4 pc). It is an upper limit of the depth, no depth: errors and zero point scatter more than the catalogue "
        "says."
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"parallax_dispersion_low_mas": 0.0},  # it need not be there
        {"parallax_dispersion_low_mas": None},  # too few stars to say
        {"errors_deconvolved": False},  # it holds the errors, of which the report warns where the method says so
        {"distance_pc": None},  # a parallax that is not positive
        dict.fromkeys(M67),  # no members
    ],
)
def test_nothing_is_said_of_a_depth_that_is_not_known(changes):
    assert said(**changes) == []


@pytest.mark.parametrize(("rim_share", "warned"), [(0.0994, True), (0.0301, True), (0.03, False), (0.0, False)])
def test_cone_that_cuts_the_cluster_is_warned_of(rim_share, warned):
    cut = f"The cone cuts the cluster: {100 * rim_share:.1f} % of the members lie beyond 0.9 of its radius. "
    cut += "r50 is a lower limit, and its limits are those within the cone. Give a wider one (radius_deg)."
    assert said(rim_share=rim_share, r50_deg=None) == [cut] * warned
    assert len(said(rim_share=rim_share)) == warned + 1  # and of the depth


@pytest.mark.parametrize(
    ("rim_share", "faintest", "text"),
    [
        (0.0994, 19.876, "Of the members 9.9 % lie beyond 0.9 of the cone's radius, and the faintest has G = 19.88 "),
        (
            0.0,
            18.0,
            "Of the members 0.0 % lie beyond 0.9 of the cone's radius, and the faintest has G = 18.00 (does the ",
        ),
        (0.02, None, "Of the members 2.0 % lie beyond 0.9 of the cone's radius, and none has a magnitude. "),
        (None, None, ""),
    ],
)
def test_how_far_out_and_how_faint_the_members_go_is_told(rim_share, faintest, text):
    told = extent.told({"rim_share": rim_share, "g_faintest_mag": faintest})
    assert told.startswith(text)
    assert bool(told) == bool(text)


@pytest.mark.parametrize(("times", "warned"), [(2.95, False), (3.05, True)])
def test_three_times_r50_is_the_limit_and_the_lower_limit_counts(times, warned):
    at = {"distance_pc": 500.0, "r50_deg": degrees(0.01)}  # r50 of 5 pc; 1 pc deep is 0.004 mas
    spread = {"parallax_dispersion_low_mas": 5 * times * 0.004, "parallax_dispersion_mas": 1.0}
    assert len(said(**at, **spread)) == warned


def test_no_sphere_seen_without_errors_is_warned_of():
    """Plummer spheres to 20 of their radii, the deepest of them for their r50."""
    rng, distance_pc, scale_pc = np.random.default_rng(1), 200.0, 2.0
    u = rng.uniform(0, 20**3 / (1 + 20**2) ** 1.5, 20_000)
    r, cos = scale_pc / np.sqrt(u ** (-2 / 3) - 1), rng.uniform(-1, 1, len(u))
    spread = float(np.std(1000 / (distance_pc + r * cos)))
    r50 = degrees(float(np.median(r * np.sqrt(1 - cos**2))) / distance_pc)
    depth = {"parallax_dispersion_mas": spread, "parallax_dispersion_low_mas": spread}
    assert said(**depth, distance_pc=distance_pc, r50_deg=r50) == []
    assert len(said(**{name: 2.2 * value for name, value in depth.items()}, distance_pc=distance_pc, r50_deg=r50)) == 1
