"""Stage of rule read_region: the stars of a region from the user's files, which have the columns of Gaia's archive."""

from pathlib import Path

from workflow_scripts import edge, tables
from workflow_scripts.clustering import fields, gaia
from workflow_scripts.clustering.regions import OPEN_CLUSTERS


def main(
    files: list[Path],
    open_clusters: list[Path],
    region_file: Path,
    stars: Path,
    left_out: Path,
    cuts: Path,
    wanted: fields.Wanted,
    limits: gaia.Cuts,
    region: str,
) -> None:
    """Write the region, its stars and what was left out."""
    known = tables.read(open_clusters[0], OPEN_CLUSTERS) if open_clusters else None
    place = fields.resolve(region, wanted, f"Gaia {wanted.release} (local files)", known)
    chosen = gaia.select(gaia.read(files, wanted.release), place.region, limits)
    fields.write(place, region_file)
    chosen.write(stars, left_out, cuts)


if __name__ == "__main__":
    edge.run(main)
