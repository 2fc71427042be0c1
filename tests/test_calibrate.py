"""Calibration: known temperatures are found, the prior shift comes first, and no fold judges itself."""

import json

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import softmax

from workflow_scripts import calibrate, conformal, evaluate, prior, tables
from workflow_scripts.calibrate import Calibration
from workflow_scripts.probabilities import Predictions

CLASSES = ("EA", "EW", "RR")
MIX = np.array([0.5, 0.3, 0.2])


def boosters(
    n: int, temperatures: tuple[float, float], seed: int = 0, trained: np.ndarray = MIX
) -> dict[str, Predictions]:
    """Two boosters that know the true posteriors but state them as p^temperature, under the prior trained with."""
    rng = np.random.default_rng(seed)
    true = np.concatenate([np.arange(3), rng.choice(3, size=n - 3, p=MIX)])
    ids, names = np.array([f"o{i:05d}" for i in range(n)], dtype=object), np.array(CLASSES, dtype=object)[true]
    found = {}
    for name, temperature in zip(("lightgbm", "xgboost"), temperatures, strict=True):
        x = rng.normal(2.0 * np.eye(3)[true], 1)  # each booster sees the object through a noise of its own
        posterior = softmax(2.0 * x + np.log(MIX), axis=1)
        stated = prior.shift(calibrate.soften(posterior, 1 / temperature), MIX, trained)
        found[name] = Predictions(ids, names, CLASSES, stated, np.broadcast_to(trained, stated.shape))
    return found


def by_key(rows: list[dict]) -> dict[tuple[str, str, str], float]:
    return {(r["model"], r["class"], r["metric"]): r["value"] for r in rows}


def test_soften_by_hand():
    np.testing.assert_allclose(calibrate.soften(np.array([[0.8, 0.2]]), 2), [[2 / 3, 1 / 3]], rtol=1e-14)
    np.testing.assert_allclose(calibrate.soften(np.array([[0.8, 0.2]]), 0.5), [[16 / 17, 1 / 17]], rtol=1e-14)
    np.testing.assert_allclose(calibrate.soften(np.array([[0.8, 0.2]]), 1), [[0.8, 0.2]], rtol=1e-14)


def test_temperature_in_closed_form():
    # Odds of 9 to 1 either way, right 3 times of 4: the best odds are 3 to 1, so T = ln 9 / ln 3 = 2, without bias.
    probability = np.array([[0.9, 0.1]] * 4 + [[0.1, 0.9]] * 4)
    temperature, bias = calibrate.fit_scaling(probability, np.array([0, 0, 0, 1, 1, 1, 1, 0]))
    assert temperature == pytest.approx(2, abs=1e-4)  # a flat minimum: root of rounding
    assert bias == pytest.approx((0, 0), abs=1e-6)


def test_bias_in_closed_form():
    # Even odds say nothing, 3 of 4 are of the first class: odds of 3 to 1 need biases +-ln(3) / 2. The prior of the
    # biases is worth one object in 40,000.
    probability, true = np.full((40_000, 2), 0.5), np.tile([0, 0, 0, 1], 10_000)
    _, bias = calibrate.fit_scaling(probability, true)
    assert bias == pytest.approx((np.log(3) / 2, -np.log(3) / 2), abs=1e-3)
    np.testing.assert_allclose(calibrate.soften(probability[:1], 1.0, np.array(bias)), [[0.75, 0.25]], atol=1e-3)


@pytest.mark.parametrize("overconfident", [0.5, 1.0, 3.0])
def test_scaling_undoes_what_was_done(overconfident):
    one = boosters(6000, (overconfident, 1.0))["lightgbm"]
    biased = calibrate.soften(one.probability, 1.0, np.array([0.6, -0.2, -0.4]))
    temperature, bias = calibrate.fit_scaling(biased, one.true_index)
    # The slope of a logistic fit to 6000 objects is good to 2-3 %, its offsets to 0.05: three of these.
    assert temperature == pytest.approx(overconfident, rel=0.08)
    assert bias == pytest.approx(np.array([-0.6, 0.2, 0.4]) / overconfident, abs=0.15)


def test_scaling_is_better_than_its_neighbours():
    one = boosters(300, (2.0, 1.0))["lightgbm"]

    def loss(t: float, bias: np.ndarray) -> float:
        fitted = evaluate.log_losses(calibrate.soften(one.probability, t, bias), one.true_index)
        return fitted.mean() + (bias**2).sum() / 600

    temperature, bias = calibrate.fit_scaling(one.probability, one.true_index)
    best, rng = loss(temperature, np.array(bias)), np.random.default_rng(4)
    for _ in range(300):
        step = rng.normal(0, rng.choice([1e-3, 0.1]), 4)
        assert best <= loss(temperature * np.exp(step[0]), np.array(bias) + step[1:]) + 1e-12


