"""Stage of rule summarise_cluster: what is published of a region."""

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts import edge, tables
from workflow_scripts.clustering import compare, fields, final, names, published, regions, selection, summary
from workflow_scripts.clustering import lists as member_lists
from workflow_scripts.clustering import members as member_table
from workflow_scripts.clustering.membership import Membership
from workflow_scripts.clustering.space import Space, space
from workflow_scripts.clustering.stars import STARS
from workflow_scripts.figures import cluster, style
from workflow_scripts.stages.overdensities import OVERDENSITIES

_LOG = logging.getLogger(__name__)


def main(
    region_file: Path,
    stars: Path,
    left_out: Path,
    selections: list[Path],
    method_notes: list[Path],
    membership: Path,
    searched: Path,
    lists: list[Path],
    members: Path,
    members_fits: Path,
    members_votable: Path,
    clusters: Path,
    methods: Path,
    agreement: Path,
    notes: Path,
    overdensities: Path,
    figure: Path,
    list_names: list[str],
) -> None:
    """Write the member table, the cluster's row, how the methods compare with the lists, and a figure.

    The clusters of the blind search are written as they are, with the record of the run.
    """
    place, rows, fitted = fields.read(region_file), tables.read(stars, STARS), final.read(membership)
    found = [one for path in selections for one in selection.read(tables.read(path, selection.SELECTIONS), rows)]
    chosen = {one.method: one.selected for one in found}
    whole = space(rows, fitted.centre)
    doubt = published.doubt(fitted, place)
    release: summary.Origin = "simulated" if place.simulated else place.release
    row = summary.clusters(place.name, whole, fitted, release, place.region.centre, doubt)
    tables.write(published.without_nan(row), clusters, summary.CLUSTERS)

    every = pa.concat_tables([part.replace_schema_metadata(None) for part in (rows, tables.read(left_out, STARS))])
    on_lists = _on_lists(lists, list_names, every)
    listed = {name: one.stars for name, one in on_lists.items()}
    weights = chosen | {names.FINAL: fitted.probability} | {n: on[: len(rows)] for n, on in listed.items()}
    table = summary.methods(place.name, whole, weights, published.literature(place, fitted.centre))
    tables.write(published.without_nan(table), methods, summary.METHODS)
    missed = np.zeros(every.num_rows - rows.num_rows, dtype=np.bool_)
    judged = {n: np.append(flags, missed) for n, flags in (chosen | {names.FINAL: fitted.members}).items()}
    scores = compare.agreement(place.name, every["g_mag"].to_numpy().astype(np.float64), judged, listed)
    tables.write(scores, agreement, compare.AGREEMENT)
    complete = ("region", "complete stars", regions.richness(every.num_rows))
    told = [complete, *published.comparison(found, fitted, scores, place), *member_lists.notes(on_lists)]
    said = selection.note_rows(place.name, told)
    earlier = [tables.read(path, selection.NOTES).replace_schema_metadata(None) for path in method_notes]
    tables.write(pa.concat_tables([*earlier, said.replace_schema_metadata(None)]), notes, selection.NOTES)
    tables.write(tables.read(searched, OVERDENSITIES), overdensities, OVERDENSITIES)

    shown = member_table.members(place.name, rows, fitted, _narrow(chosen, fitted))
    against = f"NO MEMBERS: {fitted.reason}" if fitted.reason else doubt
    published.write(shown, place, against, members, members_fits, members_votable)
    with tables.whole(figure) as part:
        part.write_bytes(_figure(rows, whole, fitted, f"{place.name} ({place.survey})"))
    _LOG.info("%s: %d members of %d stars", place.name, fitted.members.sum(), rows.num_rows)


def _on_lists(lists: list[Path], names: list[str], stars: pa.Table) -> dict[str, member_lists.Listed]:
    """Stars of the region that each list has; a list may have no row."""
    found = member_lists.stored(lists[0]) if lists else {}
    return {name: member_lists.on_list(found[name], stars) for name in names}


def _narrow(chosen: dict[str, NDArray[np.bool_]], fitted: Membership) -> dict[str, NDArray[np.bool_]]:
    """Keep of the selections the stars that may be members or that most methods select; none without a cluster."""
    votes = np.sum(list(chosen.values()), axis=0)
    shown = (fitted.probability >= member_table.LEAST_PROBABILITY) | (2 * votes > len(chosen))
    return {name: flags & shown & (fitted.reason is None) for name, flags in chosen.items()}


def _figure(rows: pa.Table, whole: Space, fitted: Membership, title: str) -> bytes:
    (ra, dec), (pmra, pmdec, parallax) = whole.sky.T, whole.points.T
    magnitudes, colours = (rows[name].to_numpy().astype(np.float64) for name in ("g_mag", "bp_rp_mag"))
    shown = cluster.Stars(ra, dec, pmra, pmdec, parallax, magnitudes, colours, fitted.probability)
    return style.png(cluster.draw(shown, title))


if __name__ == "__main__":
    edge.run(main)
