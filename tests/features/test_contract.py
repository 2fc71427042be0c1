"""What the registry declares is true of every feature: needs, least number of points, order, shifts, scales."""

import numpy as np
import pyarrow as pa
import pytest
from star import measure, one_curve, ragged, shortened, value

from workflow_scripts import features
from workflow_scripts.features import fused
from workflow_scripts.features.registry import GIVEN, INGREDIENTS, LINES, PAIRED, POINTS, SERIES, feature

EVERY = sorted(features.REGISTRY)
PER_POINT = (*POINTS, *PAIRED)

# Sums in another order, or of shifted values, differ by rounding; some sums over pairs are in single precision.
ROUNDING = 1e-6

# Why a light curve with enough points may have no value. All others are finite for any real light curve.
MAY_BE_UNDEFINED = {
    "welch_stetson_i": "no two pairs within 2 d",
    "night_eta": "no two points in one night",
    "excess_abbe": "no interval around a point holds more than five",
    "excursions": "all points in one scan",
    "sf_slope": "fewer than three slots of lag with ten pairs that differ by more than their errors",
    "sf_amplitude": "as sf_slope",
    "eclipse_ratio": "fewer than three points in an eclipse",
    "folded_bin": "no points in a tenth of the cycle",
    "stetson_l_bands": "no second band or no simultaneous points",
    "band_color": "no second band",
    "n_above": "no boundary lines",
    "n_below": "no boundary lines",
} | dict.fromkeys([f.name for f in features.members("all") if f.min_obs == 0], "no photometry")

# Features of the level: a constant added to the magnitudes changes them.
LEVEL = {"mean_mag", "excess_variance", "peak_to_peak", "sigma_over_mean"}

# Power of the errors that a feature goes with when all errors are scaled; those not listed that need them follow none.
ERROR_POWER = {
    "chi_square": -2,
    "reduced_chi_square": -2,
    "fit_chi_square": -2,
    "welch_stetson_i": -2,
    "s_b": -2,
    "roms": -1,
    "amplitude_snr": -1,
    "mean_mag_err": 1,
    "mean_mag": 0,
    "weighted_std": 0,
    "half_mag_amplitude_ratio": 0,
    "stetson_k": 0,
    "window_power": 0,
}


def all_needs(name):
    """Columns that a feature needs directly or through its ingredients."""
    needs = set(features.REGISTRY[name].needs) | {n for step in fused.ingredients([name]) for n in step.needs}
    return needs & set(GIVEN)


def stacked(measured, name):
    """Values of a feature's columns, end to end."""
    return np.concatenate([measured[column] for column in features.REGISTRY[name].columns])


def moved(curves, move):
    """Each column of points, series and lines of the curves changed by move(name, values)."""
    names = (*PER_POINT, *SERIES, *LINES)
    return [c | {name: move(name, c[name]) for name in names} for c in curves]


def on_the_edge_of_an_alias(curve, excess):
    """The star with a period at the distance from a daily alias where `daily_alias` changes."""
    return curve | {"period_d": 1 / (1.00273791 + (1 + excess) / np.ptp(curve["time"]))}


@pytest.fixture(scope="module")
def plain():
    """Ten stars; the periods of four are where a change of the time span makes or ends an alias."""
    curves = [one_curve(seed) for seed in range(10)]
    return [on_the_edge_of_an_alias(c, s) for c, s in zip(curves[:4], (-1e-3, 1e-3) * 2, strict=True)] + curves[4:]


@pytest.fixture(scope="module")
def before(plain):
    return measure(plain)


@pytest.mark.parametrize("column", GIVEN)
def test_a_column_matters_exactly_to_the_features_that_declare_it(column, plain, before):
    """Perturb one column of ten light curves: a feature changes if and only if it needs that column."""
    rng = np.random.default_rng(6)
    curves = [dict(c) for c in plain]
    for c in curves:
        if column.startswith("time"):
            c[column] = np.sort(c[column] + rng.uniform(-3, 3, len(c[column])))
        elif column in LINES:
            c[column] = 0.5 * c[column]
        elif column in (*PER_POINT, *SERIES):
            c[column] = c[column] * rng.uniform(0.7, 1.4, len(c[column]))
        else:
            c[column] = c[column] * rng.uniform(0.4, 0.9)
    after = measure(curves)
    for name in set(EVERY) - {"n_obs"}:  # the number of points, whatever their values
        same = np.array_equal(stacked(before, name), stacked(after, name), equal_nan=True)
        assert same == (column not in all_needs(name)), f"{name} needs {sorted(all_needs(name))}"


