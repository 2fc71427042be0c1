"""What all figures share: colours that colour-blind readers can tell apart, names, fonts, and the PNG bytes."""

import functools
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The palette of Okabe & Ito (2008).
BLUE, ORANGE, GREEN, YELLOW, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#8C8C8C", "#222222"
SERIES = (BLUE, ORANGE, GREEN, YELLOW, "#CC79A7", "#56B4E9")
MODEL_COLOURS = {"lightgbm": BLUE, "xgboost": ORANGE, "forest": YELLOW, "ensemble": GREEN, "agreement": GREEN}
MODEL_NAMES = {"lightgbm": "LightGBM", "xgboost": "XGBoost", "forest": "RF", "ensemble": "Both boosters"}

# A figure 11 inches wide at 100 dpi fills the page of the report at its natural size.
FULL_WIDTH = 11.0
_DPI = 100
_RC = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.facecolor": "white",
}

_Given = ParamSpec("_Given")


def styled(draw: Callable[_Given, "Figure"]) -> Callable[_Given, "Figure"]:
    """Decorate a drawing function: it sees the style of the report, whatever the user's matplotlib settings are."""

    @functools.wraps(draw)
    def drawn(*args: _Given.args, **kwargs: _Given.kwargs) -> "Figure":
        from matplotlib import style

        with style.context(["default", _RC]):
            return draw(*args, **kwargs)

    return drawn


def figure(height_inch: float, width_inch: float = FULL_WIDTH) -> "Figure":
    """Return an empty figure of the report; no window system and no global state are involved."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_inch, height_inch), dpi=_DPI, layout="constrained")


def name_of(model: str) -> str:
    """Return the name of a model as a reader knows it; an unknown name stays as it is."""
    return MODEL_NAMES.get(model, model)


def light_grid(axes: "Axes", axis: str = "both") -> None:
    """Draw thin grid lines behind the data; axis is both, x or y."""
    axes.set_axisbelow(True)
    axes.grid(axis=axis, color="#E4E4E4", linewidth=0.8)  # type: ignore[arg-type]


def png(drawn: "Figure") -> bytes:
    """PNG of a figure; the same figure gives the same bytes, since neither a version nor a date is stored."""
    from matplotlib import style

    buffer = io.BytesIO()
    with style.context(["default", _RC]):
        drawn.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()
