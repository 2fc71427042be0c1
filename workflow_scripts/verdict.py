"""What the models of a run say about one object, and the same as a text for a person."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from workflow_scripts import period_rules
from workflow_scripts.calibrate import Calibration
from workflow_scripts.figures.style import name_of
from workflow_scripts.models import Trained
from workflow_scripts.period_rules import Tree

BOOSTERS = ("lightgbm", "xgboost")


@dataclass(frozen=True)
class Verdict:
    """The verdict on one object.

    probability: by class, the most probable first, mean of the boosters, calibrated, under the class mix of the
    labelled sample. by_booster: class and its calibrated probability by booster. conformal: classes the object may
    have at conformal_level. period_d [d] follows from searched_d [d], the periods of period_rules.COLUMNS, by the
    rule of the class; values that are missing are NaN.
    """

    probability: Mapping[str, float]
    by_booster: Mapping[str, tuple[str, float]]
    conformal: tuple[str, ...]
    conformal_level: float
    period_d: float
    searched_d: Mapping[str, float]
    false_alarm_probability: float
    n_features: int
    n_missing: int

    @property
    def class_(self) -> str:
        """Class of the highest mean probability."""
        return next(iter(self.probability))

    @property
    def boosters_agree(self) -> bool:
        """Whether both boosters give the same class, as the catalogue demands."""
        return len({class_ for class_, _ in self.by_booster.values()}) == 1


def judge(
    features: Mapping[str, float],
    boosters: Mapping[str, Trained],
    calibration: Calibration,
    rules: Mapping[str, Tree],
) -> Verdict:
    """Classify one object as the catalogue is made (stage ensemble), under the labelled sample's class mix.

    features maps every column of the feature table to its value, NaN where it is missing.
    """
    names = np.array(calibration.classes, dtype=object)
    calibrated = {}
    for name, trained in boosters.items():
        x = np.array([[features[f] for f in trained.features]], dtype=np.float64)
        calibrated[name] = calibration.calibrated(name, trained.predict_proba(x), trained.training_prior)[0]
    mean = np.mean(list(calibrated.values()), axis=0)
    order = np.argsort(-mean, kind="stable")
    best = np.array([names[order[0]]], dtype=object)
    signs = {name: np.array([features[name]]) for name in period_rules.columns(features)}
    used = boosters[BOOSTERS[0]].features
    return Verdict(
        probability={str(names[i]): float(mean[i]) for i in order},
        by_booster={name: (str(names[p.argmax()]), float(p.max())) for name, p in calibrated.items()},
        conformal=tuple(names[calibration.conformal_sets(mean[None])[0]]),
        conformal_level=calibration.conformal_level,
        period_d=float(period_rules.apply(rules, best, signs)[0]),
        searched_d={name: features[name] for name in period_rules.COLUMNS},
        false_alarm_probability=features["false_alarm_probability"],
        n_features=len(used),
        n_missing=int(np.isnan([features[f] for f in used]).sum()),
    )


def text(verdict: Verdict) -> str:
    """Give the verdict as lines of text."""
    fate = "both boosters agree" if verdict.boosters_agree else "the boosters disagree: a suspected variable"
    facts = {
        "class": f"{verdict.class_} ({fate})",
        **{name_of(booster): f"{class_} {p:.3f}" for booster, (class_, p) in verdict.by_booster.items()},
        f"conformal set ({100 * verdict.conformal_level:g} %)": " | ".join(verdict.conformal),
        "period": _period(verdict),
        "false-alarm probability": f"{verdict.false_alarm_probability:.3g}",
        "features missing": f"{verdict.n_missing} of {verdict.n_features}",
    }
    widest = max(map(len, verdict.probability))
    lines = [
        *(f"{name:25s}{fact}" for name, fact in facts.items()),
        "",
        "calibrated probabilities, mean of both, under the class shares of the labelled sample",
        *(f"  {name:{widest}s}  {p:.4f}" for name, p in verdict.probability.items()),
    ]
    return "\n".join(lines) + "\n"


def _period(verdict: Verdict) -> str:
    if np.isnan(verdict.period_d):
        return "none found"
    names = {"period_d": "best harmonic fit", "period_ls_d": "Lomb-Scargle"}
    searched = ", ".join(f"{names[column]} {value:.7g} d" for column, value in verdict.searched_d.items())
    return f"{verdict.period_d:.7g} d by the rule of the class ({searched})"
