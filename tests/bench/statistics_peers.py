"""Statistics of light curves: ours, light-curve, feets and cesium."""

from typing import Any

from bench import samples
from bench.timing import Contender
from workflow_scripts import features
from workflow_scripts.features.registry import INGREDIENTS

OURS, LIGHT_CURVE, FEETS, FEETS_K_AC = "ours", "light-curve `Extractor`", "feets", "feets with `StetsonK_AC`"
CESIUM, CESIUM_DIRECT = "cesium `featurize_single_ts`", "cesium, its functions called directly"

LIGHT_CURVE_COLUMNS = {"time", "mag", "mag_err"}

# What has a counterpart among ours; its slow Autocor_length, SlottedALength, CAR and DeltamDeltat stay out.
FEETS_FEATURES = (
    "Amplitude",
    "BeyondNStd",
    "Con",
    "Eta",
    "EtaE",
    "ExcessVariance",
    "Gskew",
    "InterPercentileRange",
    "LinearTrend",
    "MaxSlope",
    "Mean",
    "MeanVariance",
    "MedianAbsDev",
    "MedianBRP",
    "PairSlopeTrend",
    "PercentAmplitude",
    "Q31",
    "Rcs",
    "ReducedChi2",
    "Roms",
    "Skew",
    "SmallKurtosis",
    "Std",
    "StetsonK",
    "WeightedMean",
)
# Not here: tests of normality (the slowest), its quasar model and its period.
CESIUM_FEATURES = (
    "amplitude",
    "flux_percentile_ratio_mid20",
    "flux_percentile_ratio_mid35",
    "flux_percentile_ratio_mid50",
    "flux_percentile_ratio_mid65",
    "flux_percentile_ratio_mid80",
    "max_slope",
    "maximum",
    "median",
    "median_absolute_deviation",
    "minimum",
    "percent_amplitude",
    "percent_beyond_1_std",
    "percent_close_to_median",
    "percent_difference_flux_percentile",
    "skew",
    "std",
    "stetson_j",
    "stetson_k",
    "weighted_average",
    "weighted_std_dev",
)


def columns_of(name: str) -> set[str]:
    """Columns that a feature needs, directly or through ingredients."""
    columns, left = set(), [*features.REGISTRY[name].needs]
    while left:
        need = left.pop()
        if need in INGREDIENTS:
            left += INGREDIENTS[need].needs
        else:
            columns.add(need)
    return columns


def without_period() -> list[str]:
    """Names of our features that need the light curve alone: no period, second band, photometry or boundary lines."""
    return [name for name in features.REGISTRY if columns_of(name) <= LIGHT_CURVE_COLUMNS]


def ours(count: int) -> Contender:
    """All our features that need no period."""
    chosen = without_period()
    columns = sum(len(features.REGISTRY[name].columns) for name in chosen)
    return Contender(
        OURS, f"{columns} features", count, lambda curves: curves, lambda curves: features.measure(curves, {}, chosen)
    )


def peers(count: int) -> list[Contender]:
    """Return the peers, slow ones with fewer light curves than count."""
    few, fewer = max(count // 20, 1), max(count // 100, 1)
    return [_light_curve(count), _feets(FEETS, FEETS_FEATURES, few), *_cesium(few), _feets_k_ac(fewer)]


def _light_curve(count: int) -> Contender:
    import light_curve

    evaluators = (
        light_curve.Amplitude(),
        light_curve.AndersonDarlingNormal(),
        light_curve.BeyondNStd(1),
        light_curve.Cusum(),
        light_curve.Eta(),
        light_curve.EtaE(),
        light_curve.ExcessVariance(),
        light_curve.InterPercentileRange(),
        light_curve.Kurtosis(),
        light_curve.LinearFit(),
        light_curve.LinearTrend(),
        light_curve.MagnitudePercentageRatio(),
        light_curve.MaximumSlope(),
        light_curve.Mean(),
        light_curve.MeanVariance(),
        light_curve.Median(),
        light_curve.MedianAbsoluteDeviation(),
        light_curve.MedianBufferRangePercentage(),
        light_curve.PercentAmplitude(),
        light_curve.PercentDifferenceMagnitudePercentile(),
        light_curve.ReducedChi2(),
        light_curve.Roms(),
        light_curve.Skew(),
        light_curve.StandardDeviation(),
        light_curve.StetsonK(),
        light_curve.WeightedMean(),
    )
    extract = light_curve.Extractor(*evaluators)

    def work(curves: Any) -> None:
        for time, mag, mag_err in curves:
            extract(time, mag, mag_err, sorted=True, check=False)

    return Contender(LIGHT_CURVE, f"{len(extract.names)} features", count, samples.arrays, work)


def _feets(name: str, chosen: tuple[str, ...], count: int) -> Contender:
    import feets

    # Its default scheduler starts a process per core.
    space = feets.FeatureSpace(only=list(chosen), dask_options={"scheduler": "synchronous"})

    def prepare(curves: Any) -> list[dict[str, Any]]:
        return [dict(zip(("time", "magnitude", "error"), one, strict=True)) for one in samples.arrays(curves)]

    def work(curves: Any) -> None:
        for one in curves:
            space.extract(**one)

    return Contender(name, f"{len(chosen)} features", count, prepare, work)


def _feets_k_ac(count: int) -> Contender:
    return _feets(FEETS_K_AC, (*FEETS_FEATURES, "StetsonK_AC"), count)


def _cesium(count: int) -> list[Contender]:
    from cesium import featurize
    from cesium.features import graphs
    from cesium.time_series import TimeSeries

    steps = [graphs.dask_feature_graph[name] for name in CESIUM_FEATURES]

    def prepare(curves: Any) -> list[Any]:
        return [TimeSeries(*one) for one in samples.arrays(curves)]

    def work(curves: Any) -> None:
        for one in curves:
            featurize.featurize_single_ts(one, list(CESIUM_FEATURES))

    def work_directly(curves: Any) -> None:
        for one in curves:
            columns = dict(zip("tme", one, strict=True))
            for function, *needs in steps:
                function(*(columns[need] if isinstance(need, str) else need for need in needs))

    does = f"{len(CESIUM_FEATURES)} features"
    return [
        Contender(CESIUM, does, count, prepare, work),
        Contender(CESIUM_DIRECT, does, count, samples.arrays, work_directly),
    ]
