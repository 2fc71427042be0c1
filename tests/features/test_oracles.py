"""Features against packages of others that define the same quantity; where a definition differs, the test says how.

light-curve (GPL), feets and cesium are installed for the tests alone.
"""

import cesium.features.common_functions as cesium
import cesium.features.stetson as cesium_stetson
import feets.extractors.ext_con as feets_con
import feets.extractors.ext_gskew as feets_gskew
import feets.extractors.ext_median_amplitude as feets_amplitude
import feets.extractors.ext_rcs as feets_rcs
import feets.extractors.ext_stetson as feets_stetson
import light_curve
import numpy as np
import pytest
from astropy import stats as astropy_stats
from cesium.features.amplitude import percent_amplitude
from scipy import spatial, stats
from star import epochs, measure, one_curve
from statsmodels.tsa.stattools import acf

from workflow_scripts.features.autocorrelation import autocorrelation

pytestmark = pytest.mark.filterwarnings("ignore")

CLOSE = 1e-8  # sums in another order


@pytest.fixture(scope="module")
def stars():
    return [one_curve(seed, n, period) for seed, n, period in ((1, 120, 0.7321), (2, 60, 3.3), (3, 301, 0.081))]


@pytest.fixture(scope="module")
def measured(stars):
    return measure(stars)


def n_of(c):
    return len(c["mag"])


def unbiased(value, c):
    """Population skewness from G1, the estimate corrected for bias (Joanes & Gill 1998)."""
    n = n_of(c)
    return value * (n - 2) / np.sqrt(n * (n - 1))


def excess_variance(value, c):
    """NXS with the variance's divisor N, as in the paper, from the one with N - 1."""
    return value - np.var(c["mag"], ddof=1) / n_of(c) / np.mean(c["mag"]) ** 2


# Our column: the feature of light-curve, and the step from its definition to ours.
LIGHT_CURVE = {
    "std": (light_curve.StandardDeviation(), None),
    "mad": (light_curve.MedianAbsoluteDeviation(), None),
    "small_kurtosis": (light_curve.Kurtosis(), None),  # both are the bias-corrected G2
    "skewness": (light_curve.Skew(), unbiased),
    "eta": (light_curve.Eta(), None),
    "inverse_eta": (light_curve.Eta(), lambda value, _: 1 / value),
    "cusum": (light_curve.Cusum(), None),
    "stetson_k": (light_curve.StetsonK(), None),
    "reduced_chi_square": (light_curve.ReducedChi2(), None),
    "chi_square": (light_curve.ReducedChi2(), lambda value, c: value * (n_of(c) - 1)),
    "roms": (light_curve.Roms(), None),
    "excess_variance": (light_curve.ExcessVariance(), excess_variance),
    "peak_to_peak": (light_curve.PeakToPeakVar(), None),
    "sigma_over_mean": (light_curve.MeanVariance(), None),
    "mean_mag": (light_curve.WeightedMean(), None),
    "beyond_1std": (light_curve.BeyondNStd(1), None),
    "n_obs": (light_curve.ObservationCount(), None),
    "time_span": (light_curve.Duration(), None),
}


@pytest.mark.parametrize("column", sorted(LIGHT_CURVE))
def test_light_curve_package(column, stars, measured):
    extract, ours = LIGHT_CURVE[column]
    for c, found in zip(stars, measured[column], strict=True):
        theirs = float(np.ravel(extract(c["time"], c["mag"], c["mag_err"]))[0])
        assert found == pytest.approx(theirs if ours is None else ours(theirs, c), rel=CLOSE)


def test_light_curve_package_where_the_extreme_5_percent_are_one_point():
    """Its amplitude is half the full range; ours is that of the medians of 5 %: one point each below 21 points."""
    rng = np.random.default_rng(1)
    short = one_curve(2) | {"time": np.arange(20.0), "mag": rng.normal(15, 1, 20), "mag_err": rng.uniform(0.1, 0.2, 20)}
    found = measure([short])
    points = short["time"], short["mag"], short["mag_err"]
    assert found["amplitude"][0] == pytest.approx(light_curve.Amplitude()(*points)[0], rel=CLOSE)
    within = light_curve.MedianBufferRangePercentage(0.1)(*points)[0]
    assert found["median_brp"][0] == pytest.approx(within, rel=CLOSE)


