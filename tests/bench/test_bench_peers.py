"""The comparison is of like with like: the same frequencies, the same power, features that need no period."""

import numpy as np
import pytest

from bench import periodogram_peers as p
from bench import samples, scaling, whole
from bench import statistics_peers as s
from workflow_scripts import features


@pytest.fixture(scope="module")
def curves():
    return samples.simulate(np.random.default_rng(1), np.full(2, 200))


def test_statistics_need_neither_period_nor_photometry(curves):
    chosen = s.without_period()
    assert {"std", "eta"} <= set(chosen)
    assert not {"period_d", "bp_rp"} & set(chosen)
    measured = features.measure(curves, {}, chosen)
    assert all(np.isfinite(column).all() for column in measured.values())
    assert s.ours(2).does == f"{len(measured)} features"


def test_whole_measures_every_feature(curves):
    measured = whole.measured(whole.searched(curves))
    assert list(measured) == features.names("all")
    assert np.isfinite(measured["period_d"]).all()
    assert np.isfinite(measured["std"]).all()
    assert np.isnan(measured["bp_rp"]).all()


def test_peers_measure_every_feature_they_are_said_to(curves):
    for one in s.peers(2):
        one.work(one.prepare(curves))
        assert int(one.does.split()[0]) >= 20


def test_frequencies_are_the_same_for_all():
    assert p.SAME.low + p.SAME.step * (p.SAME.count - 1) == pytest.approx(20, abs=p.SAME.step)


def test_powers_of_all_codes_agree(curves):
    found = p.errors(curves, np.random.default_rng(2))
    limits = {p.OURS: 3e-3, p.NIFTY32: 0.3, p.NIFTY32_ROUGH: 0.3, p.NIFTY64: 1e-6, p.FAST: 1e-2}
    assert set(found) == set(limits)
    for name, (largest, typical) in found.items():
        assert typical <= largest < limits[name], name


def test_grid_of_a_light_curve_is_that_of_the_search(curves):
    grid = p.own_grid(samples.arrays(curves)[0][0])
    assert grid.low == pytest.approx(1e-3)
    assert grid.step == pytest.approx(1 / (5 * samples.BASELINE_D))


def test_batches_measure_every_light_curve():
    found = scaling.in_batches("statistics", scaling.BATCH + 50, np.random.default_rng(3))
    assert (found.kind, found.curves) == ("statistics", scaling.BATCH + 50)
    assert found.seconds > 0
    assert found.peak_mib >= found.first_mib > 10
