from dataclasses import dataclass

import numpy as np
import pytest

from workflow_scripts import ensemble, verdict
from workflow_scripts.calibrate import Calibration
from workflow_scripts.period_rules import Question, Rule
from workflow_scripts.probabilities import Predictions

CLASSES = ("EA", "EW", "RR")
RULES = {"EA": Rule("period_d", 1.0, 50), "EW": Rule("period_ls_d", 2.0, 90), "RR": Rule("period_d", 0.5, 20)}
FEATURES = {
    "amplitude": 0.4, "colour": np.nan, "period_d": 0.25, "period_ls_d": 0.3, "false_alarm_probability": 2e-9,
}  # fmt: skip
CALIBRATION = Calibration(CLASSES, (0.3, 0.6, 0.1), {"lightgbm": 1.3, "xgboost": 0.9}, 0.9, (0.2, 0.45, np.inf))


@dataclass
class StandIn:
    """Trained model that gives the same probabilities to everything, and keeps what it was asked about."""

    probability: tuple[float, ...]
    training_prior: np.ndarray
    features: tuple[str, ...] = ("colour", "amplitude", "period_d")
    asked: np.ndarray | None = None

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        self.asked = x
        return np.array([self.probability])


def boosters(first: tuple[float, ...], second: tuple[float, ...]) -> dict[str, StandIn]:
    flat, steep = np.array([0.4, 0.3, 0.3]), np.array([0.2, 0.7, 0.1])
    return {"lightgbm": StandIn(first, flat), "xgboost": StandIn(second, steep)}


@pytest.fixture
def agreed() -> verdict.Verdict:
    return verdict.judge(FEATURES, boosters((0.2, 0.7, 0.1), (0.1, 0.8, 0.1)), CALIBRATION, RULES)


def test_probabilities_by_hand_without_calibration() -> None:
    plain = Calibration(CLASSES, (0.4, 0.3, 0.3), {"lightgbm": 1.0, "xgboost": 1.0}, 0.9, (0.5, 0.5, 0.5))
    same = np.array([0.4, 0.3, 0.3])
    models = {"lightgbm": StandIn((0.2, 0.7, 0.1), same), "xgboost": StandIn((0.1, 0.8, 0.1), same)}
    found = verdict.judge(FEATURES, models, plain, RULES)
    assert list(found.probability) == ["EW", "EA", "RR"]
    np.testing.assert_allclose(list(found.probability.values()), [0.75, 0.15, 0.1], atol=1e-14)  # rounding of exp, log
    assert found.by_booster["xgboost"] == ("EW", pytest.approx(0.8))


@pytest.mark.parametrize("first", [(0.2, 0.7, 0.1), (0.05, 0.05, 0.9), (0.5, 0.25, 0.25)])
def test_verdict_is_what_the_catalogue_would_say(first: tuple[float, ...]) -> None:
    models = boosters(first, (0.3, 0.5, 0.2))
    found = verdict.judge(FEATURES, models, CALIBRATION, RULES)
    ids, unknown = np.array(["x"], dtype=object), np.array([None], dtype=object)
    rows = [
        Predictions(ids, unknown, CLASSES, m.predict_proba(np.zeros((1, 3))), m.training_prior[None])
        for m in models.values()
    ]
    catalogue = ensemble.classify(*rows, CALIBRATION, "labelled")
    assert found.class_ == CLASSES[catalogue.best[0]]
    assert found.boosters_agree == catalogue.agree[0]
    assert [found.probability[c] for c in CLASSES] == pytest.approx(catalogue.mean[0])
    members = CALIBRATION.conformal_sets(catalogue.labelled)[0]
    assert found.conformal == tuple(np.array(CLASSES)[members])


def test_features_reach_the_model_in_its_own_order_missing_ones_as_nan() -> None:
    models = boosters((0.2, 0.7, 0.1), (0.1, 0.8, 0.1))
    found = verdict.judge(FEATURES, models, CALIBRATION, RULES)
    np.testing.assert_array_equal(models["xgboost"].asked, [[np.nan, 0.4, 0.25]])
    assert (found.n_missing, found.n_features) == (1, 3)


def test_period_follows_the_rule_of_the_class(agreed: verdict.Verdict) -> None:
    assert agreed.class_ == "EW"
    assert agreed.period_d == pytest.approx(0.6)  # twice the Lomb-Scargle period
    assert agreed.false_alarm_probability == 2e-9


def test_a_rule_may_ask_for_other_features() -> None:
    rules = RULES | {"EW": Question("eclipse_ratio", 0.5, True, Rule("period_d", 2.0), Rule("period_d", 1.0))}
    models = boosters((0.2, 0.7, 0.1), (0.1, 0.8, 0.1))
    for ratio, period in ((0.2, 0.5), (0.8, 0.25), (np.nan, 0.5)):
        found = verdict.judge(FEATURES | {"eclipse_ratio": ratio}, models, CALIBRATION, rules)
        assert found.period_d == pytest.approx(period)


def test_text_says_it_all(agreed: verdict.Verdict) -> None:
    lines = verdict.text(agreed).splitlines()
    assert lines[0].split(maxsplit=1) == ["class", "EW (both boosters agree)"]
    assert lines[1].split()[:2] == ["LightGBM", "EW"]
    assert lines[2].split()[:2] == ["XGBoost", "EW"]
    assert lines[3] == f"{'conformal set (90 %)':25s}EW | RR"
    assert (
        lines[4].split(maxsplit=1)[1] == "0.6 d by the rule of the class (best harmonic fit 0.25 d, Lomb-Scargle 0.3 d)"
    )
    assert lines[5].split()[-1] == "2e-09"
    assert lines[6].split(maxsplit=2)[2] == "1 of 3"
    printed = {line.split()[0]: float(line.split()[1]) for line in lines[9:]}
    assert list(printed) == list(agreed.probability)
    assert sum(printed.values()) == pytest.approx(1, abs=2e-4)  # four printed decimals each
    assert list(printed.values()) == sorted(printed.values(), reverse=True)


def test_disagreement_is_said() -> None:
    found = verdict.judge(FEATURES, boosters((0.02, 0.02, 0.96), (0.1, 0.8, 0.1)), CALIBRATION, RULES)
    assert not found.boosters_agree
    assert "suspected variable" in verdict.text(found).splitlines()[0]


def test_missing_period_is_said() -> None:
    nothing = FEATURES | dict.fromkeys(("period_d", "period_ls_d", "false_alarm_probability"), np.nan)
    text = verdict.text(verdict.judge(nothing, boosters((0.2, 0.7, 0.1), (0.1, 0.8, 0.1)), CALIBRATION, RULES))
    assert "nan d" not in text
    assert "none found" in text
