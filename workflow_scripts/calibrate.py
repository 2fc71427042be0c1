"""Calibrated probabilities: prior shift, temperature and class biases of each booster, conformal limits.

Temperature scaling: Guo et al. 2017, "On calibration of modern neural networks", section 4.2; with a bias for each
class: Alexandari, Kundaje & Shrikumar 2020, "Maximum likelihood with bias-corrected calibration", section 3. A booster
that stops at the best loss of validation objects in their natural mix does not follow class weights or SMOTE all the
way: the prior shift alone takes back more than they gave (log loss 0.41 against 0.39 on the Catalina variables), and
the biases mend that. "Before" is what the model gives, under the class mix it was trained with; "after" is under the
mix of the labelled sample.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow_scripts import conformal, evaluate, prior, tables
from workflow_scripts.evaluate import Figure, Row
from workflow_scripts.probabilities import Predictions, Reals

FLOOR = 1e-15  # smallest probability; single precision gives 0, which has no logarithm
TEMPERATURES = (0.05, 20.0)  # range searched
_EXACT = {"ftol": 1e-14, "gtol": 1e-8, "maxiter": 1000}  # of the minimiser: what is left is rounding


@dataclass(frozen=True)
class Calibration:
    """What turns the boosters' probabilities into calibrated ones; k classes.

    labelled_prior (k): class shares of the labelled sample. temperature and bias (k, none = 0): of each booster, by
    name. conformal_limits (k): largest score 1 - p at which a class is in the set of conformal_level (infinite =
    always).
    """

    classes: tuple[str, ...]
    labelled_prior: tuple[float, ...]
    temperature: Mapping[str, float]
    conformal_level: float
    conformal_limits: tuple[float, ...]
    bias: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def calibrated(self, model_name: str, probability: Reals, training_prior: Reals) -> Reals:
        """Calibrated probabilities (n, k) of a booster under the labelled prior.

        The training prior, (k,) or (n, k), is exchanged for the labelled one, then p^(1/T) exp(bias) is normalised.
        """
        shifted = prior.shift(np.clip(probability, FLOOR, 1), training_prior, np.array(self.labelled_prior))
        return soften(shifted, self.temperature[model_name], np.array(self.bias.get(model_name, 0.0)))

    def conformal_sets(self, probability: Reals) -> NDArray[np.bool_]:
        """Membership (n, k) of the classes in each object's conformal set.

        probability (n, k) is the mean of both boosters' calibrated probabilities under the labelled prior, with
        which the limits were made, also where the catalogue uses another prior: coverage within a class does
        not depend on the class mix.
        """
        return conformal.sets(probability, np.array(self.conformal_limits))


@dataclass(frozen=True)
class HeldOut:
    """Calibrated probabilities (n, k) by model, ensemble included, and conformal sets (n, k) of held-out objects."""

    probability: dict[str, Reals]
    sets: NDArray[np.bool_]


@dataclass(frozen=True)
class Report:
    """Rows of tables.METRICS and of tables.RELIABILITY."""

    metrics: list[Row]
    reliability: list[Row]


def fit(boosters: Mapping[str, Predictions], labelled_prior: Reals, level: float) -> Calibration:
    """Temperatures, biases and conformal limits from the boosters' predictions of labelled objects they never saw.

    Raises DataError if the boosters differ in classes or objects.
    """
    # ASSUME the final models, trained on all labelled objects, err as the models of the folds do.
    first = next(iter(boosters.values()))
    if any(b.classes != first.classes or list(b.object_id) != list(first.object_id) for b in boosters.values()):
        raise tables.DataError("the boosters' predictions differ in classes or objects; train both again")
    temperature, bias = {}, {}
    for name, booster in boosters.items():
        shifted = prior.shift(np.clip(booster.probability, FLOOR, 1), booster.training_prior, labelled_prior)
        temperature[name], bias[name] = fit_scaling(shifted, booster.true_index)
    without_limits = Calibration(first.classes, tuple(labelled_prior.tolist()), temperature, level, (), bias)
    mean = np.mean(list(_calibrated(without_limits, boosters).values()), axis=0)
    limits = conformal.limits(mean, first.true_index, level)
    return dataclasses.replace(without_limits, conformal_limits=tuple(limits.tolist()))


def cross_fit(
    boosters: Mapping[str, Predictions], labelled_prior: Reals, level: float, fold: NDArray[np.integer]
) -> HeldOut:
    """Calibrate each fold (n,) with what the other folds gave, so that the figures measured on it are honest."""
    first = next(iter(boosters.values()))
    probability = {name: np.empty_like(first.probability) for name in (*boosters, "ensemble")}
    sets = np.zeros(first.probability.shape, dtype=bool)
    for k in np.unique(fold):
        kept, held = ({n: b.select(list(b.object_id[m])) for n, b in boosters.items()} for m in (fold != k, fold == k))
        calibration = fit(kept, labelled_prior, level)
        calibrated = _calibrated(calibration, held)
        calibrated["ensemble"] = np.mean(list(calibrated.values()), axis=0)
        for name, values in calibrated.items():
            probability[name][fold == k] = values
        sets[fold == k] = calibration.conformal_sets(calibrated["ensemble"])
    return HeldOut(probability, sets)


def fit_scaling(probability: Reals, true_index: NDArray[np.intp]) -> tuple[float, tuple[float, ...]]:
    """Temperature T and class biases (k, mean 0) that minimise the log loss of p^(1/T) exp(bias), normalised.

    probability is (n, k). Each bias has a normal prior of standard deviation 1, which decides nothing but cases
    where the labels would drive it to infinity.
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    logs, (n, k) = np.log(probability), probability.shape
    truth = np.eye(k)[true_index]

    def loss(parameters: Reals) -> tuple[float, Reals]:
        """Penalised log loss and its gradient at (-log T, bias)."""
        sharpness, bias = np.exp(parameters[0]), parameters[1:]
        predicted = log_softmax(logs * sharpness + bias, axis=1)
        excess = np.exp(predicted) - truth
        gradient = np.r_[sharpness * (excess * logs).sum() / n, excess.mean(axis=0) + bias / n]
        return float(-(predicted * truth).sum() / n + (bias @ bias) / (2 * n)), gradient

    bounds = [(-np.log(TEMPERATURES[1]), -np.log(TEMPERATURES[0])), *[(None, None)] * k]
    found = minimize(loss, np.zeros(k + 1), jac=True, method="L-BFGS-B", bounds=bounds, options=_EXACT).x
    return float(np.exp(-found[0])), tuple((found[1:] - found[1:].mean()).tolist())


