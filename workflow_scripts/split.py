"""Splits of the labelled objects: random, by sky block, and into folds.

Random and folds are stratified by class. The sky-blocked split tests on parts of the sky that the training part
does not touch, which shows what is learnt of the fields instead of the stars.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.tables import DataError

VALIDATION_SHARE = 0.1  # of the objects that are not tested on, for early stopping
RA_BLOCKS, DEC_BLOCKS = 36, 12  # 432 blocks of equal area, 95 deg2: 10 deg wide, 9.6 deg high at the equator
SKY_DRAWS = 50  # draws of test blocks among which one with every class on both sides is sought

Texts = NDArray[np.object_]
Reals = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """Parts of n objects: object_id, class_, random and sky (train, validation, test or "") and fold, each (n,)."""

    object_id: Texts
    class_: Texts
    random: Texts
    sky: Texts
    fold: NDArray[np.int32]


def split(
    object_id: Texts, class_: Texts, position: Reals | None, test_share: float, folds: int, rng: np.random.Generator
) -> Split:
    """Split objects at random, by sky block and into folds, whatever the order of the rows (Qiao 2024, 2.2: 70/30).

    object_id and class_ are (n,); position is (n, 2), right ascension and declination [deg], or None for no
    sky-blocked split. The result is sorted by object_id. Raises DataError if a class has fewer members than folds,
    a position is missing, or the sky blocks cannot keep every class in the training part.
    """
    check_members(class_, folds)
    order = np.argsort(object_id)
    object_id, class_ = object_id[order], class_[order]
    random = parts(class_, stratified(class_, test_share, rng), rng)
    sky = np.full(len(class_), "", dtype=object)
    if position is not None:
        sky = _sky(sky_block(position[order]), class_, test_share, rng)
    return Split(object_id, class_, random, sky, _folds(class_, folds, rng))


def check_members(class_: Texts, folds: int) -> None:
    """Raise DataError if a class has fewer members than there are folds."""
    few = {name: count for name, count in sorted(Counter(class_.tolist()).items()) if count < folds}
    if few:
        raise DataError(
            f"classes with fewer usable objects than the {folds} folds: "
            f"{', '.join(f'{name} ({count})' for name, count in few.items())}; add objects, merge the class with "
            f"another one under classes, put its labels under ignore_labels, or lower training.folds (at least 3)"
        )


def parts(class_: Texts, is_test: Mask, rng: np.random.Generator) -> Texts:
    """Name the part of each object, (n,): test where given, a stratified tenth of the others validation, else train."""
    part = np.where(is_test, "test", "train").astype(object)
    rest = np.flatnonzero(~is_test)
    part[rest[stratified(class_[rest], VALIDATION_SHARE, rng)]] = "validation"
    return part


def stratified(class_: Texts, share: float, rng: np.random.Generator) -> Mask:
    """Draw this share of every class, rounded, but never a whole class; true where drawn, (n,)."""
    drawn = np.zeros(len(class_), dtype=bool)
    for name in np.unique(class_):
        members = rng.permutation(np.flatnonzero(class_ == name))
        drawn[members[: min(int(share * len(members) + 0.5), len(members) - 1)]] = True
    return drawn


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


def _folds(class_: Texts, folds: int, rng: np.random.Generator) -> NDArray[np.int32]:
    from sklearn.model_selection import StratifiedKFold

    fold = np.empty(len(class_), dtype=np.int32)
    draw = StratifiedKFold(folds, shuffle=True, random_state=int(rng.integers(2**31)))
    for k, (_, tested) in enumerate(draw.split(class_, class_)):
        fold[tested] = k
    return fold
