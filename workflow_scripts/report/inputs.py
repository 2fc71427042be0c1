"""What went into the run, and what each cut of the cleaning removed."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts import tables
from workflow_scripts.features.registry import FEATURES, PHOTOMETRY
from workflow_scripts.report.page import MISSING, Item, Note, Table, count, share
from workflow_scripts.split import STAR_RADIUS_ARCSEC

# Features that come from the photometry of an object, not from its light curve.
COLOURS = tuple(name for name, one in FEATURES.items() if one.needs and set(one.needs) <= set(PHOTOMETRY))
# A model that saw a colour of more than the first share of its objects rests on it; a sample that has it for fewer
# than the second share lost it on the way. Between them catalogues differ in depth and area.
_LEARNT, _LOST = 0.5, 0.1


def simulated(samples: pa.Table) -> list[str]:
    """Names of the samples whose survey says that it is simulated."""
    return [s["sample"] for s in samples.to_pylist() if "SIMULATED" in s["survey"]]


def went_in(
    samples: pa.Table,
    objects: Mapping[str, pa.Table],
    cleaning: Mapping[str, pa.Table],
    labels: pa.Table,
    colours: Mapping[str, pa.Table],
) -> Iterator[Item]:
    """Give the samples and the classes of the labelled objects, with those that were not used and why.

    colours = those of COLOURS that the models use, of the classified objects of each sample.
    """
    bands = {name: Counter(rows["band"].filter(rows["kept"]).to_pylist()) for name, rows in cleaning.items()}
    yield Table(
        name="samples",
        caption="The samples of the run: check that surveys, bands (with the light curves that cleaning kept), sizes, "
        "points per light curve and the share of classified objects with a colour or parallax are those you expect.",
        header=(
            *("Sample", "Role", "Survey", "Bands", "Objects", "Light curves", "Points", "Points per curve"),
            *("With coordinates", "With a catalogue period", "With colours"),
        ),
        rows=tuple(
            (*_sample(s, objects.get(s["sample"]), bands.get(s["sample"], Counter())), _any(colours.get(s["sample"])))
            for s in samples.to_pylist()
        ),
        left=4,
    )
    labelled = {s["sample"] for s in samples.to_pylist() if s["role"] == "labelled"}
    yield from _mixed_bands(labelled, bands)
    yield from _lost_colours(labelled, colours)
    yield _label_counts(labels)


def repeated(split: pa.Table) -> Iterator[Note]:
    """Say how many labelled objects share their place with another one (tables.SPLIT); nothing if none does."""
    counts = [n for n in Counter(split["star"].to_pylist()).values() if n > 1]
    if counts:
        yield Note(
            f"{count(sum(counts))} of the {count(len(split))} labelled objects used lie at {count(len(counts))} "
            f"places, several within {STAR_RADIUS_ARCSEC:g} arcsec: taken for one star under several identifiers, "
            "which no split divides. Scores and intervals count them one by one."
        )


def cuts(cleaning: Mapping[str, pa.Table], labels: pa.Table) -> Iterator[Item]:
    """Give what each cut removed from each sample, and what the clip took from each class."""
    names = tuple(cleaning)
    totals = {name: {c: pc.sum(rows[c]).as_py() or 0 for c in _point_columns()} for name, rows in cleaning.items()}
    lines = [("before cleaning", "n_raw"), *((m, f"n_{c}") for c, m in tables.CUTS.items()), ("after", "n_kept")]
    yield Table(
        name="cleaning",
        caption="Points that each cut removed, in the order of the cuts: a large share in one line deserves a look at "
        "the survey's flags and at the column map.",
        groups=(("", 1), *((name, 2) for name in names)),
        header=("Points", *("number", "share") * len(names)),
        rows=tuple(
            (text, *(cell for name in names for cell in _part(totals[name][column], totals[name]["n_raw"])))
            for text, column in lines
        ),
    )
    yield Table(
        name="rejected",
        caption="Light curves with too few points left: these objects can be in no catalogue of this run.",
        header=("Sample", "Light curves", "Kept", "Rejected", "Share rejected"),
        rows=tuple((name, *_kept(rows)) for name, rows in cleaning.items()),
    )
    yield from _clip_by_class(cleaning, labels)


def objects_kept(cleaning: pa.Table) -> int:
    """Count the objects with at least one light curve that passed the cleaning."""
    return len(pc.unique(cleaning["object_id"].filter(cleaning["kept"])))


def _mixed_bands(labelled: Collection[str], bands: Mapping[str, Counter[str]]) -> Iterator[Note]:
    """Warn of labelled light curves in several bands, and of bands in which nothing was labelled."""
    trained = Counter[str]()
    for name in labelled:
        trained += bands.get(name, Counter())
    if len(trained) > 1:
        yield Note(
            f"The labelled samples have light curves in bands {_listing(trained)}, which the models take for one: "
            "amplitudes and colours of a class differ from band to band.",
            warning=True,
        )
    for name, own in bands.items():
        strange = Counter({band: n for band, n in own.items() if band not in trained})
        if strange:
            yield Note(
                f"Sample {name} has light curves in bands that no model was trained on: {_listing(strange)}. No score "
                "of this report holds for them; column band of the catalogue says which they are.",
                warning=True,
            )


def _lost_colours(labelled: Collection[str], colours: Mapping[str, pa.Table]) -> Iterator[Note]:
    """Warn of samples without the colours that the models learnt from."""
    trained = pa.concat_tables([rows for name, rows in colours.items() if name in labelled] or [pa.table({})])
    learnt = [colour for colour, part in _shares(trained).items() if part > _LEARNT]
    for name, rows in colours.items():
        lost = [colour for colour, part in _shares(rows).items() if part < _LOST and colour in learnt]
        if name not in labelled and lost:
            yield Note(
                f"Most labelled objects have {', '.join(lost)}, fewer than {share(_LOST)} of sample {name} do: the "
                "models learnt from what these objects lack, and no score of this report holds for them. Is the "
                "photometry of both samples there, and is the column map right?",
                warning=True,
            )


def _shares(colours: pa.Table) -> dict[str, float]:
    """Share of the objects that have each colour; nothing where there is no object."""
    n = len(colours)
    return {name: (n - colours[name].null_count) / n for name in colours.column_names} if n else {}


def _any(colours: pa.Table | None) -> str:
    """Share of the objects that have any colour."""
    if colours is None or not colours.column_names:
        return MISSING
    known = np.any([column.is_valid().to_numpy() for column in colours.columns], axis=0)
    return share(int(known.sum()), len(colours))


def _sample(sample: dict[str, object], objects: pa.Table | None, bands: Counter[str]) -> tuple[str, ...]:
    numbers = [int(str(sample[name])) for name in ("n_objects", "n_light_curves", "n_points")]
    per_curve = f"{numbers[2] / numbers[1]:.0f}" if numbers[1] else count(None)
    known = [None, None]
    if objects is not None:
        known = [len(objects) - objects[name].null_count for name in ("ra_deg", "catalogue_period_d")]
    words = (str(sample[name]) for name in ("sample", "role", "survey"))
    return (*words, _listing(bands), *map(count, numbers), per_curve, *map(count, known))


def _listing(bands: Counter[str]) -> str:
    return ", ".join(f"{band} ({count(n)})" for band, n in sorted(bands.items())) or MISSING


def _label_counts(labels: pa.Table) -> Table:
    rows = labels.select(["label", "class", "status"]).to_pylist()
    # "used" first: it is the column that the models rest on.
    statuses = sorted({row["status"] for row in rows}, key=lambda status: (status != "used", status))
    names = sorted({_class_name(row) for row in rows})
    table = {name: dict.fromkeys(statuses, 0) for name in names}
    for row in rows:
        table[_class_name(row)][row["status"]] += 1
    totals = [sum(table[name][status] for name in names) for status in statuses]
    return Table(
        name="classes",
        caption="Labelled objects by class and by what became of them: the smallest number under 'used' limits how "
        "well that class can be known.",
        header=("Class", *statuses),
        rows=(*((name, *(count(table[name][s]) for s in statuses)) for name in names), ("all", *map(count, totals))),
    )


def _class_name(row: Mapping[str, str | None]) -> str:
    return row["class"] or (f"(label {row['label']})" if row["label"] else "(no label)")


def _point_columns() -> list[str]:
    return ["n_raw", *(f"n_{cut}" for cut in tables.CUTS), "n_kept"]


def _part(part: int, whole: int) -> tuple[str, str]:
    return count(part), share(part, whole)


def _kept(rows: pa.Table) -> tuple[str, ...]:
    kept = pc.sum(rows["kept"]).as_py() or 0
    rejected = len(rows) - kept
    return count(len(rows)), count(kept), *_part(rejected, len(rows))


def _clip_by_class(cleaning: Mapping[str, pa.Table], labels: pa.Table) -> Iterator[Item]:
    """One line per class: an eclipse is a tail of the magnitudes, and a clip at 3 sigma cuts tails."""
    columns = ["object_id", "n_raw", "n_clipped", "kept"]
    rows = pa.concat_tables([table.select(columns).replace_schema_metadata(None) for table in cleaning.values()])
    class_of = dict(zip(labels["object_id"].to_pylist(), labels["class"].to_pylist(), strict=True))
    classes = np.array([class_of.get(name) or "" for name in rows["object_id"].to_pylist()], dtype=object)
    raw, clipped, kept = (rows[name].to_numpy() for name in columns[1:])
    names = sorted(set(classes) - {""})
    if not names:
        yield Note("No light curve has a class: what the clip takes from each class is not known.")
        return
    yield Table(
        name="clip_by_class",
        caption="What the sigma clip took from each class: where the share is highest, the clip may remove the "
        "variation itself (eclipses first), and clip_side: bright is worth a try.",
        header=("Class", "Light curves", "Points", "Clipped", "Share clipped", "Light curves that lost points", "Kept"),
        rows=tuple(
            (
                name,
                count(int(own.sum())),
                count(int(raw[own].sum())),
                *_part(int(clipped[own].sum()), int(raw[own].sum())),
                share(float((clipped[own] > 0).mean())),
                count(int(kept[own].sum())),
            )
            for name in names
            for own in [classes == name]
        ),
    )
