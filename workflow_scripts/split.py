"""Splits of the labelled objects: random, by sky block, and into folds.

Random and folds are stratified by class. The sky-blocked split tests on parts of the sky that the training part
does not touch, which shows what is learnt of the fields instead of the stars. In each of them all objects at one place
stay together: surveys name a star again in each field and on each detector.
"""

import logging
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.crossmatch.positions import checked, chord, unit_vectors
from workflow_scripts.tables import DataError

VALIDATION_SHARE = 0.1  # of the objects that are not tested on, for early stopping
RA_BLOCKS, DEC_BLOCKS = 36, 12  # 432 blocks of equal area, 95 deg2: 10 deg wide, 9.6 deg high at the equator
SKY_DRAWS = 50  # draws of test blocks among which one with every class on both sides is sought
STAR_RADIUS_ARCSEC = 1.5
MOST_OF_A_STAR = 20  # objects; more at one place have the coordinates of a field, or made-up ones

Texts = NDArray[np.object_]
Reals = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Split:
    """Parts of n objects: object_id, class_, star, random and sky (train, validation, test or ""), fold, each (n,)."""

    object_id: Texts
    class_: Texts
    star: Texts
    random: Texts
    sky: Texts
    fold: NDArray[np.int32]


def split(
    object_id: Texts,
    class_: Texts,
    position: Reals | None,
    test_share: float,
    folds: int,
    rng: np.random.Generator,
    star: Texts | None = None,
) -> Split:
    """Split objects at random, by sky block and into folds, whatever the order of the rows (Qiao 2024, 2.2: 70/30).

    object_id and class_ are (n,); position is (n, 2), right ascension and declination [deg], or None for no
    sky-blocked split. Objects of one star (n,), as star_of names them, stay together; None = each is its own. The
    result is sorted by object_id. Raises DataError if a class has fewer stars than folds, a position is missing, or
    the sky blocks cannot keep every class in the training part.
    """
    star = object_id if star is None else star
    order = np.argsort(object_id)
    object_id, class_, star = object_id[order], class_[order], star[order]
    check_members(class_[_stars(star)[0]], folds)
    random = parts(class_, stratified(class_, test_share, rng, star), rng, star)
    sky = np.full(len(class_), "", dtype=object)
    if position is not None:
        first, of = _stars(star)
        sky = _sky(sky_block(position[order])[first][of], class_, test_share, rng)
    return Split(object_id, class_, star, random, sky, _folds(class_, folds, rng, star))


def star_of(object_id: Texts, position: Reals) -> Texts:
    """Name of each object's star, (n,): the first object_id of those within 1.5 arcsec of one another, chained.

    position is (n, 2), right ascension and declination [deg]; an object without one is a star of its own.
    """
    # ASSUME labelled objects within 1.5 arcsec of each other are one star under several identifiers (ZTF has one for
    # each field, readout channel and band), more than 20 of them objects whose own positions are not known.
    placed = np.flatnonzero(np.isfinite(position).all(axis=1))
    members = defaultdict(list)
    for i, place in zip(placed, _places(position[placed]), strict=True):
        members[place].append(i)
    star = object_id.copy()
    for rows in members.values():
        name = min(object_id[rows])
        if len(rows) <= MOST_OF_A_STAR:
            star[rows] = name
        else:
            _LOG.warning("%d objects at one place, such as %s: taken for different stars", len(rows), name)
    return star


def check_members(class_: Texts, folds: int) -> None:
    """Raise DataError if a class has fewer stars than there are folds; class_ (n,) is of each star's first object."""
    counts = Counter(class_.tolist())
    few = {name: count for name, count in sorted(counts.items()) if count < folds}
    if few:
        raise DataError(
            f"classes with fewer usable objects, those at one place counted once, than the {folds} folds: "
            f"{', '.join(f'{name} ({count})' for name, count in few.items())}; add objects, merge the class with "
            f"another one under classes, put its labels under ignore_labels, or lower training.folds (at least 3)"
        )


def parts(class_: Texts, is_test: Mask, rng: np.random.Generator, star: Texts | None = None) -> Texts:
    """Name the part of each object, (n,): test where given, a stratified tenth of the others validation, else train."""
    part = np.where(is_test, "test", "train").astype(object)
    rest = np.flatnonzero(~is_test)
    part[rest[stratified(class_[rest], VALIDATION_SHARE, rng, None if star is None else star[rest])]] = "validation"
    return part


