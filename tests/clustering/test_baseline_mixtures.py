"""Gaussian mixtures: the cluster found, and windows with nothing in them."""

import numpy as np
import pytest
from small_fields import LOCUS, f1, field

from workflow_scripts.clustering import baseline_mixtures
from workflow_scripts.clustering.scaling import Window
from workflow_scripts.clustering.stars import Locus
from workflow_scripts.tables import DataError

FIELD = field()


def test_windowed_mixture_finds_the_members():
    found = baseline_mixtures.windowed(FIELD.space, LOCUS, Window())
    assert "empty" not in found.notes
    assert f1(found.probability > 0.5, FIELD.members) > 0.9
    assert ((found.probability >= 0) & (found.probability <= 1)).all()
    outside = ~Window().around(LOCUS, FIELD.space)
    assert (found.probability[outside] == 0).all()
    assert found.notes["n_window"] == (~outside).sum()


def test_probabilities_are_calibrated_on_the_model_that_is_fitted():
    # Cluster and field both Gaussian: of the stars with probability p, a share p are members.
    rng = np.random.default_rng(8)
    half = Window().half_widths(LOCUS)
    members = np.arange(9000) < 3000
    space = LOCUS.array() + rng.normal(size=(9000, 3)) * np.where(members, 0.15, 0.35)[:, None] * half
    near = Window().around(LOCUS, space)
    p = baseline_mixtures.windowed(space, LOCUS, Window()).probability[near]
    assert p.mean() == pytest.approx(members[near].mean(), abs=0.03)
    middle = (p > 0.3) & (p < 0.7)
    assert members[near][middle].mean() == pytest.approx(p[middle].mean(), abs=0.06)


def test_blind_mixture_has_a_group_for_the_cluster():
    groups = baseline_mixtures.blind(FIELD.space, 8, seed=1)
    assert groups.n_groups == 8
    assert max(f1(groups.members(i), FIELD.members) for i in range(8)) > 0.85


def test_empty_window_says_so():
    found = baseline_mixtures.windowed(FIELD.space, Locus(60, 60, 9), Window())
    assert (found.probability == 0).all()
    assert found.notes == {"n_window": 0.0, "empty": "0 stars in the window, fewer than 20"}


def test_component_that_collapses_on_a_copied_star_is_no_cluster():
    space = np.vstack([field(3000, 0).space, np.tile(LOCUS.array(), (40, 1))])
    found = baseline_mixtures.windowed(space, LOCUS, Window())
    assert "collapsed" in found.notes["empty"]
    assert (found.probability == 0).all()


def test_component_that_leaves_the_locus_is_no_cluster():
    away = LOCUS.array() + 0.7 * Window().half_widths(LOCUS) * [1, 0, 0]
    rng = np.random.default_rng(2)
    space = np.vstack([field(300, 0).space, away + rng.normal(size=(300, 3)) * 0.05])
    found = baseline_mixtures.windowed(space, LOCUS, Window())
    assert found.notes["empty"] == "the compact component left the locus"
    assert (found.probability == 0).all()


def test_too_few_stars_for_the_components():
    with pytest.raises(DataError, match="20 stars, too few for 8 components"):
        baseline_mixtures.blind(FIELD.space[:20], 8, seed=1)


def test_same_seed_same_labels():
    first, again = (baseline_mixtures.blind(FIELD.space, 4, seed=3).label for _ in range(2))
    assert first.tobytes() == again.tobytes()
