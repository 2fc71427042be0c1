"""The data contract: every table that passes between rules, column by column, with unit and meaning.

A table is written whole or not at all, with its units and meanings in the Parquet schema, and is checked
against this contract when it is read (parquet.py). Identical rows give identical bytes.
"""

import pyarrow as pa

from workflow_scripts.parquet import (
    Column,
    DamagedError,
    DataError,
    Table,
    described,
    provenance,
    read,
    read_all,
    undamaged,
    whole,
    write,
    write_groups,
)

__all__ = ["Column", "DamagedError", "DataError", "Table", "described", "provenance", "read", "read_all"]
__all__ += ["undamaged", "whole", "write", "write_groups"]

_TEXT, _REAL, _COUNT, _FLAG = pa.string(), pa.float64(), pa.int32(), pa.bool_()
_TIMES, _MAGS, _FLAGS = pa.list_(pa.float64()), pa.list_(pa.float32()), pa.list_(pa.bool_())
_PROBABILITIES = pa.list_(pa.float64())

OBJECT_ID = Column("object_id", _TEXT, "", "identifier of the object in its survey", ucd="meta.id;meta.main")
BAND = Column("band", _TEXT, "", "photometric band of the light curve", ucd="meta.code;em")
_TIME = Column("time", _TIMES, "d", "epochs, Modified Julian Date")
_MAG = Column("mag", _MAGS, "mag", "magnitudes")
_MAG_ERR = Column("mag_err", _MAGS, "mag", "standard errors of the magnitudes")
_LABEL = Column("class", _TEXT, "", "class in the label catalogue; null = none", True, ucd="meta.code.class")

OBJECTS = Table(
    "objects",
    (
        OBJECT_ID,
        Column("survey", _TEXT, "", "survey that the light curve comes from; SIMULATED where it is", ucd="meta.id"),
        Column("ra_deg", _REAL, "deg", "right ascension, ICRS", True, ucd="pos.eq.ra;meta.main"),
        Column("dec_deg", _REAL, "deg", "declination, ICRS", True, ucd="pos.eq.dec;meta.main"),
        _LABEL,
        Column("catalogue_period_d", _REAL, "d", "period in the label catalogue", True, ucd="time.period"),
    ),
)

# Published catalogues, as far as the workflow needs them.
SOURCES = Table(
    "sources",
    (
        OBJECT_ID,
        Column("ra_deg", _REAL, "deg", "right ascension, ICRS, at the catalogue's epoch", ucd="pos.eq.ra"),
        Column("dec_deg", _REAL, "deg", "declination, ICRS, at the catalogue's epoch", ucd="pos.eq.dec"),
        Column("class", _TEXT, "", "class in the catalogue; null = none", True, ucd="meta.code.class"),
        Column("catalogue_period_d", _REAL, "d", "period in the catalogue; null = none", True, ucd="time.period"),
    ),
)

# The ten photometric features of Qiao 2024 Table 1 are differences of these.
PHOTOMETRY = Table(
    "photometry",
    (
        OBJECT_ID,
        Column("parallax_mas", _REAL, "mas", "Gaia parallax", True, ucd="pos.parallax"),
        *(
            Column(f"{band}_mag", _REAL, "mag", f"{system} {band.upper()} magnitude, dereddened", True, ucd="phot.mag")
            for system, bands in (
                ("Gaia", ("g", "bp", "rp")),
                ("2MASS", ("j", "h", "k")),
                ("AllWISE", ("w1", "w2", "w3")),
            )
            for band in bands
        ),
    ),
)

RAW_LIGHT_CURVES = Table(
    "raw_light_curves",
    (
        OBJECT_ID,
        BAND,
        _TIME,
        _MAG,
        _MAG_ERR,
        Column("usable", _FLAGS, "", "false where the survey flags the point as unusable"),
    ),
)

LIGHT_CURVES = Table("light_curves", (OBJECT_ID, BAND, _TIME, _MAG, _MAG_ERR))

# The cuts of lightcurve/clean.py in the order in which they are made.
CUTS = {
    "flagged": "flagged as unusable by the survey",
    "absurd_time": "with a time outside 1900-2100 or not finite",
    "not_finite": "with a magnitude or error that is not finite",
    "sentinel": "with a magnitude or error that stands for a missing value",
    "bad_error": "with an error of zero or below",
    "large_error": "with an error above the limit relative to the mean error (Kim 2011)",
    "duplicate": "at a time that already has a point",
    "clipped": "outside the sigma clip",
}
CLEANING = Table(
    "cleaning",
    (
        OBJECT_ID,
        BAND,
        Column("n_raw", _COUNT, "", "points before cleaning"),
        *(Column(f"n_{cut}", _COUNT, "", f"points removed: {meaning}") for cut, meaning in CUTS.items()),
        Column("n_kept", _COUNT, "", "points after cleaning"),
        Column("kept", _FLAG, "", "true if enough observations remain"),
    ),
)

BOUNDARY_LINES = Table(
    "boundary_lines",
    (
        Column("lag", _COUNT, "", "lag of the autocorrelation in observations"),
        Column("lower", _REAL, "", "mean minus four standard deviations of the autocorrelation of ordinary stars"),
        Column("upper", _REAL, "", "mean plus four standard deviations"),
    ),
)

SAMPLES = Table(
    "samples",
    (
        Column("sample", _TEXT, "", "name of the sample in the configuration"),
        Column("role", _TEXT, "", "role of the sample: labelled, constant or science"),
        Column("survey", _TEXT, "", "survey; SIMULATED where it is"),
        Column("n_objects", _COUNT, "", "objects listed"),
        Column("n_light_curves", _COUNT, "", "light curves (object and band)"),
        Column("n_points", pa.int64(), "", "photometric points"),
    ),
)

