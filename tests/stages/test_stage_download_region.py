import dataclasses
import sys

import numpy as np
import pytest
from workspace import ROOT

sys.path.append(str(ROOT / "tests" / "archives"))

from loopback import Archive
from loopback_tap import Column
from test_counterparts import GAIA_URL, Gaia

from workflow_scripts import tables
from workflow_scripts.clustering import fields, gaia
from workflow_scripts.clustering.stars import STARS
from workflow_scripts.stages import download_region as stage
from workflow_scripts.tables import DataError

N = 90


class Field(Gaia):
    """Stars of both releases; DR2 keeps RUWE in a table of its own, and some stars have none."""

    def __init__(self):
        rng = np.random.default_rng(1)
        names = [native[0] for native in gaia.NATIVE.values()]
        stars = {name: Column(rng.uniform(0.5, 1, N).tolist()) for name in names}
        stars["phot_g_mean_mag"] = Column(rng.uniform(10, 20, N).tolist())
        stars["source_id"] = Column([5_000_000_000_000_000_001 + i for i in range(N)], int)
        stars["ra"] = Column((rng.uniform(-0.6, 0.6, N) % 360).tolist())
        stars["dec"] = Column(rng.uniform(-0.6, 0.6, N).tolist())
        stars["parallax"] = Column([None] * 5 + stars["parallax"].values[5:])
        stars["random_index"] = Column(rng.permutation(N).tolist(), int)
        stars |= {name: Column(rng.uniform(-0.5, 0.5, N).tolist()) for name in names if name.endswith("_corr")}
        self.stars = stars
        older = {name: column for name, column in stars.items() if name != "ruwe"}
        quality = {"source_id": Column(stars["source_id"].values[5:80], int), "ruwe": Column([1.0] * 74 + [9.0])}
        super().__init__({"gaiadr3.gaia_source": stars, "gaiadr2.gaia_source": older, "gaiadr2.ruwe": quality})

    def _database(self, uploads):
        database, described = super()._database(uploads)
        database.create_function("MOD", 2, lambda a, b: a % b, deterministic=True)
        return database, described


@pytest.fixture
def archive(monkeypatch, tmp_path):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    quick = {"interval_s": 0.0, "backoff_s": 0.002, "tries": 2, "locks": tmp_path / "locks"}
    monkeypatch.setattr(stage, "MANNERS", dataclasses.replace(stage.MANNERS, **quick))
    service = Field()
    server = Archive(service)
    server.service = service
    yield server
    server.close()


@pytest.fixture
def run(archive, tmp_path):
    def start(release="DR3", limits=gaia.Cuts(), name="a", **wanted):  # noqa: B008
        place = {"ra_deg": 0.0, "dec_deg": 0.0, "radius_deg": 1.0} | wanted
        paths = {key: tmp_path / f"{name}-{key}.parquet" for key in ("region_file", "stars", "left_out", "cuts")}
        stage.main(
            open_clusters=[],
            **paths,
            wanted=fields.Wanted(f"gaia_{release.lower()}", release, **place),
            limits=limits,
            folder=tmp_path / "downloads",
            mirrors={GAIA_URL: f"{archive.url}/tap"},
            pace=1.0,
            seed=1,
            region="here",
        )
        return paths

    return start


def jobs(archive) -> list[str]:
    return [query for query in archive.service.queries if query.startswith("SELECT s.")]


@pytest.mark.parametrize(("release", "kept"), [("DR3", 85), ("DR2", 84)])
def test_cone_comes_with_all_columns_and_stars_left_out_are_counted(run, release, kept):
    paths = run(release, gaia.Cuts(max_ruwe=5.0))
    stars = tables.read(paths["stars"], STARS)
    assert stars.num_rows == kept
    assert stars["source_id"].to_pylist()[0] == "5000000000000000006"
    assert stars["parallax_pmdec_corr"].null_count == 0
    cuts = dict(tables.read(paths["cuts"], gaia.CUTS).select(["cut", "n"]).to_pandas().to_numpy().tolist())
    assert cuts["without identifier, position, proper motion or parallax"] == 5
    assert fields.read(paths["region_file"]).survey == f"Gaia {release}"


def test_large_cone_is_asked_for_in_parts_and_is_the_same(run, archive, monkeypatch, tmp_path):
    whole = run()["stars"].read_bytes()
    assert len(jobs(archive)) == 1
    monkeypatch.setattr(stage, "PART_ROWS", 25)
    assert run(name="b")["stars"].read_bytes() == whole
    assert len(jobs(archive)) == 1 + 4
    assert sum("MOD(s.random_index, 4) = 3" in query for query in jobs(archive)) == 1
    assert len(list((tmp_path / "downloads").glob("*.manifest.json"))) == 5


def test_second_run_has_its_answers_already(run, archive):
    run()
    asked = len(jobs(archive))
    run(name="b")
    assert len(jobs(archive)) == asked


def test_empty_cone_is_refused(run):
    with pytest.raises(DataError, match="region here: 0 stars are left"):
        run(dec_deg=60.0)


def test_answer_with_a_value_that_no_star_has_is_refused(run, archive):
    archive.service.stars["pmra_error"].values[7] = -999.0
    with pytest.raises(DataError, match=r"part_00_of_01.parquet: .*pmra_error \(pmra_error_mas_yr\) in 1 of 90 rows"):
        run()
