"""Members of an open cluster over the stars of its region: motions, parallaxes, colours and places."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Reals = NDArray[np.float64]

_MEMBER = 0.5
_SPREADS = 6.0  # of the members; how far the diagrams of motions and parallaxes reach around them
_LEAST_PM, _LEAST_PARALLAX = 2.0, 0.5  # mas/yr and mas; they reach at least as far
_MOST_FIELD_STARS = 30_000  # drawn; more are as black


@dataclass(frozen=True)
class Stars:
    """Stars of a region, all (n,): ra_deg, dec_deg, pmra and pmdec [mas/yr], parallax [mas], g_mag and bp_rp [mag].

    Motions are along the axes of the cluster's centre. Magnitudes and colours are NaN where unknown; probability is
    that of membership.
    """

    ra_deg: Reals
    dec_deg: Reals
    pmra: Reals
    pmdec: Reals
    parallax: Reals
    g_mag: Reals
    bp_rp: Reals
    probability: Reals

    @property
    def members(self) -> NDArray[np.bool_]:
        """Stars more likely members than not."""
        return self.probability > _MEMBER


@style.styled
def draw(stars: Stars, title: str) -> "Figure":
    """Draw four diagrams: vector points, parallaxes, colours and magnitudes, and the sky.

    The members are over the field; a region without members is drawn as it is and says so.
    """
    figure = style.figure(height_inch=10.0)
    count = int(stars.members.sum())
    found = f"{count:,} members of {len(stars.pmra):,} stars" if count else f"no members, {len(stars.pmra):,} stars"
    figure.suptitle(f"{title}: {found}", x=0.01, ha="left", fontsize=14, fontweight="bold")
    (motions, parallaxes), (colours, sky) = figure.subplots(2, 2)
    _vector_points(motions, stars)
    _parallaxes(parallaxes, stars)
    _colours(colours, stars)
    _sky(sky, stars)
    for axes in (motions, parallaxes, colours, sky):
        style.light_grid(axes)
    if count:
        motions.legend(loc="upper right", fontsize=10, markerscale=3)
    return figure


def reach(values: Reals, members: NDArray[np.bool_], least: float) -> tuple[float, float]:
    """Range to draw: six robust spreads around the members' median, or 98 % of all stars if there are no members."""
    if not members.any():
        low, high = np.quantile(values, (0.01, 0.99))
        return float(low) - least, float(high) + least
    middle = float(np.median(values[members]))
    spread = 1.4826 * float(np.median(np.abs(values[members] - middle)))
    half = max(_SPREADS * spread, least)
    return middle - half, middle + half


def offsets(ra_deg: Reals, dec_deg: Reals, members: NDArray[np.bool_]) -> tuple[Reals, Reals]:
    """East and north of the middle of the members, or of all stars, in deg (orthographic), (n,) each."""
    a, d = np.radians(ra_deg), np.radians(dec_deg)
    vectors = np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=1)
    middle = vectors[members if members.any() else slice(None)].mean(axis=0)
    a_0, d_0 = np.arctan2(middle[1], middle[0]), np.arctan2(middle[2], np.hypot(middle[0], middle[1]))
    east = np.cos(d) * np.sin(a - a_0)
    north = np.sin(d) * np.cos(d_0) - np.cos(d) * np.sin(d_0) * np.cos(a - a_0)
    return np.degrees(east), np.degrees(north)


def _points(axes: "Axes", x: Reals, y: Reals, members: NDArray[np.bool_]) -> None:
    field = np.flatnonzero(~members)
    field = field[:: 1 + len(field) // _MOST_FIELD_STARS]
    axes.plot(x[field], y[field], ".", markersize=2, color=style.GREY, alpha=0.5, label="field", rasterized=True)
    axes.plot(x[members], y[members], ".", markersize=4, color=style.ORANGE, label="members", rasterized=True)


def _vector_points(axes: "Axes", stars: Stars) -> None:
    members = stars.members
    _points(axes, stars.pmra, stars.pmdec, members)
    axes.set_xlim(reach(stars.pmra, members, _LEAST_PM))
    axes.set_ylim(reach(stars.pmdec, members, _LEAST_PM))
    axes.set(xlabel="proper motion east at the centre [mas/yr]", ylabel="north [mas/yr]", title="Vector points")


def _parallaxes(axes: "Axes", stars: Stars) -> None:
    members = stars.members
    low, high = reach(stars.parallax, members, _LEAST_PARALLAX)
    bins = np.linspace(low, high, 61)
    axes.hist(stars.parallax, bins=bins.tolist(), color=style.GREY, alpha=0.5, label="all stars")
    axes.hist(stars.parallax[members], bins=bins.tolist(), color=style.ORANGE, label="members")
    axes.set(yscale="symlog", xlabel="parallax [mas]", ylabel="stars", title="Parallaxes", xlim=(low, high))


def _colours(axes: "Axes", stars: Stars) -> None:
    known = np.isfinite(stars.g_mag) & np.isfinite(stars.bp_rp)
    axes.set(xlabel="BP - RP [mag]", ylabel="G [mag]", title="Colours and magnitudes")
    if not known.any():
        axes.text(0.5, 0.5, "no star has a colour", transform=axes.transAxes, ha="center")
        return
    _points(axes, stars.bp_rp[known], stars.g_mag[known], stars.members[known])
    axes.invert_yaxis()


def _sky(axes: "Axes", stars: Stars) -> None:
    _points(axes, *offsets(stars.ra_deg, stars.dec_deg, stars.members), stars.members)
    axes.set(xlabel="east [deg]", ylabel="north [deg]", title="Sky", aspect="equal")
    axes.invert_xaxis()
