"""What goes into a run from outside, by branch, as the settings name it: files, archives' tables, simulated samples."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Branch = Literal["catalogue", "clusters"]
DUST_MAP = "results/dust/bayestar2019.h5"


@dataclass(frozen=True)
class Inputs:
    """Files as (what, whose, path), samples whose light curves archives gave, and samples or regions simulated."""

    files: tuple[tuple[str, str, str], ...]
    from_archives: tuple[str, ...]
    simulated: tuple[str, ...]


def inputs(config: Mapping[str, Any], branch: Branch) -> Inputs:
    """Give the inputs of a branch; what an archive gave is named by the run's table of it."""
    samples, regions = config["samples"], config["clusters"]["regions"]
    if branch == "clusters":
        return Inputs(tuple(_of_clusters(config, regions)), (), _from(regions, "demo"))
    curves = tuple(name for name, s in samples.items() if s["source"] not in ("demo", "local"))
    return Inputs(tuple(_of_catalogue(config, samples)), curves, _from(samples, "demo"))


def from_user(config: Mapping[str, Any]) -> list[str]:
    """Paths of all files and folders that the settings name, as they name them."""
    run = f"results/{config['run']}/"
    named = [path for branch in ("catalogue", "clusters") for *_, path in inputs(config, branch).files]
    collections = [s["hats"]["collection"] for s in config["samples"].values() if s["source"] == "hats"]
    mine = [path for path in named if not path.startswith(run) and path != DUST_MAP]
    return sorted({*mine, *(path for path in collections if "://" not in path)})


def stamps(paths: Iterable[str]) -> list[tuple[str, int, int]]:
    """Path, bytes and time [ns] of each file or folder that there is; what is missing is named by whoever reads it."""
    found = [(path, os.stat(path)) for path in paths if os.path.exists(path)]
    return [(path, status.st_size, status.st_mtime_ns) for path, status in found]


def has_counterparts(sample: Mapping[str, Any]) -> bool:
    """Whether the Gaia archive is asked for the magnitudes of a sample's objects."""
    return any(sample.get(source, {}).get("counterparts", False) for source in ("archive", "hats"))


def dust_maps(config: Mapping[str, Any]) -> list[str]:
    """Path of the dust map, where one is used: a sample has counterparts whose magnitudes it corrects."""
    dust, wanted = config["dust"], any(has_counterparts(sample) for sample in config["samples"].values())
    return [dust["file"] or DUST_MAP] if wanted and dust["map"] != "none" else []


def catalogues(sample: Mapping[str, Any]) -> list[str]:
    """Names of the catalogues that list the objects of a sample of an archive or a collection; none = no list."""
    listed = [*sample.get("archive", {}).get("objects", []), sample.get("hats", {}).get("objects")]
    return [name for name in listed if name]


def _from(parts: Mapping[str, Any], source: str) -> tuple[str, ...]:
    return tuple(name for name, part in parts.items() if part["source"] == source)


def _of_catalogue(config: Mapping[str, Any], samples: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    run = f"results/{config['run']}"
    for name, sample in samples.items():
        for kind in ("light_curves", "objects", "photometry"):
            for path in sample.get("local", {}).get(kind, []) if sample["source"] == "local" else []:
                yield kind.replace("_", " "), name, path
        yield from (("catalogue", name, f"{run}/published/{one}.parquet") for one in catalogues(sample))
        if has_counterparts(sample):
            yield "counterparts", name, f"{run}/samples/{name}/counterparts.parquet"
    yield from (("catalogue", "references", f"{run}/published/{one}.parquet") for one in config["references"])
    yield from (("dust map", "", path) for path in dust_maps(config))


def _of_clusters(config: Mapping[str, Any], regions: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    run = f"results/{config['run']}/clusters"
    if config["clusters"]["catalogue"]:
        yield "open clusters", "", config["clusters"]["catalogue"]
    elif any(region["cluster"] for region in regions.values()):
        yield "open clusters", "", f"{run}/open_clusters.parquet"
    for name, region in regions.items():
        if region["source"] == "local":
            yield from (("stars", name, path) for path in region["stars"])
        elif region["source"] != "demo":
            yield "stars", name, f"{run}/{name}/stars.parquet"
        yield from ((f"member list {title}", name, path) for title, path in region["lists"].items())