def test_interquartile_range_is_within_a_few_percent_of_interpolated_quantiles(stars, measured):
    for c, found in zip(stars, measured["iqr"], strict=True):
        assert found == pytest.approx(stats.iqr(c["mag"]), rel=0.06)


def test_scipy(stars, measured):
    for i, c in enumerate(stars):
        described = stats.describe(c["mag"], ddof=1)
        assert measured["std"][i] ** 2 == pytest.approx(described.variance, rel=CLOSE)
        assert measured["skewness"][i] == pytest.approx(described.skewness, rel=CLOSE)
        assert measured["kurtosis"][i] == pytest.approx(described.kurtosis, rel=CLOSE)
        assert measured["mad"][i] == pytest.approx(stats.median_abs_deviation(c["mag"]), rel=CLOSE)
        assert measured["shapiro_wilk"][i] == pytest.approx(stats.shapiro(c["mag"]).statistic, rel=1e-7)


def test_astropy(stars, measured):
    for i, c in enumerate(stars):
        assert measured["mad"][i] == pytest.approx(astropy_stats.median_absolute_deviation(c["mag"]), rel=CLOSE)
        clipped = astropy_stats.sigma_clip(c["mag"], 2, maxiters=1, stdfunc=lambda x, axis: np.std(x, axis, ddof=1))
        assert measured["iter_std"][i] == pytest.approx(np.std(clipped.compressed(), ddof=1), rel=CLOSE)


def test_cesium(stars, measured):
    for i, c in enumerate(stars):
        # Its median is of fluxes: of an even number of points it is not the flux of the median magnitude.
        assert measured["percent_amplitude"][i] == pytest.approx(percent_amplitude(c["mag"]), rel=1e-3)
        assert measured["mean_mag"][i] == pytest.approx(cesium.weighted_average(c["mag"], c["mag_err"]), rel=CLOSE)
        # Its weighted deviation has no correction for the mean.
        weight = 1 / c["mag_err"] ** 2
        correction = np.sqrt(1 - (weight**2).sum() / weight.sum() ** 2)
        deviation = cesium.weighted_std_dev(c["mag"], c["mag_err"])
        assert measured["weighted_std"][i] * correction == pytest.approx(deviation, rel=CLOSE)
        # It gives a test on mag / err, the paper one on mag.
        assert measured["shapiro_wilk"][i] == pytest.approx(cesium.shapiro_wilk(c["mag"], 1.0), rel=1e-7)


