"""Stage ensemble from files to files, after the stages that feed it."""

import logging

import classified_run
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table as AstropyTable

from workflow_scripts import calibrate, catalogue, edge, features, period_rules, probabilities, tables, trained_on
from workflow_scripts.period_rules import Rule
from workflow_scripts.stages import calibrate as calibrate_stage
from workflow_scripts.stages import ensemble as stage

KINDS = {"": "parquet", "_fits": "fits", "_votable": "vot"}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> classified_run.Run:
    run = classified_run.make(tmp_path_factory.mktemp("run"))
    outputs = [run.path(name) for name in ("calibration.json", "m.parquet", "r.parquet", "c.parquet")]
    calibrate_stage.main(
        run.folds("lightgbm"),
        run.folds("xgboost"),
        run.path("split.parquet"),
        *outputs,
        conformal_level=0.9,
        seed=5,
    )
    rules = {name: Rule("period_d", 2.0 if name == "EW" else 1.0, 50) for name in classified_run.CLASSES}
    period_rules.save(rules, run.path("rules.json"))
    return run


@pytest.fixture
def run(made, monkeypatch) -> classified_run.Run:
    classified_run.stand_in(monkeypatch, features)
    return made


def start(
    run: classified_run.Run, sample: str, prior: str = "labelled", folder: str = "out", objects: str = "objects"
) -> dict[str, pa.Table]:
    """Run the stage; rows of catalogue, suspected and priors."""
    science = {m: [run.path(f"predictions/science/{m}.parquet")] for m in ("lightgbm", "xgboost")}
    folds = {m: run.folds(m) for m in science}
    out = run.path(f"{folder}/{sample}-{prior}")
    values = {
        "objects": run.path(f"{sample}/{objects}.parquet"),
        "features": [run.path(f"{sample}/features{i}.parquet") for i in range(2)],
        **(folds if sample == "labelled" else science),
        "labelled": [run.path(f"labelled/features{i}.parquet") for i in range(2)],
        "labelled_objects": [run.path(f"labelled/{objects}.parquet")],
        "split": run.path("split.parquet"),
        "calibration": run.path("calibration.json"),
        "period_rules": run.path("rules.json"),
        **{
            f"{table}{kind}": out / f"{table}.{end}"
            for table in ("catalogue", "suspected")
            for kind, end in KINDS.items()
        },
        "priors": out / "priors.parquet",
        "feature_set": "default",
        "prior": prior,
        "outlier_share": "0.05",
        "sample": sample,
    }
    stage.main(**edge.arguments(stage.main, values))
    columns = [trained_on.COLUMN, *classified_run.FEATURES.columns[2:6]]
    contract = catalogue.catalogue_table(classified_run.CLASSES, columns, prior, 0.9)
    found = {name: tables.read(out / f"{name}.parquet", contract) for name in ("catalogue", "suspected")}
    return {**found, "priors": tables.read(out / "priors.parquet", tables.PRIORS)}


def test_every_predicted_object_is_in_one_of_the_two(run):
    found = start(run, "science")
    ids = [*found["catalogue"]["object_id"].to_pylist(), *found["suspected"]["object_id"].to_pylist()]
    assert sorted(ids) == [f"science-{i:04d}" for i in range(80)]
    for name, agree in (("catalogue", True), ("suspected", False)):
        rows = found[name]
        assert rows.num_rows > 0
        assert rows["object_id"].to_pylist() == sorted(rows["object_id"].to_pylist())
        same = [
            a == b for a, b in zip(rows["class_lightgbm"].to_pylist(), rows["class_xgboost"].to_pylist(), strict=True)
        ]
        assert set(same) == {agree}
    assert found["catalogue"]["class"] == found["catalogue"]["class_xgboost"]


def test_labelled_objects_without_a_class_to_train_on_are_counted_not_listed(run, caplog):
    with caplog.at_level(logging.INFO):
        found = start(run, "labelled")
    ids = {i for name in ("catalogue", "suspected") for i in found[name]["object_id"].to_pylist()}
    assert ids == set(tables.read(run.path("split.parquet"), tables.SPLIT)["object_id"].to_pylist())
    assert f"{run.n - 2} of {run.n} objects" in caplog.text
    assert found["catalogue"]["label"].null_count == 0
    true = np.array(found["catalogue"]["label"].to_pylist()) == np.array(found["catalogue"]["class"].to_pylist())
    assert true.mean() > 0.85  # the planted boosters are right nine times of ten where they agree


def test_rows_belong_to_their_object(run):
    """Shards, folds and split are in different orders: every column must follow the identifier."""
    rows = start(run, "labelled")["catalogue"].to_pylist()
    fitted = calibrate.load(run.path("calibration.json"))
    boosters = {m: probabilities.read(run.folds(m)) for m in ("lightgbm", "xgboost")}
    objects = {r["object_id"]: r for r in tables.read(run.path("labelled/objects.parquet"), tables.OBJECTS).to_pylist()}
    for row in rows[::40]:
        one = {m: b.select([row["object_id"]]) for m, b in boosters.items()}
        p = [fitted.calibrated(m, b.probability, b.training_prior)[0] for m, b in one.items()]
        mean = (p[0] + p[1]) / 2
        assert [row[f"p_{c}"] for c in fitted.classes] == pytest.approx(mean.tolist())
        assert row["probability"] == row["probability_labelled"] == pytest.approx(mean.max())
        assert row["ra_deg"] == objects[row["object_id"]]["ra_deg"]
        assert row["band"] == "V"
        assert row["period_d"] == row["period_search_d"] * (2 if row["class"] == "EW" else 1)
        assert row["n_features_missing"] == (int(row["object_id"][-4:]) % 9 == 4) == (row["amplitude"] is None)
        members = [c for c, inside in zip(fitted.classes, fitted.conformal_sets(mean[None])[0], strict=True) if inside]
        assert row["conformal_set"] == "|".join(members)


