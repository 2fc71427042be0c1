"""Counterparts of a sample's objects in Gaia DR3, 2MASS and AllWISE: the photometry of Qiao 2024, section 2.1.

The Gaia archive is asked for the sources around uploaded positions, with 2MASS and AllWISE through its own
best-neighbour tables (Marrese et al. 2019, A&A 621, A144). Which source is the counterpart is decided here, after the
Gaia positions were moved to the epoch of the objects.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workflow_scripts import tables
from workflow_scripts.archives import tap
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.query import Query, Upload
from workflow_scripts.crossmatch import Positions, Rule, match, propagate
from workflow_scripts.crossmatch.positions import Reals
from workflow_scripts.surveys.catalogue import GAIA_LIMIT, GAIA_URL

_LOG = logging.getLogger(__name__)

GAIA_EPOCH_YR = 2016.0
# ASSUME no object moves faster than 1 arcsec/yr: some hundred stars in the whole sky do and are not followed, as a
# circle wide enough for them around every object would make the archive read tens of times more sources.
_FASTEST_ARCSEC_PER_YR = 1.0


@dataclass(frozen=True)
class Band:
    """A magnitude: its column here, its ADQL expression, its name, and its letter in a column of quality flags."""

    column: str
    expression: str
    name: str
    quality: str = ""
    letter: int = 0


BANDS = (
    Band("g_mag", "g.phot_g_mean_mag", "Gaia G"),
    Band("bp_mag", "g.phot_bp_mean_mag", "Gaia BP"),
    Band("rp_mag", "g.phot_rp_mean_mag", "Gaia RP"),
    Band("j_mag", "m.j_m", "2MASS J", "twomass_quality", 0),
    Band("h_mag", "m.h_m", "2MASS H", "twomass_quality", 1),
    Band("k_mag", "m.ks_m", "2MASS Ks", "twomass_quality", 2),
    Band("w1_mag", "w.w1mpro", "AllWISE W1", "allwise_quality", 0),
    Band("w2_mag", "w.w2mpro", "AllWISE W2", "allwise_quality", 1),
    Band("w3_mag", "w.w3mpro", "AllWISE W3", "allwise_quality", 2),
)
# ASSUME a 2MASS or AllWISE magnitude with quality U (upper limit), X or Z (no brightness or no error could be
# measured) is no measurement and is missing; all other qualities are taken (2MASS Explanatory Supplement, 2.2; AllWISE
# Explanatory Supplement, II.1).
NOT_MEASURED = "UXZ"

_REAL = pa.float64()
COUNTERPARTS = tables.Table(
    "counterparts",
    (
        tables.OBJECT_ID,
        tables.Column("ra_deg", _REAL, "deg", "right ascension of the object, ICRS", True, ucd="pos.eq.ra;meta.main"),
        tables.Column("dec_deg", _REAL, "deg", "declination of the object, ICRS", True, ucd="pos.eq.dec;meta.main"),
        tables.Column("source_id", pa.int64(), "", "Gaia DR3 source; null = no counterpart", True, ucd="meta.id"),
        tables.Column(
            "separation_arcsec", _REAL, "arcsec", "angle to it at the epoch of the object", True, ucd="pos.angDistance"
        ),
        tables.Column("n_neighbours", pa.int32(), "", "Gaia sources within the search radius", True),
        tables.Column("moved", pa.bool_(), "", "false where Gaia has no proper motion: matched at 2016.0", True),
        tables.Column("parallax_mas", _REAL, "mas", "Gaia parallax", True, ucd="pos.parallax"),
        tables.Column("parallax_error_mas", _REAL, "mas", "its standard error", True, ucd="stat.error;pos.parallax"),
        *(
            tables.Column(b.column, _REAL, "mag", f"{b.name} magnitude as observed", True, ucd="phot.mag")
            for b in BANDS
        ),
    ),
)


def query(radius_arcsec: float, epoch_yr: float) -> Query:
    """Ask for all Gaia DR3 sources that can be within radius_arcsec of an uploaded position at epoch_yr [Julian yr].

    One row for each pair of object and source; the radius grows with the source's own proper motion.
    """
    years = abs(epoch_yr - GAIA_EPOCH_YR)
    reach_deg = (radius_arcsec + _FASTEST_ARCSEC_PER_YR * years) / 3600
    distance = "DISTANCE(POINT('ICRS', t.ra_deg, t.dec_deg), POINT('ICRS', g.ra, g.dec))"
    near_deg, deg_per_mas = f"{radius_arcsec / 3600 + 1e-7:.10f}", f"{years / 3.6e6:.15f}"
    return Query(
        "Gaia archive",
        GAIA_URL,
        {
            "object_id": "t.object_id",
            "source_id": "g.source_id",
            "ra": "g.ra",
            "dec": "g.dec",
            "pmra": "g.pmra",
            "pmdec": "g.pmdec",
            "parallax_mas": "g.parallax",
            "parallax_error_mas": "g.parallax_error",
            "twomass_quality": "m.ph_qual",
            "allwise_quality": "w.ph_qual",
        }
        | {band.column: band.expression for band in BANDS},
        # The circle on the uploaded row is what a spatial index can use. 2MASS is joined by the name that the
        # best-neighbour table gives: by its number (tmass_psc_xsc_join) suspected duplicates would come as well.
        "TAP_UPLOAD.targets AS t JOIN gaiadr3.gaia_source AS g ON 1 = CONTAINS(POINT('ICRS', g.ra, g.dec), "
        f"CIRCLE('ICRS', t.ra_deg, t.dec_deg, {reach_deg + 1e-7:.10f})) "
        "LEFT OUTER JOIN gaiadr3.tmass_psc_xsc_best_neighbour AS mn ON mn.source_id = g.source_id "
        "LEFT OUTER JOIN gaiadr1.tmass_original_valid AS m ON m.designation = mn.original_ext_source_id "
        "LEFT OUTER JOIN gaiadr3.allwise_best_neighbour AS wn ON wn.source_id = g.source_id "
        "LEFT OUTER JOIN gaiadr1.allwise_original_valid AS w ON w.allwise_oid = wn.allwise_oid "
        f"WHERE {distance} <= {near_deg} OR "
        f"{distance} <= {near_deg} + {deg_per_mas} * SQRT(g.pmra * g.pmra + g.pmdec * g.pmdec)",
        GAIA_LIMIT,
        ("object_id", "source_id"),
    )


def fetch(
    objects: pa.Table,
    asked: Query,
    path: Path,
    manners: Manners,
    rng: np.random.Generator,
    chunk_rows: int = tap.CHUNK_ROWS,
) -> pa.Table:
    """Candidates of the objects (tables.OBJECTS) that have coordinates: the answer to `query`, kept in path.

    Uploads in chunks of rows, resumable, checked (archives/tap.py). Without coordinates nothing is asked, and there is
    no row. Raises DataError as tap.fetch_for does.
    """
    rows = _placed(objects).select(["object_id", "ra_deg", "dec_deg"]).sort_by("object_id")
    if not rows.num_rows:
        return _no_candidates(asked)
    tap.fetch_for(asked, Upload(rows.replace_schema_metadata(None)), path, manners, rng, chunk_rows)
    return pq.read_table(path, partitioning=None)


def choose(objects: pa.Table, candidates: pa.Table, epoch_yr: float, radius_arcsec: float) -> pa.Table:
    """Choose each object's counterpart among the candidates: COUNTERPARTS, a row for each object, by object_id.

    It is the Gaia source nearest to the object at epoch_yr, within the radius, if the object is also the nearest to it
    (crossmatch.Rule "mutual"). Objects without one, or without coordinates, have nulls. Raises DataError for positions
    out of range.
    """
    # ASSUME a 2MASS or AllWISE source that is the best neighbour of several Gaia sources is the photometry of each.
    rows, placed = objects.sort_by("object_id"), _placed(objects).sort_by("object_id")
    sources = _distinct(candidates)
    ra, dec, pm_ra, pm_dec = (_reals(sources, name) for name in ("ra", "dec", "pmra", "pmdec"))
    there = propagate(ra, dec, pm_ra, pm_dec, epoch_yr - GAIA_EPOCH_YR)
    here = Positions(_reals(placed, "ra_deg"), _reals(placed, "dec_deg"))
    pairs = match(here, there, Rule(radius_arcsec))
    found = sources.take(pairs["b_row"]).select(["source_id", "parallax_mas", "parallax_error_mas"])
    for band in BANDS:
        found = found.append_column(band.column, _measured(sources, band).take(pairs["b_row"]))
    for name in ("separation_arcsec", "n_neighbours"):
        found = found.append_column(name, pairs[name])
    found = found.append_column("moved", pairs["b_moved"])
    at = pc.index_in(rows["object_id"], placed["object_id"].take(pairs["a_row"]).combine_chunks())
    chosen = found.take(at)
    for name in ("object_id", "ra_deg", "dec_deg"):
        chosen = chosen.append_column(name, rows[name])
    chosen = chosen.select(COUNTERPARTS.names).cast(COUNTERPARTS.schema)
    _report(chosen, placed.num_rows)
    return chosen


def _placed(objects: pa.Table) -> pa.Table:
    return objects.filter(pc.and_(objects["ra_deg"].is_valid(), objects["dec_deg"].is_valid()))


def _no_candidates(asked: Query) -> pa.Table:
    kinds = {"object_id": pa.string(), "source_id": pa.int64(), "twomass_quality": pa.string()}
    kinds["allwise_quality"] = pa.string()
    return pa.schema([(name, kinds.get(name, _REAL)) for name in asked.columns]).empty_table()


def _distinct(candidates: pa.Table) -> pa.Table:
    """One row for each source; it comes once for each object that it is near to."""
    _, first = np.unique(candidates["source_id"].to_numpy(), return_index=True)
    return candidates.take(pa.array(first))


def _measured(sources: pa.Table, band: Band) -> pa.ChunkedArray:
    values = sources[band.column]
    if not band.quality:
        return values
    letter = pc.utf8_slice_codeunits(sources[band.quality], band.letter, band.letter + 1)
    return pc.if_else(pc.is_in(letter, pa.array(list(NOT_MEASURED))), pa.scalar(None, values.type), values)


def _reals(rows: pa.Table, name: str) -> Reals:
    values: Reals = rows[name].cast(_REAL).to_numpy(zero_copy_only=False)  # null becomes NaN
    return values


def _report(chosen: pa.Table, n_placed: int) -> None:
    count = {name: chosen.num_rows - chosen[name].null_count for name in chosen.column_names}
    _LOG.info(
        "%d objects, %d with coordinates, %d with a Gaia counterpart", chosen.num_rows, n_placed, count["source_id"]
    )
    _LOG.info("measured: %s", ", ".join(f"{band.name} {count[band.column]}" for band in BANDS))
