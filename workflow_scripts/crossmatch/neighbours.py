"""Nearest sources of two sets, each of the other, from k-d trees on unit vectors.

The trees only propose pairs, within a little more than the radius. Separations are computed here, from the two
positions alone, and all decisions rest on them: the result does not depend on how a tree was built or on which other
sources are in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from workflow_scripts.crossmatch.positions import Reals, Rows, chord, separations_arcsec

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

_LEAF = 12  # sources in a leaf; the quickest of 4 to 32 on catalogues sorted by HEALPix cell
_BLOCK = 250_000  # sources asked about at once
_FEW = 8  # fewer neighbours than this are found one by one; for more two trees are quicker, for few slower by far
_MOST_PAIRS = 2_000_000  # pairs held at once
_SAMPLE = 4096  # sources by which the number of pairs is estimated
_MARGIN_ARCSEC = 1e-6  # by which trees look farther than the radius; their rounding is below 1e-10

Pairs = tuple[Rows, Rows, Reals]  # place in a, place in b, separation [arcsec]


@dataclass(frozen=True)
class Points:
    """Sources as unit vectors (n, 3) with their row numbers (n,), which decide between equal separations."""

    vectors: Reals
    rows: Rows

    def __len__(self) -> int:
        """Count the sources."""
        return len(self.rows)


class Nearest:
    """For each source of one side what the other side has near it: shapes (n,), n = size.

    count: number within the radius; place: place of the nearest in the other side, -1 = none; separation: of the
    nearest, second: of the second nearest [arcsec], inf = none. Of equally near ones the smaller row is the nearest.
    """

    def __init__(self, size: int, rows: Rows) -> None:
        """Begin with nothing known; rows are the row numbers of the other side."""
        self.count = np.zeros(size, dtype=np.int32)
        self.place = np.full(size, -1, dtype=np.int64)
        self.separation = np.full(size, np.inf)
        self.second = np.full(size, np.inf)
        self._rows = rows

    def add(self, one: Rows, other: Rows, separation: Reals) -> None:
        """Take in pairs (place on this side, place on the other side, separation), each pair once, in any order."""
        if not len(one):
            return
        low = one.min()
        count = np.bincount(one - low)  # from the lowest: a part of a sorted catalogue lies close together
        self.count[low : low + len(count)] += count
        if count.max() == 1:  # most are alone, and need no sorting
            self._best(one, other, separation)
            return
        alone = count[one - low] == 1
        single, others = np.flatnonzero(alone), np.flatnonzero(~alone)
        order = others[np.lexsort((self._rows[other[others]], separation[others], one[others]))]
        begins = np.diff(one[order], prepend=-1) != 0
        self._best(*(values[np.concatenate([single, order[begins]])] for values in (one, other, separation)))
        rest = order[~begins]
        np.minimum.at(self.second, one[rest], separation[rest])

    def _best(self, one: Rows, other: Rows, separation: Reals) -> None:
        """Take in at most one pair for each source of this side."""
        held = self.separation[one]
        tied = np.flatnonzero((separation == held) & (self.place[one] >= 0))
        wins = separation < held
        wins[tied] = self._rows[other[tied]] < self._rows[self.place[one[tied]]]
        self.second[one] = np.minimum(self.second[one], np.where(wins, held, separation))
        winner = one[wins]
        self.separation[winner], self.place[winner] = separation[wins], other[wins]


def nearest(a: Points, b: Points, radius_arcsec: float, isolation_arcsec: float) -> tuple[Nearest, Nearest]:
    """Find what b has within isolation_arcsec of each source of a, and a within radius_arcsec of each source of b.

    Both radii belong to the area. Fastest where neighbours on the sky are neighbours in the arrays.
    """
    forth, back = Nearest(len(a), b.rows), Nearest(len(b), a.rows)
    for pairs in _pairs(a, b, max(radius_arcsec, isolation_arcsec)):
        forth.add(*_within(isolation_arcsec, *pairs))
        one, other, separation = _within(radius_arcsec, *pairs)
        back.add(other, one, separation)
    return forth, back


def _within(limit_arcsec: float, one: Rows, other: Rows, separation: Reals) -> Pairs:
    """Pairs up to a separation, mostly all."""
    near = separation <= limit_arcsec
    return (one, other, separation) if near.all() else (one[near], other[near], separation[near])


def _pairs(a: Points, b: Points, reach_arcsec: float) -> Iterator[Pairs]:
    """All pairs within the reach and some a little beyond it, in parts, each pair once."""
    if not len(b):
        return
    tree = _tree(b.vectors)
    reach = chord(reach_arcsec + _MARGIN_ARCSEC)
    for first in range(0, len(a), _BLOCK):
        block = a.vectors[first : first + _BLOCK]
        _, found = tree.query(block, k=2, distance_upper_bound=reach)
        lone = np.flatnonzero((found[:, 0] < len(b)) & (found[:, 1] == len(b)))
        crowded = _crowded(tree, block, np.flatnonzero(found[:, 1] < len(b)), reach)
        for i, j in chain([(lone, found[lone, 0])], crowded):
            yield first + i, j, separations_arcsec(block[i], b.vectors[j])


def _crowded(tree: "cKDTree", vectors: Reals, places: Rows, reach: float) -> Iterator[tuple[Rows, Rows]]:
    """All pairs of the sources at some places: in one part those of few neighbours, those of many in bounded parts."""
    if not len(places):
        return
    _, found = tree.query(vectors[places], k=_FEW, distance_upper_bound=reach)
    near = found < tree.n
    many = near[:, -1]  # there may be more than were asked for
    which, nth = np.nonzero(near & ~many[:, np.newaxis])
    yield places[which], found[which, nth]
    waiting = [places[many]] if many.any() else []
    while waiting:
        part = waiting.pop()
        step = -(-len(part) // _SAMPLE)
        counts = tree.query_ball_point(vectors[part[::step]], reach, return_length=True)
        if step * int(counts.sum()) > _MOST_PAIRS and len(part) > 1:
            waiting += [part[len(part) // 2 :], part[: len(part) // 2]]
        else:
            pairs = _tree(vectors[part]).sparse_distance_matrix(tree, reach, output_type="ndarray")
            yield part[pairs["i"]], pairs["j"]


def _tree(vectors: Reals) -> "cKDTree":
    from scipy.spatial import cKDTree  # not at the top: every Snakefile that is read would wait for it

    return cKDTree(vectors, leafsize=_LEAF, balanced_tree=False)
