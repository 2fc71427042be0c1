"""What speaks against the size and the depth of a cluster, as a run gives them."""

from collections.abc import Iterator, Mapping
from math import radians
from typing import Any

from workflow_scripts.clustering.summary import MOST_IN_RIM, RIM
from workflow_scripts.report.page import share

# Dispersion along the line of sight over r50. A Gaussian sphere has 0.85, a Plummer sphere that ends at 5 to 20 of its
# radii 1.1 to 1.5, and one that is drawn out towards us twice that: beyond 3 the errors of the parallaxes explain it.
_DEEPEST = 3.0


def warnings(found: Mapping[str, Any]) -> Iterator[str]:
    """Give what the reader must know of a row of summary.CLUSTERS before using r50 and the dispersions."""
    if found["rim_share"] is not None and found["rim_share"] > MOST_IN_RIM:
        yield (
            f"The cone cuts the cluster: {share(found['rim_share'])} of the members lie beyond {RIM} of its radius. "
            "r50 is a lower limit, and its limits are those within the cone. Give a wider one (radius_deg)."
        )
    yield from _depth(found)


def told(found: Mapping[str, Any]) -> str:
    """Say how far out and how faint the members go; nothing without members."""
    if found["rim_share"] is None:
        return ""
    faintest = found["g_faintest_mag"]
    end = (
        "none has a magnitude"
        if faintest is None
        else f"the faintest has G = {faintest:.2f} (does the file end there?)"
    )
    return f"Of the members {share(found['rim_share'])} lie beyond {RIM} of the cone's radius, and {end}. "


def _depth(found: Mapping[str, Any]) -> Iterator[str]:
    distance, r50, low = (found[name] for name in ("distance_pc", "r50_deg", "parallax_dispersion_low_mas"))
    if not found["errors_deconvolved"] or None in (distance, r50, low):  # no depth; no errors, of which others warn
        return
    dispersion, size = found["parallax_dispersion_mas"], radians(r50) * distance
    deep, least = (value * distance**2 / 1000 for value in (dispersion, low))  # pc
    if least > _DEEPEST * size:
        yield (
            f"The parallaxes spread by {dispersion:.3g} mas beyond their errors, which would be a depth of "
            f"{deep:.3g} pc, {deep / size:.1f} times r50 ({size:.2g} pc). It is an upper limit of the depth, no depth: "
            "errors and zero point scatter more than the catalogue says."
        )
