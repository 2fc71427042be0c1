"""Phase-folded light curves of single objects, for the eye to judge the class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Reals = NDArray[np.float64]
COLUMNS = 3


@dataclass(frozen=True)
class Panel:
    """One object: time [d], mag and mag_err [mag], all (n,); probability of its class; period [d] or None."""

    object_id: str
    time: Reals
    mag: Reals
    mag_err: Reals
    probability: float
    period_d: float | None


@style.styled
def draw(rows: Sequence[tuple[str, Sequence[Panel]]], title: str) -> "Figure":
    """Draw rows of up to three panels; each row has a name that stands at its left.

    A panel shows two cycles of the light curve folded with its period, magnitudes growing downwards; an object
    without a period is shown against time.
    """
    figure = style.figure(height_inch=0.5 + 2.25 * len(rows))
    figure.suptitle(title, x=0.01, ha="left", fontsize=14, fontweight="bold")
    grid = figure.subplots(len(rows), COLUMNS, squeeze=False)
    for (name, panels), line in zip(rows, grid, strict=True):
        for panel, axes in zip(panels, line, strict=False):
            _light_curve(axes, panel)
        for axes in line[len(panels) :]:
            axes.set_axis_off()
        line[0].set_ylabel(f"{name}\nmag", parse_math=False)
    return figure


def fold(time: Reals, period_d: float) -> Reals:
    """Phase of each epoch in cycles, 0 to 1, counted from the first epoch; (n,)."""
    return np.asarray(((time - time.min()) / period_d) % 1.0)


def _light_curve(axes: "Axes", panel: Panel) -> None:
    x, label = panel.time, "time [MJD]"
    y, errors = panel.mag, panel.mag_err
    if panel.period_d is not None:
        phase, label = fold(panel.time, panel.period_d), "phase"
        x, y, errors = np.append(phase, phase + 1), np.tile(y, 2), np.tile(errors, 2)
        axes.set_xlim(0, 2)
    axes.errorbar(
        x, y, errors, fmt="o", markersize=2.6, color=style.BLUE, ecolor="#C9D6DE", elinewidth=0.8, linestyle="none"
    )
    # The points set the range: a single large error must not flatten the light curve.
    margin = 0.08 * (np.ptp(panel.mag) or 0.1)
    axes.set_ylim(panel.mag.max() + margin, panel.mag.min() - margin)
    axes.set_xlabel(label, fontsize=9)
    axes.tick_params(labelsize=9)
    axes.set_title(_title(panel), fontsize=9.5, parse_math=False)


def _title(panel: Panel) -> str:
    period = "no period" if panel.period_d is None else f"P = {panel.period_d:.6g} d"
    return f"{_short(panel.object_id)}\np = {panel.probability:.3f}, {period}"


def _short(name: str, longest: int = 40) -> str:
    return name if len(name) <= longest else f"{name[: longest - 12]}...{name[-9:]}"
