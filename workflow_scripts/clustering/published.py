"""What is published of a region beside the member table's own contract: its survey, and how the methods compare."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts import catalogue
from workflow_scripts.clustering import choice, consensus, names
from workflow_scripts.clustering.fields import Field, Release
from workflow_scripts.clustering.members import MEMBERS
from workflow_scripts.clustering.membership import Membership
from workflow_scripts.clustering.moments import Moments
from workflow_scripts.clustering.selection import Flags, Selection
from workflow_scripts.clustering.space import Centre, turned
from workflow_scripts.clustering.stars import Locus
from workflow_scripts.surveys.plugins import gaia_dr2, gaia_dr3
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import Column, Table

_SURVEYS: dict[Release, Survey] = {"DR2": gaia_dr2.SURVEY, "DR3": gaia_dr3.SURVEY}
_TEXT, _REAL = pa.string(), pa.float64()
PUBLISHED = Table(
    "members",
    (
        Column("survey", _TEXT, "", "where the star comes from; SIMULATED where it is", ucd="meta.id"),
        Column("ref_epoch_yr", _REAL, "yr", "epoch of the position; null = simulated", True, ucd="meta.ref;time.epoch"),
        *(
            replace(c, meaning=f"{c.meaning}, at ref_epoch_yr") if c.name in ("ra_deg", "dec_deg") else c
            for c in MEMBERS.columns
            if c.name != "methods"
        ),
        Column("methods", _TEXT, "", "methods that put the star into the cluster, with | between them"),
    ),
)
AGREES = "F1 with the final members"  # note of each method


def write(rows: pa.Table, place: Field, against: str | None, parquet: Path, fits: Path, votable: Path) -> None:
    """Write a table MEMBERS as PUBLISHED in the three formats; the description ends with what speaks against them."""
    columns = {name: rows[name] for name in rows.column_names if name != "methods"}
    columns["survey"] = pa.array([place.survey] * rows.num_rows, _TEXT)
    columns["ref_epoch_yr"] = pa.array([_epoch_yr(place)] * rows.num_rows, _REAL)
    columns["methods"] = pa.array(["|".join(methods) for methods in rows["methods"].to_pylist()], _TEXT)
    title = f"Stars of {place.name} ({place.survey}) that may be members or that most methods select."
    if against:
        title += f" {against}."
    found = pa.table({name: columns[name] for name in PUBLISHED.names})
    catalogue.write(found, title, PUBLISHED, parquet, fits, votable)


def _epoch_yr(place: Field) -> float | None:
    catalogue = None if place.simulated else _SURVEYS[place.release].catalogue
    return catalogue.epoch_yr if catalogue else None


def literature(place: Field, centre: Centre) -> dict[str, Moments]:
    """Row of the literature for the table of methods, along the axes of a centre, by the locus's origin.

    Without a parallax what the centre's radial velocity makes of the motion stays in it.
    """
    if place.locus is None:
        return {}
    known, unknown = place.locus.array(), np.full(3, np.nan)
    seen = turned(Locus(*np.nan_to_num(known).tolist()), place.region.centre, centre).array()
    return {f"literature ({place.locus_from})": Moments(np.where(np.isnan(known), np.nan, seen), *[unknown] * 5)}


def without_nan(table: pa.Table) -> pa.Table:
    """Table with null for every NaN."""
    columns = [
        pc.if_else(pc.is_nan(column), None, column) if pa.types.is_floating(column.type) else column
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, schema=table.schema)


def comparison(
    found: Sequence[Selection], final: Membership, agreement: pa.Table, place: Field
) -> list[tuple[str, str, object]]:
    """Give (method, note, value): each method against the final members, and whether DEC is worse than K-Means.

    How far the members are from the locus of the literature is said too: a group nearest to it may be another cluster.
    """
    chosen = {one.method: one.selected for one in found}
    said: list[tuple[str, str, object]] = [
        (name, AGREES, consensus.f1(flags, final.members)) for name, flags in chosen.items()
    ]
    if final.reason:
        said.append((names.FINAL, "no members", final.reason))
    said += [(names.FINAL, name, value) for name, value in final.notes.items()]
    if place.locus and final.reason is None:
        told = doubt(final, place) or _offset(final, place.locus)
        said.append((names.FINAL, f"members less the locus of {place.locus_from}", told))
    if names.DEC in chosen and names.KMEANS in chosen:
        said += _dec_against_kmeans(chosen, final, agreement)
    return said


def doubt(final: Membership, place: Field) -> str | None:
    """Say how far the members are from the locus that was known before, if that is FAR; else nothing."""
    if place.locus is None or final.reason or not choice.is_far(final.locus, place.locus):
        return None
    return f"FAR from the locus of {place.locus_from}, maybe another cluster: {_offset(final, place.locus)}"


def _offset(final: Membership, literature: Locus) -> str:
    """Say the difference along what the literature knows."""
    pmra, pmdec, parallax = offset = final.locus.array() - literature.array()
    told = (f"{pmra:+.2f} mas/yr", f"{pmdec:+.2f} mas/yr", f"{parallax:+.3f} mas")
    return ", ".join(text for text, number in zip(told, offset, strict=True) if not np.isnan(number))


def _dec_against_kmeans(
    chosen: Mapping[str, Flags], final: Membership, agreement: pa.Table
) -> list[tuple[str, str, object]]:
    dec, kmeans = chosen[names.DEC], chosen[names.KMEANS]
    said: list[tuple[str, str, object]] = [(names.DEC, "F1 with K-Means", consensus.f1(dec, kmeans))]
    scores = {(row["selection"], row["reference"]): row["f1"] for row in agreement.to_pylist()}
    judges = {name: (scores[names.DEC, name], scores[names.KMEANS, name]) for _, name in _lists(scores)}
    if final.members.any():
        judges["final members"] = (consensus.f1(dec, final.members), consensus.f1(kmeans, final.members))
    for name, (ours, theirs) in judges.items():
        if ours is not None and theirs is not None and not np.isnan(ours + theirs):
            verdict = "WORSE than" if round(ours, 3) < round(theirs, 3) else "not worse than"  # as it is printed
            text = f"{verdict} K-Means: F1 {ours:.3f} against {theirs:.3f}"
            said.append((names.DEC, f"judged by {name}", text))
    return said


def _lists(scores: Mapping[tuple[str, str], object]) -> list[tuple[str, str]]:
    return [key for key in scores if key[0] == names.DEC]
