"""The data contract: every table that passes between rules, column by column, with unit and meaning.

A table is written whole or not at all, with its units and meanings in the Parquet schema, and is checked
against this contract when it is read. Identical rows give identical bytes.
"""

import contextlib
import contextvars
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


class DataError(ValueError):
    """The user's data or settings cannot be used; the message says what, where and what to do."""


@dataclass(frozen=True)
class Column:
    """One column: name, Arrow type, unit ("" = none), meaning, UCD, and whether null is a legal value."""

    name: str
    type: pa.DataType
    unit: str
    meaning: str
    nullable: bool = False
    ucd: str = ""

    def field(self) -> pa.Field:
        """Arrow field that carries unit, meaning and UCD as metadata."""
        notes = {"unit": self.unit, "meaning": self.meaning, "ucd": self.ucd}
        return pa.field(self.name, self.type, self.nullable, {k: v for k, v in notes.items() if v})


@dataclass(frozen=True)
class Table:
    """A named table of the contract."""

    name: str
    columns: tuple[Column, ...]
    schema: pa.Schema = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Derive the Arrow schema once."""
        object.__setattr__(self, "schema", pa.schema([c.field() for c in self.columns]))

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [c.name for c in self.columns]


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

SAMPLES = Table(
    "samples",
    (
        Column("sample", _TEXT, "", "name of the sample in the configuration"),
        Column("role", _TEXT, "", "role of the sample: labelled, constant, science or reference"),
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
        Column("metric", _TEXT, "", "precision, recall, f1, accuracy, balanced_accuracy, log_loss, ..."),
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
        Column("rule", _TEXT, "", "what objects are kept by: agreement, or one booster's confidence"),
        Column("coverage", _REAL, "", "share of objects kept"),
        Column("accuracy", _REAL, "", "accuracy among the kept"),
    ),
)

PERIODS = Table(
    "period_agreement",
    (
        Column("class", _TEXT, "", "class, or all"),
        Column("rule", _TEXT, "", "period compared: harmonic, lomb_scargle, or by_class (after the class is known)"),
        Column("exact", _REAL, "", "share within 1 % of the catalogue's period"),
        Column("with_half_and_double", _REAL, "", "share within 1 % of it, its half or its double"),
        Column("support", _COUNT, "", "objects with a catalogue period"),
    ),
)

PRIORS = Table(
    "priors",
    (
        Column("sample", _TEXT, "", "sample"),
        Column("class", _TEXT, "", "class"),
        Column("labelled", _REAL, "", "share in the labelled sample before undersampling"),
        Column("training", _REAL, "", "share in the training data"),
        Column("estimated", _REAL, "", "share estimated from the predictions (EM)"),
        Column("predicted", _REAL, "", "share of the class among the predictions under the prior used"),
    ),
)

_PROVENANCE: contextvars.ContextVar[Mapping[str, str] | None] = contextvars.ContextVar("provenance", default=None)


@contextlib.contextmanager
def provenance(notes: Mapping[str, str]) -> Iterator[None]:
    """Tables written inside the block carry these notes in their metadata; no dates, no hosts."""
    token = _PROVENANCE.set(notes)
    try:
        yield
    finally:
        _PROVENANCE.reset(token)


def write(
    rows: pa.Table | Mapping[str, object], path: Path, table: Table, notes: Mapping[str, str] | None = None
) -> None:
    """Write rows as Parquet (zstd) under the contract of table, whole or not at all; notes go to the metadata."""
    rows = rows if isinstance(rows, pa.Table) else pa.table(dict(rows))
    _check_names(rows.column_names, path, table)
    _check_nulls(rows, path, table.columns)
    # How rows are divided into chunks would show in the pages of the file.
    rows = rows.select(table.names).cast(table.schema).combine_chunks()
    metadata = {"table": table.name, "provenance": json.dumps(dict(_PROVENANCE.get() or {}), sort_keys=True)}
    rows = rows.replace_schema_metadata(metadata | dict(notes or {}))
    with whole(path) as part:
        pq.write_table(rows, part, compression="zstd", compression_level=3)


def read(path: Path, table: Table, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table (or some columns of it) and check it against the contract.

    Raises DataError if the file is missing, truncated, or not the table asked for.
    """
    part = table if columns is None else _part(table, columns)
    try:
        with pq.ParquetFile(path) as file:
            _check_names(file.schema_arrow.names, path, table)
            rows = file.read(columns=part.names).select(part.names)
    except FileNotFoundError as error:
        raise DataError(f"table '{table.name}': {path} does not exist; run the rule that makes it") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(
            f"table '{table.name}': {path} is not a whole Parquet file ({error}); delete it and run again"
        ) from error
    for column in part.columns:
        if rows.schema.field(column.name).type != column.type:
            raise DataError(
                f"table '{table.name}' in {path}: column '{column.name}' is {rows.schema.field(column.name).type}, "
                f"expected {column.type}; it was written by another version: delete it and run again"
            )
    _check_nulls(rows, path, part.columns)
    return rows


def read_all(paths: Sequence[Path], table: Table, columns: Sequence[str] | None = None) -> pa.Table:
    """Read the shards of one table, in the order given, as one table."""
    shards = [read(path, table, columns).replace_schema_metadata(None) for path in paths]
    return pa.concat_tables(shards) if shards else table.schema.empty_table()


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside path; rename it to path when the block ends well, remove it otherwise."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}; make its folder writable or run elsewhere") from error
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _part(table: Table, columns: Sequence[str]) -> Table:
    unknown = [name for name in columns if name not in table.names]
    if unknown:
        raise ValueError(f"table '{table.name}' has no columns {unknown}; it has {table.names}")
    return Table(table.name, tuple(table.columns[table.names.index(name)] for name in columns))


def _check_nulls(rows: pa.Table, path: Path, columns: Sequence[Column]) -> None:
    for column in columns:
        if not column.nullable and rows[column.name].null_count:
            raise DataError(
                f"column '{column.name}' in {path} has {rows[column.name].null_count} null values of {rows.num_rows}; "
                "the contract allows none"
            )


def _check_names(found: Sequence[str], path: Path, table: Table) -> None:
    missing = [name for name in table.names if name not in found]
    unknown = [name for name in found if name not in table.names]
    if missing or unknown:
        raise DataError(f"table '{table.name}' in {path}: missing columns {missing}, unknown columns {unknown}")