def test_estimated_prior_reaches_the_probabilities_and_the_table(run):
    off, on = (start(run, "science", prior) for prior in ("labelled", "estimated"))
    shares = {r["class"]: r for r in on["priors"].to_pylist()}
    estimated = [shares[c]["estimated"] for c in classified_run.CLASSES]
    # 80 objects: binomial error 0.055, more with the overlap of the classes; 3 of these.
    np.testing.assert_allclose(estimated, classified_run.FIELD_MIX, atol=0.2)
    assert abs(shares["RR"]["estimated"] - shares["RR"]["labelled"]) > 0.2
    assert [shares[c]["training"] for c in classified_run.CLASSES] == pytest.approx(list(classified_run.TRAINED))
    assert on["priors"]["estimated"] == off["priors"]["estimated"]
    both = [{r["object_id"]: r for name in ("catalogue", "suspected") for r in f[name].to_pylist()} for f in (off, on)]
    assert {i: r["conformal_set"] for i, r in both[0].items()} == {i: r["conformal_set"] for i, r in both[1].items()}
    for object_id, row in both[1].items():
        assert row["probability_labelled"] == pytest.approx(both[0][object_id][f"p_{row['class']}"])
    assert np.mean([both[1][i]["p_RR"] > r["p_RR"] for i, r in both[0].items()]) > 0.9


def test_labelled_objects_are_no_neighbours_of_themselves(run):
    rows = start(run, "labelled")
    flags = [f for name in ("catalogue", "suspected") for f in rows[name]["out_of_distribution"].to_pylist()]
    # The limit is the 95 % quantile of these very scores.
    assert sum(flags) == pytest.approx(0.05 * len(flags), abs=1)


def place(run: classified_run.Run, sample: str, dec_deg: list[float | None]) -> None:
    """Write the sample's objects anew, at right ascension 40 and these declinations."""
    rows = tables.read(run.path(f"{sample}/objects.parquet"), tables.OBJECTS)
    for name, values in (("ra_deg", [40.0] * len(rows)), ("dec_deg", dec_deg)):
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(values, pa.float64()))
    tables.write(rows, run.path(f"{sample}/placed.parquet"), tables.OBJECTS)


def test_star_that_was_trained_on_under_another_identifier_is_named(run, caplog):
    """Every fifth science object is where a labelled one is; of the labelled ones the last two are in no split."""
    arcsec, n = 1 / 3600, run.n
    place(run, "labelled", [i / 10 for i in range(n)])
    near = {i: (i if i < 75 else n - 1) for i in range(0, 80, 5)}
    place(run, "science", [near[i] / 10 + arcsec if i in near else -50 + i / 10 for i in range(80)])
    plain = start(run, "science", folder="plain")
    with caplog.at_level(logging.WARNING):
        found = start(run, "science", folder="placed", objects="placed")
    rows = {r["object_id"]: r for name in ("catalogue", "suspected") for r in found[name].to_pylist()}
    expected = {f"science-{i:04d}": f"labelled-{j:04d}" for i, j in near.items() if j < n - 2}
    assert len(rows) == 80, "a neighbour in a crowded field is left out of no catalogue"
    assert {i: r["trained_on"] for i, r in rows.items() if r["trained_on"]} == expected
    assert "science: 15 objects are where one lies that the models were trained on, such as science-0000 where " in (
        caplog.text
    )
    for name in ("catalogue", "suspected"):
        assert plain[name]["trained_on"].null_count == len(plain[name]), "they have no coordinates"
        assert plain[name]["p_EA"] == found[name]["p_EA"]
    fits = AstropyTable.read(run.path("placed/science-labelled/catalogue.fits"), hdu=1)
    assert [t.decode() for t in np.array(fits["trained_on"], dtype="S")] == [
        t or "" for t in found["catalogue"]["trained_on"].to_pylist()
    ]


def test_labelled_objects_are_classified_by_models_that_never_saw_them(run, caplog):
    place(run, "labelled", [0.0] * 2 + [i / 10 for i in range(2, run.n)])
    found = start(run, "labelled", folder="again", objects="placed")
    assert all(found[name]["trained_on"].null_count == len(found[name]) for name in ("catalogue", "suspected"))
    assert "the models were trained on" not in caplog.text


def test_formats_agree_and_state_the_simulation(run):
    rows = start(run, "labelled")
    out = run.path("out/labelled-labelled")
    for name in ("catalogue", "suspected"):
        for end in ("fits", "vot"):
            found = AstropyTable.read(out / f"{name}.{end}", **({"hdu": 1} if end == "fits" else {}))
            assert list(np.char.decode(np.array(found["object_id"], dtype="S"))) == rows[name]["object_id"].to_pylist()
            assert b"SIMULATED: objects of a simulated survey" in (out / f"{name}.{end}").read_bytes()
        assert pq.read_schema(out / f"{name}.parquet").metadata[b"description"].startswith(b"SIMULATED")


def test_same_input_gives_the_same_bytes(run):
    for folder in ("a", "b"):
        start(run, "science", folder=folder)
    first, second = (sorted(run.path(f"{f}/science-labelled").iterdir()) for f in "ab")
    assert len(first) == 7
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
