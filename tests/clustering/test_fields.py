"""What the configuration and the catalogue of open clusters say of a region."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from workflow_scripts import tables
from workflow_scripts.clustering import fields
from workflow_scripts.clustering.fields import Wanted, resolve
from workflow_scripts.clustering.regions import OPEN_CLUSTERS
from workflow_scripts.clustering.space import Centre
from workflow_scripts.clustering.stars import ASTROMETRY, Locus
from workflow_scripts.tables import DataError

CLUSTERS = pa.Table.from_pylist(
    [
        {
            "cluster": "NGC 1",
            "ra_deg": 10.0,
            "dec_deg": 20.0,
            "diameter_arcmin": 60.0,
            "distance_pc": 500.0,
            "pmra_mas_yr": 1.0,
            "pmdec_mas_yr": -2.0,
            "radial_velocity_km_s": 33.0,
        },
        {"cluster": "NGC 2", "ra_deg": 10.0, "dec_deg": 20.0},
        {"cluster": "moves", "ra_deg": 1.0, "dec_deg": 2.0, "pmra_mas_yr": 1.81, "pmdec_mas_yr": 0.0},
        {"cluster": "is near", "ra_deg": 1.0, "dec_deg": 2.0, "distance_pc": 50.0},
        {"cluster": "half a motion", "ra_deg": 1.0, "dec_deg": 2.0, "pmra_mas_yr": 1.81},
    ],
    schema=OPEN_CLUSTERS.schema,
)


def test_catalogue_gives_what_the_configuration_does_not():
    found = resolve("a", Wanted("local", cluster="NGC 1"), "Gaia", CLUSTERS)
    assert found.region.centre == Centre(10, 20, 33)
    assert (found.region.radius_deg, found.inner_deg) == (0.75, 0.5)
    assert (found.locus, found.locus_from) == (Locus(1, -2, 2), "Dias 2002")


def test_configuration_goes_before_the_catalogue():
    wanted = Wanted("local", "DR2", "NGC 1", ra_deg=11.0, radius_deg=0.3, radial_velocity_km_s=-5.0, locus=[1, 2, 3])
    found = resolve("a", wanted, "Gaia", CLUSTERS)
    assert found.region.centre.radial_velocity_km_s == -5
    assert (found.region.centre.ra_deg, found.region.centre.dec_deg, found.release) == (11, 20, "DR2")
    assert (found.region.radius_deg, found.inner_deg) == (0.3, pytest.approx(0.2))
    assert (found.locus, found.locus_from) == (Locus(1, 2, 3), "configuration")


def test_cluster_may_be_unknown():
    found = resolve("a", Wanted("demo", ra_deg=0, dec_deg=-90, radius_deg=1), "S", None)
    assert (found.locus, found.locus_from) == (None, "none")
    incomplete = resolve("a", Wanted("local", cluster="NGC 2", radius_deg=1), "S", CLUSTERS)
    assert (incomplete.locus, incomplete.region.centre) == (None, Centre(10, 20, 0))


HALVES = [
    ("moves", [1.81, 0.0, np.nan], "Dias 2002, motion only"),
    ("is near", [np.nan, np.nan, 20.0], "Dias 2002, distance only"),
]


@pytest.mark.parametrize(("cluster", "known", "origin"), HALVES)
def test_half_a_locus_is_kept_and_told_as_such(tmp_path, cluster, known, origin):
    found = resolve("a", Wanted("local", cluster=cluster, radius_deg=1), "S", CLUSTERS)
    np.testing.assert_array_equal(found.locus.array(), known)
    assert (found.locus.complete, found.locus_from) == (False, origin)
    fields.write(found, tmp_path / "region.parquet")
    row = tables.read(tmp_path / "region.parquet", fields.FIELD).to_pylist()[0]
    assert [row[name] for name in ASTROMETRY] == [None if np.isnan(value) else value for value in known]
    back = fields.read(tmp_path / "region.parquet")
    np.testing.assert_array_equal(back.locus.array(), known)
    assert dataclasses.replace(back, locus=found.locus) == found


def test_configuration_goes_before_half_a_locus_and_half_a_motion_is_none():
    given = resolve("a", Wanted("local", cluster="moves", radius_deg=1, locus=[1, 2, 3]), "S", CLUSTERS)
    assert (given.locus, given.locus.complete, given.locus_from) == (Locus(1, 2, 3), True, "configuration")
    nothing = resolve("a", Wanted("local", cluster="half a motion", radius_deg=1), "S", CLUSTERS)
    assert (nothing.locus, nothing.locus_from) == (None, "none")


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Wanted("local", cluster="NGC 11"), "'NGC 11' is not in the catalogue.*like it are.*NGC 1"),
        (
            Wanted("local", cluster="M67"),
            "'M67' is not in.*NGC 2682, IC 4665, Melotte 22; no Messier numbers",
        ),
        (Wanted("local", cluster="NGC 2"), "diameter None"),
        (Wanted("local", ra_deg=1, dec_deg=1), "no radius_deg"),
        (Wanted("local", ra_deg=1, radius_deg=1), "no centre"),
        (Wanted("local", ra_deg=1, dec_deg=1, radius_deg=0), "radius_deg is 0, expected above 0"),
    ],
)
def test_what_is_missing_is_said(wanted, message):
    with pytest.raises(DataError, match=message):
        resolve("a", wanted, "Gaia", CLUSTERS)


@pytest.mark.parametrize("wanted", [Wanted("local", cluster="NGC 1"), Wanted("demo", "DR2", "", 350, 1, 2)])
def test_file_gives_back_what_was_written(tmp_path, wanted):
    found = resolve("a", wanted, "Gaia", CLUSTERS)
    fields.write(found, tmp_path / "region.parquet")
    assert fields.read(tmp_path / "region.parquet") == found
