"""Confusion matrices (Qiao 2024, Fig. 3)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DARK = 0.55  # share of a row above which a count is printed in white


@style.styled
def draw(classes: Sequence[str], counts: NDArray[np.integer], title: str) -> "Figure":
    """Draw one confusion matrix.

    counts is (k, k): objects of true class i (row) that the model gives class j (column). The colour is the share
    of the row, so that a rare class is as visible as a frequent one; the count itself is printed.
    """
    k, longest = len(classes), max(map(len, classes))
    is_crowded = k > 6 or longest > 8
    figure = style.figure(
        height_inch=1.5 + 0.48 * k + (0.08 * longest if is_crowded else 0),
        width_inch=min(style.FULL_WIDTH, 2.6 + 0.66 * k + 0.11 * longest),
    )
    axes = figure.subplots()
    image = axes.imshow(row_shares(counts), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    _print_counts(axes, counts)
    # Anchored where it ends, so that a slanted name points at its own column.
    axes.set_xticks(
        range(k),
        classes,
        rotation=45 if is_crowded else 0,
        ha="right" if is_crowded else "center",
        rotation_mode="anchor",
        parse_math=False,  # names of classes are not TeX
    )
    axes.set_yticks(range(k), classes, parse_math=False)
    axes.set(xlabel="class the model gives", ylabel="class in the label catalogue", title=title)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label="share of the row", fraction=0.05, pad=0.02)
    return figure


def row_shares(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Share of each row's objects in each column, (k, k); a row without objects has no share (0 in all columns)."""
    totals = counts.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0))


def _print_counts(axes: "Axes", counts: NDArray[np.integer]) -> None:
    shares = row_shares(counts)
    size = 10 if len(counts) <= 12 else 8
    for (i, j), count in np.ndenumerate(counts):
        colour = "white" if shares[i, j] > _DARK else (style.INK if count else "#B5B5B5")
        axes.text(j, i, f"{count:,}", ha="center", va="center", color=colour, fontsize=size)
