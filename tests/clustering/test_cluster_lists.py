"""Published lists: by position, by identifier, and by the list's own probability."""

import numpy as np
import pyarrow as pa
import pytest
from simulated_region import region

from workflow_scripts.clustering.lists import on_list
from workflow_scripts.tables import DataError

STARS = region(np.random.default_rng(1), (), n_field=60).stars
RA, DEC = (STARS[axis].to_numpy() for axis in ("ra_deg", "dec_deg"))


def written(tmp_path, **columns: object):
    path = tmp_path / "list.csv"
    names = list(columns)
    lines = [",".join(names), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_positions_match_although_identifiers_are_of_another_release(tmp_path):
    rows = [3, 17, 40]
    path = written(tmp_path, Source=[7, 8, 9], ra=RA[rows], dec=DEC[rows] + 0.5 / 3600, PMemb=[0.5, 1.0, 0.4])
    assert np.flatnonzero(on_list(path, STARS, 0.5)).tolist() == [3, 17]
    assert np.flatnonzero(on_list(path, STARS, 0.0)).tolist() == rows


def test_list_of_identifiers_matches_by_them(tmp_path):
    ids = STARS["source_id"].take(pa.array([5, 6])).to_pylist()
    assert np.flatnonzero(on_list(written(tmp_path, source_id=[*ids, "12"]), STARS, 0.5)).tolist() == [5, 6]


def test_list_without_either_is_refused(tmp_path):
    with pytest.raises(DataError, match="a member list needs positions or identifiers"):
        on_list(written(tmp_path, name=["a"], ra=[1.0]), STARS, 0.5)


def test_position_that_is_no_number_is_refused(tmp_path):
    with pytest.raises(DataError, match="column 'ra'"):
        on_list(written(tmp_path, ra=["east"], dec=[1.0]), STARS, 0.5)
