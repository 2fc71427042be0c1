"""Light curves as ragged arrays."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_scripts import tables
from workflow_scripts.lightcurve import ragged

CURVES = [[3.0, 1.0], [], [2.5, 7.0, 8.0]]


def table(curves: list[list[float]]) -> pa.Table:
    n = len(curves)
    columns = [pa.array([str(i) for i in range(n)], pa.string()), pa.array(["V"] * n, pa.string())]
    columns += [pa.array(curves, tables.LIGHT_CURVES.schema.field(name).type) for name in ("time", "mag", "mag_err")]
    return pa.Table.from_arrays(columns, schema=tables.LIGHT_CURVES.schema)


def test_values_lie_end_to_end_between_offsets():
    curves = ragged.from_table(table(CURVES))
    assert curves.offsets.tolist() == [0, 2, 2, 5]
    assert curves.time.tolist() == curves.mag.tolist() == [3.0, 1.0, 2.5, 7.0, 8.0]
    assert len(curves) == 3
    assert (curves.offsets.dtype, curves.time.dtype, curves.mag_err.dtype) == (np.int64, np.float64, np.float64)


def test_no_light_curves():
    curves = ragged.from_table(table([]))
    assert len(curves) == 0
    assert curves.offsets.tolist() == [0]
    assert curves.time.shape == (0,)


@pytest.mark.parametrize(("start", "stop"), [(1, 3), (2, 3), (0, 1), (1, 1)])
def test_slice_of_a_table_has_its_own_values_only(start, stop):
    curves = ragged.from_table(table(CURVES).slice(start, stop - start))
    assert curves.time.tolist() == [value for curve in CURVES[start:stop] for value in curve]
    assert len(curves) == stop - start


def test_chunks_are_joined_in_order():
    curves = ragged.from_table(pa.concat_tables([table(CURVES), table([[9.0]])]))
    assert curves.time.tolist() == [3.0, 1.0, 2.5, 7.0, 8.0, 9.0]
    assert curves.offsets.tolist() == [0, 2, 2, 5, 6]


def test_magnitudes_keep_their_float32_values():
    value = np.float32(17.123456)
    assert ragged.from_table(table([[float(value)]])).mag[0] == float(value)


def test_lists_have_the_lengths_given():
    lists = ragged.to_lists(np.array([1.0, 2.0, 3.0]), np.array([1, 0, 2]))
    assert lists.to_pylist() == [[1.0], [], [2.0, 3.0]]
    assert ragged.to_lists(np.array([]), np.array([], dtype=int)).to_pylist() == []


def test_lists_of_other_types():
    assert ragged.to_lists(np.array([True, False]), np.array([2])).type == pa.list_(pa.bool_())
    assert ragged.to_lists(np.array([1.5], dtype=np.float32), np.array([1])).type == pa.list_(pa.float32())


@given(st.lists(st.lists(st.floats(allow_nan=False, width=32), max_size=5), max_size=8), st.integers(0, 8))
def test_lists_and_ragged_arrays_are_inverse(curves, cut):
    rows = pa.concat_tables([table(curves).slice(0, cut), table(curves).slice(cut)])
    back = ragged.from_table(rows)
    assert ragged.to_lists(back.mag, np.diff(back.offsets)).to_pylist() == curves
    assert [list(back.time[a:b]) for a, b in zip(back.offsets, back.offsets[1:], strict=False)] == curves


def test_objects_are_runs_of_equal_identifiers():
    assert ragged.objects(["a", "a", "b", "c", "c", "c"]).tolist() == [0, 2, 3, 6]
    assert ragged.objects(["a"]).tolist() == [0, 1]
    assert ragged.objects([]).tolist() == [0]
