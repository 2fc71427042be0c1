import dataclasses
import sys

import pytest
from workspace import ROOT

sys.path.append(str(ROOT / "tests" / "archives"))
sys.path.append(str(ROOT / "tests" / "clustering"))

from loopback import Archive
from loopback_tap import Column, Tap
from test_regions import MADE

from workflow_scripts import tables
from workflow_scripts.clustering.regions import OPEN_CLUSTERS
from workflow_scripts.stages import select_regions as stage
from workflow_scripts.surveys import registry
from workflow_scripts.surveys.catalogue import VIZIER_URL
from workflow_scripts.tables import DataError


def run(folder, catalogue=(), named=(), mirrors=None):
    stage.main(
        catalogue=list(catalogue),
        open_clusters=folder / "open.parquet",
        named=list(named),
        least_diameter_arcmin=25.0,
        folder=folder / "downloads",
        mirrors=mirrors or {},
        pace=0.0,
        seed=1,
    )
    return tables.read(folder / "open.parquet", OPEN_CLUSTERS)


def test_large_clusters_and_named_ones_are_taken_from_the_users_file(tmp_path):
    (tmp_path / "clusters.dat").write_text(MADE)
    assert run(tmp_path, [tmp_path / "clusters.dat"])["cluster"].to_pylist() == ["Edge 2", "Wide 1"]
    rows = run(tmp_path, [tmp_path / "clusters.dat"], ["Unknown 4"])
    assert rows["cluster"].to_pylist() == ["Edge 2", "Unknown 4", "Wide 1"]


def test_name_that_the_catalogue_lacks_is_refused_with_names_like_it(tmp_path):
    (tmp_path / "clusters.dat").write_text(MADE)
    with pytest.raises(DataError, match=r"'Wide1' is not in the catalogue.*Wide 1"):
        run(tmp_path, [tmp_path / "clusters.dat"], ["Wide1"])


def test_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        run(tmp_path, [tmp_path / "clusters.dat"])


def test_vizier_is_asked_without_a_file(tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    survey = registry.load("dias_2002")
    manners = dataclasses.replace(survey.manners, interval_s=0.0, backoff_s=0.002, locks=tmp_path / "locks")
    monkeypatch.setattr(stage.registry, "load", lambda _: dataclasses.replace(survey, manners=manners))
    columns = {
        "Cluster": Column(["Wide 1", "Small 3"], str),
        "RAJ2000": Column([0.025, 180.0]),
        "DEJ2000": Column([-29.9, 0.0]),
        "Diam": Column([70.0, None]),
        "Dist": Column([269, None]),
        "pmRA": Column([18.7, None]),
        "pmDE": Column([2.6, None]),
        "RV": Column([None, -3.0]),
    }
    server = Archive(Tap({"B/ocl/clusters": columns}))
    try:
        rows = run(tmp_path, mirrors={VIZIER_URL: f"{server.url}/tap"}, named=["Small 3"]).to_pylist()
    finally:
        server.close()
    assert [row["cluster"] for row in rows] == ["Small 3", "Wide 1"]
    assert (rows[1]["distance_pc"], rows[1]["pmra_mas_yr"], rows[1]["radial_velocity_km_s"]) == (269, 18.7, None)
    assert (tmp_path / "downloads/open_clusters.parquet.manifest.json").is_file()
