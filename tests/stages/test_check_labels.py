"""Stage check_labels: what rule split refuses after hours of features is refused before them, and nothing else."""

import contextlib

import numpy as np
import pyarrow as pa
import pytest

from workflow_scripts import tables
from workflow_scripts.features import FEATURES
from workflow_scripts.stages import check_labels, split
from workflow_scripts.tables import DataError

SETTINGS = {"classes": {}, "ignore_labels": [], "test_share": 0.3, "folds": 3, "sky_blocks": True, "seed": 3}
SIZES = {"EA": 40, "EW": 30, "RR": 12}


def objects(**changes: object) -> pa.Table:
    """Labelled objects all over the sky."""
    rng, n = np.random.default_rng(1), sum(SIZES.values())
    columns = {
        "object_id": [f"star{i:02d}" for i in range(n)],
        "survey": ["x"] * n,
        "ra_deg": rng.uniform(0, 360, n),
        "dec_deg": np.degrees(np.arcsin(rng.uniform(-1, 1, n))),
        "class": np.repeat(list(SIZES), list(SIZES.values())),
        "catalogue_period_d": pa.nulls(n),
    }
    return pa.table(columns | changes).cast(tables.OBJECTS.schema)


def curves(object_ids: list[str], bands: list[str] | None = None) -> pa.Table:
    """Light curves as they are after the cleaning."""
    point = {name: [[15.0]] * len(object_ids) for name in ("time", "mag", "mag_err")}
    return pa.table({"object_id": object_ids, "band": bands or ["r"] * len(object_ids)} | point).cast(
        tables.LIGHT_CURVES.schema
    )


def check(folder, samples: dict[str, pa.Table], shards: list[pa.Table], **changes: object) -> list[dict]:
    """Run the stage; rows of its table."""
    lists, files = (
        [folder / f"{kind}{i}.parquet" for i in range(len(of))] for kind, of in (("o", samples), ("c", shards))
    )
    for path, rows in zip(lists, samples.values(), strict=True):
        tables.write(rows, path, tables.OBJECTS)
    for path, rows in zip(files, shards, strict=True):
        tables.write(rows, path, tables.LIGHT_CURVES)
    check_labels.main(lists, files, folder / "usable.parquet", list(samples), **SETTINGS | changes)
    return tables.read(folder / "usable.parquet", check_labels.USABLE).to_pylist()


def late(folder, listed: pa.Table, light_curves: pa.Table, **changes: object) -> str:
    """Say what the stage split says of the same objects once they have features; empty = nothing."""
    tables.write(listed, folder / "objects.parquet", tables.OBJECTS)
    values = {column.name: np.zeros(len(light_curves)) for column in FEATURES.columns[2:]}
    rows = {name: light_curves[name] for name in ("object_id", "band")} | values
    tables.write(rows, folder / "features.parquet", FEATURES)
    names = {name: folder / f"{name}.parquet" for name in ("split", "labels")}
    try:
        split.main([folder / "objects.parquet"], [folder / "features.parquet"], **names, **SETTINGS | changes)
    except DataError as error:
        return str(error)
    return ""


