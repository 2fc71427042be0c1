from pathlib import Path

import numpy as np
import pytest
from simulated_region import table

from workflow_scripts import tables
from workflow_scripts.clustering.members import MEMBERS, members
from workflow_scripts.clustering.membership import Membership
from workflow_scripts.clustering.space import Centre
from workflow_scripts.clustering.stars import Locus
from workflow_scripts.tables import DataError


def made(probability: list[float]) -> tuple[object, Membership]:
    n = len(probability)
    stars = table(np.full((n, 2), 10.0), np.zeros((n, 3)), np.ones((n, 3)), np.full(n, 15.0))
    return stars, Membership(np.array(probability), Locus(0, 0, 1), np.eye(3), 9.0, None, Centre(0.0, 0.0))


def test_likeliest_first_with_the_methods_that_agree(tmp_path: Path) -> None:
    stars, found = made([0.0, 0.4, 0.9, 0.0, 0.9])
    methods = {"kmeans": np.array([0, 1, 1, 0, 0], bool), "dec": np.array([0, 0, 1, 1, 0], bool)}
    result = members("C", stars, found, methods)
    tables.write(result, tmp_path / "members.parquet", MEMBERS)
    rows = tables.read(tmp_path / "members.parquet", MEMBERS).to_pylist()
    assert [row["source_id"][-1] for row in rows] == ["2", "4", "1", "3"]
    assert [row["methods"] for row in rows] == [["kmeans", "dec"], [], ["kmeans"], ["dec"]]
    assert [row["is_member"] for row in rows] == [True, True, False, False]


def test_no_members_is_an_empty_table() -> None:
    stars, found = made([0.0, 0.0])
    assert members("C", stars, found, {}).num_rows == 0
    with pytest.raises(DataError, match=r"{'a': 1} stars, expected 2"):
        members("C", stars, found, {"a": np.array([True])})
