"""Stars of Gaia under the archive's column names -> the table STARS of a region, with every star left out counted."""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts import tables
from workflow_scripts.archives.query import Query
from workflow_scripts.clustering import limits
from workflow_scripts.clustering import release as releases
from workflow_scripts.clustering.fields import Release
from workflow_scripts.clustering.regions import Region
from workflow_scripts.clustering.stars import STARS
from workflow_scripts.surveys import catalogue, columns, files
from workflow_scripts.tables import Column, DataError, Table

LEAST_STARS = 50  # of a region, below which no method can tell a cluster from the field

# Ours: names in the archive and in tables made from it, the first that is there counts.
NATIVE: Mapping[str, tuple[str, ...]] = {
    "source_id": ("source_id", "Source", "SOURCE_ID", "GaiaEDR3"),
    "ra_deg": ("ra", "RA_ICRS"),
    "dec_deg": ("dec", "DE_ICRS"),
    "parallax_mas": ("parallax", "Plx"),
    "parallax_error_mas": ("parallax_error", "e_Plx"),
    "pmra_mas_yr": ("pmra", "pmRA"),
    "pmra_error_mas_yr": ("pmra_error", "e_pmRA"),
    "pmdec_mas_yr": ("pmdec", "pmDE"),
    "pmdec_error_mas_yr": ("pmdec_error", "e_pmDE"),
    "pmra_pmdec_corr": ("pmra_pmdec_corr", "pmRApmDEcor"),
    "parallax_pmra_corr": ("parallax_pmra_corr", "PlxpmRAcor"),
    "parallax_pmdec_corr": ("parallax_pmdec_corr", "PlxpmDEcor"),
    "g_mag": ("phot_g_mean_mag", "Gmag"),
    "bp_rp_mag": ("bp_rp", "BP-RP", "bp_rp_mag"),
    "ruwe": ("ruwe", "RUWE"),
}
_BP, _RP = "phot_bp_mean_mag", "phot_rp_mean_mag"
_WANTED = {_BP, _RP, *releases.COLUMNS, *(name for names in NATIVE.values() for name in names)}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NEEDED = [column.name for column in STARS.columns if not column.nullable]

# Of each release: the source in the archive, and columns that have another name there.
_RELEASES = {
    "DR2": "gaiadr2.gaia_source AS s LEFT OUTER JOIN gaiadr2.ruwe AS q ON s.source_id = q.source_id",
    "DR3": "gaiadr3.gaia_source AS s",
}

_INCOMPLETE, _OUTSIDE = "without identifier, position, proper motion or parallax", "outside the cone"
UNJUDGED = "without {}, kept"  # stars that stay because they have no value to be judged by
CUTS = Table(
    "region_cuts",
    (
        Column("cluster", pa.string(), "", "region"),
        Column(
            "cut",
            pa.string(),
            "",
            "what was left out, in the order in which it was; `without ..., kept`: stars that a cut could not judge; "
            "the last row is what is left",
        ),
        Column("n", pa.int64(), "", "stars"),
    ),
)


@dataclass(frozen=True)
class Chosen:
    """Stars that count and complete ones of the cone that the cuts on quality leave out, both STARS, and CUTS.

    Scores against published lists count the latter as missed: a cut is no excuse.
    """

    stars: pa.Table
    left_out: pa.Table
    cuts: pa.Table

    def write(self, stars: Path, left_out: Path, cuts: Path) -> None:
        """Write the three tables."""
        tables.write(self.stars, stars, STARS)
        tables.write(self.left_out, left_out, STARS)
        tables.write(self.cuts, cuts, CUTS)


@dataclass(frozen=True)
class Cuts:
    """Which stars count: RUWE below max_ruwe (or unknown), G below max_g_mag (or unknown); 0 = no such cut."""

    max_ruwe: float = 1.4
    max_g_mag: float = 0.0


def query(region: Region, release: str) -> Query:
    """Question to Gaia's archive for all columns of STARS in the region's cone, whether complete or not."""
    if not region.radius_deg > 0:
        raise DataError(f"region {region.cluster}: radius_deg is {region.radius_deg:g}, expected above 0")
    asked = {name: f"s.{native[0]}" for name, native in NATIVE.items()}
    asked["ruwe"] = "q.ruwe" if release == "DR2" else "s.ruwe"
    ra, dec = region.centre.ra_deg, region.centre.dec_deg
    cone = (
        "1 = CONTAINS(POINT('ICRS', s.ra, s.dec), "
        f"CIRCLE('ICRS', {ra % 360:.10f}, {dec:.10f}, {region.radius_deg:.10f}))"
    )
    return catalogue.gaia(asked, f"{_RELEASES[release]} WHERE {cone}", "source_id")


def read(paths: Sequence[Path], release: Release) -> pa.Table:
    """Rows of the user's files, one after the other, with the columns of STARS; what a file lacks is null.

    Raises DataError for a file that cannot be read or lacks a column that every star needs, for values that are no
    numbers or that no star of Gaia has (limits.LIMITS), for identifiers that have lost digits, and for stars that are
    not of the release (release.check).
    """
    found = []
    for path in paths:
        file = files.read(path, _WANTED)
        releases.check(file, release, path)
        found.append(native(file, path))
    return pa.concat_tables(found)


