"""Period rules: planted multiples are found, ties and small classes keep the default."""

import numpy as np
import pytest

from workflow_scripts import period_rules
from workflow_scripts.period_rules import Question, Rule


@pytest.fixture
def stars() -> dict:
    """20 EW whose search gives half the period, 20 RR right, 20 LPV right only by Lomb-Scargle, 4 RARE doubled."""
    rng = np.random.default_rng(2)
    class_ = np.array(["EW"] * 20 + ["RR"] * 20 + ["LPV"] * 20 + ["RARE"] * 4, dtype=object)
    catalogue = rng.uniform(0.2, 300, size=64)
    harmonic = catalogue * np.where(
        class_ == "EW", 0.5, np.where(class_ == "LPV", 3.0, np.where(class_ == "RARE", 2, 1))
    )
    lomb_scargle = catalogue * np.where(class_ == "LPV", 1.005, 0.5)
    classes = ("EW", "LPV", "RARE", "RR")
    return {
        "class_": class_,
        "measured": {"period_d": harmonic, "period_ls_d": lomb_scargle},
        "catalogue": catalogue,
        "classes": classes,
    }


def test_planted_rules_are_found(stars):
    assert period_rules.derive(**stars) == {
        "EW": Rule("period_d", 2.0, 20),
        "LPV": Rule("period_ls_d", 1.0, 20),
        "RARE": Rule("period_d", 1.0, 4),  # 4 < 10: no rule of its own
        "RR": Rule("period_d", 1.0, 20),
    }


def test_rule_applied_gives_the_period(stars):
    rules = period_rules.derive(**stars)
    period = period_rules.apply(rules, stars["class_"], stars["measured"])
    common = stars["class_"] != "RARE"
    # LPV were made 0.5 % off.
    np.testing.assert_allclose(period[common], stars["catalogue"][common], rtol=0.00501)


def test_ties_keep_the_period_as_it_is():
    n = 30
    class_, ones = np.full(n, "A", dtype=object), np.ones(n)
    # Both periods agree equally often, and so does nothing else.
    rules = period_rules.derive(class_, {"period_d": ones, "period_ls_d": ones}, ones, ("A",))
    assert rules["A"] == Rule("period_d", 1.0, n)
    wrong = {"period_d": 7 * ones, "period_ls_d": 7 * ones}
    assert period_rules.derive(class_, wrong, ones, ("A",))["A"] == Rule("period_d", 1.0, n)


@pytest.mark.parametrize("none", [np.nan, 0.0])
def test_without_catalogue_periods(stars, none):
    unknown = np.full(64, none)
    assert set(period_rules.derive(**{**stars, "catalogue": unknown}).values()) == {Rule("period_d", 1.0, 0)}
    assert period_rules.agreement("x", unknown, unknown, stars["class_"], stars["classes"]) == []


def test_same_is_within_a_per_cent():
    period = np.array([1.0099, 0.9901, 1.011, 0.989, np.nan, 1.0])
    catalogue = np.array([1.0, 1.0, 1.0, 1.0, 1.0, np.nan])
    assert period_rules.same(period, catalogue).tolist() == [True, True, False, False, False, False]


def test_agreement_by_hand():
    class_ = np.array(["A", "A", "A", "A", "B", "B"], dtype=object)
    catalogue = np.array([1.0, 1.0, 1.0, 1.0, 2.0, np.nan])
    period = np.array([1.0, 2.0, 0.5, np.nan, 6.0, 1.0])
    shares = {"exact": 0.25, "with_half_and_double": 0.75, "support": 4}
    assert period_rules.agreement("harmonic", period, catalogue, class_, ("A", "B", "C")) == [
        {"class": "A", "rule": "harmonic", **shares},
        {"class": "B", "rule": "harmonic", "exact": 0.0, "with_half_and_double": 0.0, "support": 1},
        {"class": "all", "rule": "harmonic", "exact": 0.2, "with_half_and_double": 0.6, "support": 5},
    ]


def test_cross_fit_uses_the_other_folds_only(stars):
    fold = np.arange(64) % 4
    period = period_rules.cross_fit(
        stars["class_"], stars["class_"], stars["measured"], stars["catalogue"], fold, stars["classes"]
    )
    for k in range(4):
        rest = fold != k
        rules = period_rules.derive(
            stars["class_"][rest],
            {c: p[rest] for c, p in stars["measured"].items()},
            stars["catalogue"][rest],
            stars["classes"],
        )
        expected = period_rules.apply(rules, stars["class_"], stars["measured"])
        np.testing.assert_array_equal(period[~rest], expected[~rest])