def symmetric(n_pairs, apart_d):
    """Pairs of points apart_d apart, a month between the pairs, magnitudes symmetric about 15: any mean is 15."""
    rng = np.random.default_rng(n_pairs)
    half = np.sort(rng.normal(0, 0.3, (n_pairs // 2, 2)))
    mag = 15 + np.concatenate([half, -half]).ravel()
    time = (30.0 * np.arange(n_pairs)[:, None] + [0, apart_d]).ravel()
    return one_curve(1) | {"time": time, "mag": mag, "mag_err": np.full(2 * n_pairs, 0.1)}


def test_stetson_of_cesium():
    """Its robust mean starts from the median and is not cumulative: alike for symmetric magnitudes."""
    paired, isolated = symmetric(40, 0.5), symmetric(40, 15.0)
    found = measure([paired, isolated])
    robust = cesium_stetson.stetson_k(paired["mag"], 0.1) * 0.798  # it divides by K of Gaussian noise
    np.testing.assert_allclose(found["stetson_k_robust"], robust, rtol=1e-6)
    alone = cesium_stetson.stetson_j(isolated["mag"], dx=0.1)
    assert found["stetson_j"][1] == pytest.approx(alone, rel=1e-6)
    # It counts the points of each band; here N is that of all points.
    together = cesium_stetson.stetson_j(paired["mag"][::2], paired["mag"][1::2], 0.1, 0.1)
    by_band, of_all = np.sqrt(40 / 39), np.sqrt(80 / 79)
    assert found["stetson_j"][0] / of_all == pytest.approx(together / by_band, rel=1e-6)


def test_feets(stars, measured):
    for i, c in enumerate(stars):
        assert measured["amplitude"][i] == pytest.approx(
            feets_amplitude.MedianAmplitude().extract(magnitude=c["mag"])["MedianAmplitude"], rel=CLOSE
        )
        # Its standard deviations have the divisor N.
        rcs = feets_rcs.RCS().extract(magnitude=c["mag"])["Rcs"] / np.sqrt(n_of(c) / (n_of(c) - 1))
        assert measured["cusum"][i] == pytest.approx(rcs, rel=CLOSE)
        assert measured["consecutive"][i] == pytest.approx(
            feets_con.Con().extract(magnitude=c["mag"])["Con"], rel=CLOSE
        )


def test_gskew_of_feets_where_its_percentile_is_one_of_the_points():
    """Its 3 % are those up to an interpolated percentile, ours the ceiling of 3 % of N: alike for 301 points."""
    c = one_curve(5) | {"mag": np.random.default_rng(5).gamma(2, size=301), "mag_err": np.ones(301)}
    c |= {"time": np.arange(301.0)}
    expected = feets_gskew.Gskew().extract(magnitude=c["mag"])["Gskew"]
    assert measure([c])["gskew"][0] == pytest.approx(expected, rel=CLOSE)


def test_synchronous_stetson_of_feets():
    """Its J takes weighted means: alike for equal errors. Its K is one of products, so L is compared by J."""
    rng = np.random.default_rng(9)
    time = epochs(rng, 80)
    star = one_curve(3)
    for band, error in (("a", 0.05), ("b", 0.03)):
        mag = 15 + 0.2 * np.sin(time) + rng.normal(0, error, 80)
        star |= {f"time_{band}": time, f"mag_{band}": mag, f"mag_err_{band}": np.full(80, error)}
    expected = feets_stetson.StetsonJ().extract(
        aligned_magnitude=star["mag_a"],
        aligned_magnitude2=star["mag_b"],
        aligned_error=star["mag_err_a"],
        aligned_error2=star["mag_err_b"],
    )["StetsonJ"]
    delta = (star["mag"] - star["mag"].mean()) / star["mag_err"]
    own = np.abs(delta).mean() / np.sqrt((delta**2).mean())
    assert measure([star])["stetson_l_bands"][0] == pytest.approx(expected * own / 0.798, rel=CLOSE)


def test_autocorrelation_of_statsmodels(stars, measured):
    """It divides every lag by N and the variance by N, eq. A1 by N - lag and N - 1."""
    for i, c in enumerate(stars):
        n, residual = n_of(c), c["mag"] - c["mag"].mean()
        theirs = acf(c["mag"], nlags=n - 1, fft=True)
        assert measured["lag1_autocorrelation"][i] == pytest.approx(theirs[1], rel=CLOSE)
        ours = autocorrelation(residual, (residual**2).sum())
        lags = np.arange(1, n)
        # Single precision: 1e-7 of the sum at lag 0, over fewer points at long lags.
        np.testing.assert_allclose(ours * (n - lags) / (n - 1), theirs[1:], atol=1e-6)


def test_pairs_of_the_structure_function_by_all_pairs_of_scipy(stars):
    from workflow_scripts.features.structure import slots

    for c in stars:
        first, last = c["time"].min(), c["time"].max()
        residual = c["mag"] - c["mag"].mean()
        day = np.floor(c["time"] - first)[:, None]
        lag = spatial.distance.pdist(day)
        square = spatial.distance.pdist(residual[:, None], "sqeuclidean")
        slot = np.digitize(lag, [1, 3, 10, 32, 100, 316, 1000]) - 1
        found = slots(c["time"], residual, first, last)
        for k in range(6):
            assert found[k, 0] == (slot == k).sum()
            assert found[k, 2] == pytest.approx(square[slot == k].sum(), rel=CLOSE)
