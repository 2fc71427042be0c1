"""Every method on Gaia fields, scored against Cantat-Gaudin 2020 (P >= 0.5, G < 18, matched within 1.5 arcsec)."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
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
from workflow_scripts.clustering.stars import Groups, Locus

pytestmark = pytest.mark.real


@dataclass(frozen=True)
class Gaia:
    """A real field: astrometry, positions, distance from the centre, members, and stars bright enough to be scored."""

    space: np.ndarray
    sky: np.ndarray
    separation_deg: np.ndarray
    members: np.ndarray
    scored: np.ndarray
    locus: Locus
    radius_deg: float

    def f1(self, found: np.ndarray) -> float:
        return consensus.f1(found & self.scored, self.members & self.scored)

    def chosen(self, groups: Groups, locus: Locus | None) -> np.ndarray:
        group = choice.choose(groups, self.space, self.sky, locus)
        assert group is not None
        return groups.members(group.group)


@dataclass(frozen=True)
class Source:
    file: str
    list_of_members: str
    locus: Locus  # Cantat-Gaudin 2020, table 1
    centre: tuple[float, float]
    radius_deg: float  # Dias 2002
    cone_deg: float
    faintest: float


SOURCES = {
    "M67": Source("ngc_2682_dr3", "NGC_2682", Locus(-10.986, -2.964, 1.135), (132.825, 11.8), 0.208, 0.3125, 99),
    "Pleiades": Source(
        "melotte_22_dr3_truncated", "Melotte_22", Locus(20.077, -45.503, 7.346), (56.75, 24.117), 1, 9, 18
    ),
    "Blanco 1": Source("blanco_1_dr2_g18", "Blanco_1", Locus(18.739, 2.602, 4.21), (0.853, -29.958), 0.583, 9, 99),
}
WANTED = ["ra", "dec", "pmra", "pmdec", "parallax", "phot_g_mean_mag"]


def unit(ra: np.ndarray | float, dec_: np.ndarray | float) -> np.ndarray:
    ra, dec_ = np.radians(ra), np.radians(dec_)
    return np.stack([np.cos(dec_) * np.cos(ra), np.cos(dec_) * np.sin(ra), np.sin(dec_)], axis=-1)


def load(folder: Path, source: Source) -> Gaia:
    rows = pd.read_parquet(folder / f"{source.file}.parquet", columns=WANTED).dropna()
    far = np.degrees(2 * np.arcsin(np.linalg.norm(unit(rows.ra, rows.dec) - unit(*source.centre), axis=1) / 2))
    keep = (far < source.cone_deg) & (rows.phot_g_mean_mag < source.faintest)
    rows, far = rows[keep], far[keep]
    listed = pd.read_csv(folder / "members_cantat_gaudin_2020" / f"{source.list_of_members}.csv")
    listed = listed[listed.PMemb >= 0.5]
    distance, row = cKDTree(unit(rows.ra, rows.dec)).query(unit(listed.ra, listed.dec))
    members = np.zeros(len(rows), dtype=bool)
    members[row[distance < np.radians(1.5 / 3600)]] = True
    space, sky = rows[["pmra", "pmdec", "parallax"]].to_numpy(), rows[["ra", "dec"]].to_numpy()
    scored = (rows.phot_g_mean_mag < 18).to_numpy()
    return Gaia(space, sky, np.asarray(far), members, scored, source.locus, source.radius_deg)


@pytest.fixture(scope="module", params=SOURCES)
def named(request) -> tuple[str, Gaia]:
    from workspace import REAL_DATA

    if not REAL_DATA.is_dir():
        pytest.skip(f"no real survey data: {REAL_DATA} does not exist")
    return request.param, load(REAL_DATA / "gaia_clusters", SOURCES[request.param])


def clusterix(gaia: Gaia) -> np.ndarray:
    radius = gaia.radius_deg
    return kernel_density.fit(gaia.space[:, :2], gaia.separation_deg, radius, 1.4 * radius, 0.5).probability > 0.5


def by_groups(divide: Callable[[np.ndarray], Groups], locus_given: bool = True) -> Callable[[Gaia], np.ndarray]:
    return lambda gaia: gaia.chosen(divide(gaia.space), gaia.locus if locus_given else None)


METHODS: dict[str, Callable[[Gaia], np.ndarray]] = {
    "kmeans paper": by_groups(lambda s: kmeans.scan(scaling.features(s, "paper"), range(3, 11), 1)),
    "kmeans 10": by_groups(lambda s: kmeans.fit(scaling.features(s, "plain"), 10, 1)),
    "kmeans 20": by_groups(lambda s: kmeans.fit(scaling.features(s, "plain"), 20, 1)),
    "hdbscan": by_groups(lambda s: hdbscan.fit(s, 50, 10)),
    "hdbscan, no locus": by_groups(lambda s: hdbscan.fit(s, 50, 10), locus_given=False),
    "mixture of 8": by_groups(lambda s: baseline_mixtures.blind(s, 8, 1)),
    "mixture of 8, no locus": by_groups(lambda s: baseline_mixtures.blind(s, 8, 1), locus_given=False),
    "mixture in a window": lambda g: baseline_mixtures.windowed(g.space, g.locus, scaling.Window()).probability > 0.5,
    "kernel density": clusterix,
}
# Least F1 on M67, the Pleiades and Blanco 1; notes on other implementations measure the same or less.
LEAST = {
    "kmeans paper": (0.64, 0.68, 0.20),
    "kmeans 10": (0.82, 0.83, 0.50),
    "kmeans 20": (0.84, 0.84, 0.64),
    "hdbscan": (0.88, 0.89, 0.94),
    "hdbscan, no locus": (0.88, 0.89, 0.94),
    "mixture of 8": (0.90, 0.91, 0.97),
    "mixture of 8, no locus": (0.90, 0.91, 0.97),
    "mixture in a window": (0.905, 0.95, 0.98),
    "kernel density": (0.87, 0.80, 0.91),
}


@pytest.mark.parametrize("method", METHODS)
def test_method_is_as_good_as_measured(named, method, record_property):
    name, gaia = named
    found = gaia.f1(METHODS[method](gaia))
    record_property("f1", found)
    assert found >= LEAST[method][list(SOURCES).index(name)], found


@pytest.mark.parametrize("named", ["M67"], indirect=True)
def test_consensus_on_m67_is_good_and_does_not_depend_on_the_seeds(named, monkeypatch):
    """Last bits differ between processors, and with them every seed: sets of ten have 0.908 to 0.925 on an Intel Xeon,
    0.911 to 0.923 on an AMD EPYC, where they have F1 of 0.93 to 0.98 with each other and sets of twenty 0.98.
    """
    _, gaia = named
    one_thread()
    x, settings = scaling.features(gaia.space, "plain"), dec.Settings()
    dias = Locus(-9.4, -4.87, 1.238)  # what a run starts from: Dias 2002, 2.7 mas/yr off

    def choose(groups: Groups) -> int:
        return choice.choose(groups, gaia.space, gaia.sky, dias).group

    every = list(dec.fits(x, settings, range(40)))  # once for all sets
    monkeypatch.setattr(consensus.dec, "fits", lambda _x, _settings, seeds: (every[seed] for seed in seeds))
    for size in (10, 20):
        sets = [consensus.consensus(x, settings, range(k, k + size), choose) for k in range(0, 40, size)]
        assert min(found.n_kept for found in sets) >= 0.8 * size
        assert min(consensus.f1(a.members, b.members) for a, b in itertools.combinations(sets, 2)) > 0.9
        scores = [gaia.f1(found.members) for found in sets]
        assert min(scores) >= 0.90, scores
        assert np.ptp(scores) < 0.03, scores
        assert min(scores) > gaia.f1(METHODS["kmeans 10"](gaia)), scores
