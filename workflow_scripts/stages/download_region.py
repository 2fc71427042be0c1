"""Stage of rule download_region: the stars of a cone from Gaia's archive, in parts below its limit of rows."""

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workflow_scripts import edge, tables
from workflow_scripts.archives import tap
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.query import Query
from workflow_scripts.clustering import fields, gaia
from workflow_scripts.clustering.regions import OPEN_CLUSTERS
from workflow_scripts.surveys.catalogue import ASK_GENTLY, GAIA_LIMIT
from workflow_scripts.surveys.files import File
from workflow_scripts.surveys.mirrors import mirrored

_LOG = logging.getLogger(__name__)
MANNERS = ASK_GENTLY
PART_ROWS = 5 * GAIA_LIMIT // 6  # the parts are of equal size but for chance


def main(
    open_clusters: list[Path],
    region_file: Path,
    stars: Path,
    left_out: Path,
    cuts: Path,
    wanted: fields.Wanted,
    limits: gaia.Cuts,
    folder: Path,
    mirrors: dict[str, str],
    pace: float,
    seed: int,
    region: str,
) -> None:
    """Write the region, its stars and what was left out; the archive's answers stay in folder."""
    known = tables.read(open_clusters[0], OPEN_CLUSTERS) if open_clusters else None
    place = fields.resolve(region, wanted, f"Gaia {wanted.release}", known)
    query = mirrored(gaia.query(place.region, wanted.release), mirrors)
    chosen = gaia.select(_rows(query, folder, MANNERS.paced(pace), np.random.default_rng(seed)), place.region, limits)
    fields.write(place, region_file)
    chosen.write(stars, left_out, cuts)


def _rows(query: Query, folder: Path, manners: Manners, rng: np.random.Generator) -> pa.Table:
    """All rows of the cone; a large one in parts by random_index."""
    total = tap.count(dataclasses.replace(query, max_rows=2**31 - 1), manners, rng)
    parts = max(1, -(-(total or 0) // PART_ROWS))
    found = []
    for part in range(parts):
        source = f"{query.source} AND MOD(s.random_index, {parts}) = {part}" if parts > 1 else query.source
        path = folder / f"part_{part:02d}_of_{parts:02d}.parquet"
        tap.fetch(dataclasses.replace(query, source=source), path, manners, rng)
        rows = pq.read_table(path, partitioning=None).replace_schema_metadata(None)
        renamed = rows.rename_columns([gaia.NATIVE[name][0] for name in rows.column_names])
        found.append(gaia.native(File(path, renamed.column_names, renamed), path))
        _LOG.info("part %d of %d: %d stars", part + 1, parts, rows.num_rows)
    return pa.concat_tables(found)


if __name__ == "__main__":
    edge.run(main)
