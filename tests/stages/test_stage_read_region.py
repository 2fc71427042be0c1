import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workflow_scripts import tables
from workflow_scripts.clustering import fields, gaia
from workflow_scripts.clustering.regions import OPEN_CLUSTERS
from workflow_scripts.clustering.stars import STARS
from workflow_scripts.stages import read_region as stage
from workflow_scripts.tables import DataError

ROW = {"cluster": "NGC 1", "ra_deg": 0.1, "dec_deg": 20.0, "diameter_arcmin": 60.0}


@pytest.fixture
def run(tmp_path):
    tables.write(pa.Table.from_pylist([ROW], schema=OPEN_CLUSTERS.schema), tmp_path / "open.parquet", OPEN_CLUSTERS)

    def start(n=100, named=True, columns=None, **wanted):
        rng = np.random.default_rng(1)
        values = {name: rng.normal(0, 1, n) for name in ("parallax", "pmra", "pmdec")}
        values |= {"source_id": np.arange(n), "ra": rng.uniform(-0.5, 0.5, n) % 360, "dec": rng.uniform(19.6, 20.4, n)}
        pq.write_table(
            pa.table(values | {name: [value] * n for name, value in (columns or {}).items()}), tmp_path / "gaia.parquet"
        )
        given = {"cluster": "NGC 1"} if named else {"ra_deg": 0.0, "dec_deg": 20.0, "radius_deg": 1.0}
        paths = {name: tmp_path / f"{name}.parquet" for name in ("region_file", "stars", "left_out", "cuts")}
        stage.main(
            files=[tmp_path / "gaia.parquet"],
            open_clusters=[tmp_path / "open.parquet"] if named else [],
            **paths,
            wanted=fields.Wanted("local", **({"release": "DR2"} | given | wanted)),
            limits=gaia.Cuts(),
            region="here",
        )
        return paths

    return start


def test_catalogue_gives_the_cone_and_all_stars_are_accounted_for(run):
    paths = run()
    place = fields.read(paths["region_file"])
    assert (place.region.radius_deg, place.release, place.name) == (0.75, "DR2", "here")
    assert "SIMULATED" not in place.survey
    cuts = tables.read(paths["cuts"], gaia.CUTS).to_pylist()
    left_out = [row["n"] for row in cuts[1:-1] if not row["cut"].endswith(", kept")]
    assert cuts[0]["n"] - sum(left_out) == cuts[-1]["n"] == tables.read(paths["stars"], STARS).num_rows
    assert (cuts[-2]["cut"], cuts[-2]["n"]) == ("without ruwe, kept", cuts[-1]["n"])  # the file has none


@pytest.mark.parametrize("release", ["DR2", "DR3"])
@pytest.mark.parametrize("of", ["DR2", "DR3"])
def test_stars_must_be_of_the_release_of_the_region(run, release, of):
    columns = {"ref_epoch": {"DR2": 2015.5, "DR3": 2016.0}[of], "designation": f"Gaia {of} 5"}
    if of == release:
        assert fields.read(run(columns=columns, release=release)["region_file"]).release == release
        return
    with pytest.raises(DataError, match=rf"gaia.parquet: column 'ref_epoch' .*; give the region `release: {of}`"):
        run(columns=columns, release=release)


def test_region_needs_no_catalogue(run):
    assert tables.read(run(named=False)["stars"], STARS).num_rows == 100


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"n": 20}, "20 stars are left"), ({"radius_deg": 0.0}, "radius_deg is 0"), ({"cluster": "NGC 9"}, "'NGC 9'")],
)
def test_what_cannot_be_used_is_refused(run, settings, message):
    with pytest.raises(DataError, match=message):
        run(**settings)
