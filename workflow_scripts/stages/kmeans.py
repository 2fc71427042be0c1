"""Stage of rule kmeans: K-Means with a given number of groups, and with the number of the best silhouette."""

from pathlib import Path

from workflow_scripts import edge, tables
from workflow_scripts.clustering import fields, names, scaling, selection
from workflow_scripts.clustering import kmeans as method
from workflow_scripts.clustering.space import space
from workflow_scripts.clustering.stars import STARS


def main(
    region_file: Path,
    stars: Path,
    selections: Path,
    notes: Path,
    groups: int,
    fewest: int,
    most: int,
    features: scaling.Features,
    seed: int,
) -> None:
    """Write the groups, the one that is the cluster, and how it was chosen."""
    place, rows = fields.read(region_file), tables.read(stars, STARS)
    whole = space(rows, place.region.centre)
    x = scaling.features(whole.points, features)
    given = method.fit(x, groups, seed)
    scanned = method.scan(x, range(fewest, most + 1), seed)
    found = [
        selection.from_groups(names.KMEANS, given, whole, place),
        selection.from_groups(names.SILHOUETTE, scanned, whole, place),
    ]
    tables.write(selection.rows(found, rows), selections, selection.SELECTIONS)
    tables.write(selection.notes(place.name, found), notes, selection.NOTES)


if __name__ == "__main__":
    edge.run(main)
