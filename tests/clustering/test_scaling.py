"""Features by hand, as the published code makes them, and what cannot be scaled."""

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from small_fields import LOCUS, field

from workflow_scripts.clustering import scaling
from workflow_scripts.clustering.stars import Locus
from workflow_scripts.tables import DataError

SPACE = field().space


def test_paper_features_are_those_of_the_published_code():
    assert (SPACE[:, 2] < 0).any()  # negative parallaxes stay
    corrected = SPACE[:, :2] * 1000 / SPACE[:, 2:]
    columns = np.column_stack([corrected, np.sqrt((corrected**2).sum(axis=1)), SPACE[:, 2]])
    np.testing.assert_allclose(scaling.features(SPACE, "paper"), MinMaxScaler().fit_transform(columns), atol=1e-12)


def test_plain_features_are_clipped_and_standardised():
    low, high = np.percentile(SPACE, [0.5, 99.5], axis=0)
    expected = StandardScaler().fit_transform(np.clip(SPACE, low, high))
    np.testing.assert_allclose(scaling.features(SPACE, "plain"), expected, atol=1e-12)


def test_one_wild_star_does_not_move_the_plain_features_but_stretches_those_of_the_paper():
    wild = np.vstack([SPACE, [[500.0, 0, 1e-5]]])
    moved = np.abs(scaling.features(wild, "plain")[:-1] - scaling.features(SPACE, "plain"))
    assert moved.max() < 0.1  # standard deviations; the clip itself goes to the next star
    assert np.median(moved) < 0.003
    assert np.ptp(scaling.features(wild, "paper")[:-1, 0]) < 0.01


def test_robust_scale_by_hand():
    # 0..100: median 50, interquartile range 50
    x = np.arange(101.0)[:, None] * [1, 10, 0.1]
    np.testing.assert_allclose(scaling.robust(x)[0], -1.3489795, rtol=1e-9)
    np.testing.assert_allclose(scaling.robust(x)[50], 0, atol=1e-12)


def test_window_by_hand():
    # 4.740470463 km/s at 1 mas are 1 mas/yr; floors of 0 leave velocity and depth alone.
    window = scaling.Window(velocity_km_s=4.740470463, depth=0.1, motion_floor_mas_yr=0, parallax_floor_mas=0)
    locus = Locus(0, 0, 2)
    np.testing.assert_allclose(window.half_widths(locus), [2, 2, 0.2])
    near = [[1.4, 1.4, 2], [1.5, 1.5, 2], [0, 0, 2.19], [0, 0, 2.21], [0, 0, 1.81]]
    assert window.around(locus, np.array(near)).tolist() == [True, False, True, False, True]


def test_floors_keep_a_window_open_for_a_distant_cluster():
    assert scaling.Window().half_widths(Locus(0, 0, 0.0)).tolist() == [2, 2, 0.6]
    assert (scaling.Window().half_widths(LOCUS) > [2, 2, 0.6]).all()


@pytest.mark.parametrize("kind", ["paper", "plain"])
def test_feature_that_is_the_same_for_all_stars_is_named(kind):
    constant = SPACE.copy()
    constant[:, 2] = 3.0
    with pytest.raises(DataError, match="parallax: the same for all stars"):
        scaling.features(constant, kind)
    with pytest.raises(DataError, match="parallax: the same"):
        scaling.robust(constant)


def test_parallax_of_zero_cannot_be_divided_by():
    zero = SPACE.copy()
    zero[:2, 2] = 0
    with pytest.raises(DataError, match=r"2 of 1800 stars have a parallax of exactly 0 mas.*features: plain"):
        scaling.features(zero, "paper")
    assert np.isfinite(scaling.features(zero, "plain")).all()


@pytest.mark.parametrize("kind", ["paper", "plain"])
def test_missing_values_and_single_stars_are_refused(kind):
    missing = SPACE.copy()
    missing[0, 0] = np.nan
    with pytest.raises(DataError, match="1 of 1800 stars lack"):
        scaling.features(missing, kind)
    with pytest.raises(DataError, match="1 stars in the region"):
        scaling.features(SPACE[:1], kind)