SPLIT = Table(
    "split",
    (
        OBJECT_ID,
        Column("class", _TEXT, "", "class to train on"),
        Column("random", _TEXT, "", "part in the random stratified split: train, validation or test"),
        Column("sky", _TEXT, "", "part in the sky-blocked split: train, validation or test"),
        Column("fold", _COUNT, "", "cross-validation fold in which the object is tested"),
        Column("star", _TEXT, "", "first identifier of the objects at this place, which stay together in every split"),
    ),
)

# Probabilities as the model gives them; the classes and their order are in the metadata key "classes".
PROBABILITIES = Table(
    "probabilities",
    (
        OBJECT_ID,
        Column("class", _TEXT, "", "true class; null where it is unknown", True),
        Column("probability", _PROBABILITIES, "", "probability of each class, in the order of the metadata"),
    ),
)

METRICS = Table(
    "metrics",
    (
        Column("scheme", _TEXT, "", "split the figure was measured on: random, sky, folds or leak"),
        Column("model", _TEXT, "", "lightgbm, xgboost, forest or ensemble"),
        Column("data", _TEXT, "", "training data: original, smote or weighted"),
        Column("class", _TEXT, "", "class, or macro, weighted, all"),
        Column(
            "metric",
            _TEXT,
            "",
            "precision, recall, f1, accuracy, log_loss, coverage, ... (in evaluation/metrics before calibration, in "
            "evaluation/calibration after it), temperature, conformal_*, ..., *_before, *_after",
        ),
        Column("value", _REAL, "", "value of the metric"),
        Column("low", _REAL, "", "lower end of the 95 % bootstrap interval", True),
        Column("high", _REAL, "", "upper end of the 95 % bootstrap interval", True),
        Column("support", _COUNT, "", "objects the figure rests on"),
    ),
)

CONFUSION = Table(
    "confusion",
    (
        Column("scheme", _TEXT, "", "split the figure was measured on"),
        Column("model", _TEXT, "", "model"),
        Column("data", _TEXT, "", "training data"),
        Column("true", _TEXT, "", "class in the label catalogue"),
        Column("predicted", _TEXT, "", "class the model gives"),
        Column("count", _COUNT, "", "number of objects"),
    ),
)

IMPORTANCE = Table(
    "importance",
    (
        Column("model", _TEXT, "", "model"),
        Column("feature", _TEXT, "", "feature"),
        Column("gain", _REAL, "", "share of the total split gain"),
        Column("permutation", _REAL, "", "loss of macro F1 when the feature is shuffled"),
        Column("permutation_std", _REAL, "", "standard deviation over the shuffles"),
    ),
)

RELIABILITY = Table(
    "reliability",
    (
        Column("model", _TEXT, "", "model"),
        Column("stage", _TEXT, "", "before or after calibration"),
        Column("low", _REAL, "", "lower edge of the confidence bin"),
        Column("high", _REAL, "", "upper edge of the confidence bin"),
        Column("confidence", _REAL, "", "mean probability of the predicted class", True),
        Column("accuracy", _REAL, "", "share of correct predictions", True),
        Column("count", _COUNT, "", "objects in the bin"),
    ),
)

RISK_COVERAGE = Table(
    "risk_coverage",
    (
        Column(
            "rule",
            _TEXT,
            "",
            "what objects are kept by: agreement, a model's confidence, or a model at the same coverage as agreement",
        ),
        Column("coverage", _REAL, "", "share of objects kept"),
        Column("accuracy", _REAL, "", "accuracy among the kept"),
    ),
)

PERIODS = Table(
    "period_agreement",
    (
        Column("class", _TEXT, "", "class, or all"),
        Column(
            "rule",
            _TEXT,
            "",
            "period compared: harmonic, lomb_scargle, by_class (rule of the predicted class), by_true_class",
        ),
        Column("exact", _REAL, "", "share within 1 % of the catalogue's period"),
        Column("with_half_and_double", _REAL, "", "share within 1 % of it, its half or its double"),
        Column("support", _COUNT, "", "objects with a catalogue period"),
    ),
)

PERIOD_ERRORS = Table(
    "period_errors",
    (
        Column("class", _TEXT, "", "true class"),
        Column("kind", _TEXT, "", "how the best harmonic fit's period differs from the catalogue's"),
        Column("n", _COUNT, "", "objects"),
        Column("share", _REAL, "", "share of the class's objects with a catalogue period"),
        Column("catalogue_period_d", _REAL, "d", "median period of the catalogue"),
        Column("n_obs", _REAL, "", "median number of epochs", True),
        Column("amplitude", _REAL, "mag", "median half amplitude", True),
        Column("faint_fraction", _REAL, "", "median share of the cycle fainter than half-way", True),
        Column("second_peak_power", _REAL, "", "median power of a second period", True),
    ),
)

PRIORS = Table(
    "priors",
    (
        Column("sample", _TEXT, "", "sample"),
        Column("class", _TEXT, "", "class"),
        Column("labelled", _REAL, "", "share in the labelled sample before undersampling"),
        Column("training", _REAL, "", "share in the training data"),
        Column("estimated", _REAL, "", "share by EM on the predictions; near the labelled one for few objects"),
        Column("predicted", _REAL, "", "share of the class among the predictions under the prior used"),
    ),
)
