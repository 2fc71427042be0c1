"""Stage of rule select_regions: the open clusters that are large enough, and those that the run names."""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workflow_scripts import edge, tables
from workflow_scripts.archives import tap
from workflow_scripts.archives.query import Query
from workflow_scripts.clustering import fields, regions
from workflow_scripts.clustering.regions import OPEN_CLUSTERS
from workflow_scripts.surveys import columns, registry
from workflow_scripts.surveys.mirrors import mirrored
from workflow_scripts.tables import DataError

# Columns of VizieR B/ocl that the plug-in of the catalogue has no use for.
_MORE = {"distance_pc": "Dist", "pmra_mas_yr": "pmRA", "pmdec_mas_yr": "pmDE", "radial_velocity_km_s": "RV"}


def main(
    catalogue: list[Path],
    open_clusters: Path,
    named: list[str],
    least_diameter_arcmin: float,
    folder: Path,
    mirrors: dict[str, str],
    pace: float,
    seed: int,
) -> None:
    """Read clusters.dat of VizieR B/ocl where the user has it, else ask VizieR; write OPEN_CLUSTERS by name."""
    rows = regions.read_dias(_text(catalogue[0])) if catalogue else _from_vizier(folder, mirrors, pace, seed)
    for name in named:
        fields.named(rows, name)
    tables.write(regions.select(rows, named, least_diameter_arcmin), open_clusters, OPEN_CLUSTERS)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise DataError(f"clusters.catalogue: {path} cannot be read ({error.strerror}); check the path") from error


def _from_vizier(folder: Path, mirrors: dict[str, str], pace: float, seed: int) -> pa.Table:
    survey = registry.load("dias_2002").paced(pace)
    origin = survey.catalogue.origin if survey.catalogue else None
    if not isinstance(origin, Query):
        raise DataError("surveys/plugins/dias_2002.py: expected a catalogue that is asked for by a Query")
    query = dataclasses.replace(origin, columns={**origin.columns, **_MORE})
    path = folder / "open_clusters.parquet"
    tap.fetch(mirrored(query, mirrors), path, survey.manners, np.random.default_rng(seed))
    rows = pq.read_table(path, partitioning=None)
    numbers = {
        name: pa.array(columns.numbers(rows[name], f"{survey.title}: column '{name}'"), from_pandas=True)
        for name in OPEN_CLUSTERS.names[1:]
    }
    return pa.table({"cluster": rows["object_id"].cast(pa.string()), **numbers}, schema=OPEN_CLUSTERS.schema)


if __name__ == "__main__":
    edge.run(main)
