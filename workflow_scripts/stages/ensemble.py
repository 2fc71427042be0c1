"""Stage of rule ensemble: the catalogue of a sample, and the suspected variables that are not in it."""

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts import calibrate, edge, ensemble, outliers, probabilities, tables, trained_on
from workflow_scripts import catalogue as catalogues
from workflow_scripts import features as registry
from workflow_scripts import period_rules as rules

_LOG = logging.getLogger(__name__)


def main(
    objects: Path,
    features: list[Path],
    lightgbm: list[Path],
    xgboost: list[Path],
    labelled: list[Path],
    labelled_objects: list[Path],
    split: Path,
    calibration: Path,
    period_rules: Path,
    catalogue: Path,
    catalogue_fits: Path,
    catalogue_votable: Path,
    suspected: Path,
    suspected_fits: Path,
    suspected_votable: Path,
    priors: Path,
    feature_set: registry.FeatureSet,
    prior: ensemble.Prior,
    outlier_share: float,
    sample: str,
) -> None:
    """Classify every object of the sample that both boosters predicted; sorted by object_id."""
    fitted, used = calibrate.load(calibration), registry.names(feature_set)
    first, second = probabilities.read(lightgbm), probabilities.read(xgboost)
    measured = tables.read_all(features, registry.FEATURES)
    sources = measured.filter(pc.is_in(measured["object_id"], pa.array(first.object_id, pa.string())))
    sources = sources.join(tables.read(objects, tables.OBJECTS), "object_id").sort_by("object_id")
    ids = sources["object_id"].to_pylist()
    _LOG.info("%d of %d objects with features are predicted and classified", len(ids), measured.num_rows)
    first, second = first.select(ids), second.select(ids)
    classified = ensemble.classify(first, second, fitted, prior)

    sources = _with_trained_on(sources, labelled_objects, split, sample)
    signs = {name: sources[name].to_numpy() for name in rules.columns(sources.column_names)}
    trained = tables.read_all(labelled, registry.FEATURES)
    # Sorted, so that the last bit of a score does not depend on how the sample was split into shards.
    trained = trained_on.used(trained, tables.read(split, tables.SPLIT, ["object_id"])).sort_by("object_id")
    x, trained_x = (catalogues.matrix(t, used) for t in (sources, trained))
    trained_id = np.array(trained["object_id"].to_pylist(), dtype=object)
    best = np.array(classified.classes, dtype=object)[classified.best]
    extras = catalogues.Extras(
        conformal=fitted.conformal_sets(classified.labelled),
        period_d=rules.apply(rules.load(period_rules), best, signs),
        outlier_score=outliers.score(x, classified.object_id, trained_x, trained_id),
        outlier_limit=outliers.limit(trained_x, trained_id, outlier_share),
    )
    columns = [trained_on.COLUMN, *(c for c in registry.FEATURES.columns if c.name in used)]
    table = catalogues.catalogue_table(classified.classes, columns, prior, fitted.conformal_level)
    rows = catalogues.rows(classified, extras, sources, used, table)
    agree = pa.array(classified.agree)
    files = catalogue, catalogue_fits, catalogue_votable
    catalogues.write(rows.filter(agree), catalogues.AGREED, table, *files)
    files = suspected, suspected_fits, suspected_votable
    catalogues.write(rows.filter(pc.invert(agree)), catalogues.SUSPECTED, table, *files)
    _LOG.info("both boosters agree on %d of %d", classified.agree.sum(), len(ids))
    shares = ensemble.prior_rows(sample, classified, np.array(fitted.labelled_prior), first.training_prior)
    tables.write(pa.Table.from_pylist(shares, tables.PRIORS.schema), priors, tables.PRIORS)


def _with_trained_on(sources: pa.Table, labelled: list[Path], split: Path, sample: str) -> pa.Table:
    """Add the column that names what the models were trained on at the places of the sources, and say how many."""
    known = tables.read_all(labelled, tables.OBJECTS, ["object_id", "ra_deg", "dec_deg"])
    named = trained_on.neighbours(sources, trained_on.used(known, tables.read(split, tables.SPLIT, ["object_id"])))
    if found := len(named) - named.null_count:
        row = pc.indices_nonzero(named.is_valid())[0].as_py()
        _LOG.warning(
            "%s: %d objects are where one lies that the models were trained on, such as %s where %s; column trained_on "
            "names it: most are the same star, whose class and probability are no prediction",
            *(sample, found, sources["object_id"][row], named[row]),
        )
    return sources.append_column(trained_on.NAME, named)


if __name__ == "__main__":
    edge.run(main)