def test_order_matters_exactly_to_the_features_that_declare_it(plain, before):
    """Shuffle the points of each light curve, with their times and errors."""
    rng = np.random.default_rng(7)
    shuffled = []
    for c in plain:
        orders = {suffix: rng.permutation(len(c[f"time{suffix}"])) for suffix in ("", "_a", "_b")}
        shuffled.append(c | {f"{n}{s}": c[f"{n}{s}"][order] for s, order in orders.items() for n in POINTS})
    after = measure(shuffled)
    for name in EVERY:
        same = np.allclose(stacked(before, name), stacked(after, name), rtol=ROUNDING, atol=1e-12, equal_nan=True)
        assert same != features.REGISTRY[name].ordered, name


def test_table_1_of_sokolovsky_2017():
    """What the paper says that its indices use: errors, order, time."""
    used = {
        f.name: ("mag_err" in all_needs(f.name), f.ordered, "time" in all_needs(f.name))
        for f in features.members("sokolovsky_2017")
    }
    no, yes = False, True
    assert used == {
        "reduced_chi_square": (yes, no, no),
        "std": (no, no, no),
        "weighted_std": (yes, no, no),
        "mad": (no, no, no),
        "iqr": (no, no, no),
        "roms": (yes, no, no),
        "excess_variance": (yes, no, no),
        "peak_to_peak": (yes, no, no),
        "lag1_autocorrelation": (no, yes, no),
        "welch_stetson_i": (yes, yes, yes),
        "stetson_j": (yes, yes, yes),
        "stetson_j_time": (yes, yes, yes),
        "stetson_j_clip": (yes, yes, yes),
        "stetson_l": (yes, yes, yes),
        "cssd": (no, yes, no),
        "excursions": (yes, yes, yes),
        "inverse_eta": (no, yes, no),
        "excess_abbe": (no, yes, yes),
        "s_b": (yes, yes, no),
        "stetson_l_time": (yes, yes, yes),
        "stetson_l_clip": (yes, yes, yes),
        "stetson_k_robust": (yes, no, no),
    }


@pytest.mark.parametrize("name", EVERY)
def test_undefined_exactly_below_the_declared_number_of_points(name):
    one, curve = features.REGISTRY[name], one_curve(4, 60)
    for n in {0, 1, 2, one.min_obs - 1, one.min_obs, 60} - {-1}:
        found = value(shortened(curve, n), name)
        if n < one.min_obs:
            assert np.isnan(found).all()
        elif n == 60 or (n == one.min_obs and name not in MAY_BE_UNDEFINED):
            assert np.isfinite(found).all()


@pytest.mark.parametrize("shift", [-2.0, 3.0])
def test_adding_a_constant_to_the_magnitudes_changes_the_level_alone(shift, plain, before):
    def move(name, values):
        if name in SERIES:
            return values + np.r_[shift, np.zeros(len(values) - 1)]
        return values + shift if name in ("mag", "mag_a", "mag_b") else values

    after = measure(moved(plain, move))
    for name in EVERY:
        same = np.allclose(stacked(before, name), stacked(after, name), rtol=ROUNDING, atol=1e-9, equal_nan=True)
        assert same == (name not in LEVEL), name
    np.testing.assert_allclose(after["mean_mag"], before["mean_mag"] + shift, rtol=1e-12)


def test_units_are_magnitudes_exactly_where_scaling_scales(plain, before):
    """Scale magnitudes and errors by two: features in mag double, all others stay (a share of flux aside)."""
    after = measure(moved(plain, lambda name, v: v if name.startswith("time") or name in LINES else 2 * v))
    for name in set(EVERY) - {"percent_amplitude"}:
        one = features.REGISTRY[name]
        factor = 2 if one.unit == "mag" and one.min_obs > 0 else 1  # the photometry is another table
        np.testing.assert_allclose(
            stacked(after, name), factor * stacked(before, name), rtol=ROUNDING, atol=1e-12, err_msg=name
        )


def test_features_follow_the_errors_as_declared(plain, before):
    after = measure(moved(plain, lambda name, v: 1.25 * v if name.startswith("mag_err") else v))
    for name in EVERY:
        old, new = stacked(before, name), stacked(after, name)
        if "mag_err" not in all_needs(name):
            assert name not in ERROR_POWER
            power = -1 if "mag_err_a" in all_needs(name) else 0
        elif name in ERROR_POWER:
            power = ERROR_POWER[name]
        else:
            assert not np.allclose(old, new, rtol=ROUNDING, equal_nan=True), name
            continue
        np.testing.assert_allclose(new, old * 1.25**power, rtol=ROUNDING, err_msg=name)


