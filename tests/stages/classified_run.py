"""A small synthetic run on disk: labelled and science objects, features, split and predictions of both boosters."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy.special import softmax

from workflow_scripts import calibrate, prior, probabilities, tables
from workflow_scripts.probabilities import Predictions
from workflow_scripts.tables import Column

CLASSES = ("EA", "EW", "RR")
MIX, FIELD_MIX, TRAINED = np.array([0.3, 0.5, 0.2]), np.array([0.15, 0.25, 0.6]), np.array([0.35, 0.4, 0.25])
FOLDS = 3
FEATURES = tables.Table(
    "features",
    (
        tables.OBJECT_ID,
        Column("band", pa.string(), "", "band"),
        Column("period_d", pa.float64(), "d", "best period", True),
        Column("period_ls_d", pa.float64(), "d", "Lomb-Scargle period", True),
        Column("false_alarm_probability", pa.float64(), "", "false-alarm probability", True),
        Column("amplitude", pa.float64(), "mag", "amplitude", True),
        Column("n_obs", pa.float64(), "", "observations", True),
    ),
)
USED = ["period_d", "period_ls_d", "false_alarm_probability", "amplitude"]


@dataclass(frozen=True)
class Run:
    """Files of the run; n labelled objects of which the last two are in no split row, and 80 science objects."""

    folder: Path
    n: int

    def path(self, name: str) -> Path:
        """File of the run."""
        return self.folder / name

    def folds(self, model: str) -> list[Path]:
        """Probability files of a model's folds."""
        return [self.path(f"models/fold{k}/{model}-original.parquet") for k in range(FOLDS)]


def stand_in(monkeypatch, module) -> None:
    """Put the small feature table in the place of the real one."""
    monkeypatch.setattr(module, "FEATURES", FEATURES)
    monkeypatch.setattr(module, "names", lambda _: USED)


def make(folder: Path, n: int = 360) -> Run:
    """Write the run."""
    rng, run = np.random.default_rng(12), Run(folder, n)
    labelled = _sample(rng, run, "labelled", n, MIX)
    _sample(rng, run, "science", 80, FIELD_MIX)
    split = labelled.slice(0, n - 2).select(["object_id", "class"])
    fold, part = np.arange(n - 2) % FOLDS, np.array(["test", "train", "train", "validation"])
    for name, column in (
        ("random", part[np.arange(n - 2) % 4]),
        ("sky", part[np.arange(n - 2) // 2 % 4]),
        ("fold", fold.astype(np.int32)),
        ("star", labelled["object_id"].to_numpy()[: n - 2]),
    ):
        split = split.append_column(name, pa.array(column))
    # The rows of split are in no order that anything may rely on.
    tables.write(split.take(rng.permutation(n - 2)), run.path("split.parquet"), tables.SPLIT)
    for model, temperature in (("lightgbm", 2.5), ("xgboost", 0.5)):
        stated = _predictions(rng, split["object_id"].to_pylist(), split["class"].to_pylist(), temperature)
        for k in range(FOLDS):
            probabilities.write(stated.select(list(stated.object_id[fold == k])), run.folds(model)[k])
        for scheme in ("random", "sky"):
            tested = stated.select(list(stated.object_id[split[scheme].to_numpy() == "test"]))
            probabilities.write(tested, run.path(f"models/{scheme}/{model}-original.parquet"))
        science = tables.read(run.path("science/objects.parquet"), tables.OBJECTS)
        true = [label[:2] for label in science["survey"].to_pylist()]
        unlabelled = _predictions(rng, science["object_id"].to_pylist(), true, temperature)
        unlabelled = Predictions(
            unlabelled.object_id, np.full(80, None), CLASSES, unlabelled.probability, unlabelled.training_prior
        )
        probabilities.write(unlabelled, run.path(f"predictions/science/{model}.parquet"))
    probabilities.write(
        _predictions(rng, [f"made-{i}" for i in range(30)], ["EA", "EW", "RR"] * 10, 9.0),
        run.path("models/leak/lightgbm-smote.parquet"),
    )
    return run


def _sample(rng: np.random.Generator, run: Run, name: str, n: int, mix: np.ndarray) -> pa.Table:
    """Objects and features in two shards; half the EW are found at half their period, the rest as catalogued."""
    true = np.array(CLASSES)[np.concatenate([np.arange(3), rng.choice(3, size=n - 3, p=mix)])]
    period = rng.uniform(0.2, 0.9, size=n)
    is_labelled = name == "labelled"
    objects = pa.table(
        {
            "object_id": [f"{name}-{i:04d}" for i in range(n)],
            "survey": ["SIMULATED" if is_labelled else f"{c} field" for c in true],
            "ra_deg": rng.uniform(0, 360, size=n),
            "dec_deg": pa.array([None] * n, pa.float64()),
            "class": pa.array(true if is_labelled else [None] * n, pa.string()),
            "catalogue_period_d": period if is_labelled else pa.array([None] * n, pa.float64()),
        }
    )
    tables.write(objects, run.path(f"{name}/objects.parquet"), tables.OBJECTS)
    measured = pa.table(
        {
            "object_id": objects["object_id"],
            "band": ["V"] * n,
            "period_d": period * np.where(true == "EW", 0.5, 1),
            "period_ls_d": period / 2,
            "false_alarm_probability": np.full(n, 1e-6),
            "amplitude": pa.array(np.where(np.arange(n) % 9 == 4, np.nan, rng.gamma(2, size=n)), from_pandas=True),
            "n_obs": np.full(n, 100.0),
        }
    )
    for shard in range(2):  # shards cut across the order of the objects
        part = measured.take(np.flatnonzero(np.arange(n) % 2 == shard)[::-1])
        tables.write(part, run.path(f"{name}/features{shard}.parquet"), FEATURES)
    return objects


def _predictions(rng: np.random.Generator, ids: list[str], true: list[str], temperature: float) -> Predictions:
    """Posteriors of a model that sees each object through noise, stated as p^temperature under its training prior."""
    position = np.array([CLASSES.index(name) for name in true])
    x = rng.normal(2.0 * np.eye(3)[position], 1)  # posterior odds of exp(2 x), whatever the mix
    stated = calibrate.soften(softmax(2.0 * x + np.log(MIX), axis=1), 1 / temperature)
    probability = prior.shift(stated, MIX, TRAINED)
    objects = [np.array(values, dtype=object) for values in (ids, true)]
    return Predictions(*objects, CLASSES, probability, np.broadcast_to(TRAINED, probability.shape))
