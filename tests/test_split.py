from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_scripts import split as module
from workflow_scripts.split import parts, sky_block, split, star_of, stratified
from workflow_scripts.tables import DataError

SIZES = {"EW": 600, "RRAB": 250, "CEP": 50, "Mira": 7}


def stars(seed=0):
    rng = np.random.default_rng(seed)
    class_ = np.repeat(np.array(list(SIZES), dtype=object), list(SIZES.values()))
    object_id = np.array([f"star{i}" for i in range(len(class_))], dtype=object)
    ra, sin_dec = rng.uniform(0, 360, len(class_)), rng.uniform(-1, 1, len(class_))
    return object_id, class_, np.column_stack([ra, np.degrees(np.arcsin(sin_dec))])


def run(order=slice(None), seed=1, test_share=0.3, folds=5):
    object_id, class_, position = stars()
    rng = np.random.default_rng(seed)
    return split(object_id[order], class_[order], position[order], test_share, folds, rng)


def test_random_split_takes_the_share_of_every_class():
    result = run()
    for name, size in SIZES.items():
        found = Counter(result.random[result.class_ == name])
        test = int(0.3 * size + 0.5)
        validation = int(0.1 * (size - test) + 0.5)
        assert found == Counter(test=test, validation=validation, train=size - test - validation)


def test_folds_share_every_class_evenly():
    result = run()
    for name, size in SIZES.items():
        counts = np.bincount(result.fold[result.class_ == name], minlength=5)
        assert counts.max() - counts.min() <= 1
        assert counts.sum() == size


def test_sky_parts_share_no_block_and_come_near_the_shares():
    object_id, _, position = stars()
    result = run()
    row_of = {name: i for i, name in enumerate(object_id)}
    block = sky_block(position[[row_of[name] for name in result.object_id]])
    blocks = {name: set(block[result.sky == name]) for name in ("train", "validation", "test")}
    assert not blocks["train"] & blocks["test"]
    assert not blocks["train"] & blocks["validation"]
    assert not blocks["validation"] & blocks["test"]
    largest = max(Counter(block).values())  # the last block drawn may miss the share by half of itself at most
    assert abs(np.sum(result.sky == "test") - 0.3 * len(block)) <= largest / 2
    assert set(result.class_[result.sky == "train"]) == set(SIZES)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_changes_nothing(seed):
    order = np.random.default_rng(seed).permutation(sum(SIZES.values()))
    first, second = run(), run(order)
    assert all(np.array_equal(a, b) for a, b in zip(vars(first).values(), vars(second).values(), strict=True))


def test_the_seed_decides_the_draw():
    assert np.array_equal(run(seed=3).random, run(seed=3).random)
    assert not np.array_equal(run(seed=3).random, run(seed=4).random)
    assert not np.array_equal(run(seed=3).sky, run(seed=4).sky)


def test_without_positions_the_sky_split_is_empty():
    object_id, class_, _ = stars()
    result = split(object_id, class_, None, 0.3, 5, np.random.default_rng(0))
    assert set(result.sky) == {""}
    assert set(result.random) == {"train", "validation", "test"}


def test_missing_coordinates_name_the_switch():
    object_id, class_, position = stars()
    position[3, 1] = np.nan
    with pytest.raises(DataError, match=r"1 of 907 labelled objects .*training\.sky_blocks: false"):
        split(object_id, class_, position, 0.3, 5, np.random.default_rng(0))


def test_a_single_field_cannot_be_blocked():
    object_id, class_, position = stars()
    with pytest.raises(DataError, match=r"1 sky blocks .*training\.sky_blocks: false"):
        split(object_id, class_, position * 0 + 5.0, 0.3, 5, np.random.default_rng(0))


def test_a_class_that_lives_in_one_block_stays_in_train():
    object_id, class_, position = stars()
    position[class_ == "Mira"] = [100.0, 20.0]
    result = split(object_id, class_, position, 0.3, 5, np.random.default_rng(2))
    assert set(result.sky[result.class_ == "Mira"]) == {"train"}


def test_a_class_smaller_than_the_folds_is_named_with_the_remedies():
    with pytest.raises(DataError, match=r"8 folds: Mira \(7\); .*ignore_labels.*training\.folds"):
        run(folds=8)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.floats(0.01, 0.99), st.integers(0, 99))
def test_stratified_draws_the_rounded_share_but_never_a_whole_class(numbers, share, seed):
    class_ = np.array([f"c{i}" for i in numbers], dtype=object)
    drawn = stratified(class_, share, np.random.default_rng(seed))
    for name, size in Counter(class_).items():
        assert drawn[class_ == name].sum() == min(int(share * size + 0.5), size - 1)


def test_parts_keep_the_test_objects_given():
    class_ = stars()[1]
    is_test = np.arange(len(class_)) % 5 == 0
    part = parts(class_, is_test, np.random.default_rng(0))
    assert np.array_equal(part == "test", is_test)
    # rounding per class moves each of the 4 classes by half an object at most
    assert abs(np.sum(part == "validation") - 0.1 * np.sum(~is_test)) <= 2


