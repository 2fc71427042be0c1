"""A small simulated region as the first stages of the cluster branch leave it; for the tests of the others."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from workspace import ROOT

sys.path.append(str(ROOT / "tests" / "clustering"))

from simulated_region import Cluster, region

from workflow_scripts import tables
from workflow_scripts.clustering import fields, selection
from workflow_scripts.clustering.regions import Region
from workflow_scripts.clustering.space import Centre
from workflow_scripts.clustering.stars import STARS, Locus

LOCUS = Locus(6.0, -9.0, 2.5)
CENTRE = Centre(130.0, 20.0)


@dataclass(frozen=True)
class Prepared:
    """Files of a region in a folder, and which stars are of its cluster."""

    folder: Path
    truth: np.ndarray

    @property
    def inputs(self) -> dict[str, Path]:
        return {"region_file": self.folder / "region.parquet", "stars": self.folder / "stars.parquet"}

    @property
    def outputs(self) -> dict[str, Path]:
        return {"selections": self.folder / "selections.parquet", "notes": self.folder / "notes.parquet"}

    @property
    def rows(self) -> pa.Table:
        return tables.read(self.inputs["stars"], STARS)

    def found(self) -> dict[str, selection.Selection]:
        table = tables.read(self.outputs["selections"], selection.SELECTIONS)
        return {one.method: one for one in selection.read(table, self.rows)}

    def said(self) -> dict[tuple[str, str], str]:
        rows = tables.read(self.outputs["notes"], selection.NOTES).to_pylist()
        return {(row["method"], row["note"]): row["value"] for row in rows}


def prepared(
    folder: Path,
    n_cluster: int = 150,
    n_field: int = 600,
    locus: Locus | None = None,
    seed: int = 5,
    centre: Centre = CENTRE,
):
    """Write a region whose locus is known or not; n_cluster = 0 for a field alone."""
    clusters = (Cluster(LOCUS, n=n_cluster),) if n_cluster else ()
    made = region(np.random.default_rng(seed), clusters, n_field=n_field, centre=(centre.ra_deg, centre.dec_deg))
    one = Prepared(folder, made.truth == 0)
    folder.mkdir(exist_ok=True)
    tables.write(made.stars, one.inputs["stars"], STARS)
    tables.write(made.stars.slice(0, 0), folder / "left_out.parquet", STARS)
    origin = "configuration" if locus else "none"
    cone = Region("M 1", centre, 1.0)
    fields.write(fields.Field(cone, "test region (SIMULATED)", "DR3", 0.66, origin, locus), one.inputs["region_file"])
    return one


def f1(found: np.ndarray, truth: np.ndarray) -> float:
    return 2 * (found & truth).sum() / (found.sum() + truth.sum())
