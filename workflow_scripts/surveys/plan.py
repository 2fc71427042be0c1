"""What a run will ask of the archives, said before it asks: rows, jobs, requests and the least time they take."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from workflow_scripts import dust, input_files
from workflow_scripts.archives import tap
from workflow_scripts.archives.query import Query
from workflow_scripts.surveys import registry
from workflow_scripts.surveys.catalogue import Catalogue
from workflow_scripts.tables import SOURCES


def lines(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each catalogue that the run downloads, each sample of an archive, the dust map, each region.

    config is complete. Numbers are the published ones, before any condition: upper limits, times are lower limits.
    """
    for name in used(config):
        wanted = config["catalogues"].get(name, {"survey": name, "where": ""})
        survey = registry.load(wanted["survey"])
        if survey.catalogue:
            yield f"catalogue {name}: {survey.title}, {_size(survey.catalogue, wanted['where'])}"
    for name, sample in config["samples"].items():
        if input_files.catalogues(sample):
            yield f"sample {name}: {_requests(config, sample)}"
    if input_files.DUST_MAP in input_files.dust_maps(config):
        yield f"dust map: Bayestar19, 0.73 GB, 1 file from {dust.BAYESTAR19.service}"
    yield from _regions(config["clusters"])


def _regions(clusters: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the branch of open clusters asks for."""
    regions = clusters["regions"]
    if any(region["cluster"] for region in regions.values()) and not clusters["catalogue"]:
        survey = registry.load("dias_2002")
        if survey.catalogue:
            yield f"open clusters: {survey.title}, {_size(survey.catalogue, '')}"
    for name, region in regions.items():
        if region["source"] in ("gaia_dr2", "gaia_dr3"):
            radius = f"{region['radius_deg']:g} deg" if "radius_deg" in region else f"the cone of {region['cluster']}"
            yield (
                f"region {name}: {registry.load(region['source']).title} within {radius}; its stars are counted first, "
                "and asked for in one job, or in parts below the limit of the archive"
            )


def used(config: Mapping[str, Any]) -> list[str]:
    """Names of the catalogues that samples and references need, each once."""
    names = [name for sample in config["samples"].values() for name in input_files.catalogues(sample)]
    return list(dict.fromkeys([*names, *config["references"]]))


def _size(catalogue: Catalogue, where: str) -> str:
    rows = f"{catalogue.rows:,} rows{f' before the condition {where}' if where else ''}"
    if isinstance(catalogue.origin, Query):
        return f"{rows}, {_count(catalogue.parts, 'job')} at {catalogue.origin.service}"
    return f"{rows}, {_count(len(catalogue.origin.requests), 'file')} from {catalogue.origin.requests[0].service}"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _requests(config: Mapping[str, Any], sample: Mapping[str, Any]) -> str:
    """Objects at most, requests for their light curves, and the time that the host's interval makes of them."""
    objects = min(_rows(config, name) for name in input_files.catalogues(sample))
    objects = min(objects, sample.get("archive", {}).get("at_most") or objects)
    said = f"at most {_count(objects, 'object')}; "
    uploads = _count(math.ceil(objects / tap.CHUNK_ROWS), "upload")
    if input_files.has_counterparts(sample):
        said += f"{uploads} to the Gaia archive for counterparts; "
    if sample["source"] == "hats":
        return f"{said}the partitions of {sample['hats']['collection']} in their reach"
    survey = registry.load(sample["source"])
    curves = survey.light_curves
    if curves is None or curves.source is None:
        return said + "no archive"
    source = curves.source(SOURCES.schema.empty_table(), sample["archive"]["radius_arcsec"])
    if curves.find:
        said += f"{uploads} to {curves.find(0.001).service}; "
    if source.file:
        whole = f"; there are {source.extent}" if source.extent else ""
        return f"{said}{source.name}, each with the light curves of many objects and kept{whole}"
    requests = math.ceil(objects / source.batch)
    hours = requests * survey.manners.interval_s / 3600
    return f"{said}{_count(requests, 'request')} for light curves to {source.name}, at least {hours:.1f} h at its pace"


def _rows(config: Mapping[str, Any], name: str) -> int:
    catalogue = registry.load(config["catalogues"].get(name, {"survey": name})["survey"]).catalogue
    return catalogue.rows if catalogue else 0
