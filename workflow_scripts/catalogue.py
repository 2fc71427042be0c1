"""The catalogue of classified objects, as Parquet, FITS and VOTable with units, meanings and UCDs."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from workflow_scripts import tables
from workflow_scripts.ensemble import Classified, Prior
from workflow_scripts.probabilities import Reals
from workflow_scripts.tables import Column, Table

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.table import Table as AstropyTable

SIMULATED = "SIMULATED"  # in the survey name of simulated objects
AGREED = "Variable stars on whose class LightGBM and XGBoost agree."
SUSPECTED = "Suspected variable stars: LightGBM and XGBoost disagree on their class."

_TEXT, _REAL, _COUNT, _FLAG = pa.string(), pa.float64(), pa.int32(), pa.bool_()
_MIX = {
    "labelled": "the class shares of the labelled sample",
    "estimated": "the class shares estimated from this sample's own predictions (EM, Saerens 2002), drawn to the "
    "labelled ones where objects are few",
}
_CALIBRATED = "calibrated by temperature and class biases on held-out folds (Guo 2017, Alexandari 2020), under"


@dataclass(frozen=True)
class Extras:
    """What the catalogue says beside classes and probabilities, of n objects and k classes.

    conformal (n, k): membership of the classes in the conformal set. period_d (n,) [d]: by the rule of the class.
    outlier_score (n,), and the limit above which an object is out of distribution.
    """

    conformal: NDArray[np.bool_]
    period_d: Reals
    outlier_score: Reals
    outlier_limit: float


def catalogue_table(classes: Sequence[str], features: Sequence[Column], chosen: Prior, level: float) -> Table:
    """Contract of the catalogue for these classes, features, choice of prior and conformal level."""
    mix = f"{_CALIBRATED} {_MIX[chosen]}"
    own = (
        *tables.OBJECTS.columns[:4],
        Column("class", _TEXT, "", "class on which LightGBM and XGBoost agree; in the list of suspected "
               "variables, where they do not, the class of the highest mean probability", ucd="src.class;meta.main"),
        Column("class_lightgbm", _TEXT, "", "most probable class by LightGBM", ucd="src.class"),
        Column("class_xgboost", _TEXT, "", "most probable class by XGBoost", ucd="src.class"),
        Column("probability", _REAL, "", f"probability of class, mean of LightGBM and XGBoost; {mix}",
               ucd="stat.probability;meta.main"),
        Column("probability_lightgbm", _REAL, "", f"probability of class_lightgbm by LightGBM; {mix}",
               ucd="stat.probability"),
        Column("probability_xgboost", _REAL, "", f"probability of class_xgboost by XGBoost; {mix}",
               ucd="stat.probability"),
        Column("probability_labelled", _REAL, "", "probability of class, mean of LightGBM and XGBoost; "
               f"{_CALIBRATED} {_MIX['labelled']}", ucd="stat.probability"),
        *(Column(f"p_{c}", _REAL, "", f"probability of class {c}, mean of LightGBM and XGBoost; {mix}",
                 ucd="stat.probability") for c in classes),
        Column("conformal_set", _TEXT, "", f"classes the object may have, joined by |: class by class, a share of "
               f"{level:g} of its objects has it in the set (from probabilities under {_MIX['labelled']}; holds "
               "for any class mix); the most probable class where no class is accepted", ucd="src.class"),
        Column("conformal_size", _COUNT, "", "number of classes in conformal_set", ucd="meta.number"),
        Column("period_d", _REAL, "d", "period: the one, and the multiple of it, that is right most often for "
               "labelled objects of this class", True, "time.period"),
        Column("period_search_d", _REAL, "d", "period of the search, before the rule of the class (best of the "
               "harmonic fits)", True, "time.period"),
        Column("false_alarm_probability", _REAL, "", "false-alarm probability of the period search", True,
               "stat.probability;time.period"),
        Column("n_features_missing", _COUNT, "", "features used by the models that are missing", ucd="meta.number"),
        Column("outlier_score", _REAL, "", "distance to the 10th nearest labelled object, per feature, in robust "
               "standard deviations", ucd="stat.value"),
        Column("out_of_distribution", _FLAG, "", "true if outlier_score exceeds the limit that the configured share "
               "of the labelled objects exceeds: unlike anything the models were trained on", ucd="meta.code.qual"),
        tables.BAND,
        Column("label", _TEXT, "", "class in the label catalogue, as that spells it; null = none", True,
               "meta.code.class"),
    )  # fmt: skip
    given = {column.name for column in own}
    return Table("catalogue", (*own, *(c for c in features if c.name not in given)))


def rows(classified: Classified, extras: Extras, sources: pa.Table, used: Sequence[str], table: Table) -> pa.Table:
    """Rows of the catalogue and of the suspected variables together, under the contract table.

    sources has the columns of tables.OBJECTS and of the feature table for the same objects in the same order;
    used are the features that the models use.
    """
    names, mean, best = np.array(classified.classes, dtype=object), classified.mean, classified.best
    every = np.arange(len(best))
    columns: dict[str, Any] = {
        "class": names[best],
        "class_lightgbm": names[classified.lightgbm.argmax(axis=1)],
        "class_xgboost": names[classified.xgboost.argmax(axis=1)],
        "probability": mean[every, best],
        "probability_lightgbm": classified.lightgbm.max(axis=1),
        "probability_xgboost": classified.xgboost.max(axis=1),
        "probability_labelled": classified.labelled[every, best],
        **{f"p_{name}": mean[:, i] for i, name in enumerate(classified.classes)},
        "conformal_set": ["|".join(names[members]) for members in extras.conformal],
        "conformal_size": extras.conformal.sum(axis=1).astype(np.int32),
        "period_d": pa.array(extras.period_d, from_pandas=True),  # NaN becomes null
        "period_search_d": sources["period_d"],
        "n_features_missing": np.isnan(matrix(sources, used)).sum(axis=1).astype(np.int32),
        "outlier_score": extras.outlier_score,
        "out_of_distribution": extras.outlier_score > extras.outlier_limit,
        "label": sources["class"],
    }
    arrays = {name: columns[name] if name in columns else sources[name] for name in table.names}
    return pa.table(
        {name: a if isinstance(a, pa.Array | pa.ChunkedArray) else pa.array(a, table.schema.field(name).type)
         for name, a in arrays.items()}
    )  # fmt: skip


def matrix(features: pa.Table, names: Sequence[str]) -> Reals:
    """Features as (n, d) float64 with NaN where they are missing."""
    columns = [features[name].to_numpy().astype(np.float64) for name in names]
    return np.column_stack(columns) if columns else np.empty((features.num_rows, 0))


def write(found: pa.Table, title: str, table: Table, parquet: Path, fits: Path, votable: Path) -> None:
    """Write rows in the three formats, with units, meanings, UCDs and a note on what the probabilities are.

    The title says in a sentence what the rows are. FITS and VOTable are made from the Parquet file and carry its
    provenance. There a missing number is NaN, a missing text is empty, and a character outside ASCII is written as
    its escape. No dates: identical rows give identical bytes.
    """
    tables.write(found, parquet, table, {"description": description(found, title, table)})
    stored = tables.read(parquet, table)
    notes = {k.decode(): v.decode() for k, v in pq.read_schema(parquet).metadata.items() if k != b"ARROW:schema"}
    converted = _astropy_table(stored, table)
    _write_fits(converted, notes, table, fits)
    _write_votable(converted, notes, votable)


def description(found: pa.Table, title: str, table: Table) -> str:
    """Say what the rows are and what their probabilities mean; the first word is SIMULATED if any object is."""
    is_simulated = any(SIMULATED in survey for survey in found["survey"].unique().to_pylist())
    warning = f"{SIMULATED}: objects of a simulated survey, no real stars. " if is_simulated else ""
    meaning = next(c.meaning for c in table.columns if c.name == "probability")
    return f"{warning}{title} Column probability: {meaning}."


def _astropy_table(stored: pa.Table, table: Table) -> "AstropyTable":
    from astropy import units
    from astropy.table import Column as AstropyColumn
    from astropy.table import Table as AstropyTable

    columns = []
    for column in table.columns:
        values = stored[column.name]
        if column.type == _TEXT:
            text = [_ascii(v or "") for v in values.to_pylist()]
            data = np.array(text, dtype=f"S{max([1, *map(len, text)])}")
        else:
            data = values.to_numpy()  # null numbers become NaN
        unit = units.Unit(column.unit) if column.unit else None
        meta = {"ucd": column.ucd} if column.ucd else {}
        columns.append(AstropyColumn(data, _ascii(column.name), unit=unit, description=column.meaning, meta=meta))
    return AstropyTable(columns)


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()


def _write_fits(converted: "AstropyTable", notes: dict[str, str], table: Table, path: Path) -> None:
    """FITS binary table; TUCDn and TCOMMn hold UCD and meaning, as STILTS and TOPCAT read and write them."""
    from astropy.io import fits

    plain = converted.copy()
    for name in plain.colnames:
        plain[name].info.meta = {}
    unit = fits.table_to_hdu(plain)
    unit.name = table.name.upper()
    for i, column in enumerate(table.columns, start=1):
        _add_card(unit.header, f"TUCD{i}", column.ucd)
        _add_card(unit.header, f"TCOMM{i}", column.meaning)
    for key, note in notes.items():
        unit.header.add_comment(f"{key}: {_ascii(note)}")
    content = io.BytesIO()  # written by astropy itself, a full disk would not be told from other errors
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(content)
    with tables.whole(path) as part:
        part.write_bytes(content.getbuffer())


def _add_card(header: "Header", key: str, value: str) -> None:
    if value:
        header[key] = _ascii(value)


def _write_votable(converted: "AstropyTable", notes: dict[str, str], path: Path) -> None:
    from astropy.io.votable import from_table
    from astropy.io.votable.converters import get_converter
    from astropy.io.votable.exceptions import W03
    from astropy.io.votable.tree import Info

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", W03)  # names that are no XML identifiers, as p_RR Lyr, get one of their own
        file = from_table(converted, table_id="catalogue")
    file.get_first_table().description = notes["description"]
    for field in file.get_first_table().fields:
        if field.datatype == "bit":  # astropy's choice for bool; STILTS 3.4 cannot read it in BINARY2
            field.datatype = "boolean"
            field.converter = get_converter(field)
    for key, note in notes.items():
        file.resources[0].infos.append(Info(name=key, value=note))
    with tables.whole(path) as part:
        file.to_xml(str(part), tabledata_format="binary2")
