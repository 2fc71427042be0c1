"""A LAMOST-like run in small: its settings, its folder, and the skies it looks at."""

import fnmatch
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from stand_in import Archives, Star, stars
from workspace import REAL_DATA, ROOT, run_snakemake

from workflow_scripts import simulate
from workflow_scripts.stages.provenance import VARIES
from workflow_scripts.surveys import demo, local


def settings(mirrors: dict[str, str]) -> dict[str, object]:
    """The published run in small: two label catalogues, spectra with S/N of 20, counterparts, references."""
    wanted = {"bands": ["r"], "radius_arcsec": 1.5}
    return {
        "run": "small",
        "shards": 1,
        "mirrors": mirrors,
        "pace": 0.01,
        "catalogues": {"spectra": {"survey": "lamost_dr9", "where": "snrg >= 20"}},
        "samples": {
            "variables": {
                "role": "labelled",
                "source": "ztf",
                "archive": wanted | {"objects": ["chen_2020", "asassn_variables"]},
            },
            "spectra": {
                "role": "science",
                "source": "ztf",
                "shards": 2,
                "archive": wanted | {"objects": ["spectra"]},
            },
        },
        "references": ["chen_2020"],
        "features": "qiao_2024",
        "training": {
            "folds": 3,
            "compare": [],
            "sky_blocks": False,
            "rounds": 40,
            "learning_rate": 0.1,
            "trees": 20,
            "permutations": 1,
            "keep_dominant": 1,
        },
    }


@dataclass
class Run:
    """A run in a folder of its own that asks servers in place of the archives."""

    folder: Path
    archives: Archives
    mirrors: dict[str, str]

    @property
    def results(self) -> Path:
        return self.folder / "results/small"

    @property
    def options(self) -> list[object]:
        config = self.folder / "run.yaml"
        if not config.exists():
            config.write_text(yaml.safe_dump(settings(self.mirrors)), encoding="utf-8")
        where = ["--snakefile", ROOT / "Snakefile", "--directory", self.folder, "--configfile", config]
        return [*where, "--rerun-incomplete"]

    def take_spectra_from(self, collection: dict[str, object], shards: int) -> None:
        """Have the light curves of the spectra come from a HATS collection, before the run begins."""
        changed = settings(self.mirrors)
        sample = {"role": "science", "source": "hats", "shards": shards, "hats": collection}
        changed["samples"] |= {"spectra": sample}
        (self.folder / "run.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")

    def snakemake(self, *more: object) -> subprocess.CompletedProcess:
        return run_snakemake(self.folder, *more, *self.options, cores=2, timeout=1200)

    def read(self, name: str | Path) -> pa.Table:
        return pq.read_table(self.results / name, partitioning=None)

    def spectra(self, name: str) -> list[pa.Table]:
        """Shards of a table of the sample to be classified."""
        return [self.read(path.relative_to(self.results)) for path in sorted(self.results.glob(f"{name}/spectra/*"))]

    def tables(self) -> dict[str, bytes]:
        """Everything that a run ends with but what cannot be the same twice: logs, dates, downloads with dates."""
        found = {p.relative_to(self.results).as_posix(): p for p in self.results.rglob("*") if p.is_file()}
        kept = [name for name in found if not any(fnmatch.fnmatchcase(name, pattern) for pattern in VARIES)]
        return {name: found[name].read_bytes() for name in kept if "downloads" not in name.split("/")}


def simulated() -> tuple[list[Star], list[Star]]:
    """Stars of the demo survey (SIMULATED): to learn from, and to classify."""
    known = simulate.simulate(260, "labelled", "known", demo.generator(1, "known"))
    field = simulate.simulate(40, "field", "field", demo.generator(1, "field"))
    return stars(known), stars(field)


def catalina() -> tuple[list[Star], list[Star]]:
    """Real stars of the Catalina surveys: fifty of each of five classes to learn from, forty to classify."""
    folder = REAL_DATA / "crts_sss_variables"
    if not folder.is_dir():
        pytest.skip(f"no real survey data: {folder} does not exist")
    source = local.LocalSource("CRTS SSS", "tables", {"time": "mjd", "catalogue_period_d": "period_d"}, "mjd", 1, [])
    objects = pq.read_table(folder / "objects.parquet")
    chosen = [
        name
        for label in ("EA", "EW", "LPV", "RRAB", "RRC")
        for name in objects.filter(pc.equal(objects["class"], label))["object_id"][:58].to_pylist()
    ]
    curves = pq.read_table(folder / "light_curves.parquet", filters=[("object_id", "in", chosen)])
    with tempfile.TemporaryDirectory() as place:
        pq.write_table(curves, Path(place) / "curves.parquet")
        pq.write_table(objects.filter(pc.is_in(objects["object_id"], pa.array(chosen))), Path(place) / "stars.parquet")
        sample = local.read([Path(place) / "curves.parquet"], [Path(place) / "stars.parquet"], [], source)
    found = stars(sample)
    last = {name for label in range(5) for name in map(str, chosen[58 * label + 50 : 58 * label + 58])}
    return [star for star in found if star.name not in last], [star for star in found if star.name in last]