def test_sky_blocks_have_equal_areas_and_the_sphere_closes():
    corners = np.array([[0.0, -90.0], [360.0, -90.0], [-1.0, -90.0], [359.999, 90.0]])
    assert sky_block(corners).tolist() == [0, 0, 35, 431]
    block = sky_block(stars()[2])
    assert block.min() >= 0
    assert block.max() < module.RA_BLOCKS * module.DEC_BLOCKS
    uniform = np.random.default_rng(0).uniform(-1, 1, (50000, 2))
    position = np.column_stack([uniform[:, 0] * 180, np.degrees(np.arcsin(uniform[:, 1]))])
    counts = np.bincount(sky_block(position), minlength=432)
    # equal areas: counts are Poisson around 115.7; six standard deviations for 432 blocks
    assert np.abs(counts - 50000 / 432).max() < 6 * np.sqrt(50000 / 432)


# --- one star under several identifiers --------------------------------------------------------------------------


def named(*ids):
    return np.array(ids, dtype=object)


def test_objects_at_one_place_are_one_star_whatever_their_order():
    arcsec = 1 / 3600
    position = np.array([
        [10.0, 60.0],
        [10.0 + 2 * 1.4 * arcsec, 60.0],  # 1.4 arcsec from the first, since cos 60 deg is a half
        [10.0, 60.0 - 1.4 * arcsec],
        [10.0, 60.0 + 1.6 * arcsec],
        [np.nan, 60.0],
        [np.nan, 60.0],
        [-0.2 * arcsec, -30.0],
        [359.9999999, -30.0],
        [17.0, 90.0],
        [200.0, 90.0 - 0.5 * arcsec],
    ])  # fmt: skip
    ids = named("e", "d", "f", "g", "h", "i", "k", "j", "m", "l")
    expected = named("d", "d", "d", "g", "h", "i", "j", "j", "l", "l")
    assert star_of(ids, position).tolist() == expected.tolist()
    order = np.random.default_rng(0).permutation(len(ids))
    assert star_of(ids[order], position[order]).tolist() == expected[order].tolist()


def test_a_chain_of_places_is_one_star():
    position = np.column_stack([np.zeros(4), np.array([0, 1.4, 2.8, 4.4]) / 3600])
    assert star_of(named("a", "b", "c", "d"), position).tolist() == ["a", "a", "a", "d"]


def test_a_place_that_stands_for_unknown_ones_is_no_star(caplog):
    ids = named(*(f"s{i:02d}" for i in range(module.MOST_OF_A_STAR + 1)))
    place = np.full((len(ids), 2), 5.0)
    assert set(star_of(ids[1:], place[1:])) == {"s01"}
    assert star_of(ids, place).tolist() == ids.tolist()
    assert "21 objects at one place, such as s00" in caplog.text


def test_no_positions_at_all():
    assert star_of(named("a", "b"), np.full((2, 2), np.nan)).tolist() == ["a", "b"]


def twins(share=0.4, seed=0):
    """The sample of stars(), where some have a second identifier half an arcsecond away, across blocks as well."""
    object_id, class_, position = stars(seed)
    again = np.random.default_rng(seed).random(len(class_)) < share
    position[:, 0] = np.round(position[:, 0], -1) - 1e-5  # beside a limit of the blocks
    position[:, 1] = np.arange(len(class_)) / 20 - 20
    second = position[again] + [2e-5, 0.0]
    ids = np.concatenate([object_id, object_id[again] + "-again"])
    return ids, np.concatenate([class_, class_[again]]), np.concatenate([position, second])


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_star_is_on_one_side_of_every_split(seed):
    object_id, class_, position = twins()
    star = star_of(object_id, position)
    assert len(set(star)) == sum(SIZES.values())
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(star))
    result = split(object_id[order], class_[order], position[order], 0.3, 5, rng, star[order])
    fold_parts = parts(result.class_, result.fold == 2, rng, result.star)
    for part in (result.random, result.sky, result.fold, fold_parts):
        assert len(set(zip(result.star, part, strict=True))) == len(set(star))
        assert len(set(part)) > 2
    for name, size in SIZES.items():  # the shares are shares of the stars
        tested = {
            s for s, c, p in zip(result.star, result.class_, result.random, strict=True) if (c, p) == (name, "test")
        }
        assert len(tested) == int(0.3 * size + 0.5)


def test_without_repeated_stars_the_split_is_what_it_was():
    object_id, class_, position = stars()
    own = star_of(object_id, position)
    assert own.tolist() == object_id.tolist()
    first, second = (split(object_id, class_, position, 0.3, 5, np.random.default_rng(1), s) for s in (None, own))
    assert all(np.array_equal(a, b) for a, b in zip(vars(first).values(), vars(second).values(), strict=True))


def test_a_class_of_fewer_stars_than_folds_is_named():
    object_id, class_, position = stars()
    position[class_ == "Mira"] = np.array([100.0, 20.0]) + np.arange(7)[:, None] // 3
    with pytest.raises(DataError, match=r"place counted once, than the 5 folds: Mira \(3\)"):
        split(object_id, class_, position, 0.3, 5, np.random.default_rng(0), star_of(object_id, position))
