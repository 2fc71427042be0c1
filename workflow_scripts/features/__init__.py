"""Light-curve features: a feature is one decorated function in a family's file, and all else follows from it.

A feature's argument names say what it needs: columns of the light curve (time, mag, mag_err), results of the
period search, magnitudes of the photometry table, or ingredients (shared quantities, ingredients.py). Its column,
unit, meaning, documentation and contract tests derive from the declaration. The functions are compiled and joined
into one pass over each light curve (fused.py).
"""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa

from workflow_scripts.features.fused import given, kernel
from workflow_scripts.features.registry import FEATURES as REGISTRY
from workflow_scripts.features.registry import POINTS, Feature
from workflow_scripts.lightcurve.ragged import LightCurves
from workflow_scripts.tables import BAND, OBJECT_ID, Column, DataError, Table

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

FeatureSet = Literal["default", "qiao_2024", "all"]

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
    """Features of a set: qiao_2024 in the paper's order; default = all but those that leak the survey."""
    if feature_set == "qiao_2024":
        return sorted((f for f in REGISTRY.values() if f.qiao is not None), key=lambda f: f.qiao or 0)
    if feature_set not in get_args(FeatureSet):
        raise DataError(f"features: '{feature_set}' is not a feature set; choose one of {get_args(FeatureSet)}")
    return [f for f in REGISTRY.values() if feature_set == "all" or not f.leaks_survey]


def names(feature_set: FeatureSet) -> list[str]:
    """Column names of a feature set."""
    return [column for one in members(feature_set) for column in one.columns]


def measure(curves: LightCurves, per_curve: Mapping[str, Any], chosen: list[str] | None = None) -> dict[str, Any]:
    """Measure features of every light curve: a float64 array of shape (n,) per column, nan where undefined.

    curves must be in time order. per_curve gives the results of the period search and the photometry by name,
    arrays whose first axis is the light curves. chosen: names of features, all of them if not given. A feature is
    undefined below its least number of points, without the photometry it needs, and for constant magnitudes.
    """
    asked = tuple(REGISTRY) if chosen is None else tuple(chosen)
    columns = [column for name in asked for column in REGISTRY[name].columns]
    out = np.full((len(curves), len(columns)), np.nan)
    values = [getattr(curves, name) if name in POINTS else per_curve[name] for name in given(asked)]
    kernel(asked)(curves.offsets, *values, out)
    out[~np.isfinite(out)] = np.nan
    return dict(zip(columns, out.T, strict=True))
