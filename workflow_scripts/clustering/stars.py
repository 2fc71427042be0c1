"""What the methods of the cluster branch take and give: stars of a region, a place in astrometric space, groups."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts.tables import Column, Table

Reals = NDArray[np.float64]
Labels = NDArray[np.int32]
Notes = dict[str, float | str]

KM_S = 4.740470463  # km/s of 1 mas/yr at 1 kpc (1 au/yr)

_TEXT, _REAL = pa.string(), pa.float64()

# Complete in position, parallax and proper motion; all at the epoch of the catalogue (Gaia DR2: 2015.5, DR3: 2016.0).
STARS = Table(
    "stars",
    (
        Column("source_id", _TEXT, "", "Gaia source identifier", ucd="meta.id;meta.main"),
        Column("ra_deg", _REAL, "deg", "right ascension, ICRS", ucd="pos.eq.ra;meta.main"),
        Column("dec_deg", _REAL, "deg", "declination, ICRS", ucd="pos.eq.dec;meta.main"),
        Column("parallax_mas", _REAL, "mas", "parallax as published, zero point not removed", ucd="pos.parallax.trig"),
        Column("parallax_error_mas", _REAL, "mas", "standard error", True, ucd="stat.error;pos.parallax.trig"),
        Column("pmra_mas_yr", _REAL, "mas/yr", "proper motion in RA times cos Dec", ucd="pos.pm;pos.eq.ra"),
        Column("pmra_error_mas_yr", _REAL, "mas/yr", "standard error", True, ucd="stat.error;pos.pm;pos.eq.ra"),
        Column("pmdec_mas_yr", _REAL, "mas/yr", "proper motion in Dec", ucd="pos.pm;pos.eq.dec"),
        Column("pmdec_error_mas_yr", _REAL, "mas/yr", "standard error", True, ucd="stat.error;pos.pm;pos.eq.dec"),
        Column("pmra_pmdec_corr", _REAL, "", "correlation of the proper motions", True, ucd="stat.correlation"),
        Column("parallax_pmra_corr", _REAL, "", "correlation of parallax and pmra", True, ucd="stat.correlation"),
        Column("parallax_pmdec_corr", _REAL, "", "correlation of parallax and pmdec", True, ucd="stat.correlation"),
        Column("g_mag", _REAL, "mag", "Gaia G magnitude", True, ucd="phot.mag;em.opt"),
        Column("bp_rp_mag", _REAL, "mag", "Gaia BP - RP colour", True, ucd="phot.color"),
        Column("ruwe", _REAL, "", "renormalised unit weight error of the astrometry", True, ucd="stat.error"),
    ),
)
ASTROMETRY = ("pmra_mas_yr", "pmdec_mas_yr", "parallax_mas")  # the three that every method looks at, in this order


@dataclass(frozen=True)
class Locus:
    """Where a cluster is: proper motion (RA times cos Dec, Dec) in mas/yr and parallax in mas; NaN = unknown."""

    pmra_mas_yr: float
    pmdec_mas_yr: float
    parallax_mas: float

    def array(self) -> Reals:
        """Give (3,) in the order of ASTROMETRY."""
        return np.array([self.pmra_mas_yr, self.pmdec_mas_yr, self.parallax_mas])

    @property
    def complete(self) -> bool:
        """Whether motion and parallax are both known."""
        return bool(np.isfinite(self.array()).all())


@dataclass(frozen=True)
class Groups:
    """A partition: label (n,) from 0 to n_groups - 1, -1 = no group, and what the method has to say about it.

    Labels are in the order of `ordered`: equal partitions have equal labels.
    """

    label: Labels
    n_groups: int
    notes: Notes = field(default_factory=dict)

    def members(self, group: int) -> NDArray[np.bool_]:
        """Mask (n,) of a group's stars."""
        return np.asarray(self.label == group)


def astrometry(stars: pa.Table) -> Reals:
    """Give (n, 3): pmra, pmdec in mas/yr and parallax in mas of a table STARS."""
    return np.column_stack([stars[name].to_numpy().astype(np.float64) for name in ASTROMETRY])


def ordered(label: NDArray[np.integer], space: NDArray[np.floating], notes: Notes | None = None) -> Groups:
    """Give a method's labels (n,), negative = none, as Groups: the largest group first.

    Groups of one size are in the order of their medians in space (n, d), those with one median in that of their first
    stars.

    Labels without a star vanish.
    """
    found = [int(group) for group in np.unique(label) if group >= 0]

    def rank(group: int) -> tuple[float, ...]:
        inside = label == group
        return (-float(inside.sum()), *np.median(space[inside], axis=0).tolist(), float(inside.argmax()))

    result = np.full(len(label), -1, dtype=np.int32)
    for new, old in enumerate(sorted(found, key=rank)):
        result[label == old] = new
    return Groups(result, len(found), dict(notes or {}))


@dataclass(frozen=True)
class Probabilities:
    """Probability (n,) that a star is of the cluster, all 0 where the method finds none, and why (notes)."""

    probability: Reals
    notes: Notes = field(default_factory=dict)
