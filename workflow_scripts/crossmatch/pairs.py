"""Pairs of sources of two catalogues: the rules by which a counterpart is chosen, and the table of the result."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pyarrow as pa

from workflow_scripts import tables
from workflow_scripts.crossmatch.cells import REACH_ARCSEC, fine_cells
from workflow_scripts.crossmatch.motion import known
from workflow_scripts.crossmatch.neighbours import Nearest, Points, nearest
from workflow_scripts.crossmatch.positions import Flags, Positions, Rows, checked, unit_vectors

Mode = Literal["nearest", "mutual", "unique"]

MOST_RADIUS_ARCSEC = REACH_ARCSEC / 2  # a rival may be as far again from its source as that is from its counterpart
MOST_ISOLATION_ARCSEC = REACH_ARCSEC

PAIRS = tables.Table(
    "pairs",
    (
        tables.Column("a_row", pa.int64(), "", "row of the source in catalogue A, from 0"),
        tables.Column("b_row", pa.int64(), "", "row of its counterpart in catalogue B, from 0"),
        tables.Column("separation_arcsec", pa.float64(), "arcsec", "angle between them", ucd="pos.angDistance"),
        tables.Column("n_neighbours", pa.int32(), "", "sources of B within the isolation radius of the source of A"),
        tables.Column(
            "second_separation_arcsec", pa.float64(), "arcsec", "angle to the second of them; null = none", True
        ),
        tables.Column("n_rivals", pa.int32(), "", "other sources of A within the search radius of the counterpart"),
        tables.Column("a_moved", pa.bool_(), "", "true if the position in A was propagated by its proper motion"),
        tables.Column("b_moved", pa.bool_(), "", "true if the position in B was propagated by its proper motion"),
    ),
)


@dataclass(frozen=True)
class Rule:
    """Which source of B is the counterpart of a source of A.

    nearest: the nearest within radius_arcsec; one source of B may serve several of A.
    mutual: the nearest, if the source of A is also its nearest; each source is in one pair at most.
    unique: the nearest, if no second source of B lies within isolation_arcsec of the source of A: Kim et al. 2011,
    section 6 (1 and 3 arcsec for Spitzer, 5 and 5 for X-rays).

    isolation_arcsec is the radius within which neighbours are counted in all modes; None = radius_arcsec. Of equally
    near sources the one in the smaller row is the nearest. Raises DataError for radii that cannot be used.
    """

    radius_arcsec: float
    mode: Mode = "mutual"
    isolation_arcsec: float | None = None

    def __post_init__(self) -> None:
        """Check the mode and the radii."""
        if self.mode not in get_args(Mode):
            raise tables.DataError(f"crossmatch: mode {self.mode!r} is none of {', '.join(get_args(Mode))}")
        if not 0 < self.radius_arcsec <= MOST_RADIUS_ARCSEC:
            raise tables.DataError(
                f"crossmatch: radius_arcsec is {self.radius_arcsec:g}, expected more than 0 and at most "
                f"{MOST_RADIUS_ARCSEC:g} arcsec, which the neighbours of a HEALPix cell of order 8 cover"
            )
        if not self.radius_arcsec <= self.isolation <= MOST_ISOLATION_ARCSEC:
            raise tables.DataError(
                f"crossmatch: isolation_arcsec is {self.isolation:g}, expected at least radius_arcsec "
                f"({self.radius_arcsec:g}) and at most {MOST_ISOLATION_ARCSEC:g} arcsec"
            )

    @property
    def isolation(self) -> float:
        """Radius within which neighbours are counted [arcsec]."""
        return self.radius_arcsec if self.isolation_arcsec is None else self.isolation_arcsec

    def accepts(self, forth: Nearest, back: Nearest) -> Rows:
        """Places in A, ascending, of the sources that have a counterpart."""
        accepted = forth.separation <= self.radius_arcsec
        if self.mode == "unique":
            accepted &= forth.count == 1
        places = np.flatnonzero(accepted)
        if self.mode == "mutual":
            places = places[back.place[forth.place[places]] == places]
        return places


def match(a: Positions, b: Positions, rule: Rule) -> pa.Table:
    """Counterparts in b of the sources of a, in the order of a; columns of PAIRS, rows are places in the arrays.

    Catalogues that fit into memory; larger ones, and those to be kept, are matched file by file (match_files).
    Raises DataError for positions out of range.
    """
    one, other = (_sorted(side, f"catalogue {name}") for name, side in (("A", a), ("B", b)))
    matched = choose(one, other, rule)
    one_row, other_row = one.rows[matched.a], other.rows[matched.b]
    order = np.argsort(one_row, kind="stable")
    moved = known(a.moved, len(a))[one_row], known(b.moved, len(b))[other_row]
    return matched.table(one_row, other_row, *moved).take(pa.array(order))


@dataclass(frozen=True)
class Matched:
    """Sources with a counterpart, by their places in the two sets, and what was found around them; shapes (n,)."""

    a: Rows
    b: Rows
    forth: Nearest
    back: Nearest

    def where(self, wanted: Flags) -> "Matched":
        """Return the part that is wanted; a flag for each pair."""
        return Matched(self.a[wanted], self.b[wanted], self.forth, self.back)

    def table(self, a_row: Rows, b_row: Rows, a_moved: Flags, b_moved: Flags) -> pa.Table:
        """Rows of PAIRS in the order of the pairs; row numbers and flags of each pair are given."""
        second = self.forth.second[self.a]
        columns = (
            a_row,
            b_row,
            self.forth.separation[self.a],
            self.forth.count[self.a],
            pa.array(second, mask=np.isinf(second)),
            self.back.count[self.b] - 1,
            a_moved,
            b_moved,
        )
        return pa.Table.from_arrays([pa.array(column) for column in columns], schema=PAIRS.schema)


def choose(a: Points, b: Points, rule: Rule) -> Matched:
    """Find the sources of a that have a counterpart in b under a rule, in the order of a."""
    forth, back = nearest(a, b, rule.radius_arcsec, rule.isolation)
    places = rule.accepts(forth, back)
    return Matched(places, forth.place[places], forth, back)


def _sorted(positions: Positions, where: str) -> Points:
    """Put sources in the order of their HEALPix cells, which makes searching twice as fast."""
    good = checked(positions.ra_deg, positions.dec_deg, where)
    rows = np.argsort(fine_cells(good), kind="stable")
    return Points(unit_vectors(good.ra_deg[rows], good.dec_deg[rows]), rows)
