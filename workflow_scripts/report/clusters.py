"""The report of the open clusters: what was found in each region, how the methods compare, what speaks against it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from workflow_scripts.assumptions import Assumption
from workflow_scripts.clustering import choice, published
from workflow_scripts.clustering.space import Centre, turned
from workflow_scripts.clustering.stars import ASTROMETRY, Locus
from workflow_scripts.report import extent, given, settings
from workflow_scripts.report.page import MISSING, Item, Note, Page, Picture, Section, Table, count, figure, share

_MEANS = (("pmra", "mas_yr"), ("pmdec", "mas_yr"), ("parallax", "mas"))
# A cone so wide that motions across it hang on the radial velocity: space.Centre says by how much.
_WIDE_DEG = 1.0
_LEAST_F1 = 0.1  # with the members; a group of ten times as many stars that holds them all has 0.18
_MOST_MEDIAN = 0.05  # share of the stars whose errors are not their own
_OF_ONE = re.compile(r"(seed|silhouette_)\s*\d+")  # notes of one seed, of one number of groups: notes.parquet has them


@dataclass(frozen=True)
class Region:
    """What a run wrote of one region: its tables, and the diagrams as PNG.

    The tables are fields.FIELD, gaia.CUTS, summary.CLUSTERS and METHODS, compare.AGREEMENT, selection.NOTES and
    OVERDENSITIES.
    """

    field: pa.Table
    cuts: pa.Table
    cluster: pa.Table
    methods: pa.Table
    agreement: pa.Table
    notes: pa.Table
    overdensities: pa.Table
    diagrams: bytes


def page(
    run: str, regions: Mapping[str, Region], configuration: Mapping[str, Any], assumptions: Sequence[Assumption]
) -> Page:
    """Give the report of a run's regions, by name."""
    simulated = [name for name, region in regions.items() if "SIMULATED" in region.field["survey"][0].as_py()]
    banner = f"This run contains SIMULATED stars: {', '.join(simulated)}. No telescope has seen them."
    rests_on = Section("Configuration and assumptions", tuple(settings.items(configuration, assumptions)))
    return Page(
        title=f"Variable Sky: open clusters of run {run}",
        banner=banner if simulated else "",
        summary=(_clusters(regions),),
        sections=(*(Section(name, tuple(_region(name, one))) for name, one in regions.items()), rests_on),
    )


def warnings(region: Region) -> Iterator[str]:
    """Give what the reader must know before using the members."""
    (found,) = region.cluster.to_pylist()
    if found["reason"]:
        yield f"No cluster: {found['reason']}."
    if found["doubt"]:
        yield f"{found['doubt']}."
    yield from extent.warnings(found)
    (place,) = region.field.to_pylist()
    yield from given.warnings(place, region.cuts)
    if place["radius_deg"] > _WIDE_DEG and not place["radial_velocity_km_s"]:
        yield (
            "No radial velocity is known, and the cone is wide: how motions change with it towards the edge is taken "
            "for the cluster's spread. Give radial_velocity_km_s."
        )
    for row in _others(region.overdensities, found, place):
        yield (
            f"The blind search finds a cluster of {count(row['n_members'])} stars ({row['significance']:.1f} sigma) at "
            f"RA {row['ra_deg']:.4f}, Dec {row['dec_deg']:+.4f} deg that the members are not of; if it is the one that "
            f"is meant, give locus: [{row['pmra_mas_yr']:.3f}, {row['pmdec_mas_yr']:.3f}, {row['parallax_mas']:.3f}]."
        )
    for method, f1 in () if found["reason"] else _elsewhere(region):
        yield f"{method}: F1 {f1:.3f} with the members: its group is another, or mostly the field."
    for reference, limit in _silent(region.agreement):
        yield f"{reference}: no star of the list is in the region{limit}: it judges nothing. Is it of this cluster?"
    yield from _warned(region.notes, found["n_stars"])


def _warned(notes: pa.Table, n_stars: int) -> Iterator[str]:
    """Give what the methods say of themselves that is a warning; n_stars = of the region."""
    for row in notes.to_pylist():
        method, note, value = row["method"], row["note"], row["value"]
        if value.startswith("WORSE") or note in ("few seeds", "no cluster"):
            yield f"{method}, {note}: {value}."
        elif note == "edge" and value != "none":
            yield f"{method}: the best number of groups is the {value} end of those that were tried."
        elif note == "errors" and value != "deconvolved":
            yield f"{method}: errors {value}."
        elif note == "stars_with_median_errors" and float(value) > _MOST_MEDIAN * n_stars:
            missing = share(float(value), n_stars)
            yield f"{method}: errors of {missing} of the stars are missing; the median of the others stands for them."
        elif value.startswith("LEFT OUT") or "NOT USED" in value:
            yield f"{method}, {note}: {value}."


