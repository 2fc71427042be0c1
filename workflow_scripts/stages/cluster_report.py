"""Stage of rule cluster_report: one HTML file about all regions of a run."""

import logging
from pathlib import Path
from typing import Any

from workflow_scripts import assumptions, edge, fingerprint, tables
from workflow_scripts.clustering import compare, fields, gaia, selection, summary
from workflow_scripts.report import clusters as content
from workflow_scripts.report import page
from workflow_scripts.stages.overdensities import OVERDENSITIES

_LOG = logging.getLogger(__name__)
_READ = {
    "field": fields.FIELD,
    "cuts": gaia.CUTS,
    "cluster": summary.CLUSTERS,
    "methods": summary.METHODS,
    "agreement": compare.AGREEMENT,
    "notes": selection.NOTES,
    "overdensities": OVERDENSITIES,
}


def main(
    region_files: list[Path],
    cuts: list[Path],
    clusters: list[Path],
    methods: list[Path],
    agreement: list[Path],
    notes: list[Path],
    overdensities: list[Path],
    figures: list[Path],
    report: Path,
    run: str,
    names: list[str],
    configuration: dict[str, Any],
) -> None:
    """Read what the run wrote of each region, in the order of names; write the report."""
    files = zip(region_files, cuts, clusters, methods, agreement, notes, overdensities, figures, strict=True)
    regions = {}
    for name, (*paths, figure) in zip(names, files, strict=True):
        rows = {what: tables.read(path, table) for path, (what, table) in zip(paths, _READ.items(), strict=True)}
        regions[name] = content.Region(**rows, diagrams=figure.read_bytes())
    assumed = assumptions.collect(fingerprint.PACKAGE.parent)
    own = [one for one in assumed if one.file.startswith("workflow_scripts/clustering/")]
    html = page.render(content.page(run, regions, configuration, own))
    with tables.whole(report) as part:
        part.write_text(html, encoding="utf-8")
    _LOG.info("%d regions, %.1f MB", len(regions), len(html) / 1e6)


if __name__ == "__main__":
    edge.run(main)
