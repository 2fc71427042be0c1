"""What the report of the clusters says of what was given: how much of a locus is known, what no cut could judge."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from workflow_scripts.clustering import gaia
from workflow_scripts.report.page import count


def rule(place: Mapping[str, Any]) -> str:
    """Say of a row of fields.FIELD by what the cluster's group was told from the others."""
    motion, parallax = _motion(place), _parallax(place)
    if motion and parallax:
        gathered = "of those that gather on the sky if any do"
        return f"The cluster's group is the one nearest to {motion}, {parallax} ({place['locus_from']}), {gathered}. "
    if motion or parallax:
        known = f"motion ({motion})" if motion else f"parallax ({parallax})"
        compact = "its group is the one that is most concentrated on the sky, of those near to that if any are"
        return f"Of the cluster's place only the {known} is known: {compact}. "
    return "Nothing is known of the cluster's motion and distance: its group is the one most concentrated on the sky. "


def warnings(place: Mapping[str, Any], cuts: pa.Table) -> Iterator[str]:
    """Warn of half a locus in a row of fields.FIELD, and of cuts of a table gaia.CUTS that judged less than half."""
    yield from _half(place)
    n = dict(zip(cuts["cut"].to_pylist(), cuts["n"].to_pylist(), strict=True))
    for name in ("ruwe", "g_mag"):
        unjudged, kept = n.get(gaia.UNJUDGED.format(name), 0), cuts["n"][-1].as_py()
        if 2 * unjudged > kept:
            which = f"{count(unjudged)} of {count(kept)} stars have no {name}"
            yield f"{which}: clusters.cuts.max_{name} could not judge them, and they are kept."


def _half(place: Mapping[str, Any]) -> Iterator[str]:
    """Say what is known of half a locus, and what the reader must judge."""
    motion, parallax = _motion(place), _parallax(place)
    if bool(motion) != bool(parallax):
        other, judged = ("of like motion", "parallax") if motion else ("as far away", "motion")
        yield (
            f"{place['locus_from']}: {motion or parallax}. Another cluster {other} would be taken for the one that is "
            f"meant: see whether the members' {judged} can be its, or give locus."
        )


def _motion(place: Mapping[str, Any]) -> str:
    pmra, pmdec = place["pmra_mas_yr"], place["pmdec_mas_yr"]
    return "" if pmra is None else f"{pmra:.2f} and {pmdec:.2f} mas/yr"


def _parallax(place: Mapping[str, Any]) -> str:
    return "" if place["parallax_mas"] is None else f"{place['parallax_mas']:.3f} mas"
