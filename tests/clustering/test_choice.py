"""Which group is the cluster: by a locus, by compactness on the sky, or none."""

import numpy as np
import pytest
from small_fields import LOCUS, field

from workflow_scripts.clustering import choice, hdbscan
from workflow_scripts.clustering.stars import Groups, Locus, ordered

FIELD = field()


def split(members: np.ndarray, seed: int = 0, parts: int = 4) -> Groups:
    """Members in one group, the field at random in some others."""
    rng = np.random.default_rng(seed)
    return ordered(np.where(members, 9, rng.integers(0, parts, len(members))), FIELD.space)


GROUPS = split(FIELD.members)
CLUSTER = int(GROUPS.label[FIELD.members][0])


@pytest.mark.parametrize("locus", [LOCUS, None])
def test_cluster_is_chosen_with_and_without_a_locus(locus):
    chosen = choice.choose(GROUPS, FIELD.space, FIELD.sky, locus)
    assert chosen is not None
    assert chosen.group == CLUSTER
    assert chosen.rule == ("compactness" if locus is None else "gathered")


def test_group_of_the_field_nearer_to_old_motions_is_not_the_cluster():
    # M67 in Dias 2002 is 2.5 mas/yr off, and a component of a mixture, spread over the sky, lies nearer.
    old = Locus(LOCUS.pmra_mas_yr + 2.0, LOCUS.pmdec_mas_yr - 1.5, LOCUS.parallax_mas)
    near = (np.abs(FIELD.space - old.array()) < (3, 3, 0.6)).all(axis=1) & ~FIELD.members
    groups = ordered(np.where(FIELD.members, 2, np.where(near, 1, 0)), FIELD.space)
    field_group = int(groups.label[near][0])
    chosen = choice.choose(groups, FIELD.space, FIELD.sky, old)
    assert (chosen.group, chosen.rule) == (int(groups.label[FIELD.members][0]), "gathered")
    scattered = np.random.default_rng(1).permutation(FIELD.sky)
    assert choice.choose(groups, FIELD.space, scattered, old).rule == "locus"
    assert choice.choose(groups, FIELD.space, scattered, old).group == field_group


def test_gathered_group_far_from_the_locus_is_not_the_cluster():
    far = Locus(LOCUS.pmra_mas_yr + 6.0, LOCUS.pmdec_mas_yr, LOCUS.parallax_mas)
    assert choice.choose(GROUPS, FIELD.space, FIELD.sky, far).rule == "locus"


HALVES = [
    Locus(LOCUS.pmra_mas_yr + 2.0, LOCUS.pmdec_mas_yr - 1.5, np.nan),
    Locus(np.nan, np.nan, 1.2 * LOCUS.parallax_mas),
]


def beside(members: np.ndarray, offset: tuple[float, float, float], n: int = 200):
    """The field with a second group, more compact on the sky than the cluster and so far from it in astrometry."""
    space, sky, second = FIELD.space.copy(), FIELD.sky.copy(), np.flatnonzero(~members)[:n]
    rng = np.random.default_rng(4)
    space[second] = rng.normal(LOCUS.array() + np.array(offset), 0.05, (n, 3))
    sky[second] = rng.normal(np.median(sky, axis=0) + np.array([0.3, 0.2]), 0.01, (n, 2))
    label = np.where(members, 1, 0)
    label[second] = 2
    return Groups(label.astype(np.int32), 3), space, sky


@pytest.mark.parametrize(("half", "offset"), [(HALVES[0], (9.0, -9.0, 0.0)), (HALVES[1], (0.0, 0.0, 9.0))])
def test_half_a_locus_keeps_a_more_compact_group_out_that_is_far_from_it(half, offset):
    groups, space, sky = beside(FIELD.members, offset)
    assert choice.choose(groups, space, sky, None).group == 2  # the trap: nothing known, the other cluster is taken
    chosen = choice.choose(groups, space, sky, half)
    assert (chosen.group, chosen.rule) == (1, "near")
    merit = choice.choose(GROUPS, FIELD.space, FIELD.sky, None).merit
    assert chosen.merit == pytest.approx(merit, abs=0.1)  # of compactness, not a distance


@pytest.mark.parametrize("half", HALVES)
def test_half_a_locus_does_not_tell_groups_near_to_it_from_each_other(half):
    groups, space, sky = beside(FIELD.members, (1.0, 1.0, 0.1))
    assert choice.choose(groups, space, sky, half).group == 2


def test_where_no_gathered_group_is_near_half_a_locus_the_most_compact_is_taken():
    far = Locus(LOCUS.pmra_mas_yr + 9.0, LOCUS.pmdec_mas_yr, np.nan)
    known, unknown = (choice.choose(GROUPS, FIELD.space, FIELD.sky, locus) for locus in (far, None))
    assert known == unknown
    assert known.rule == "compactness"


@pytest.mark.parametrize("half", HALVES)
def test_half_a_locus_makes_no_cluster_of_a_group_of_the_field(half):
    scattered = np.random.default_rng(1).permutation(FIELD.sky)
    assert choice.choose(GROUPS, FIELD.space, scattered, half) is None


def test_merit_by_hand():
    # Interquartile ranges 50, 5 and 500: one scatter of the field is 50 / 1.3489795 along the first axis.
    space = np.arange(101.0)[:, None] * [1, 0.1, 10]
    groups = ordered(np.repeat([0, 1], [40, 61]), space)
    chosen = choice.choose(groups, space, space[:, :2], Locus(65, 6.5, 690))
    assert chosen is not None
    assert chosen.group == 0  # the larger one: its median is 70, 7, 700
    assert chosen.merit == pytest.approx(np.linalg.norm([5 / 50, 0.5 / 5, 10 / 500]) * 1.3489795)


