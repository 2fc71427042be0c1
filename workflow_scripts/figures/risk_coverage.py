"""Risk-coverage curves: what accuracy is bought by leaving out the doubtful objects (Geifman & El-Yaniv 2017)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLES = ("-", "--", ":", "-.")
_SAME = " at the same coverage"


@style.styled
def draw(rules: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]) -> "Figure":
    """Draw accuracy among the kept objects against the share that is kept, one curve per rule.

    rules maps a rule's name to (coverage, accuracy), both (n,) in any order; a rule with one value is a point.
    """
    figure = style.figure(height_inch=4.6, width_inch=8.0)
    axes = figure.subplots()
    curves = 0
    for rule, (coverage, accuracy) in rules.items():
        colour = style.MODEL_COLOURS.get(rule.removesuffix(_SAME), style.GREY)
        order = np.argsort(coverage, kind="stable")
        if len(coverage) == 1:
            label = f"{rule_name(rule)}: {100 * accuracy[0]:.1f} % right of the {100 * coverage[0]:.1f} % kept"
            marker, size = ("o", 6) if rule.endswith(_SAME) else ("*", 15)
            axes.plot(coverage, accuracy, marker, markersize=size, color=colour, zorder=3, label=label)
        else:
            shape = _STYLES[curves % len(_STYLES)]
            axes.plot(coverage[order], accuracy[order], color=colour, linestyle=shape, label=rule_name(rule))
            curves += 1
    axes.set(xlabel="share of objects kept", ylabel="accuracy among the kept", xlim=(0, 1.02))
    axes.legend(loc="lower left", fontsize=10)
    style.light_grid(axes)
    return figure


def rule_name(rule: str) -> str:
    """Return the rule as a reader knows it."""
    if rule == "agreement":
        return "both boosters agree"
    model = rule.removesuffix(_SAME)
    name = "mean confidence of both" if model == "ensemble" else f"confidence of {style.name_of(model)}"
    return f"{name}, as many kept" if rule.endswith(_SAME) else name
