"""Histogram of the classes given to a sample (Qiao 2024, Fig. 4)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@style.styled
def draw(classes: Sequence[str], counts: Mapping[str, NDArray[np.integer]], title: str) -> "Figure":
    """Draw the objects per class on a logarithmic axis, the count at the end of each bar.

    counts maps the name of a group, such as "catalogue", to its objects per class, (k,).
    """
    figure = style.figure(height_inch=1.4 + 0.2 * len(classes) * (len(counts) + 0.4))
    axes = figure.subplots()
    height = 0.82 / len(counts)
    for i, (group, values) in enumerate(counts.items()):
        places = np.arange(len(classes)) + (i - (len(counts) - 1) / 2) * height
        axes.barh(places, values, height * 0.92, color=style.SERIES[i % len(style.SERIES)], label=group)
        for place, value in zip(places, values, strict=True):
            axes.text(max(value, 0.6) * 1.06, place, f"{value:,}", va="center", fontsize=9)
    largest = max((int(values.max(initial=1)) for values in counts.values()), default=1)
    axes.set(xscale="log", xlim=(0.6, largest * 2.5), xlabel="objects", title=title)
    axes.set_yticks(range(len(classes)), classes, parse_math=False)
    axes.set_ylim(len(classes) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(counts), borderaxespad=0.2, fontsize=10)
    style.light_grid(axes, "x")
    return figure
