"""Kinds of wrong periods."""

import numpy as np
import pyarrow as pa
import pytest

from workflow_scripts import tables
from workflow_scripts.features import REGISTRY
from workflow_scripts.period_errors import FACTS, KINDS, kind, summary

TRUE = 0.7321


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (TRUE, "exact"),
        (1.009 * TRUE, "exact"),
        (TRUE / 2, "half"),
        (2 * TRUE, "double"),
        (TRUE / 3, "third or triple"),
        (3 * TRUE, "third or triple"),
        (1.5 * TRUE, "other multiple"),
        (TRUE / 4, "other multiple"),
        (1 / (1 / TRUE + 1.00273791), "daily alias"),
        (1 / (1 / TRUE - 1.00273791), "daily alias"),
        (1 / (2.00547582 - 1 / TRUE), "daily alias"),
        (1 / (2 / TRUE + 1.00273791), "daily alias"),
        (0.9 * TRUE, "other"),
        (np.nan, "none"),
    ],
)
def test_kind_of_a_period(period, expected):
    assert kind(np.array([period]), np.array([TRUE])).tolist() == [expected]


@pytest.mark.parametrize("missing", [np.nan, 0.0, -1.0])
def test_without_a_catalogue_period_there_is_no_kind(missing):
    assert kind(np.array([0.5]), np.array([missing])).tolist() == [None]


def test_every_period_is_of_one_kind():
    rng = np.random.default_rng(1)
    period, catalogue = 10 ** rng.uniform(-1.3, 3, (2, 500))
    assert set(kind(period, catalogue)) <= set(KINDS)


def test_summary_counts_and_takes_medians():
    period = np.array([1, 1, 2, 5, np.nan, 3.0])
    catalogue = np.array([1, 1, 1, 5, 5, np.nan])
    class_ = np.array(["A", "A", "A", "B", "B", "B"], dtype=object)
    facts = {"n_obs": np.array([10, 30, 50, 1, np.nan, 7.0])}
    rows = summary(period, catalogue, class_, ("A", "B", "C"), facts)
    assert [(r["class"], r["kind"], r["n"], round(r["share"], 3)) for r in rows] == [
        ("A", "exact", 2, 0.667),
        ("A", "double", 1, 0.333),
        ("B", "exact", 1, 0.5),
        ("B", "none", 1, 0.5),
    ]
    assert [r["n_obs"] for r in rows] == [20, 50, 1, None]
    assert all(r["amplitude"] is None for r in rows)
    assert pa.Table.from_pylist(rows, tables.PERIOD_ERRORS.schema).num_rows == 4


def test_facts_are_features_and_columns():
    assert set(FACTS) <= set(REGISTRY)
    assert set(FACTS) <= set(tables.PERIOD_ERRORS.names)