def test_biases_stay_finite_where_the_labels_are_separable():
    probability = np.tile([0.4, 0.3, 0.3], (50, 1))
    temperature, bias = calibrate.fit_scaling(probability, np.zeros(50, dtype=np.intp))
    assert 0.05 <= temperature <= 20
    assert np.abs(bias).max() < 10


def test_calibrated_is_shift_then_temperature():
    trained = np.array([0.2, 0.2, 0.6])
    calibration = Calibration(CLASSES, tuple(MIX), {"lightgbm": 1.7}, 0.9, (0.5, 0.5, 0.5))
    probability = np.array([[0.7, 0.2, 0.1]])
    shifted = [probability[0, c] * MIX[c] / trained[c] for c in range(3)]
    powers = [(s / sum(shifted)) ** (1 / 1.7) for s in shifted]
    expected = [[p / sum(powers) for p in powers]]
    np.testing.assert_allclose(calibration.calibrated("lightgbm", probability, trained), expected, rtol=1e-13)
    rows = calibration.calibrated("lightgbm", np.tile(probability, (5, 1)), np.tile(trained, (5, 1)))
    np.testing.assert_allclose(rows, expected * 5, rtol=1e-13)


def test_zero_probability_stays_finite():
    calibration = Calibration(CLASSES, tuple(MIX), {"xgboost": 2.0}, 0.9, ())
    found = calibration.calibrated("xgboost", np.array([[1.0, 0.0, 0.0]], dtype=np.float32).astype(float), MIX)
    assert np.isfinite(found).all()
    assert found.sum() == pytest.approx(1)
    assert 0 < found[0, 1] < 1e-6


def test_training_prior_does_not_change_the_calibration():
    """Undersampling is undone before the temperature: models trained on either mix end at the same probabilities."""
    plain, undersampled = boosters(2000, (2.0, 0.7)), boosters(2000, (2.0, 0.7), trained=np.array([0.3, 0.3, 0.4]))
    first, second = (calibrate.fit(b, MIX, 0.9) for b in (plain, undersampled))
    assert first.temperature == pytest.approx(second.temperature, abs=1e-4)
    for name, bias in first.bias.items():
        assert bias == pytest.approx(second.bias[name], abs=1e-4)
    np.testing.assert_allclose(first.conformal_limits, second.conformal_limits, atol=1e-4)


def test_limits_are_those_of_the_mean_of_both():
    both = boosters(400, (2.0, 0.7))
    calibration = calibrate.fit(both, MIX, 0.8)
    p = [calibration.calibrated(n, b.probability, b.training_prior) for n, b in both.items()]
    expected = conformal.limits((p[0] + p[1]) / 2, both["lightgbm"].true_index, 0.8)
    assert calibration.conformal_limits == tuple(expected)
    sets = calibration.conformal_sets((p[0] + p[1]) / 2)
    np.testing.assert_array_equal(sets, conformal.sets((p[0] + p[1]) / 2, expected))


def test_boosters_of_different_objects_are_an_error():
    both = boosters(50, (1.0, 1.0))
    ids = list(both["xgboost"].object_id)
    for other in (both["xgboost"].select(ids[:40]), both["xgboost"].select(ids[::-1])):
        with pytest.raises(tables.DataError, match="differ in classes or objects"):
            calibrate.fit({"lightgbm": both["lightgbm"], "xgboost": other}, MIX, 0.9)


def test_cross_fit_is_fit_on_the_other_folds_written_out():
    both, fold = boosters(300, (3.0, 0.6)), np.arange(300) % 3
    held_out = calibrate.cross_fit(both, MIX, 0.9, fold)
    for k in range(3):
        calibration = calibrate.fit({n: b.select(list(b.object_id[fold != k])) for n, b in both.items()}, MIX, 0.9)
        expected = {n: calibration.calibrated(n, b.probability, b.training_prior)[fold == k] for n, b in both.items()}
        for name, p in expected.items():
            np.testing.assert_allclose(held_out.probability[name][fold == k], p, rtol=1e-12)
        mean = (expected["lightgbm"] + expected["xgboost"]) / 2
        np.testing.assert_allclose(held_out.probability["ensemble"][fold == k], mean, rtol=1e-12)
        np.testing.assert_array_equal(held_out.sets[fold == k], calibration.conformal_sets(mean))