def stratified(class_: Texts, share: float, rng: np.random.Generator, star: Texts | None = None) -> Mask:
    """Draw this share of every class, rounded, but never a whole class; true where drawn, (n,).

    Whole stars (n,) are drawn, if they are given, each as one of the class of its first object.
    """
    first, of = _stars(np.arange(len(class_)) if star is None else star)
    class_ = class_[first]
    drawn = np.zeros(len(class_), dtype=bool)
    for name in np.unique(class_):
        members = rng.permutation(np.flatnonzero(class_ == name))
        drawn[members[: min(int(share * len(members) + 0.5), len(members) - 1)]] = True
    return drawn[of]


def sky_block(position: Reals) -> NDArray[np.int64]:
    """Sky block of each position (n, 2) [deg]: cells of equal area in right ascension and sin(declination), (n,)."""
    missing = int((~np.isfinite(position)).any(axis=1).sum())
    if missing:
        raise DataError(
            f"{missing} of {len(position)} labelled objects have no coordinates, which the sky-blocked split needs; "
            f"give ra_deg and dec_deg in the object lists, or set training.sky_blocks: false"
        )
    ra, sin_dec = position[:, 0] % 360.0, np.sin(np.radians(position[:, 1]))
    column = np.minimum((ra / 360.0 * RA_BLOCKS).astype(np.int64), RA_BLOCKS - 1)
    row = np.minimum(((sin_dec + 1.0) / 2.0 * DEC_BLOCKS).astype(np.int64), DEC_BLOCKS - 1)
    return row * RA_BLOCKS + column


def _places(position: Reals) -> NDArray[np.integer]:
    """Give positions (n, 2) [deg] numbers (n,), the same to those within the radius of each other, chained."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    good = checked(position[:, 0], position[:, 1], "labelled objects")
    # Equal positions are one point of the tree: a million objects at one place would have 5e11 pairs.
    points, of = np.unique(unit_vectors(good.ra_deg, good.dec_deg), axis=0, return_inverse=True)
    if not len(points):
        return of.ravel()
    one, other = cKDTree(points).query_pairs(chord(STAR_RADIUS_ARCSEC), output_type="ndarray").T
    joined = coo_array((np.ones(len(one)), (one, other)), shape=(len(points),) * 2)
    return np.asarray(connected_components(joined, directed=False)[1][of.ravel()])


def _stars(star: NDArray[Any]) -> tuple[Rows, Rows]:
    """First row of each star, ascending, and the place of each object's star among them, (n,)."""
    _, first, of = np.unique(star, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return first[order], np.argsort(order)[of]


def _sky(block: NDArray[np.int64], class_: Texts, test_share: float, rng: np.random.Generator) -> Texts:
    """Parts of whole blocks, from the draw that keeps the most classes in train, then fills all parts, then in test."""
    draws = [_draw_sky(block, test_share, rng) for _ in range(SKY_DRAWS)]
    best = max(draws, key=lambda part: (_n_in(class_, part, "train"), len(set(part)), _n_in(class_, part, "test")))
    lost = sorted(set(class_) - set(class_[best == "train"]))
    empty = sorted({"train", "validation", "test"} - set(best))
    if lost or empty:
        raise DataError(
            f"the labelled objects lie in {len(set(block))} sky blocks (about 10 deg on a side), too few for a "
            f"sky-blocked split: parts without objects {empty}, classes without training objects {lost}; set "
            f"training.sky_blocks: false"
        )
    return best


def _n_in(class_: Texts, part: Texts, name: str) -> int:
    return len(set(class_[part == name]))


def _draw_sky(block: NDArray[np.int64], test_share: float, rng: np.random.Generator) -> Texts:
    is_test = _draw_blocks(block, test_share, rng)
    part = np.where(is_test, "test", "train").astype(object)
    rest = np.flatnonzero(~is_test)
    part[rest[_draw_blocks(block[rest], VALIDATION_SHARE, rng)]] = "validation"
    return part


def _draw_blocks(block: NDArray[np.int64], share: float, rng: np.random.Generator) -> Mask:
    """Draw whole blocks, in random order, each kept if it brings the number of objects nearer to the share."""
    names, counts = np.unique(block, return_counts=True)
    missing = share * len(block)
    drawn = []
    for i in rng.permutation(len(names)):
        if abs(missing - counts[i]) < abs(missing):
            drawn.append(names[i])
            missing -= counts[i]
    return np.isin(block, drawn)


def _folds(class_: Texts, folds: int, rng: np.random.Generator, star: Texts) -> NDArray[np.int32]:
    from sklearn.model_selection import StratifiedKFold

    first, of = _stars(star)
    class_ = class_[first]
    fold = np.empty(len(class_), dtype=np.int32)
    draw = StratifiedKFold(folds, shuffle=True, random_state=int(rng.integers(2**31)))
    for k, (_, tested) in enumerate(draw.split(class_, class_)):
        fold[tested] = k
    return fold[of]
