"""What the catalogue holds: classes, doubts, columns, and objects to look at."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts import tables, trained_on
from workflow_scripts.figures import gallery, histogram, style
from workflow_scripts.lightcurve import ragged
from workflow_scripts.report.page import Item, Note, Picture, Table, count, share
from workflow_scripts.split import STAR_RADIUS_ARCSEC

CLASS, PROBABILITY, PERIOD, OUTLIER = "class", "probability", "period_d", "out_of_distribution"
CHANCE = "false_alarm_probability"
# ASSUME the objects to classify are variable stars: nothing here tests that, and a constant one gets a class as well.
# The report counts those whose period may be chance by the limit of Qiao 2024, sect. 3.2.
PERIODIC = 0.001
# The columns that the report needs of a catalogue and of the suspected variables.
READ = tables.Table(
    "catalogue",
    (
        tables.OBJECT_ID,
        tables.Column(CLASS, pa.string(), "", "class given"),
        tables.Column(PROBABILITY, pa.float64(), "", "its probability"),
        tables.Column(PERIOD, pa.float64(), "d", "period", nullable=True),
        tables.Column(CHANCE, pa.float64(), "", "false-alarm probability of the period", nullable=True),
        trained_on.COLUMN,
        tables.Column(OUTLIER, pa.bool_(), "", "out of distribution"),
    ),
)
LAST_OWN = trained_on.NAME  # behind it stand the features
# What to look for in one row of objects, and in two.
_ADVICE = {
    1: "these are all objects of the class in the catalogue, each should show it",
    2: "the upper row should show the class beyond doubt, the lower row shows the worst that the catalogue contains",
}
SHOWN = 3  # objects at either end of the probability

Chosen = dict[str, tuple[list[str], list[str]]]


def contents(
    catalogues: Mapping[str, pa.Table], suspected: Mapping[str, pa.Table], schema: pa.Schema
) -> Iterator[Item]:
    """Give the class histogram of each sample, the flagged objects, and what each column means."""
    for sample, catalogue in catalogues.items():
        yield _histogram(sample, catalogue, suspected[sample])
    parts = {"catalogue": catalogues, "suspected": suspected}
    yield Table(
        name="outliers",
        caption="Objects flagged out of distribution, unlike anything in the labelled sample: a class and a "
        "probability say little about them. Nothing here tests whether an object varies at all, and a constant star "
        "gets a class as well: those whose period may be chance have a false-alarm probability of "
        f"{PERIODIC} or more, or no period.",
        header=("Sample", "Table", "Objects", "Out of distribution", "Share", "Period may be chance", "Share"),
        rows=tuple((name, part, *_flagged(table)) for part, all_ in parts.items() for name, table in all_.items()),
        left=2,
    )
    yield from seen_in_training(catalogues, suspected)
    yield columns(schema)


def seen_in_training(catalogues: Mapping[str, pa.Table], suspected: Mapping[str, pa.Table]) -> Iterator[Note]:
    """Warn of objects at the place of one that the models were trained on; nothing if there is none."""
    for sample, catalogue in catalogues.items():
        both = (catalogue, suspected[sample])
        if seen := sum(len(rows) - rows[trained_on.NAME].null_count for rows in both):
            yield Note(
                f"{count(seen)} of the {count(sum(map(len, both)))} classified objects of {sample} lie within "
                f"{STAR_RADIUS_ARCSEC:g} arcsec of one that the models were trained on, which column "
                f"{trained_on.NAME} names. Most are the same star under another identifier: the models have seen its "
                "class, which is no prediction here; the labelled sample's catalogue has what models say that never "
                "saw the star.",
                warning=True,
            )


def columns(schema: pa.Schema) -> Table:
    """List the columns of the catalogue with unit and meaning, as its file states them."""
    own = schema.names[: schema.get_field_index(LAST_OWN) + 1] or schema.names
    return Table(
        name="catalogue_columns",
        caption="Columns of the catalogue, before those of the features: look here for which holds which probability.",
        header=("Column", "Unit", "Meaning"),
        rows=tuple(meaning(schema, name) for name in own),
        left=3,
    )


def meaning(schema: pa.Schema, name: str) -> tuple[str, str, str]:
    """Name, unit and meaning of a column; nothing but the name if the catalogue has no such column."""
    place = schema.get_field_index(name)
    notes = (schema.field(place).metadata or {}) if place >= 0 else {}
    return name, notes.get(b"unit", b"").decode(), notes.get(b"meaning", b"").decode()


def choose(catalogue: pa.Table) -> Chosen:
    """Give the object_id of the three most and the three least certain objects of each class, the extreme first.

    An object is in one of the two lists only; a class with three objects or fewer has no least certain ones.
    """
    rows = catalogue.select(["object_id", CLASS, PROBABILITY]).sort_by(
        [(CLASS, "ascending"), (PROBABILITY, "descending"), ("object_id", "ascending")]
    )
    names = rows[CLASS].to_numpy()
    ids = rows["object_id"].to_pylist()
    chosen = {}
    for name in dict.fromkeys(names):
        own = [ids[i] for i in np.flatnonzero(names == name)]
        chosen[str(name)] = own[:SHOWN], own[SHOWN:][: -SHOWN - 1 : -1]
    return chosen


def pictures(sample: str, catalogue: pa.Table, light_curves: pa.Table) -> Iterator[Item]:
    """Give the folded light curves of the chosen objects of each class; light_curves holds (at least) these."""
    chosen = choose(catalogue)
    if not chosen:
        yield Note(f"The catalogue of {sample} is empty: there is no light curve to show.")
    panels = _panels(catalogue, light_curves, [i for lists in chosen.values() for part in lists for i in part])
    for name, (most, least) in chosen.items():
        rows = [(text, ids) for text, ids in (("most certain", most), ("least certain", least)) if ids]
        named = "; ".join(f"{text} {', '.join(ids)}" for text, ids in rows)
        title = f"{name} in {sample}"
        yield Picture(
            name=f"gallery_{sample}_{_file_name(name)}",
            caption=f"{title}: {_ADVICE[len(rows)]} ({named}).",
            png=style.png(gallery.draw([(text, [panels[i] for i in ids]) for text, ids in rows], title)),
            alt=f"Folded light curves of {name}: {named}.",
        )


def _histogram(sample: str, catalogue: pa.Table, suspected: pa.Table) -> Picture:
    given = {"catalogue": catalogue[CLASS].to_pylist(), "suspected": suspected[CLASS].to_pylist()}
    classes = sorted(set().union(*given.values()))
    counts = {name: np.array([values.count(c) for c in classes], dtype=np.int64) for name, values in given.items()}
    return Picture(
        name=f"classes_{sample}",
        caption=f"{sample}: a class with many suspected objects beside its catalogued ones is incomplete.",
        png=style.png(histogram.draw(classes, counts, sample)),
        alt=f"Objects per class of {sample}: {len(catalogue)} in the catalogue, {len(suspected)} suspected.",
    )


def flagged(table: pa.Table) -> int:
    """Count the objects flagged out of distribution."""
    return pc.sum(table[OUTLIER]).as_py() or 0


def by_chance(table: pa.Table) -> int:
    """Count the objects whose period may be chance, or that have none."""
    return len(table) - (pc.sum(pc.less(table[CHANCE], PERIODIC)).as_py() or 0)


def _flagged(table: pa.Table) -> tuple[str, ...]:
    odd, chance, n = flagged(table), by_chance(table), len(table)
    return count(n), count(odd), share(odd, n), count(chance), share(chance, n)


def _panels(catalogue: pa.Table, light_curves: pa.Table, ids: Sequence[str]) -> dict[str, gallery.Panel]:
    wanted = pa.array(ids, pa.string())
    rows = catalogue.filter(pc.is_in(catalogue["object_id"], wanted)).select(["object_id", PROBABILITY, PERIOD])
    own = light_curves.filter(pc.is_in(light_curves["object_id"], wanted))
    curves = ragged.from_table(own)
    places = {name: i for i, name in enumerate(own["object_id"].to_pylist())}
    panels = {}
    for row in rows.to_pylist():
        i = places[row["object_id"]]
        points = slice(curves.offsets[i], curves.offsets[i + 1])
        time, mag, mag_err = (values[points] for values in (curves.time, curves.mag, curves.mag_err))
        panels[row["object_id"]] = gallery.Panel(row["object_id"], time, mag, mag_err, row[PROBABILITY], row[PERIOD])
    return panels


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_+" else "_" for c in name)