EVERY = objects()
IDS = EVERY["object_id"].to_pylist()
ONE_FIELD = objects(ra_deg=np.linspace(3.0, 4.0, len(IDS)), dec_deg=np.linspace(1.0, 2.0, len(IDS)))
NOWHERE = objects(ra_deg=pa.nulls(len(IDS)), dec_deg=pa.nulls(len(IDS)))
ONE_PLACE = objects(
    ra_deg=[*EVERY["ra_deg"].to_pylist()[:-12], *np.repeat([10.0, 90.0], 6)],
    dec_deg=[*EVERY["dec_deg"].to_pylist()[:-12], *[5.0] * 12],
)
TWO_BANDS = curves([*IDS, *IDS[:28]], ["g"] * len(IDS) + ["r"] * 28)
CASES = {
    "in two bands": (EVERY, TWO_BANDS, {}, "28 objects .* bands .'g', 'r'.*bands"),
    "few for the folds": (EVERY, curves(IDS), {"folds": 13}, r"13 folds: RR \(12\)"),
    "few stars, though many objects": (ONE_PLACE, curves(IDS), {}, r"counted once, than the 3 folds: RR \(2\)"),
    "one field": (ONE_FIELD, curves(IDS), {}, "1 sky blocks .*training.sky_blocks: false"),
    "without coordinates": (NOWHERE, curves(IDS), {}, "82 of 82 labelled objects have no coordinates"),
    "without a curve of a class": (EVERY, curves(IDS[:70]), {}, r"too few observations: RR \(12\)"),
    "unknown label": (EVERY, curves(IDS), {"classes": {"E": ["EA", "EW"]}}, r"no class lists: RR \(12\)"),
    "good": (EVERY, curves(IDS), {}, ""),
    "one field, no blocks": (ONE_FIELD, curves(IDS), {"sky_blocks": False}, ""),
    "nowhere, no blocks": (NOWHERE, curves(IDS), {"sky_blocks": False}, ""),
    "each in one of two bands": (EVERY, curves(IDS, ["g", "r"] * 41), {}, ""),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_is_what_the_split_would_refuse_with_the_same_words(tmp_path, case):
    listed, light_curves, changes, words = CASES[case]
    said = late(tmp_path, listed, light_curves, **changes)
    if not words:
        assert said == ""
        check(tmp_path, {"known": listed}, [light_curves], **changes)
        return
    with pytest.raises(DataError, match=words) as early:
        check(tmp_path, {"known": listed}, [light_curves], **changes)
    assert str(early.value) == said
    assert not (tmp_path / "usable.parquet").exists()


@pytest.mark.parametrize("seed", range(6))
def test_few_blocks_are_refused_by_the_very_draw_that_the_split_makes(tmp_path, seed):
    """In few blocks it is a matter of the draw whether all classes are on both sides."""
    rng = np.random.default_rng(seed)
    block = rng.integers(0, 3, len(IDS)) * 40.0 + 5.0
    listed = objects(ra_deg=block + rng.uniform(-1, 1, len(IDS)), dec_deg=rng.uniform(1, 2, len(IDS)))
    said = late(tmp_path, listed, curves(IDS), seed=seed)
    with pytest.raises(DataError) if said else contextlib.nullcontext() as early:
        check(tmp_path, {"known": listed}, [curves(IDS)], seed=seed)
    assert said == (str(early.value) if early else "")


def test_objects_and_stars_of_each_class_are_counted(tmp_path):
    """Two samples, light curves in two shards; two binaries have one place, and one star lost its light curve."""
    ra, dec = (EVERY[name].to_pylist() for name in ("ra_deg", "dec_deg"))
    listed = objects(ra_deg=[ra[1], *ra[1:]], dec_deg=[dec[1] + 0.5 / 3600, *dec[1:]])
    samples = {"one": listed.slice(0, 50), "two": listed.slice(50)}
    found = check(tmp_path, samples, [curves(IDS[1::2]), curves(IDS[0:81:2])])
    assert found == [
        {"class": "EA", "n_objects": 40, "n_stars": 39},
        {"class": "EW", "n_objects": 30, "n_stars": 30},
        {"class": "RR", "n_objects": 12, "n_stars": 12},
    ]
    found = check(tmp_path, samples, [curves(IDS[:-1])], classes={"E": ["EA", "EW"], "R": ["RR"]})
    assert [tuple(row.values()) for row in found] == [("E", 70, 69), ("R", 11, 11)]


def test_object_in_two_labelled_samples_is_named_with_both_and_not_taken_for_two_bands(tmp_path):
    samples = {"one": EVERY.slice(0, 50), "two": EVERY.slice(49)}
    with pytest.raises(
        DataError, match=r"1 objects are in more than one sample, such as \['star49'\] in \['one', 'two'\]"
    ):
        check(tmp_path, samples, [curves(IDS[:50]), curves(IDS[49:])])