def _others(overdensities: pa.Table, found: Mapping[str, Any], place: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the clusters of the blind search that are not the published one; all of them where nothing is published."""
    rows: list[dict[str, Any]] = overdensities.to_pylist()
    if found["pmra_mas_yr"] is None:
        return rows
    region = Centre(place["ra_deg"], place["dec_deg"], place["radial_velocity_km_s"])  # whose axes the search has
    published_locus = turned(_locus(found), Centre(found["ra_deg"], found["dec_deg"]), region)
    return [row for row in rows if not choice.is_same(_locus(row), published_locus)]


def _locus(row: Mapping[str, Any]) -> Locus:
    return Locus(*(row[name] for name in ASTROMETRY))


def _elsewhere(region: Region) -> Iterator[tuple[str, float]]:
    """Give the methods whose group is not that of the final members, with their F1."""
    chosen = {row["method"] for row in region.methods.to_pylist() if row["n"]}
    for row in region.notes.to_pylist():
        if row["note"] == published.AGREES and row["method"] in chosen and float(row["value"]) < _LEAST_F1:
            yield row["method"], float(row["value"])


def _silent(agreement: pa.Table) -> list[tuple[str, str]]:
    """Give the lists without a star in the region, each with the limit of magnitude."""
    rows = [row for row in agreement.to_pylist() if not row["n_reference"]]
    return list(dict.fromkeys((row["reference"], _limit(row, " to G = {:g}", "")) for row in rows))


def _limit(row: Mapping[str, Any], text: str, otherwise: str) -> str:
    return otherwise if row["g_limit_mag"] is None else text.format(row["g_limit_mag"])


def _clusters(regions: Mapping[str, Region]) -> Table:
    return Table(
        name="clusters",
        caption="What was found: members have a probability above 0.5; means with their standard errors, to which the "
        "systematic ones of Gaia come (below each region); the field's share is what the probabilities expect; r50 is "
        "that of the stars in the cone, a lower limit where the cluster goes beyond it. Motions and r50 are seen from "
        "the centre that the members fit best (given below). In parentheses: limits at one sigma.",
        header=(
            *("Region", "Stars", "Members", "Field's share", "Sigma over a field"),
            *("pm in RA [mas/yr]", "pm in Dec [mas/yr]", "Parallax [mas]", "Distance [pc]", "r50 [deg]"),
        ),
        rows=tuple((name, *_found(region.cluster.to_pylist()[0])) for name, region in regions.items()),
    )


def _found(row: Mapping[str, Any]) -> Iterator[str]:
    members = count(row["n_members"]) + (", doubted" if row["doubt"] else "")
    yield from (count(row["n_stars"]), members, share(row["contamination"]))
    yield f"{row['significance']:.1f}"
    yield from (_mean(row, quantity, unit) for quantity, unit in _MEANS)
    yield _limited(row, "distance", "pc", "{:.1f}".format)
    yield figure(row["r50_deg"])


def _limited(row: Mapping[str, Any], name: str, unit: str, text: Callable[[float], str] = figure) -> str:
    """Give a value with its limits at one sigma."""
    value, low, high = (
        MISSING if (number := row[f"{name}{which}_{unit}"]) is None else text(number) for which in ("", "_low", "_high")
    )
    return value if value == MISSING or low == high == MISSING else f"{value} ({low} to {high})"


def _mean(row: Mapping[str, Any], quantity: str, unit: str) -> str:
    value, error = row[f"{quantity}_{unit}"], row[f"{quantity}_se_{unit}"]
    if value is None:
        return MISSING
    return f"{value:.3f}" if error is None else f"{value:.3f} ± {error:.3f}"


def _region(name: str, region: Region) -> Iterator[Item]:
    yield Note(_place(region))
    yield from (Note(text, warning=True) for text in warnings(region))
    yield Picture(
        name=f"diagrams_{name}",
        caption="Members over the stars of the field. Members that are no sequence in colour and magnitude, or that do "
        "not gather on the sky, are an objection to them.",
        png=region.diagrams,
        alt=f"Proper motions, parallaxes, colours and magnitudes, and the sky of {name}, members marked.",
    )
    yield _methods(name, region.methods)
    yield from _agreement(name, region.agreement)
    yield from _details(name, region)


def _place(region: Region) -> str:
    (at,), (found,) = region.field.to_pylist(), region.cluster.to_pylist()
    where = f"{at['survey']}, within {at['radius_deg']:g} deg of RA {at['ra_deg']:.4f}, Dec {at['dec_deg']:+.4f} deg. "
    rule = given.rule(at)
    if found["ra_deg"] is not None:
        rule += f"The members gather around RA {found['ra_deg']:.3f}, Dec {found['dec_deg']:+.3f} deg. "
        rule += extent.told(found)
    motion, parallax = found["pm_systematic_mas_yr"], found["parallax_systematic_mas"]
    return f"{where}{rule}Systematic errors of the means: {motion:g} mas/yr and {parallax:g} mas."


def _methods(name: str, methods: pa.Table) -> Table:
    return Table(
        name=f"methods_{name}",
        caption="The cluster as each method sees it, in the layout of Alvaro (2020), on the same stars: means with "
        "standard errors, and dispersions with their limits at one sigma, the stars' errors taken out where there are "
        "any: a dispersion whose lower limit is 0 need not be there. That of the parallaxes is an upper limit of the "
        "depth: what their errors are larger than the catalogue says is in it. Those of the motions have the depth in "
        "them, as near stars move faster; methods.parquet has the correlations, which take it out.",
        groups=(("", 2), *((text, 2) for text in ("pm in RA [mas/yr]", "pm in Dec [mas/yr]", "parallax [mas]"))),
        header=("Method", "Stars", *("mean", "dispersion") * 3),
        rows=tuple(
            (
                row["method"],
                count(row["n"]),
                *(
                    text
                    for quantity, unit in _MEANS
                    for text in (_mean(row, quantity, unit), _limited(row, f"{quantity}_dispersion", unit))
                ),
            )
            for row in methods.to_pylist()
        ),
    )


def _agreement(name: str, agreement: pa.Table) -> Iterator[Table]:
    """One table per published list, the other lists among the methods."""
    for number, reference in enumerate(dict.fromkeys(agreement["reference"].to_pylist()), start=1):
        rows = [row for row in agreement.to_pylist() if row["reference"] == reference]
        limit = _limit(rows[0], "to G = {:g}", "of any magnitude, as no star of it has one")
        yield Table(
            name=f"agreement_{name}_{number}",
            caption=f"Judged by {reference}: {count(rows[0]['n_reference'])} stars of the list lie in the region, "
            f"{limit}. How far published lists agree with each other is the limit of all this.",
            header=("Selection", "Stars", "In both", "Recall", "Precision", "F1"),
            rows=tuple(
                (
                    row["selection"],
                    *(count(row[key]) for key in ("n_selected", "n_both")),
                    *(_score(row[key]) for key in ("recall", "precision", "f1")),
                )
                for row in rows
            ),
        )


def _score(value: float | None) -> str:
    return MISSING if value is None else f"{value:.3f}"


def _details(name: str, region: Region) -> Iterator[Table]:
    yield Table(
        name=f"cuts_{name}",
        caption="Stars that each cut left out, in the order of the cuts, and those that have no value to be judged by "
        "and are kept; the last line is what all methods saw.",
        header=("Cut", "Stars"),
        rows=tuple((row["cut"], count(row["n"])) for row in region.cuts.to_pylist()),
    )
    yield Table(
        name=f"overdensities_{name}",
        caption="Clusters found in the same stars when nothing is known beforehand, motions along the axes of the "
        "region's centre: more than one is another cluster in the field, none is a doubt.",
        header=("Rank", "Sigma", "Members", "RA [deg]", "Dec [deg]", "pm in RA", "pm in Dec", "Parallax [mas]"),
        rows=tuple(
            (
                str(row["rank"]),
                f"{row['significance']:.1f}",
                count(row["n_members"]),
                *(f"{row[key]:.4f}" for key in ("ra_deg", "dec_deg")),
                *(f"{row[key]:.3f}" for key in ("pmra_mas_yr", "pmdec_mas_yr", "parallax_mas")),
            )
            for row in region.overdensities.to_pylist()
        ),
    )
    yield Table(
        name=f"notes_{name}",
        caption="What the methods say of themselves; notes.parquet has the single seeds and numbers of groups too.",
        header=("Method", "Note", "Value"),
        rows=tuple(
            (row["method"], row["note"], row["value"])
            for row in region.notes.to_pylist()
            if not _OF_ONE.fullmatch(row["note"])
        ),
        left=3,
    )