def test_cross_fit_does_not_see_the_fold_it_is_measured_on():
    # Twelve stars in one fold are doubled: alone they would make the rule, in the other folds nothing is.
    n = 24
    fold, class_ = np.arange(n) % 2, np.full(n, "A", dtype=object)
    catalogue = np.where(fold == 0, 2.0, 1.0)
    periods = {"period_d": np.ones(n), "period_ls_d": np.full(n, 9.0)}
    period = period_rules.cross_fit(class_, class_, periods, catalogue, fold, ("A",))
    assert (period[fold == 0] == 1.0).all()
    assert (period[fold == 1] == 2.0).all()


def test_rules_follow_the_class_that_is_applied(stars):
    applied = np.full(64, "EW", dtype=object)
    fold = np.arange(64) % 4
    period = period_rules.cross_fit(
        stars["class_"], applied, stars["measured"], stars["catalogue"], fold, stars["classes"]
    )
    np.testing.assert_array_equal(period, 2 * stars["measured"]["period_d"])


def test_rules_survive_the_disk(stars, tmp_path):
    rules, path = period_rules.derive(**stars), tmp_path / "rules.json"
    period_rules.save(rules, path)
    assert period_rules.load(path) == rules
    first = path.read_bytes()
    period_rules.save(dict(reversed(rules.items())), path)
    assert path.read_bytes() == first


def test_a_sign_tells_which_multiple_is_right():
    """Half of a class has one minimum a cycle and is at half its period: the depth half a cycle later tells."""
    rng = np.random.default_rng(5)
    n = 200
    doubled = np.arange(n) % 2 == 0
    found = rng.uniform(0.3, 3, n)
    measured = {
        "period_d": found,
        "period_ls_d": 7 * found,
        "eclipse_ratio": np.where(doubled, rng.uniform(0, 0.3, n), rng.uniform(0.4, 1, n)),
        "peak_power": rng.uniform(0, 1, n),
    }
    class_, catalogue = np.full(n, "EA", dtype=object), found * np.where(doubled, 2, 1)
    rules = period_rules.derive(class_, measured, catalogue, ("EA",))
    tree = rules["EA"]
    assert isinstance(tree, Question)
    assert tree.sign == "eclipse_ratio"
    assert 0.3 < tree.limit < 0.4
    assert (tree.below, tree.above) == (Rule("period_d", 2.0, 100), Rule("period_d", 1.0, 100))
    np.testing.assert_array_equal(period_rules.apply(rules, class_, measured), catalogue)


def test_value_and_limit_are_compared_in_double():
    # Two neighbours in single precision: their mean, the limit, would round to one of them.
    low = np.nextafter(np.float32(3), np.float32(4))
    high = np.nextafter(low, np.float32(4))
    period = np.repeat([float(low), float(high)], 20)
    catalogue = np.where(period == low, period, 2 * period)
    class_ = np.full(40, "A", dtype=object)
    measured = {"period_d": period, "period_ls_d": 7 * period}
    rules = period_rules.derive(class_, measured, catalogue, ("A",))
    np.testing.assert_allclose(period_rules.apply(rules, class_, measured), catalogue)


def test_a_tree_does_what_the_library_that_grew_it_does(tmp_path):
    """Random signs, a tenth of them missing: each object ends in the leaf that scikit-learn sends it to."""
    from sklearn.tree import DecisionTreeClassifier

    rng = np.random.default_rng(6)
    n = 600
    signs = {name: np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)) for name in period_rules.SIGNS[2:6]}
    x = np.column_stack(list(signs.values()))
    truth = (np.nan_to_num(x[:, 0]) > 0.2).astype(int) + (np.nan_to_num(x[:, 2]) > 0) * (rng.random(n) < 0.9)
    factor = np.array([1.0, 2.0, 0.5])[truth]
    measured = {"period_d": np.ones(n), "period_ls_d": np.full(n, 7.0), **signs}
    class_ = np.full(n, "A", dtype=object)
    rules = period_rules.derive(class_, measured, factor, ("A",))
    order = np.argsort(-np.array([(truth == k).sum() for k in range(3)]), kind="stable")
    assert sorted(order) == [0, 1, 2]
    every = np.column_stack(list(measured.values()))
    library = DecisionTreeClassifier(max_depth=5, min_samples_leaf=10, random_state=0).fit(every, truth)
    expected = np.array([1.0, 2.0, 0.5])[library.predict(every)]
    np.testing.assert_array_equal(period_rules.apply(rules, class_, measured), expected)
    path = tmp_path / "rules.json"
    period_rules.save(rules, path)
    assert period_rules.load(path) == rules
