"""Stage of rule membership: the final probabilities, from a mixture around the place that the methods found."""

import logging
from pathlib import Path

from workflow_scripts import edge, tables
from workflow_scripts.clustering import fields, final, selection
from workflow_scripts.clustering.space import space
from workflow_scripts.clustering.stars import STARS

_LOG = logging.getLogger(__name__)


def main(region_file: Path, stars: Path, selections: list[Path], membership: Path) -> None:
    """Write a probability for every star; all 0, with the reason in the metadata, where there is no cluster."""
    place, rows = fields.read(region_file), tables.read(stars, STARS)
    whole = space(rows, place.region.centre)
    found = [one for path in selections for one in selection.read(tables.read(path, selection.SELECTIONS), rows)]
    fitted = final.first(whole, selection.starts(place, whole, found))
    _LOG.info("%s: %d members; %s", place.name, fitted.members.sum(), fitted.reason or "a cluster")
    final.write(fitted, rows, membership)


if __name__ == "__main__":
    edge.run(main)
