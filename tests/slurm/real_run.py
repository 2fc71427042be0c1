"""The real workflow on a survey and a region as small as they can be; only the catalogues and what they need."""

from pathlib import Path

import yaml
from slurm_cluster import Cluster
from slurm_runs import Started, site_profile, start
from workspace import ROOT

SAMPLES = ("known", "field")
CONFIG = {
    "run": "small",
    "shards": 2,
    "samples": {
        "known": {"role": "labelled", "source": "demo", "demo": {"objects": 400}},
        "field": {"role": "science", "source": "demo", "demo": {"objects": 60, "mix": "field"}},
    },
    "training": {"folds": 3, "compare": [], "rounds": 10, "learning_rate": 0.2, "trees": 10, "sky_blocks": False},
    "clusters": {
        "kmeans": {"most": 4},
        "dec": {"seeds": 2, "hidden": [20], "epochs": 2, "steps": 20},
        "regions": {
            "cluster": {
                "source": "demo",
                "ra_deg": 0,
                "dec_deg": -60,
                "radius_deg": 1,
                "demo": {"members": 150, "field": 450},
            }
        },
    },
}
CATALOGUES = [
    f"catalogue/{s}/{k}.{end}"
    for s in SAMPLES
    for k in ("catalogue", "suspected")
    for end in ("parquet", "fits", "vot")
]
CLUSTERS = [
    f"clusters/cluster/{name}" for name in ("members.parquet", "members.fits", "members.vot", "cluster.parquet")
]
ON_GPU = {"dec": {"gpu": 1}}  # the fake GPU computes nothing: the rule asks SLURM for it and runs on the CPU


def options(folder: Path) -> list[object]:
    """Snakefile, folder and settings of the run."""
    config = folder / "small.yaml"
    config.write_text(yaml.safe_dump(CONFIG))
    return ["--snakefile", ROOT / "Snakefile", "--directory", folder, "--configfile", config]


def results(*names: str) -> list[str]:
    """Paths of results as Snakemake is asked for them."""
    return [f"results/small/{name}" for name in names]


def start_local(folder: Path) -> Started:
    """Start the run on this machine."""
    return start(None, folder, *results(*CATALOGUES, *CLUSTERS), "--cores", 2, *options(folder))


def start_on(cluster: Cluster, folder: Path, targets: list[str] | None = None) -> Started:
    """Start the run, or some targets of it, on the cluster."""
    profile = site_profile(folder / "profile", ON_GPU)
    wanted = results(*(targets or [*CATALOGUES, *CLUSTERS]))
    return start(cluster, folder, *wanted, "--workflow-profile", profile, *options(folder))
