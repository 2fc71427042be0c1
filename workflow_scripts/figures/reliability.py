"""Reliability diagrams: accuracy against confidence, before and after calibration (Guo 2017)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STAGES = ("before", "after")
_COLOURS = {"before": style.ORANGE, "after": style.BLUE}
_MARKERS = {"before": "s", "after": "o"}


@dataclass(frozen=True)
class Bins:
    """Confidence bins of one model: edges low and high, mean confidence, accuracy and objects in each, all (n,).

    confidence and accuracy are NaN where a bin holds no object.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    count: NDArray[np.int64]


@style.styled
def draw(models: Mapping[str, Mapping[str, Bins]]) -> "Figure":
    """Draw one reliability diagram per model, with the number of objects per bin below it.

    models maps a model's name to its bins by stage ("before", "after" calibration).
    """
    figure = style.figure(height_inch=5.6)
    grid = figure.subplots(2, len(models), squeeze=False, sharex=True, height_ratios=(3, 1))
    for column, (model, stages) in enumerate(models.items()):
        diagram, histogram = grid[:, column]
        _diagram(diagram, stages)
        _histogram(histogram, stages)
        diagram.set_title(style.name_of(model))
    grid[0, 0].set_ylabel("share of correct predictions")
    grid[1, 0].set_ylabel("objects")
    # Outside the diagrams: a thin bin may stand anywhere in them.
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3, fontsize=10)
    return figure


def _diagram(axes: "Axes", stages: Mapping[str, Bins]) -> None:
    axes.plot([0, 1], [0, 1], color=style.GREY, linewidth=1, linestyle="--", label="perfect")
    for stage in _present(stages):
        bins = stages[stage]
        filled = bins.count > 0
        x, y, n = bins.confidence[filled], bins.accuracy[filled], bins.count[filled]
        # The bars are one binomial standard error: they say which bins are too thin to judge.
        axes.errorbar(
            x, y, np.sqrt(y * (1 - y) / n), color=_COLOURS[stage], marker=_MARKERS[stage], markersize=5, label=stage
        )
    axes.set(xlim=(0, 1.01), ylim=(0, 1.03))
    style.light_grid(axes)


def _histogram(axes: "Axes", stages: Mapping[str, Bins]) -> None:
    for stage in _present(stages):
        bins = stages[stage]
        edges = np.append(bins.low, bins.high[-1])
        axes.stairs(bins.count, edges, baseline=0.5, color=_COLOURS[stage], linewidth=1.4)
    axes.set(yscale="log", ylim=(0.5, None), xlabel="probability of the predicted class")
    style.light_grid(axes)


def _present(stages: Mapping[str, Bins]) -> Sequence[str]:
    return [stage for stage in STAGES if stage in stages]