def native(file: files.File, path: Path) -> pa.Table:
    """Rows of one file as the columns of STARS, complete or not; colours from BP and RP where there is no bp_rp.

    Raises DataError as `read`.
    """
    found = {ours: next((n for n in names if n in file.rows.column_names), None) for ours, names in NATIVE.items()}
    if missing := [f"{ours} ({' or '.join(NATIVE[ours])})" for ours in _NEEDED if found[ours] is None]:
        raise DataError(
            f"{path}: no column for {', '.join(missing)}; it has {file.names}; name the columns as Gaia's archive does"
        )
    rows, n = file.rows, file.rows.num_rows
    theirs = {ours: name for ours, name in found.items() if name}
    if found["bp_rp_mag"] is None and {_BP, _RP} <= set(rows.column_names):
        theirs |= {_BP: _BP, _RP: _RP}
    ids = identifiers(rows[theirs["source_id"]], f"{path}: column '{theirs.pop('source_id')}'")
    values = {o: columns.numbers(rows[name], f"{path}: column '{name}' ({o})") for o, name in theirs.items()}
    limits.check(values, theirs, ids, path)
    if _BP in values:
        values["bp_rp_mag"] = values[_BP] - values[_RP]
    real = {name: pa.array(column, from_pandas=True) for name, column in values.items()}  # NaN becomes null
    return pa.table([ids, *(real.get(name, pa.nulls(n, pa.float64())) for name in STARS.names[1:])], STARS.names)


def identifiers(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    """Give identifiers of Gaia as text (n,), null where there is none; where = file and column, for messages.

    Raises DataError for real numbers, also those written as text: they have lost digits; and for negative ones.
    """
    if pa.types.is_floating(column.type):
        raise DataError(f"{where} holds real numbers, too short for Gaia's 19 digits; store integers or text")
    codes, names = columns.texts(column, where)
    bad = [name for name in names if _NUMBER.fullmatch(name) and not name.isdecimal()]
    if bad:
        raise DataError(
            f"{where} holds {len(bad)} source_id that are numbers but no whole ones, such as {bad[0]}; expected up to "
            "19 digits: write the column as integers or text, and leave missing ones empty"
        )
    return pa.chunked_array([pa.array(names, pa.string()).take(pa.array(codes, mask=codes < 0))])


def select(rows: pa.Table, region: Region, cuts: Cuts) -> Chosen:
    """Stars of the region's cone that are complete, there once and meet the cuts, by source_id.

    A row that is there twice is dropped once. Stars without a RUWE or magnitude stay and are counted. Raises DataError
    for a source_id with different values, a cone of radius 0, and fewer than 50 stars left.
    """
    if not region.radius_deg > 0:
        raise DataError(f"region {region.cluster}: radius_deg is {region.radius_deg:g}, expected above 0")
    counts = [("rows read", rows.num_rows)]
    complete = functools.reduce(pc.and_, (pc.is_valid(rows[name]) for name in _NEEDED))
    rows = _keep(rows, complete, _INCOMPLETE, counts)
    places = (rows[axis].to_numpy().astype(float) for axis in ("ra_deg", "dec_deg"))
    rows = _keep(rows, pa.array(region.holds(*places)), _OUTSIDE, counts)
    complete_rows = rows = _once(rows, region.cluster, counts)
    asked = {name: most for name, most in (("ruwe", cuts.max_ruwe), ("g_mag", cuts.max_g_mag)) if most}
    for name, most in asked.items():
        good = pc.fill_null(pc.less(rows[name], most), True)
        rows = _keep(rows, good, f"{name} of {most:g} or above", counts)
    counts.append(("stars kept", rows.num_rows))
    if rows.num_rows < LEAST_STARS:
        said = ", ".join(f"{n} {cut}" for cut, n in counts)
        raise DataError(
            f"region {region.cluster}: {rows.num_rows} stars are left ({said}), at least {LEAST_STARS} are needed to "
            f"tell a cluster from the field; {_advice(region, counts)}"
        )
    counts[-1:-1] = [(UNJUDGED.format(name), rows[name].null_count) for name in asked]
    names = [region.cluster] * len(counts)
    table = {"cluster": names, "cut": [cut for cut, _ in counts], "n": [n for _, n in counts]}
    left_out = complete_rows.filter(pc.invert(pc.is_in(complete_rows["source_id"], rows["source_id"].combine_chunks())))
    return Chosen(rows.cast(STARS.schema), left_out.cast(STARS.schema), pa.table(table, schema=CUTS.schema))


def _advice(region: Region, counts: Sequence[tuple[str, int]]) -> str:
    """Say what may be wrong with the cut that took most of the stars."""
    cut, n = max(counts[1:-1], key=lambda one: one[1])
    wider = f"enlarge radius_deg ({region.radius_deg:g})"
    if cut == _OUTSIDE and n:
        return f"check ra_deg ({region.centre.ra_deg:g}) and dec_deg ({region.centre.dec_deg:g}), or {wider}"
    if cut == _INCOMPLETE and n:
        return "check the columns of the files"
    column = cut.split()[0]
    return f"relax clusters.cuts.max_{column}" if n and column in STARS.names else wider


def _once(rows: pa.Table, cluster: str, counts: list[tuple[str, int]]) -> pa.Table:
    different = rows.group_by(rows.column_names).aggregate([]).select(rows.column_names)
    counts.append(("rows that repeat another", rows.num_rows - different.num_rows))
    n_stars = len(different["source_id"].unique())
    if n_stars < different.num_rows:
        counted = different.group_by("source_id").aggregate([("source_id", "count")])
        example = counted.filter(pc.greater(counted["source_id_count"], 1))["source_id"].sort()[0]
        raise DataError(
            f"region {cluster}: {different.num_rows - n_stars} source_id come twice with different values, such as "
            f"{example}; a star must have one row: do not mix releases, and take out the wrong ones"
        )
    return different.sort_by("source_id")


def _keep(rows: pa.Table, flags: pa.Array, cut: str, counts: list[tuple[str, int]]) -> pa.Table:
    kept = rows.filter(flags)
    counts.append((cut, rows.num_rows - kept.num_rows))
    return kept
