"""Every method on Gaia fields, scored against Cantat-Gaudin 2020 (P >= 0.5, G < 18, matched within 1.5 arcsec)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.spatial import cKDTree
from small_fields import one_thread

from workflow_scripts.clustering import (
    baseline_mixtures,
    choice,
    consensus,
    dec,
    hdbscan,
    kernel_density,
    kmeans,
    scaling,
)
from workflow_scripts.clustering.regions import Region
from workflow_scripts.clustering.space import Centre, Space, space
from workflow_scripts.clustering.stars import STARS, Groups, Locus

pytestmark = pytest.mark.real


@dataclass(frozen=True)
class Gaia:
    """A real field: stars along the axes of the centre, as in a run, members, and stars bright enough to be scored."""

    stars: Space
    members: np.ndarray
    scored: np.ndarray
    locus: Locus
    radius_deg: float

    def f1(self, found: np.ndarray) -> float:
        return consensus.f1(found & self.scored, self.members & self.scored)

    def chosen(self, groups: Groups, locus: Locus | None) -> np.ndarray:
        group = choice.choose(groups, self.stars.points, self.stars.sky, locus)
        assert group is not None
        return groups.members(group.group)


@dataclass(frozen=True)
class Source:
    file: str
    list_of_members: str
    locus: Locus  # Cantat-Gaudin 2020, table 1
    centre: Centre  # and radial velocity of Dias 2002
    radius_deg: float  # Dias 2002
    cone_deg: float
    faintest: float


SOURCES = {
    "M67": Source(
        "ngc_2682_dr3", "NGC_2682", Locus(-10.986, -2.964, 1.135), Centre(132.825, 11.8, 33.62), 0.208, 0.3125, 99
    ),
    "Pleiades": Source(
        "melotte_22_dr3_truncated", "Melotte_22", Locus(20.077, -45.503, 7.346), Centre(56.75, 24.117, 5.94), 1, 9, 18
    ),
    "Blanco 1": Source(
        "blanco_1_dr2_g18", "Blanco_1", Locus(18.739, 2.602, 4.21), Centre(0.853, -29.958, 5.53), 0.583, 9, 99
    ),
}
OURS = {"ra": "ra_deg", "dec": "dec_deg", "pmra": "pmra_mas_yr", "pmdec": "pmdec_mas_yr", "parallax": "parallax_mas"}
WANTED = [*OURS, "phot_g_mean_mag"]


def unit(ra: np.ndarray | float, dec_: np.ndarray | float) -> np.ndarray:
    ra, dec_ = np.radians(ra), np.radians(dec_)
    return np.stack([np.cos(dec_) * np.cos(ra), np.cos(dec_) * np.sin(ra), np.sin(dec_)], axis=-1)


def load(folder: Path, source: Source) -> Gaia:
    rows = pd.read_parquet(folder / f"{source.file}.parquet", columns=WANTED).dropna()
    cone = Region(source.file, source.centre, source.cone_deg).holds(rows.ra.to_numpy(), rows.dec.to_numpy())
    rows = rows[cone & (rows.phot_g_mean_mag < source.faintest)]
    listed = pd.read_csv(folder / "members_cantat_gaudin_2020" / f"{source.list_of_members}.csv")
    listed = listed[listed.PMemb >= 0.5]
    distance, row = cKDTree(unit(rows.ra, rows.dec)).query(unit(listed.ra, listed.dec))
    members = np.zeros(len(rows), dtype=bool)
    members[row[distance < np.radians(1.5 / 3600)]] = True
    given = {ours: pa.array(rows[name].to_numpy(float)) for name, ours in OURS.items()}
    given["source_id"] = pa.array([str(i) for i in range(len(rows))])
    columns = [given.get(c.name, pa.nulls(len(rows), c.type)) for c in STARS.columns]
    stars = space(pa.table(columns, schema=STARS.schema), source.centre)
    return Gaia(stars, members, (rows.phot_g_mean_mag < 18).to_numpy(), source.locus, source.radius_deg)


@pytest.fixture(scope="module", params=SOURCES)
def named(request) -> tuple[str, Gaia]:
    from workspace import REAL_DATA

    if not REAL_DATA.is_dir():
        pytest.skip(f"no real survey data: {REAL_DATA} does not exist")
    return request.param, load(REAL_DATA / "gaia_clusters", SOURCES[request.param])


def clusterix(gaia: Gaia) -> np.ndarray:
    radius = gaia.radius_deg
    motions = gaia.stars.points[:, :2]
    return kernel_density.fit(motions, gaia.stars.radius_deg, radius, 1.4 * radius, 0.5).probability > 0.5


def by_groups(divide: Callable[[np.ndarray], Groups], locus_given: bool = True) -> Callable[[Gaia], np.ndarray]:
    return lambda gaia: gaia.chosen(divide(gaia.stars.points), gaia.locus if locus_given else None)


METHODS: dict[str, Callable[[Gaia], np.ndarray]] = {
    "kmeans paper": by_groups(lambda s: kmeans.scan(scaling.features(s, "paper"), range(3, 11), 1)),
    "kmeans 10": by_groups(lambda s: kmeans.fit(scaling.features(s, "plain"), 10, 1)),
    "kmeans 20": by_groups(lambda s: kmeans.fit(scaling.features(s, "plain"), 20, 1)),
    "hdbscan": by_groups(lambda s: hdbscan.fit(s, 50, 10)),
    "hdbscan, no locus": by_groups(lambda s: hdbscan.fit(s, 50, 10), locus_given=False),
    "mixture of 8": by_groups(lambda s: baseline_mixtures.blind(s, 8, 1)),
    "mixture of 8, no locus": by_groups(lambda s: baseline_mixtures.blind(s, 8, 1), locus_given=False),
    "mixture in a window": lambda gaia: (
        baseline_mixtures.windowed(gaia.stars.points, gaia.locus, scaling.Window()).probability > 0.5
    ),
    "kernel density": clusterix,
}
# Least F1 on M67, the Pleiades and Blanco 1, and what is measured; notes on other implementations measure the same or
# less, but for the mixture in a window and Blanco 1: 0.98.
LEAST = {
    "kmeans paper": (0.64, 0.74, 0.20),  # 0.656, 0.755, 0.215
    "kmeans 10": (0.82, 0.83, 0.50),  # 0.835, 0.850, 0.515
    "kmeans 20": (0.85, 0.85, 0.67),  # 0.870, 0.865, 0.684
    "hdbscan": (0.88, 0.89, 0.94),  # 0.885, 0.896, 0.946
    "hdbscan, no locus": (0.88, 0.89, 0.94),
    "mixture of 8": (0.90, 0.91, 0.965),  # 0.912, 0.923, 0.971
    "mixture of 8, no locus": (0.90, 0.91, 0.965),
    "mixture in a window": (0.905, 0.95, 0.975),  # 0.911, 0.953, 0.979
    "kernel density": (0.87, 0.90, 0.91),  # 0.880, 0.918, 0.914
}


@pytest.mark.parametrize("method", METHODS)
def test_method_is_as_good_as_measured(named, method, record_property):
    name, gaia = named
    found = gaia.f1(METHODS[method](gaia))
    record_property("f1", found)
    assert found >= LEAST[method][list(SOURCES).index(name)], found


@pytest.mark.parametrize("named", ["M67"], indirect=True)
def test_consensus_on_m67_is_good_and_does_not_depend_on_the_seeds(named):
    _, gaia = named
    one_thread()
    x, settings = scaling.features(gaia.stars.points, "plain"), dec.Settings()
    dias = Locus(-9.4, -4.87, 1.238)  # what a run starts from: Dias 2002, 2.7 mas/yr off

    def choose(groups: Groups) -> int:
        return choice.choose(groups, gaia.stars.points, gaia.stars.sky, dias).group

    scores = []
    for seeds in (range(20), range(20, 40)):
        found = consensus.consensus(x, settings, seeds, choose)
        assert found.n_kept >= 16
        assert found.halves > 0.9
        scores.append(gaia.f1(found.members))
    assert min(scores) >= 0.90, scores
    assert np.ptp(scores) < 0.03, scores
    assert min(scores) > gaia.f1(METHODS["kmeans 10"](gaia)), scores
