"""Feature importances: share of the split gain, and macro F1 lost when the feature is shuffled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Importance:
    """Importance of n features: share of the gain, loss of macro F1 by permutation and its scatter, each (n,)."""

    features: Sequence[str]
    gain: NDArray[np.float64]
    permutation: NDArray[np.float64]
    permutation_std: NDArray[np.float64]


@style.styled
def draw(importance: Importance, title: str, top: int = 20) -> "Figure":
    """Draw the `top` features by gain (left) and, in their own order, by permutation (right)."""
    shown = min(top, len(importance.features))
    figure = style.figure(height_inch=1.3 + 0.29 * shown)
    left, right = figure.subplots(1, 2)
    _bars(left, importance.features, importance.gain, None, shown, style.BLUE)
    _bars(right, importance.features, importance.permutation, importance.permutation_std, shown, style.ORANGE)
    left.set(title=f"{title}: gain", xlabel="share of the total split gain")
    right.set(title=f"{title}: permutation", xlabel="loss of macro F1 when shuffled")
    return figure


def strongest(values: NDArray[np.float64], top: int) -> NDArray[np.intp]:
    """Positions of the `top` largest values, the largest first; equal values keep their order."""
    return np.argsort(-values, kind="stable")[:top]


def _bars(
    axes: "Axes",
    features: Sequence[str],
    values: NDArray[np.float64],
    errors: NDArray[np.float64] | None,
    top: int,
    colour: str,
) -> None:
    order = strongest(values, top)
    places = np.arange(len(order))
    axes.barh(places, values[order], xerr=None if errors is None else errors[order], color=colour, ecolor=style.INK)
    axes.set_yticks(places, [features[i] for i in order])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.margins(y=0.01)
    style.light_grid(axes, "x")