def soften(probability: Reals, temperature: float, bias: Reals | float = 0.0) -> Reals:
    """Probabilities p^(1/T) exp(bias), normalised: T > 1 flattens, T < 1 sharpens; without bias the order stays."""
    from scipy.special import softmax

    return np.asarray(softmax(np.log(probability) / temperature + bias, axis=1))


def report(boosters: Mapping[str, Predictions], held_out: HeldOut, published: Calibration, data: str) -> Report:
    """Errors before and after calibration of each booster and of their mean, measured on held-out folds.

    before: the probabilities as the models give them. after: as the other folds calibrate them. The temperature
    is the published one, fitted on all folds; data names the training data.
    """
    first = next(iter(boosters.values()))
    before = {name: booster.probability for name, booster in boosters.items()}
    before["ensemble"] = np.mean(list(before.values()), axis=0)
    metrics: list[Row] = []
    bins: list[Row] = []
    for model in before:
        for stage, probability in (("before", before[model]), ("after", held_out.probability[model])):
            figures = _errors(probability, first.true_index, first.classes, stage)
            metrics += [figure.row("folds", model, data) for figure in figures]
            confidence, correct = probability.max(axis=1), probability.argmax(axis=1) == first.true_index
            bins += [{"model": model, "stage": stage, **row} for row in evaluate.reliability(confidence, correct)]
    for name, temperature in published.temperature.items():
        metrics.append(Figure("all", "temperature", temperature, None, None, len(first)).row("folds", name, data))
    sets = _set_figures(held_out.sets, first.true_index, first.classes)
    return Report([*metrics, *(figure.row("folds", "ensemble", data) for figure in sets)], bins)


