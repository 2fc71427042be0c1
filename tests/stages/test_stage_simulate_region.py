import pytest

from workflow_scripts import tables
from workflow_scripts.clustering import fields, gaia, simulate
from workflow_scripts.clustering.stars import STARS
from workflow_scripts.stages import simulate_region as stage
from workflow_scripts.tables import DataError

FILES = ("region_file", "stars", "left_out", "cuts")


def run(folder, region="demo", limits=gaia.Cuts(), **wanted):  # noqa: B008
    place = fields.Wanted("demo", **({"ra_deg": 10.0, "dec_deg": 5.0, "radius_deg": 1.0} | wanted))
    paths = {name: folder / f"{region}-{name}.parquet" for name in FILES}
    stage.main(**paths, wanted=place, limits=limits, simulated=simulate.Simulated(50, 150), seed=1, region=region)
    return paths


def test_region_says_that_it_is_simulated(tmp_path):
    paths = run(tmp_path, locus=[1, 2, 3])
    place = fields.read(paths["region_file"])
    assert "SIMULATED" in place.survey
    assert place.locus_from == "configuration"
    assert tables.read(paths["stars"], STARS).num_rows == 200
    assert tables.read(paths["cuts"], gaia.CUTS)["n"].to_pylist()[-1] == 200


def test_cuts_hold_for_it_too(tmp_path):
    paths = run(tmp_path, limits=gaia.Cuts(1.4, 17.0))
    stars = tables.read(paths["stars"], STARS)
    assert 50 < stars.num_rows < 200
    assert stars.num_rows + tables.read(paths["left_out"], STARS).num_rows == 200
    assert max(stars["g_mag"].to_pylist()) < 17


def test_name_and_seed_set_the_stars(tmp_path):
    one, again, other = run(tmp_path), run(tmp_path), run(tmp_path, region="other")
    assert one["stars"].read_bytes() == again["stars"].read_bytes()
    assert one["stars"].read_bytes() != other["stars"].read_bytes()


def test_cuts_that_leave_too_few_stars_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"region demo: \d+ stars are left .* at least 50"):
        run(tmp_path, limits=gaia.Cuts(1.4, 12.0))


def test_radius_0_is_refused(tmp_path):
    with pytest.raises(DataError, match="radius_deg is 0, expected above 0"):
        run(tmp_path, radius_deg=0.0)
