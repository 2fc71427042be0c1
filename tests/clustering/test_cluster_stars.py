"""The shared records of the cluster branch: equal partitions have equal labels."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from workflow_scripts.clustering.stars import ASTROMETRY, STARS, Locus, astrometry, ordered


def test_largest_group_is_first_and_lone_stars_stay_alone():
    label = np.array([7, 7, 2, 2, 2, -1, -3])
    groups = ordered(label, np.zeros((7, 3)))
    assert groups.label.tolist() == [1, 1, 0, 0, 0, -1, -1]
    assert groups.n_groups == 2
    assert groups.members(1).tolist() == [True, True, False, False, False, False, False]


def test_groups_of_one_size_are_ordered_by_their_median():
    space = np.array([[5.0, 0], [5, 0], [1, 9], [1, 9]])
    assert ordered(np.array([0, 0, 1, 1]), space).label.tolist() == [1, 1, 0, 0]


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=40), st.permutations(range(5)))
def test_equal_partitions_have_equal_labels_whatever_the_method_called_them(label, names):
    space = np.arange(3.0 * len(label)).reshape(-1, 3)
    renamed = [names[i] if i >= 0 else -1 for i in label]
    first, second = ordered(np.array(label), space), ordered(np.array(renamed), space)
    assert first.label.tolist() == second.label.tolist()
    assert first.n_groups == len({i for i in label if i >= 0})
    assert sorted(set(first.label[first.label >= 0].tolist())) == list(range(first.n_groups))


def test_no_stars_are_no_groups():
    groups = ordered(np.empty(0, dtype=int), np.empty((0, 3)))
    assert (groups.n_groups, len(groups.label)) == (0, 0)


def test_astrometry_of_a_table_is_in_the_order_of_a_locus():
    values = {name: [float(i)] for i, name in enumerate(STARS.names)} | {"source_id": ["1"]}
    space = astrometry(pa.table(values))
    assert space.dtype == np.float64
    assert space.tolist() == [[float(STARS.names.index(name)) for name in ASTROMETRY]]
    assert Locus(1, 2, 3).array().tolist() == [1, 2, 3]


def test_what_every_method_needs_may_not_be_null():
    needed = {column.name for column in STARS.columns if not column.nullable}
    assert needed == {"source_id", "ra_deg", "dec_deg", *ASTROMETRY}