def score(
    boosters: Mapping[str, Predictions], held_out: HeldOut, data: str, generator: np.random.Generator
) -> list[Row]:
    """Figures of merit of both boosters, and where they agree, from calibrated probabilities of held-out objects.

    Rows of tables.METRICS, with the names that the figures before calibration have. These stand behind a catalogue
    under the labelled prior: its classes are those after calibration.
    """
    calibrated = {n: dataclasses.replace(b, probability=held_out.probability[n]) for n, b in boosters.items()}
    rows = [f.row("folds", n, data) for n, p in calibrated.items() for f in evaluate.score(p, generator)]
    agreed = evaluate.score_agreement(calibrated["lightgbm"], calibrated["xgboost"], generator)
    return [*rows, *(figure.row("folds", "ensemble", data) for figure in agreed)]


def save(calibration: Calibration, path: Path) -> None:
    """Write a calibration as JSON with sorted keys; an infinite limit is null."""
    values = dataclasses.asdict(calibration)
    values["conformal_limits"] = [v if np.isfinite(v) else None for v in calibration.conformal_limits]
    with tables.whole(path) as part:
        part.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def load(path: Path) -> Calibration:
    """Read a calibration that save wrote; raises DamagedError if it is not one."""
    with tables.undamaged(path, "a calibration"):
        return _calibration(json.loads(path.read_text(encoding="utf-8")))


def _calibration(values: Mapping[str, Any]) -> Calibration:
    limits = tuple(np.inf if v is None else v for v in values["conformal_limits"])
    lists = {key: tuple(values[key]) for key in ("classes", "labelled_prior")}
    bias = {name: tuple(value) for name, value in values["bias"].items()}
    return Calibration(**{**values, **lists, "conformal_limits": limits, "bias": bias})


def _calibrated(calibration: Calibration, boosters: Mapping[str, Predictions]) -> dict[str, Reals]:
    return {n: calibration.calibrated(n, b.probability, b.training_prior) for n, b in boosters.items()}


def _errors(probability: Reals, true_index: NDArray[np.intp], classes: tuple[str, ...], stage: str) -> Iterator[Figure]:
    """Accuracy, macro F1, log loss and ECE of the most probable class, ECE of each class's own, and its largest."""
    n, correct = len(true_index), probability.argmax(axis=1) == true_index
    top = evaluate.calibration_error(probability.max(axis=1), correct)
    of_class = [evaluate.calibration_error(p, true_index == c) for c, p in enumerate(probability.T)]
    yield Figure("all", f"accuracy_{stage}", float(correct.mean()), None, None, n)
    yield Figure("all", f"macro_f1_{stage}", evaluate.macro_f1(probability, true_index), None, None, n)
    yield Figure("all", f"log_loss_{stage}", float(evaluate.log_losses(probability, true_index).mean()), None, None, n)
    yield Figure("all", f"ece_{stage}", top, None, None, n)
    yield Figure("all", f"ece_class_max_{stage}", max(of_class), None, None, n)
    for name, error in zip(classes, of_class, strict=True):
        yield Figure(name, f"ece_{stage}", error, None, None, n)


def _set_figures(sets: NDArray[np.bool_], true_index: NDArray[np.intp], classes: tuple[str, ...]) -> Iterator[Figure]:
    """Coverage, mean size and share of single-class sets by true class, over the classes (macro), and of all."""
    n, size = len(sets), sets.sum(axis=1)
    support = np.bincount(true_index, minlength=len(classes))
    values = {
        "conformal_coverage": sets[np.arange(n), true_index],
        "conformal_set_size": size,
        "conformal_single_share": size == 1,
    }
    for metric, value in values.items():
        mean = np.bincount(true_index, value, len(classes)) / support
        for name, of_class, count in zip(classes, mean, support, strict=True):
            yield Figure(name, metric, float(of_class), None, None, int(count))
        yield Figure("macro", metric, float(mean.mean()), None, None, n)
        yield Figure("all", metric, float(value.mean()), None, None, n)
