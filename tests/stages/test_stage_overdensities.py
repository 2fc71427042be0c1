import pytest
from cluster_run import LOCUS, prepared

from workflow_scripts import tables
from workflow_scripts.clustering.space import Centre, space
from workflow_scripts.clustering.stars import ASTROMETRY
from workflow_scripts.stages import overdensities as stage


def run(made):
    path = made.folder / "overdensities.parquet"
    stage.main(**made.inputs, overdensities=path)
    return tables.read(path, stage.OVERDENSITIES).to_pylist()


def test_cluster_is_listed_with_place_and_significance(tmp_path):
    rows = run(prepared(tmp_path / "a"))
    assert [row["rank"] for row in rows] == [1]
    assert abs(rows[0]["pmra_mas_yr"] - LOCUS.pmra_mas_yr) < 0.2
    assert abs(rows[0]["dec_deg"] - 20.0) < 0.1
    assert rows[0]["significance"] > 8
    assert 130 < rows[0]["n_members"] < 170


def test_motions_are_along_the_axes_of_the_region(tmp_path):
    """Around a pole the axes of the cluster's own centre point anywhere: its locus is off by 0.8 mas/yr along them."""
    made = prepared(tmp_path / "a", centre=Centre(50.0, 89.9))
    (row,) = run(made)
    summary = space(made.rows, Centre(50.0, 89.9)).points[made.truth].mean(axis=0)
    assert [row[name] for name in ASTROMETRY] == pytest.approx(summary.tolist(), abs=0.1)
    assert [row[name] for name in ASTROMETRY] == pytest.approx(LOCUS.array().tolist(), abs=0.1)


def test_list_of_a_field_is_empty(tmp_path):
    assert run(prepared(tmp_path / "a", 0)) == []
