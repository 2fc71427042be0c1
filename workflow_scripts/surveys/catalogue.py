"""The catalogue of a survey: what to ask an archive for, in how many parts, and which rows count."""

import dataclasses
import gzip
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from workflow_scripts.archives import http
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.query import Query
from workflow_scripts.surveys.files import is_gzip
from workflow_scripts.tables import DataError

GAIA_URL = "https://gea.esac.esa.int/tap-server/tap"
VIZIER_URL = "https://tapvizier.cds.unistra.fr/TAPVizieR/tap"
# Columns of gaia_source, the same in every release.
GAIA_SOURCE = {
    "object_id": "source_id",
    "ra_deg": "ra",
    "dec_deg": "dec",
    "parallax_mas": "parallax",
    "parallax_err_mas": "parallax_error",
    "pm_ra_mas_yr": "pmra",
    "pm_ra_err_mas_yr": "pmra_error",
    "pm_dec_mas_yr": "pmdec",
    "pm_dec_err_mas_yr": "pmdec_error",
    "g_mag": "phot_g_mean_mag",
    "bp_mag": "phot_bp_mean_mag",
    "rp_mag": "phot_rp_mean_mag",
}
GAIA_LIMIT = 3_000_000  # rows of one anonymous job
ASK_GENTLY = Manners(at_once=1, timeout_s=120.0, budget_s=7200.0)


@dataclass(frozen=True)
class Files:
    """Files of a web server that make up a catalogue.

    `read` turns one into rows with the columns of SOURCES (those it lacks stay null), object_id as text; it raises
    DataError for a file in another format.
    """

    requests: tuple[http.Request, ...]
    read: Callable[[Path], pa.Table]
    digests: Mapping[str, http.Digests] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Catalogue:
    """Objects with positions at epoch_yr, and where the catalogue has them classes and periods.

    A Query selects columns under the names of SOURCES (those it lacks stay null) and others, for `identity` and
    `best`; its source has no WHERE. rows = the published number. split_on = an integer expression, never null or
    negative, by which a catalogue beyond a service's limit is asked for in `parts` jobs. classes = names of the
    catalogue's codes. `identity` are the columns that make up object_id, with a dot between them. Of several rows of
    one object the one with the largest `best` stays; without `best` the first does, and rows that disagree on its
    class are an error.
    """

    origin: Query | Files
    rows: int
    # ASSUME positions hold at epoch_yr; where a catalogue states no epoch it is the middle of its observations.
    epoch_yr: float
    parts: int = 1
    split_on: str = ""
    classes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    identity: tuple[str, ...] = ("object_id",)
    best: str = ""

    @property
    def limit(self) -> int | None:
        """Rows that its jobs can bring together; None = no limit."""
        return self.parts * (self.origin.max_rows - 1) if isinstance(self.origin, Query) else None


def gaia(columns: Mapping[str, str], source: str, unique: str = "object_id") -> Query:
    """Question to the archive of Gaia, which has external catalogues too."""
    return Query("Gaia archive", GAIA_URL, columns, source, GAIA_LIMIT, (unique,))


def vizier(columns: Mapping[str, str], table: str, rows: int, unique: tuple[str, ...] = ("object_id",)) -> Query:
    """Question for a table of VizieR; `rows` is what one job may bring, with room for a table that has grown."""
    return Query("VizieR", VIZIER_URL, columns, f'"{table}"', rows + rows // 5 + 1000, unique)


def lines(path: Path) -> Iterator[str]:
    """Lines of a text file, compressed by gzip or not, without comments (#); raises DataError if it cannot be read."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") if is_gzip(path) else path.open(encoding="utf-8") as text:
            yield from (line for line in text if line.strip() and not line.startswith("#"))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a whole text file ({error}); delete it and run again") from error


def jobs(catalogue: Catalogue, where: str) -> list[Query]:
    """Give the queries, one a part, for the rows that meet `where` (ADQL on the archive's own columns, "" = all).

    Raises DataError for a catalogue that is larger than its jobs can bring and has no condition, and for a condition on
    files.
    """
    origin, limit = catalogue.origin, catalogue.limit
    if isinstance(origin, Files):
        if where:
            raise DataError(
                f"where: {where!r} cannot be asked of {_host(origin)}: it gives whole files; leave it empty"
            )
        return []
    if not where and limit is not None and catalogue.rows > limit:
        raise DataError(
            f"where: {origin.service} gives at most {limit} rows in {catalogue.parts} jobs, {origin.source} has "
            f'{catalogue.rows}; say which rows are wanted, in ADQL on its own columns, such as where: "dec > 60"'
        )
    conditions = [f"({where})"] if where else []
    parts = [
        [*conditions, f"MOD({catalogue.split_on}, {catalogue.parts}) = {part}"] if catalogue.parts > 1 else conditions
        for part in range(catalogue.parts)
    ]
    return [
        dataclasses.replace(origin, source=f"{origin.source} WHERE {' AND '.join(part)}") if part else origin
        for part in parts
    ]


def _host(origin: Files) -> str:
    return origin.requests[0].service
