"""From labels in the users' files to classes to train on, with every object accounted for."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from workflow_scripts import tables
from workflow_scripts.tables import DataError

AVERAGES = ("macro", "weighted", "all")  # in the place of a class in tables of scores
LONGEST = 60  # characters of a class: the catalogue has a column p_<class>, and a name in FITS 68
LABELS = tables.Table(
    "labels",
    (
        tables.OBJECT_ID,
        tables.Column("label", pa.string(), "", "class in the label catalogue; null = none", True),
        tables.Column("class", pa.string(), "", "class of the run; null = none", True),
        tables.Column("status", pa.string(), "", "used, no label, ignored label, or too few observations"),
    ),
)


def assign(
    objects: pa.Table, features: pa.Table, classes: Mapping[str, Sequence[str]], ignore_labels: Sequence[str]
) -> pa.Table:
    """Give every labelled object its class of the run, or the reason why it is not trained on (table labels).

    objects is tables.OBJECTS; features needs only object_id and band. classes maps each class of the run to the
    labels that belong to it; empty = every label is a class. Rows are sorted by object_id. Raises DataError for an
    object in two bands, an unknown label, a label with two meanings, a class whose name tables cannot hold, and one
    without an object to train on.
    """
    measured = set(one_band(features))
    label_of = dict(zip(objects["object_id"].to_pylist(), objects["class"].to_pylist(), strict=True))
    class_of = class_of_label(Counter(filter(None, label_of.values())), classes, ignore_labels)
    if unfit := misnamed(class_of.values()):
        raise DataError(unfit)
    rows = []
    for object_id in sorted(measured | set(label_of)):
        label = label_of.get(object_id) or None
        class_ = class_of.get(label) if label else None
        status = _status(label, class_, object_id in measured)
        rows.append({"object_id": object_id, "label": label, "class": class_, "status": status})
    _check_every_class_is_used(rows)
    return pa.Table.from_pylist(rows, schema=LABELS.schema)


def one_band(features: pa.Table) -> list[str]:
    """object_id of every row of a feature table; raises DataError if one object has features in several bands."""
    object_ids: list[str] = features["object_id"].to_pylist()
    repeated = [object_id for object_id, count in Counter(object_ids).items() if count > 1]
    if repeated:
        raise DataError(
            f"{len(repeated)} objects have features more than once, such as {repeated[:3]}, in bands "
            f"{sorted(set(features['band'].to_pylist()))}; classification needs one light curve per object: choose "
            f"one band with samples.<name>.local.bands"
        )
    return object_ids


def class_of_label(
    counts: Mapping[str, int], classes: Mapping[str, Sequence[str]], ignore_labels: Sequence[str]
) -> dict[str, str]:
    """Class of the run for each label; those to ignore have none. counts = objects of every label that occurs.

    Raises DataError for a label that stands twice, and for labels that occur and stand nowhere, with their counts.
    """
    listed = classes or {label: [label] for label in counts if label not in ignore_labels}
    uses = Counter([*(label for labels in listed.values() for label in labels), *ignore_labels])
    twice = sorted(label for label, count in uses.items() if count > 1)
    if twice:
        raise DataError(f"labels {twice} are listed more than once under classes and ignore_labels; list each once")
    unknown = {label: count for label, count in sorted(counts.items()) if label not in uses}
    if unknown:
        raise DataError(
            f"{sum(unknown.values())} objects have labels that no class lists: {_listing(unknown)}; add each label to "
            f"a class under classes in the run's configuration, or to ignore_labels"
        )
    return {label: name for name, labels in listed.items() for label in labels}


def misnamed(classes: Iterable[str]) -> str:
    """Say which names of classes tables cannot hold, or a reader would take for something else; empty = none."""
    wrong = sorted({name for name in classes if name in AVERAGES or "|" in name})
    if long := sorted({name for name in classes if len(name.encode("ascii", "backslashreplace")) > LONGEST}):
        return (
            f"{long} cannot be names of classes: names of columns in FITS hold {LONGEST} characters of a class, and up "
            "to ten for one outside ASCII; list their labels under a class of a shorter name, under classes in the "
            "run's configuration"
        )
    if not wrong:
        return ""
    averages = f"{', '.join(AVERAGES[:-1])} and {AVERAGES[-1]}"
    return (
        f"{wrong} cannot be names of classes: {averages} name averages in the tables of scores, and | stands between "
        "the classes of a conformal set; list their labels under a class of another name, under classes in the run's "
        "configuration"
    )


def _status(label: str | None, class_: str | None, is_measured: bool) -> str:
    if label is None:
        return "no label"
    if class_ is None:
        return "ignored label"
    return "used" if is_measured else "too few observations"


def _check_every_class_is_used(rows: Sequence[Mapping[str, str | None]]) -> None:
    labelled = Counter(row["class"] for row in rows if row["class"])
    used = Counter(row["class"] for row in rows if row["status"] == "used")
    lost = {str(name): count for name, count in labelled.items() if name not in used}
    if lost:
        raise DataError(
            f"no object of these classes has features, all have too few observations: {_listing(lost)}; put their "
            f"labels under ignore_labels or into another class, or lower cleaning.min_observations"
        )
    if len(used) < 2:
        raise DataError(
            f"{len(used)} class to train on ({sorted(map(str, used))}), at least 2 are needed: the labelled samples "
            f"need a column class with two classes or more (samples.<name>.local.columns)"
        )


def _listing(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
