"""What a feature is, and the two decorators that declare features and their ingredients."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workflow_scripts.compiled import compile_sum

# What a feature or ingredient may name as an argument without declaring it: columns of the light curve (arrays of
# one value per point), results of the period search and magnitudes of the photometry table (one per light curve),
# points of the object's first two bands (empty if it has one), and the boundary lines of the autocorrelation.
POINTS = ("time", "mag", "mag_err")
PERIODS = (
    "period_d",
    "period_ls_d",
    "ls_power",
    "false_alarm_probability",
    "n_harmonics",
    "fit_power",
    "second_ratio",
    "second_power",
    "period_snr",
)
SERIES = ("series", "series_ls")
PHOTOMETRY = ("parallax_mas", "g_mag", "bp_mag", "rp_mag", "j_mag", "h_mag", "k_mag", "w1_mag", "w2_mag", "w3_mag")
PAIRED = ("time_a", "mag_a", "mag_err_a", "time_b", "mag_b", "mag_err_b")
LINES = ("ac_lower", "ac_upper")
GIVEN = (*POINTS, *PERIODS, *SERIES, *PHOTOMETRY, *PAIRED, *LINES)

# Papers whose features form a set of the same name; a feature declares its row in the paper's Table 1.
PAPERS = ("qiao_2024", "kim_2011", "sokolovsky_2017")


@dataclass(frozen=True)
class Ingredient:
    """A quantity that several features share, computed once per light curve; if batched, of all at once before."""

    name: str
    function: Callable[..., Any]
    needs: tuple[str, ...]
    batched: bool = False


@dataclass(frozen=True)
class Feature:
    """Declaration of a feature; name, meaning and needs come from its function."""

    name: str
    function: Callable[..., Any]
    needs: tuple[str, ...]
    unit: str
    meaning: str
    reference: str
    min_obs: int
    leaks_survey: bool
    ordered: bool
    parts: int
    papers: Mapping[str, int]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns: its own, or numbered ones if it has several parts."""
        return (self.name,) if self.parts == 1 else tuple(f"{self.name}_{i + 1:02d}" for i in range(self.parts))


FEATURES: dict[str, Feature] = {}
INGREDIENTS: dict[str, Ingredient] = {}


def feature(
    *,
    unit: str = "",
    reference: str,
    min_obs: int = 3,
    leaks_survey: bool = False,
    ordered: bool = False,
    parts: int = 1,
    **papers: int,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as a feature: its name is the column, its first docstring line the meaning.

    min_obs: fewest points for which it is defined (null below). leaks_survey: it tells the survey's depth,
    cadence or calibration rather than the star's nature, so the default set leaves it out. ordered: it depends on
    the order of the points, which must be that of time. parts: number of columns; with more than one the function
    returns an array. papers: row in Table 1 of a paper, such as kim_2011=9.
    """
    if unknown := set(papers) - set(PAPERS):
        raise ValueError(f"a feature names the papers {sorted(unknown)}; known: {PAPERS}")

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        name, meaning, needs = function.__name__, _meaning(function), _arguments(function)
        compiled = compile_sum(function)
        FEATURES[name] = Feature(
            name, compiled, needs, unit, meaning, reference, min_obs, leaks_survey, ordered, parts, papers
        )
        return compiled

    return register


def ingredient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register a function as an ingredient under its own name."""
    compiled = compile_sum(function)
    INGREDIENTS[function.__name__] = Ingredient(function.__name__, compiled, _arguments(function))
    return compiled


def batched(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register a plain function of all light curves as an ingredient: (offsets, columns of points) to such a column."""
    needs = _arguments(function)[1:]
    INGREDIENTS[function.__name__] = Ingredient(function.__name__, function, needs, batched=True)
    return function


def _arguments(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def _meaning(function: Callable[..., Any]) -> str:
    text = inspect.getdoc(function)
    if not text:
        raise ValueError(f"feature {function.__name__} has no docstring; its first line is the column's meaning")
    return text.splitlines()[0].rstrip(".")
