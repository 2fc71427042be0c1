"""Registry of light-curve features: a feature is one decorated function, and all else follows from it.

A feature's argument names say what it needs: columns of the light curve (time, mag, mag_err), results of the
period search, magnitudes of the photometry table, or ingredients (quantities that several features share and
that are computed once per light curve). Its column, unit, meaning, documentation and contract tests derive
from the declaration; the functions are compiled and run fused, one pass over each light curve (kernel.py).
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from workflow_scripts.tables import OBJECT_ID, Column, Table

type_ = float
FeatureSet = Literal["default", "qiao_2024", "all"]


@dataclass(frozen=True)
class Feature:
    """Declaration of a feature; name and meaning come from its function."""

    name: str
    unit: str
    meaning: str
    reference: str
    min_obs: int
    leaks_survey: bool
    qiao: int | None
    function: Callable[..., float]

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the arguments: columns and ingredients."""
        return tuple(inspect.signature(self.function).parameters)
