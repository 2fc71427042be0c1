"""XGBoost: boosted trees grown level by level (Chen & Guestrin 2016); one of the two boosters of Qiao 2024, 3.1."""

from typing import Any

import numpy as np

from workflow_scripts.models.model import PATIENCE, Fitted, Predictor, Reals, Settings, TrainingData, shares

COMPLETE = False

# ASSUME Qiao 2024 give no hyper-parameters. Depth 4 did best in the folds of 10,170 Catalina variables (log loss 0.403
# against 0.406 with depth 6); bins and row sampling are those of LightGBM.
PARAMETERS: dict[str, Any] = {
    "objective": "multi:softprob",
    "eval_metric": "mlogloss",
    "tree_method": "hist",
    "max_depth": 4,
    "min_child_weight": 2,
    "subsample": 0.8,
    "colsample_bytree": 0.6,
    "max_bin": 127,
}


def fit(data: TrainingData, settings: Settings, seed: int, threads: int) -> Fitted:
    """Boost until the validation loss has not improved for 50 rounds; repeatable for a fixed number of threads."""
    import xgboost

    sizes = {"num_class": data.n_classes, "eta": settings.learning_rate}
    bins = PARAMETERS["max_bin"]
    train = xgboost.QuantileDMatrix(data.x, data.y, weight=data.weight, max_bin=bins, nthread=threads)
    stop = len(data.y_validation) > 0
    booster = xgboost.train(
        PARAMETERS | sizes | {"seed": seed, "nthread": threads},
        train,
        num_boost_round=settings.rounds,
        evals=[(xgboost.DMatrix(data.x_validation, data.y_validation, nthread=threads), "validation")] if stop else [],
        early_stopping_rounds=PATIENCE if stop else None,
        verbose_eval=False,
    )
    booster = booster[: booster.best_iteration + 1] if stop else booster
    gain = booster.get_score(importance_type="total_gain")
    return Fitted(
        bytes(booster.save_raw("json")),
        booster.num_boosted_rounds(),
        shares(np.array([gain.get(f"f{i}", 0.0) for i in range(data.x.shape[1])])),
        f"xgboost {xgboost.__version__}",
    )


def predictor(content: bytes) -> Predictor:
    """Read the model's JSON."""
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(content))

    def predict(x: Reals) -> Reals:
        probability = booster.predict(xgboost.DMatrix(x, nthread=1)).astype(np.float64)
        total: Reals = probability.sum(axis=1, keepdims=True)  # 1 to single precision only
        return probability / total

    return predict
