"""What a feature is, and the two decorators that declare features and their ingredients."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workflow_scripts.compiled import compile_kernel

# What a feature or ingredient may name as an argument without declaring it: columns of the light curve (arrays of
# one value per point), results of the period search and magnitudes of the photometry table (one per light curve).
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
)
SERIES = ("series", "series_ls")
PHOTOMETRY = ("parallax_mas", "g_mag", "bp_mag", "rp_mag", "j_mag", "h_mag", "k_mag", "w1_mag", "w2_mag", "w3_mag")
GIVEN = (*POINTS, *PERIODS, *SERIES, *PHOTOMETRY)


@dataclass(frozen=True)
class Ingredient:
    """A quantity that several features share, computed once per light curve."""

    name: str
    function: Callable[..., Any]
    needs: tuple[str, ...]


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
    qiao: int | None
    parts: int

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
    qiao: int | None = None,
    parts: int = 1,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as a feature: its name is the column, its first docstring line the meaning.

    min_obs: fewest points for which it is defined (null below). leaks_survey: it tells the survey's depth,
    cadence or calibration rather than the star's nature, so the default set leaves it out. qiao: row in Qiao 2024
    Table 1. parts: number of columns; with more than one the function returns an array.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        name, meaning = function.__name__, _meaning(function)
        compiled = compile_kernel(function)
        needs = tuple(inspect.signature(function).parameters)
        FEATURES[name] = Feature(name, compiled, needs, unit, meaning, reference, min_obs, leaks_survey, qiao, parts)
        return compiled

    return register


def ingredient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register a function as an ingredient under its own name."""
    compiled = compile_kernel(function)
    INGREDIENTS[function.__name__] = Ingredient(
        function.__name__, compiled, tuple(inspect.signature(function).parameters)
    )
    return compiled


def _meaning(function: Callable[..., Any]) -> str:
    text = inspect.getdoc(function)
    if not text:
        raise ValueError(f"feature {function.__name__} has no docstring; its first line is the column's meaning")
    return text.splitlines()[0].rstrip(".")