def test_no_feature_knows_when_the_survey_began(plain, before):
    """Count the days from another epoch: nothing changes (a power of two keeps the times exact)."""
    after = measure(moved(plain, lambda name, v: v + 1024.0 if name.startswith("time") else v))
    for name in EVERY:
        np.testing.assert_allclose(stacked(after, name), stacked(before, name), rtol=ROUNDING, atol=1e-9, err_msg=name)


def test_duplicate_points_are_no_error(plain):
    """Each point twice, at the same time: nothing infinite, and the distribution of the magnitudes stays."""
    found, twice = (
        measure(plain[5:]),
        measure(moved(plain[5:], lambda name, v: np.repeat(v, 2) if name in PER_POINT else v)),
    )
    for name in EVERY:
        assert np.isfinite(stacked(twice, name)).all() or name in MAY_BE_UNDEFINED, name
    stays = ["mad", "kurtosis", "skewness", "percent_amplitude", "half_mag_amplitude_ratio", "mean_mag", "stetson_k"]
    for name in (*stays, "peak_to_peak", "excess_variance", "median_brp", "window_power", "autocorrelation_length"):
        np.testing.assert_allclose(stacked(twice, name), stacked(found, name), rtol=ROUNDING, err_msg=name)


def test_constant_magnitudes_and_missing_photometry_are_undefined_not_errors():
    flat = one_curve(7) | {"bp_mag": np.nan}
    for level in (15.0, 15.123):  # the mean of equal numbers that are no binary fractions is one of them
        measured = measure([flat | {"mag": np.full(len(flat["mag"]), level)}])
        assert np.isnan(measured["kurtosis"][0])
        assert np.isnan(measured["eta"][0])
        assert np.isnan(measured["bp_rp"][0])
        assert measured["std"][0] == 0
    assert np.isnan(measure([flat | {"mag": np.full(len(flat["mag"]), 15.0)}])["autocorrelation_length"][0])


@pytest.mark.parametrize("period", ["period_d", "period_ls_d"])
def test_light_curve_without_a_period_is_refused(period):
    with pytest.raises(ValueError, match=rf"1 of 2 light curves have no {period}"):
        features.measure(*ragged([one_curve(7), one_curve(8) | {period: np.nan}]))


def test_without_lines_and_second_band_their_features_are_undefined():
    measured = features.measure(*ragged([one_curve(1)]))
    undefined = {name for name in EVERY if np.isnan(stacked(measured, name)).any()}
    assert undefined == {"n_above", "n_below", "stetson_l_bands", "band_color"}


def test_light_curves_do_not_depend_on_each_other():
    curves = [one_curve(seed, n) for seed, n in ((1, 60), (2, 200), (3, 90))]
    together = measure(curves)
    for i, curve in enumerate(curves):
        alone = measure([curve])
        for column, found in together.items():
            np.testing.assert_array_equal(alone[column][0], found[i], err_msg=column)


def test_a_subset_measures_the_same_values(plain, before):
    some = measure(plain, ["eta", "std", "folded_bin"])
    assert list(some) == ["eta", "std", *features.REGISTRY["folded_bin"].columns]
    for column, found in some.items():
        np.testing.assert_allclose(found, before[column], rtol=1e-12)


def test_sets():
    assert len(features.names("qiao_2024")) == 30
    assert features.names("qiao_2024")[:4] == ["period_d", "kurtosis", "gskew", "n_obs"]
    assert features.names("kim_2011") == [
        "n_above",
        "n_below",
        "stetson_k_ac",
        "cusum",
        "sigma_over_mean",
        "period_ls_d",
        "period_snr",
        "stetson_l_bands",
        "eta",
        "band_color",
        "consecutive",
    ]
    assert len(features.names("sokolovsky_2017")) == 22
    for paper in ("qiao_2024", "kim_2011", "sokolovsky_2017"):
        rows = [f.papers[paper] for f in features.members(paper)]
        assert rows == list(range(1, len(rows) + 1))
    leaking = {"n_obs", "time_span", "mean_mag_err", "n_above", "n_below", "daily_alias"} | LEVEL
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
    assert needed == set(GIVEN) | set(INGREDIENTS)


def test_an_unknown_need_is_named():
    from workflow_scripts.features.registry import FEATURES, Feature

    FEATURES["broken"] = Feature("broken", len, ("magnitude",), "", "", "", 1, False, False, 1, {})
    try:
        with pytest.raises(KeyError, match="magnitude"):
            fused.source(["broken"])
    finally:
        del FEATURES["broken"]


def test_an_unknown_paper_is_named():
    with pytest.raises(ValueError, match="kim_2012"):
        feature(reference="", kim_2012=1)
