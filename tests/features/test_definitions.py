"""Each feature equals the literal transcription of its formula."""

import literal
import numpy as np
import pytest
from star import one_curve, ragged

from workflow_scripts import features

DEFINED = {name: f for name, f in vars(literal).items() if name in features.FEATURES.names}

# Sums over a few hundred values in another order: a few units of rounding times the cancellation in the moments.
ROUNDING = 1e-9


@pytest.mark.parametrize("name", sorted(DEFINED))
def test_feature_equals_its_formula(name, curves):
    measured = features.measure(*ragged(curves))[name]
    expected = [DEFINED[name](c) for c in curves]
    # Shapiro-Wilk: scipy's own weights are good to about 1e-9 (float32 constants of AS R94 aside).
    np.testing.assert_allclose(measured, expected, rtol=1e-7 if name == "shapiro_wilk" else ROUNDING)


def test_every_feature_of_the_paper_has_a_transcription():
    paper = set(features.names("qiao_2024")) - {f.name for f in features.members("all") if f.needs[0].endswith("mag")}
    assert paper - {"parallax", "bp_rp", "g_bp", "g_rp", "j_k", "j_h", "h_k", "w1_w2", "w1_w3", "w2_w3"} <= set(DEFINED)


@pytest.mark.parametrize("n", [3, 4, 5, 6, 7, 11, 12, 13, 50, 51, 1000])
def test_shapiro_wilk_at_the_sizes_where_its_formula_changes(n):
    from scipy import stats

    curve = one_curve(n, max(n, 4))
    curve |= {name: curve[name][:n] for name in ("time", "mag", "mag_err")}
    if n > 900:  # one_curve has 900 nights at most
        curve["mag"] = np.random.default_rng(1).normal(15, 1, len(curve["time"]))
    measured = features.measure(*ragged([curve]), ["shapiro_wilk"])["shapiro_wilk"][0]
    assert measured == pytest.approx(stats.shapiro(curve["mag"]).statistic, rel=1e-6)


def test_anchors():
    """Values that can be had without a computer."""
    n = 100_000
    time = np.arange(n) * 1.0
    sine = np.sin(2 * np.pi * (np.arange(n) + 0.5) / n * 100)
    curve = one_curve(1) | {"time": time, "mag": sine, "mag_err": np.ones(n)}
    noise = curve | {"mag": np.random.default_rng(2).normal(size=n)}
    measured = features.measure(*ragged([curve, noise]), ["stetson_k", "kurtosis", "skewness", "beyond_1std", "eta"])
    assert measured["stetson_k"][0] == pytest.approx(np.sqrt(8) / np.pi, rel=1e-3)
    assert measured["kurtosis"][0] == pytest.approx(-1.5, abs=1e-3)
    assert measured["skewness"][0] == pytest.approx(0, abs=1e-3)
    assert measured["beyond_1std"][0] == pytest.approx(0.5, abs=0.002)  # |sin| > 1/sqrt(2) half of the time
    # Noise of 1e5 points: standard errors are 0.2 to 1.5 %.
    assert measured["stetson_k"][1] == pytest.approx(np.sqrt(2 / np.pi), rel=0.01)
    assert measured["kurtosis"][1] == pytest.approx(0, abs=0.06)
    assert measured["beyond_1std"][1] == pytest.approx(0.3173, abs=0.006)
    assert measured["eta"][1] == pytest.approx(2, rel=0.02)