@pytest.mark.parametrize(
    ("found", "far"),
    [
        (Locus(4.0, 6.1, 1.0), True),  # 5 mas/yr off, in whatever direction
        (Locus(4.0, 5.9, 1.0), False),
        (Locus(1.0, 2.0, 1.69), False),  # 1.5 times as near and 0.2 mas
        (Locus(1.0, 2.0, 1.71), True),
        (Locus(1.0, 2.0, 0.53), True),
        (Locus(1.0, 2.0, 0.54), False),
        (Locus(1.0, 2.0, -0.1), True),
    ],
)
def test_far_is_beyond_what_catalogues_err_by(found, far):
    assert choice.is_far(found, Locus(1.0, 2.0, 1.0)) == far
    moved, nearer = found.pmra_mas_yr != 1.0, found.parallax_mas != 1.0
    assert choice.is_far(found, Locus(1.0, 2.0, np.nan)) == (far and moved)
    assert choice.is_far(found, Locus(np.nan, np.nan, 1.0)) == (far and nearer)


@pytest.mark.parametrize(("one", "other"), [(1.0, 0.31), (0.5, 0.06), (3.0, 2.0), (0.3, -0.1)])
def test_far_is_the_same_from_either_end(one, other):
    there, back = (choice.is_far(Locus(0, 0, a), Locus(0, 0, b)) for a, b in ((one, other), (other, one)))
    assert there == back


@pytest.mark.parametrize(
    ("found", "same"),
    [
        (Locus(2.15, 2.0, 2.0), True),  # 2.5 km/s are 1.05 mas/yr at 2 mas, and 0.1 mas/yr
        (Locus(2.16, 2.0, 2.0), False),
        (Locus(1.0, 0.84, 2.0), False),
        (Locus(1.0, 2.0, 2.24), True),  # a tenth, and 0.05 mas
        (Locus(1.0, 2.0, 1.74), False),
    ],
)
def test_two_fits_of_one_cluster_agree(found, same):
    assert choice.is_same(found, Locus(1.0, 2.0, 2.0)) == same


def test_median_decides_not_the_mean():
    space = np.vstack([np.zeros((30, 3)), np.full((5, 3), 500.0), np.full((40, 3), 3.0)])
    groups = Groups(np.repeat([0, 1], [35, 40]).astype(np.int32), 2)
    chosen = choice.choose(groups, space, space[:, :2], Locus(0, 0, 0))
    assert chosen is not None
    assert chosen.group == 0


def test_field_wrapped_round_ra_0_and_at_the_pole_is_as_good_as_another():
    away = FIELD.sky.copy()
    away[:, 0] = (away[:, 0] + 180) % 360 - 180 + 200
    merit = [choice.choose(GROUPS, FIELD.space, sky, None).merit for sky in (FIELD.sky, away)]
    assert merit[0] == pytest.approx(merit[1], abs=1e-9)
    # The same stars about the pole: offsets turned into polar coordinates.
    x, y = ((FIELD.sky[:, 0] + 180) % 360 - 180), FIELD.sky[:, 1]
    polar = np.column_stack([np.degrees(np.arctan2(y, x)) % 360, 90 - np.hypot(x, y)])
    at_pole = choice.choose(GROUPS, FIELD.space, polar, None)
    assert (at_pole.group, at_pole.merit) == (CLUSTER, pytest.approx(merit[0], abs=0.02))


@pytest.mark.parametrize("seed", range(5))
def test_field_without_a_cluster_has_no_compact_group(seed):
    empty = field(1500, 0, seed)
    groups = ordered(np.random.default_rng(seed).integers(0, 8, 1500), empty.space)
    assert choice.choose(groups, empty.space, empty.sky, None) is None


def test_groups_that_hdbscan_makes_of_noise_are_not_chosen():
    space = np.random.default_rng(5).uniform(size=(800, 3))
    groups = hdbscan.fit(space, min_cluster_size=50, min_samples=10)
    assert groups.n_groups > 0  # it does make some
    assert choice.choose(groups, space, field(800, 0).sky, None) is None


def test_tiny_groups_are_no_candidates():
    label = np.full(len(FIELD.members), -1)
    label[np.flatnonzero(FIELD.members)[:9]] = 0
    assert choice.choose(ordered(label, FIELD.space), FIELD.space, FIELD.sky, LOCUS) is None
    label[np.flatnonzero(FIELD.members)[9]] = 0
    assert choice.choose(ordered(label, FIELD.space), FIELD.space, FIELD.sky, LOCUS).group == 0


def test_no_groups_or_one_of_all_stars_is_no_compact_group():
    nothing = ordered(np.full(len(FIELD.members), -1), FIELD.space)
    assert choice.choose(nothing, FIELD.space, FIELD.sky, LOCUS) is None
    assert choice.choose(nothing, FIELD.space, FIELD.sky, None) is None
    everything = ordered(np.zeros(len(FIELD.members), dtype=int), FIELD.space)
    assert choice.choose(everything, FIELD.space, FIELD.sky, None) is None


def test_axis_without_scatter_does_not_decide():
    space = FIELD.space.copy()
    space[:, 2] = 3.0
    assert choice.choose(GROUPS, space, FIELD.sky, LOCUS).group == CLUSTER
