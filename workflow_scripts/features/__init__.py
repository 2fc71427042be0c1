"""Light-curve features: a feature is one decorated function in a family's file, and all else follows from it.

A feature's argument names say what it needs: columns of the light curve (time, mag, mag_err), results of the
period search, magnitudes of the photometry table, points of the object's first two bands, boundary lines of the
autocorrelation, or ingredients (shared quantities). Its column, unit, meaning, documentation and contract tests
derive from the declaration. The functions are compiled and joined into one pass over each light curve (fused.py).
"""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts.features.fused import given, kernel
from workflow_scripts.features.registry import FEATURES as REGISTRY
from workflow_scripts.features.registry import INGREDIENTS, PAPERS, POINTS, Feature
from workflow_scripts.lightcurve.ragged import LightCurves
from workflow_scripts.tables import BAND, OBJECT_ID, Column, DataError, Table

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

FeatureSet = Literal["default", "qiao_2024", "kim_2011", "sokolovsky_2017", "all"]

FEATURES = Table(
    "features",
    (
        OBJECT_ID,
        BAND,
        *(
            Column(column, pa.float64(), one.unit, f"{one.meaning} [{one.reference}]", True)
            for one in REGISTRY.values()
            for column in one.columns
        ),
    ),
)


def members(feature_set: FeatureSet) -> list[Feature]:
    """Features of a set: a paper's in the order of its table; default = all but those that leak the survey."""
    if feature_set in PAPERS:
        return sorted(
            (f for f in REGISTRY.values() if feature_set in f.papers), key=lambda f: f.papers[str(feature_set)]
        )
    if feature_set not in get_args(FeatureSet):
        raise DataError(f"features: '{feature_set}' is not a feature set; choose one of {get_args(FeatureSet)}")
    return [f for f in REGISTRY.values() if feature_set == "all" or not f.leaks_survey]


def names(feature_set: FeatureSet) -> list[str]:
    """Column names of a feature set."""
    return [column for one in members(feature_set) for column in one.columns]


def measure(
    curves: LightCurves,
    per_curve: Mapping[str, Any],
    chosen: list[str] | None = None,
    pairs: NDArray[np.int64] | None = None,
    lines: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """Measure features of every light curve: a float64 array of shape (n,) per column, nan where undefined.

    curves must be in time order. per_curve gives the results of the period search and the photometry by name,
    arrays whose first axis is the light curves. chosen: names of features, all of them if not given. pairs, shape
    (n, 2): rows of the object's first and second band (bands.py), -1 where it has none. lines, shape (2, L): lower
    and upper boundary of the autocorrelation at lags 1 ... L (boundaries.py). A feature is undefined below its least
    number of points, without the photometry, second band or lines it needs, and where its formula has no value,
    as most have none for constant magnitudes. Raises ValueError for a period that is NaN, as of a single epoch.
    """
    for name in per_curve.keys() & {"period_d", "period_ls_d"}:
        if lost := int((~np.isfinite(per_curve[name])).sum()):
            raise ValueError(
                f"{lost} of {len(curves)} light curves have no {name}: measure those with two epochs alone"
            )
    asked = tuple(REGISTRY) if chosen is None else tuple(chosen)
    columns = [column for name in asked for column in REGISTRY[name].columns]
    out = np.full((len(curves), len(columns)), np.nan)
    partners = np.full((len(curves), 2), -1, dtype=np.int64) if pairs is None else pairs
    bounds = np.empty((2, 0)) if lines is None else lines
    values = [_values(name, curves, per_curve) for name in given(asked)]
    kernel(asked)(curves.offsets, partners, bounds, *values, out)
    out[~np.isfinite(out)] = np.nan
    return dict(zip(columns, out.T, strict=True))


def _values(name: str, curves: LightCurves, per_curve: Mapping[str, Any]) -> Any:
    """Column of the points, batched ingredient, or column of the light curves, by name; always the same type of array.

    For another type (read-only, with gaps: a column of a table with more than one row) the kernel would be compiled
    again, and its sums added in another order.
    """
    if name in INGREDIENTS:
        step = INGREDIENTS[name]
        return step.function(curves.offsets, *(getattr(curves, need) for need in step.needs))
    values = getattr(curves, name) if name in POINTS else per_curve[name]
    return np.require(values, dtype=np.float64, requirements=["C", "W"])
