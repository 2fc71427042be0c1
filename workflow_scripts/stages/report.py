"""Stage of rule report: one HTML file, its figures as PNG and its tables as CSV."""

import itertools
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workflow_scripts import assumptions, edge, fingerprint
from workflow_scripts import tables as contract
from workflow_scripts.features import FEATURES
from workflow_scripts.label_sample import LABEL_AGREEMENT
from workflow_scripts.labels import LABELS
from workflow_scripts.report import catalogue, content, inputs, page
from workflow_scripts.surveys.curve_status import STATUS
from workflow_scripts.verification import VERIFICATION

_LOG = logging.getLogger(__name__)


def main(
    samples: Path,
    objects: list[Path],
    cleaning: list[Path],
    light_curves: list[Path],
    labels: Path,
    split: Path,
    metrics: Path,
    confusion: Path,
    importance: list[Path],
    calibration_metrics: Path,
    reliability: Path,
    risk_coverage: Path,
    period_agreement: Path,
    period_errors: Path,
    priors: list[Path],
    catalogues: list[Path],
    suspected: list[Path],
    agreement: list[Path],
    downloads: list[Path],
    verification: list[Path],
    report: Path,
    figures: Path,
    tables: Path,
    run: str,
    configuration: dict[str, Any],
    sample_names: list[str],
    archived: dict[str, list[str]],
    n_shards: dict[str, int],
) -> None:
    """Read what the run wrote about itself, and the light curves to be shown; write the report."""
    agreed, doubtful = (_listed(sample_names, paths) for paths in (catalogues, suspected))
    curves, cleaned = (_sharded(sample_names, paths, n_shards) for paths in (light_curves, cleaning))
    found = content.Run(
        name=run,
        configuration=configuration,
        assumptions=assumptions.collect(fingerprint.PACKAGE.parent),
        samples=contract.read(samples, contract.SAMPLES),
        labels=contract.read(labels, LABELS),
        split=contract.read(split, contract.SPLIT),
        metrics=contract.read(metrics, contract.METRICS),
        confusion=contract.read(confusion, contract.CONFUSION),
        importance=contract.read_all(importance, contract.IMPORTANCE),
        calibration_metrics=contract.read(calibration_metrics, contract.METRICS),
        reliability=contract.read(reliability, contract.RELIABILITY),
        risk_coverage=contract.read(risk_coverage, contract.RISK_COVERAGE),
        period_agreement=contract.read(period_agreement, contract.PERIODS),
        period_errors=contract.read(period_errors, contract.PERIOD_ERRORS),
        priors=contract.read_all(priors, contract.PRIORS),
        catalogue_schema=pq.read_schema(catalogues[0]),
        feature_schema=FEATURES.schema,
        objects={name: contract.read(p, contract.OBJECTS) for name, p in _named(sample_names, objects)},
        cleaning={name: contract.read_all(paths, contract.CLEANING) for name, paths in cleaned.items()},
        catalogues=agreed,
        suspected=doubtful,
        light_curves={name: _chosen(paths, agreed[name]) for name, paths in curves.items()},
        colours={name: _colours(paths) for name, *paths in zip(sample_names, catalogues, suspected, strict=True)},
        **_from_archives(archived, agreement, downloads, verification, n_shards),
    )
    _write(content.page(found), report, figures, tables)


def _from_archives(
    names: dict[str, list[str]],
    agreement: list[Path],
    downloads: list[Path],
    verification: list[Path],
    n_shards: dict[str, int],
) -> dict[str, dict[str, pa.Table]]:
    """Tables about archives by sample; names says which samples each kind of them is of, in the order of the files."""
    asked = _sharded(names["downloads"], downloads, n_shards)
    return {
        "agreement": {n: contract.read(p, LABEL_AGREEMENT) for n, p in _named(names["agreement"], agreement)},
        "downloads": {n: contract.read_all(paths, STATUS) for n, paths in asked.items()},
        "verification": {n: contract.read(p, VERIFICATION) for n, p in _named(names["verification"], verification)},
    }


def _listed(names: list[str], paths: list[Path]) -> dict[str, pa.Table]:
    """Columns of the catalogues that the report shows, by sample."""
    return {name: contract.read(path, catalogue.READ, catalogue.READ.names) for name, path in _named(names, paths)}


def _sharded(names: list[str], paths: list[Path], n_shards: dict[str, int]) -> dict[str, list[Path]]:
    """Files of each sample; files of many shards stand sample by sample, in the order of the names."""
    rest = iter(paths)
    return {name: list(itertools.islice(rest, n_shards[name])) for name in names}


def _named(names: Sequence[str], paths: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    return zip(names, paths, strict=True)


def _chosen(paths: Sequence[Path], rows: pa.Table) -> pa.Table:
    """Light curves of the objects that the report shows, and of no others: all would not fit into memory."""
    ids = [name for lists in catalogue.choose(rows).values() for part in lists for name in part]
    found = [_of(contract.read(path, contract.LIGHT_CURVES), ids) for path in paths]
    return pa.concat_tables(found)


def _colours(paths: Sequence[Path]) -> pa.Table:
    """Colours of the objects in a catalogue and its list of suspected variables, as far as the models use them."""
    used = [name for name in inputs.COLOURS if name in pq.read_schema(paths[0]).names]
    return contract.read_all(paths, FEATURES, used) if used else pa.table({})


def _of(rows: pa.Table, ids: Sequence[str]) -> pa.Table:
    return rows.filter(pc.is_in(rows["object_id"], pa.array(ids, pa.string())))


def _write(made: page.Page, report: Path, figures: Path, tables: Path) -> None:
    for folder, pattern in ((figures, "*.png"), (tables, "*.csv")):
        for old in folder.glob(pattern):
            old.unlink()
    for picture in made.pictures():
        with contract.whole(figures / f"{picture.name}.png") as part:
            part.write_bytes(picture.png)
    for table in made.tables():
        with contract.whole(tables / f"{table.name}.csv") as part:
            part.write_text(table.csv(), encoding="utf-8")
    html = page.render(made)
    with contract.whole(report) as part:
        part.write_text(html, encoding="utf-8")
    _LOG.info("%d figures, %d tables, %.1f MB", len(list(made.pictures())), len(list(made.tables())), len(html) / 1e6)


if __name__ == "__main__":
    edge.run(main)
