"""What the registry declares is true of every feature: needs, least number of points, order, shifts."""

import numpy as np
import pyarrow as pa
import pytest
from star import one_curve, ragged

from workflow_scripts import features
from workflow_scripts.features import fused
from workflow_scripts.features.registry import GIVEN, INGREDIENTS, POINTS, SERIES

EVERY = sorted(features.REGISTRY)


def all_needs(name):
    """Columns that a feature needs directly or through its ingredients."""
    needs = set(features.REGISTRY[name].needs) | {n for step in fused.ingredients([name]) for n in step.needs}
    return needs & set(GIVEN)


def values(curve, name):
    measured = features.measure(*ragged([curve]))
    return np.array([measured[column][0] for column in features.REGISTRY[name].columns])


@pytest.mark.parametrize("column", GIVEN)
def test_a_column_matters_exactly_to_the_features_that_declare_it(column):
    """Perturb one column of ten light curves: a feature changes if and only if it needs that column."""
    rng = np.random.default_rng(6)
    plain = [one_curve(seed) for seed in range(10)]
    changed = [dict(c) for c in plain]
    for c in changed:
        if column == "time":
            c["time"] = np.sort(c["time"] + rng.uniform(-3, 3, len(c["time"])))
        elif column in POINTS or column in SERIES:
            c[column] = c[column] * rng.uniform(0.7, 1.4, len(c[column]))
        else:
            c[column] = c[column] * rng.uniform(0.4, 0.9)
    before, after = features.measure(*ragged(plain)), features.measure(*ragged(changed))
    for name in set(EVERY) - {"n_obs"}:  # the number of points, whatever their values
        parts = features.REGISTRY[name].columns
        same = all(np.array_equal(before[p], after[p], equal_nan=True) for p in parts)
        assert same == (column not in all_needs(name)), f"{name} needs {sorted(all_needs(name))}"


@pytest.mark.parametrize("name", EVERY)
def test_undefined_exactly_below_the_declared_number_of_points(name):
    one = features.REGISTRY[name]
    for n in {0, 1, 2, one.min_obs - 1, one.min_obs, 60} - {-1}:
        curve = one_curve(4, 60)
        curve |= {column: curve[column][:n] for column in POINTS}
        if n < one.min_obs:
            assert np.isnan(values(curve, name)).all()
        elif n == 60:
            assert np.isfinite(values(curve, name)).all()


@pytest.mark.parametrize("shift", [-2.0, 3.0])
def test_adding_a_constant_to_the_magnitudes_changes_the_mean_alone(shift):
    plain = one_curve(5)
    moved = plain | {"mag": plain["mag"] + shift}
    for name in SERIES:
        moved[name] = plain[name] + np.r_[shift, np.zeros(len(plain[name]) - 1)]
    for name in EVERY:
        expected = values(plain, name) + (shift if name == "mean_mag" else 0)
        np.testing.assert_allclose(values(moved, name), expected, rtol=1e-7, atol=1e-9, err_msg=name)


def test_units_are_magnitudes_exactly_where_scaling_scales():
    """Scale magnitudes and errors by two: features in mag double, all others stay (fluxes and errors aside)."""
    plain = one_curve(6)
    names = ("mag", "mag_err", "series", "series_ls")
    doubled = plain | {name: 2 * plain[name] for name in names}
    for name in EVERY:
        one = features.REGISTRY[name]
        if name == "percent_amplitude" or "parallax_mas" in one.needs or one.min_obs == 0:
            continue
        factor = 2 if one.unit == "mag" else 1
        np.testing.assert_allclose(values(doubled, name), factor * values(plain, name), rtol=1e-9, err_msg=name)


def test_constant_magnitudes_and_missing_photometry_are_undefined_not_errors():
    flat = one_curve(7) | {"bp_mag": np.nan}
    flat["mag"] = np.full(len(flat["mag"]), 15.0)
    measured = features.measure(*ragged([flat]))
    assert np.isnan(measured["kurtosis"][0])
    assert np.isnan(measured["bp_rp"][0])
    assert measured["std"][0] == 0


def test_light_curves_do_not_depend_on_each_other():
    curves = [one_curve(seed, n) for seed, n in ((1, 60), (2, 200), (3, 90))]
    together = features.measure(*ragged(curves))
    for i, curve in enumerate(curves):
        alone = features.measure(*ragged([curve]))
        for column, found in together.items():
            np.testing.assert_array_equal(alone[column][0], found[i], err_msg=column)


def test_a_subset_measures_the_same_values():
    curves = [one_curve(1), one_curve(2)]
    every, some = features.measure(*ragged(curves)), features.measure(*ragged(curves), ["eta", "std", "folded_bin"])
    assert list(some) == ["eta", "std", *features.REGISTRY["folded_bin"].columns]
    for column, found in some.items():
        np.testing.assert_array_equal(found, every[column])


def test_sets():
    assert len(features.names("qiao_2024")) == 30
    assert features.names("qiao_2024")[:4] == ["period_d", "kurtosis", "gskew", "n_obs"]
    leaking = {"n_obs", "time_span", "mean_mag", "mean_mag_err"}
    assert not leaking & set(features.names("default"))
    assert leaking <= set(features.names("all"))
    with pytest.raises(ValueError, match="not a feature set"):
        features.names("best")


def test_schema_carries_unit_meaning_and_reference():
    field = features.FEATURES.schema.field("eta")
    assert field.type == pa.float64()
    assert field.nullable
    assert b"white noise" in field.metadata[b"meaning"]
    assert b"Qiao 2024" in field.metadata[b"meaning"]
    assert features.FEATURES.schema.field("std").metadata[b"unit"] == b"mag"


def test_every_need_is_known_and_every_ingredient_is_needed():
    needed = {n for f in features.REGISTRY.values() for n in f.needs} | {
        n for i in INGREDIENTS.values() for n in i.needs
    }
    assert needed <= set(GIVEN) | set(INGREDIENTS)
    assert set(INGREDIENTS) <= needed


def test_an_unknown_need_is_named():
    from workflow_scripts.features.registry import FEATURES, Feature

    FEATURES["broken"] = Feature("broken", len, ("magnitude",), "", "", "", 1, False, None, 1)
    try:
        with pytest.raises(KeyError, match="magnitude"):
            fused.source(["broken"])
    finally:
        del FEATURES["broken"]