def test_a_fold_does_not_calibrate_itself():
    # The labels of fold 0 are shuffled: what is applied to fold 0 stays, what is applied to the others changes.
    both, fold = boosters(600, (1.0, 1.0)), np.arange(600) % 3
    rng = np.random.default_rng(9)
    wrong = {}
    for name, b in both.items():
        true = b.true.copy()
        true[fold == 0] = rng.permutation(true[fold == 0])
        wrong[name] = Predictions(b.object_id, true, b.classes, b.probability, b.training_prior)
    honest, spoilt = (calibrate.cross_fit(b, MIX, 0.9, fold).probability["lightgbm"] for b in (both, wrong))
    np.testing.assert_array_equal(honest[fold == 0], spoilt[fold == 0])
    assert np.abs(honest[fold == 1] - spoilt[fold == 1]).max() > 0.05


@pytest.fixture(scope="module")
def reported() -> dict:
    both, fold = boosters(3000, (3.0, 0.5), trained=np.array([0.3, 0.35, 0.35])), np.arange(3000) % 5
    held_out, published = calibrate.cross_fit(both, MIX, 0.9, fold), calibrate.fit(both, MIX, 0.9)
    report = calibrate.report(both, held_out, published, "original")
    return {"both": both, "held_out": held_out, "published": published, "report": report}


def test_report_has_the_rows_of_its_tables(reported):
    metrics, bins = reported["report"].metrics, reported["report"].reliability
    assert pa.Table.from_pylist(metrics, tables.METRICS.schema).num_rows == len(metrics)
    assert len(bins) == 3 * 2 * 15
    assert {(r["model"], r["stage"]) for r in bins} == {
        (m, s) for m in ("lightgbm", "xgboost", "ensemble") for s in ("before", "after")
    }
    assert {(r["scheme"], r["data"]) for r in metrics} == {("folds", "original")}
    for model in ("lightgbm", "xgboost", "ensemble"):
        for stage in ("before", "after"):
            assert sum(r["count"] for r in bins if (r["model"], r["stage"]) == (model, stage)) == 3000


def test_report_figures_are_recomputed_from_the_probabilities(reported):
    found = by_key(reported["report"].metrics)
    one, true = reported["both"]["lightgbm"], reported["both"]["lightgbm"].true_index
    after = reported["held_out"].probability["lightgbm"]
    for stage, p in (("before", one.probability), ("after", after)):
        assert found["lightgbm", "all", f"log_loss_{stage}"] == pytest.approx(-np.log(p[np.arange(3000), true]).mean())
        top = evaluate.calibration_error(p.max(axis=1), p.argmax(axis=1) == true)
        assert found["lightgbm", "all", f"ece_{stage}"] == pytest.approx(top)
        errors = [evaluate.calibration_error(p[:, c], true == c) for c in range(3)]
        assert [found["lightgbm", c, f"ece_{stage}"] for c in CLASSES] == pytest.approx(errors)
        assert found["lightgbm", "all", f"ece_class_max_{stage}"] == pytest.approx(max(errors))
    assert found["xgboost", "all", "temperature"] == reported["published"].temperature["xgboost"]


def test_calibration_helps_what_is_overconfident_and_what_is_timid(reported):
    found = by_key(reported["report"].metrics)
    for model in ("lightgbm", "xgboost"):
        assert found[model, "all", "log_loss_after"] < found[model, "all", "log_loss_before"]
        # Perfect posteriors leave the noise of 15 bins alone: about sqrt(15 * 0.1 / n) = 0.02.
        assert found[model, "all", "ece_after"] < 0.03 < found[model, "all", "ece_before"]


def test_conformal_rows(reported):
    found, sets = by_key(reported["report"].metrics), reported["held_out"].sets
    true = reported["both"]["lightgbm"].true_index
    for c, name in enumerate(CLASSES):
        covered = found["ensemble", name, "conformal_coverage"]
        assert covered == pytest.approx(sets[true == c, c].mean())
        # Binomial error of the class and of its limit, 4 of them; filling the empty sets only adds.
        assert covered > 0.9 - 4 * np.sqrt(2 * 0.09 / (true == c).sum())
    sizes = [sets[true == c].sum(axis=1).mean() for c in range(3)]
    assert found["ensemble", "macro", "conformal_set_size"] == pytest.approx(np.mean(sizes))
    assert found["ensemble", "all", "conformal_set_size"] == pytest.approx(sets.sum() / 3000)
    assert found["ensemble", "all", "conformal_single_share"] == pytest.approx((sets.sum(axis=1) == 1).mean())


def test_calibration_survives_the_disk(tmp_path):
    calibration = Calibration(
        CLASSES,
        tuple(MIX),
        {"xgboost": 1.1, "lightgbm": 1 / 3},
        0.9,
        (0.25, np.inf, 0.75),
        {"xgboost": (0.1, -0.1, 0.0), "lightgbm": (0.0, 0.0, 0.0)},
    )
    path = tmp_path / "calibration.json"
    calibrate.save(calibration, path)
    assert calibrate.load(path) == calibration
    values = json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert values["conformal_limits"] == [0.25, None, 0.75]
    assert list(values) == sorted(values)
