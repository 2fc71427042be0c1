"""Literal, slow transcriptions of the features' formulae: their specification. One function per feature column."""

import literal_order
import literal_periodic
import literal_statistics

COLUMNS = literal_periodic.PARTS | {
    name: function
    for family in (literal_statistics, literal_order, literal_periodic)
    for name, function in vars(family).items()
    if callable(function) and not name.startswith("_") and name not in ("autocorrelation",)
}
