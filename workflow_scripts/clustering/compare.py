"""How well selections of stars agree: with published member lists, and these with one another."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts import crossmatch
from workflow_scripts.tables import Column, DataError, Table

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Identifiers change between Gaia releases: lists are matched by position, of epochs half a year apart.
RADIUS_ARCSEC = 1.5

_TEXT, _REAL, _COUNT = pa.string(), pa.float64(), pa.int32()

AGREEMENT = Table(
    "agreement",
    (
        Column("cluster", _TEXT, "", "cluster"),
        Column("selection", _TEXT, "", "method or published list that is judged"),
        Column("reference", _TEXT, "", "published list that it is judged by"),
        Column("g_limit_mag", _REAL, "mag", "stars fainter than this are left out; null = none is", True),
        Column("recall", _REAL, "", "share of the reference's stars that are selected", True),
        Column("precision", _REAL, "", "share of the selected stars that are in the reference", True),
        Column("f1", _REAL, "", "harmonic mean of recall and precision", True),
        Column("n_selected", _COUNT, "", "stars selected"),
        Column("n_reference", _COUNT, "", "stars of the reference in the region"),
        Column("n_both", _COUNT, "", "stars in both"),
    ),
)


@dataclass(frozen=True)
class Score:
    """Recall, precision and F1, None where they do not exist, and the counts behind them."""

    recall: float | None
    precision: float | None
    f1: float | None
    n_selected: int
    n_reference: int
    n_both: int


def in_region(stars: pa.Table, ra_deg: Reals, dec_deg: Reals) -> Flags:
    """Stars (n,) of a table STARS that are the counterpart, within 1.5 arcsec, of a published list's positions (m,).

    Raises DataError for positions out of range.
    """
    region = crossmatch.Positions(*(stars[name].to_numpy().astype(np.float64) for name in ("ra_deg", "dec_deg")))
    pairs = crossmatch.match(region, crossmatch.Positions(ra_deg, dec_deg), crossmatch.Rule(RADIUS_ARCSEC))
    found = np.zeros(stars.num_rows, dtype=np.bool_)
    found[pairs["a_row"].to_numpy()] = True
    return found


def score(selected: Flags, reference: Flags) -> Score:
    """Score one selection of stars, (n,), by a reference, (n,); one without stars says nothing of any selection."""
    n_selected, n_reference, both = int(selected.sum()), int(reference.sum()), int((selected & reference).sum())
    return Score(
        both / n_reference if n_reference else None,
        both / n_selected if n_selected and n_reference else None,
        2 * both / (n_selected + n_reference) if n_reference else None,
        n_selected,
        n_reference,
        both,
    )


def agreement(
    cluster: str, g_mag: Reals, methods: Mapping[str, Flags], lists: Mapping[str, Flags], g_limit_mag: float = 18.0
) -> pa.Table:
    """Give AGREEMENT of every method and every published list with every other list.

    g_mag (n,), NaN where unknown; methods and lists map names to flags (n,) of the same stars. Stars at the limit or
    fainter, and those without a magnitude, are left out: Cantat-Gaudin 2020 ends at G = 18. Where no star has a
    magnitude all count, and the limit is null.

    Raises DataError for flags of another length and names that are both a method and a list.
    """
    unknown = bool(np.isnan(g_mag).all())
    bright, limit, rows = np.asarray((g_mag < g_limit_mag) | unknown), None if unknown else g_limit_mag, []
    selections = {**methods, **lists}
    if both := sorted(set(methods) & set(lists)):
        raise DataError(f"{cluster}: {both} are both methods and published lists; name them differently")
    if wrong := {name: len(flags) for name, flags in selections.items() if len(flags) != len(g_mag)}:
        raise DataError(f"{cluster}: selections of {wrong} stars, expected {len(g_mag)} as in the region")
    for reference, true in lists.items():
        for name, chosen in selections.items():
            if name != reference:
                found = vars(score(chosen & bright, true & bright))
                judged = {"cluster": cluster, "selection": name, "reference": reference, "g_limit_mag": limit}
                rows.append(judged | found)
    return pa.Table.from_pylist(rows, schema=AGREEMENT.schema)
