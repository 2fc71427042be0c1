"""The figure of the benchmark: cost against number of points and of light curves, and peak memory."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.scaling import OfCurves, OfPoints
from workflow_scripts.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OF_POINTS = {"statistics": "Statistics", "periodogram": "Lomb-Scargle", "search": "Period search"}
OF_CURVES = {"statistics": "Statistics", "search": "Period search"}
COLOURS = dict(zip(OF_POINTS, style.SERIES, strict=False))


@style.styled
def draw(of_points: Sequence[OfPoints], of_curves: Sequence[OfCurves]) -> "Figure":
    """Draw three panels on logarithmic axes."""
    figure = style.figure(3.9)
    left, middle, right = figure.subplots(1, 3)
    for name, label in OF_POINTS.items():
        costs = [getattr(one, name) * 1e3 for one in of_points]
        left.plot([one.points for one in of_points], costs, "o-", color=COLOURS[name], label=label)
    for name, label in OF_CURVES.items():
        own = [one for one in of_curves if one.kind == name]
        numbers = [one.curves for one in own]
        middle.plot(numbers, [one.seconds for one in own], "o-", color=COLOURS[name], label=label)
        right.plot(numbers, [one.peak_mib for one in own], "o-", color=COLOURS[name], label=label)
    left.set(title="Cost of a light curve", xlabel="Points", ylabel="CPU time (ms)")
    middle.set(title="Cost of all", xlabel="Light curves", ylabel="CPU time (s)")
    right.set(title="Peak memory", xlabel="Light curves", ylabel="Resident memory (MiB)")
    for axes in (left, middle, right):
        axes.set(xscale="log", yscale="log")
        axes.legend(fontsize=9)
        style.light_grid(axes)
    right.set_ylim(50, 5000)
    return figure
