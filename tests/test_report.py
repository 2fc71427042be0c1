import csv
import dataclasses
import io
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
import synthetic_run
import yaml
from report_reader import Reader, column

from workflow_scripts import tables
from workflow_scripts.report import catalogue, content, inputs, models, page, trust
from workflow_scripts.report.page import MISSING, Note
from workflow_scripts.report.scores import Score, Scores, printed, with_interval

CLASSES = ("CEP", "EA", "EB", "SR")


@pytest.fixture(scope="module")
def run() -> content.Run:
    return synthetic_run.run(CLASSES)


@pytest.fixture(scope="module")
def made(run: content.Run) -> page.Page:
    return content.page(run)


@pytest.fixture(scope="module")
def html(made: page.Page) -> str:
    return page.render(made)


@pytest.fixture(scope="module")
def read(html: str) -> Reader:
    return Reader(html)


@pytest.fixture(scope="module")
def bare() -> content.Run:
    """A real survey without anything that a run may lack."""
    return synthetic_run.run(
        classes=("EA", "EW & friends", "RR/Lyr"),
        models=("lightgbm",),
        has_sky=False,
        has_periods=False,
        has_science=False,
        surveys=("CRTS SSS", ""),
    )


@pytest.fixture(scope="module")
def bare_html(bare: content.Run) -> str:
    return page.render(content.page(bare))


# --- the file ----------------------------------------------------------------------------------------------------


def test_every_figure_is_inside_the_file(made: page.Page, read: Reader) -> None:
    pictures = {p.name: p for p in made.pictures()}
    assert set(read.images) == set(pictures)
    for name, (source, alt) in read.images.items():
        assert source == pictures[name].data_uri
        assert source.startswith("data:image/png;base64,iVBORw0KGgo"), "the signature of a PNG"
        assert alt


def test_the_file_needs_nothing_beside_itself(html: str, read: Reader) -> None:
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in read.addresses)
    assert not {"script", "link", "iframe", "object"} & set(read.tags)
    assert "url(" not in html
    assert "@import" not in html


def test_the_elements_are_closed_and_contents_point_at_sections(html: str, read: Reader) -> None:
    assert read.open == []
    targets = [address[1:] for address in read.addresses if address.startswith("#")]
    assert len(targets) == 11
    assert all(f'<h2 id="{target}">' in html for target in targets)


def test_every_figure_and_table_has_a_caption(read: Reader) -> None:
    assert all(caption.endswith((".", ").")) for caption in read.captions.values())


def test_texts_are_escaped(html: str, read: Reader) -> None:
    assert "<no>" not in html
    assert "a magnitude of 99 is <no> magnitude & says nothing" in read.text


def test_same_run_same_bytes(bare: content.Run, bare_html: str) -> None:
    assert page.render(content.page(bare)) == bare_html


# --- banner and summary ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("surveys", "named"),
    [
        (("SIMULATED survey", "SIMULATED survey"), "SIMULATED data: labelled, field."),
        (("CRTS", "SIMULATED"), "SIMULATED data: field."),
        (("CRTS", "simulated? no, CRTS"), None),
    ],
)
def test_banner_appears_if_and_only_if_data_are_simulated(surveys: tuple[str, str], named: str | None) -> None:
    samples = synthetic_run.run(surveys=surveys).samples
    banner = content._banner(samples)
    assert (named in banner) if named else banner == ""


def test_banner_is_the_first_thing_in_the_page(read: Reader, bare_html: str) -> None:
    assert read.text.split("Variable Sky: run synthetic", 2)[1].strip().startswith("This run contains SIMULATED data")
    assert "SIMULATED" not in Reader(bare_html).text


def test_summary_accounts_for_every_object(run: content.Run, read: Reader) -> None:
    for sample, rows in run.objects.items():
        line = {name: int(column(read, "objects", name)[sample]) for name in read.tables["objects"][0][1:]}
        assert line["Objects in"] == len(rows)
        assert line["Rejected"] + line["Not classified"] + line["Catalogue"] + line["Suspected"] == len(rows)
        assert line["Classified"] == len(run.catalogues[sample]) + len(run.suspected[sample])
        # 2 objects have no light curve, and one in 29 of the others has too few points.
        assert line["Rejected"] == 2 + len(range(3, len(rows) - 2, 29))


def test_summary_holds_the_calibrated_figures_of_the_folds(run: content.Run, read: Reader) -> None:
    scores = Scores(run.calibration_metrics)
    lines = column(read, "key_figures", "Figure")
    assert lines["Accuracy of LightGBM"] == with_interval(scores.get("folds", "lightgbm", "accuracy"))
    assert lines["Macro F1 of XGBoost"] == with_interval(scores.get("folds", "xgboost", "f1", "macro"))
    assert lines["Share of objects on which both agree"] == with_interval(scores.get("folds", "ensemble", "coverage"))
    assert lines["Accuracy where both agree"] == with_interval(scores.get("folds", "ensemble", "accuracy"))
    assert lines["Macro F1 where both agree"] == with_interval(scores.get("folds", "ensemble", "f1", "macro"))
    assert f"agree on a share of {lines['Share of objects on which both agree']} of the objects" in read.text
    assert lines["Smallest conformal coverage of a class: CEP"] == "88.0 %"
    assert lines["Calibration error (ECE) after calibration, LightGBM"] == "0.020"
    assert lines["Periods that agree with the catalogue's (34 objects)"] == "64.0 %; 90.4 % with half and double"


def test_what_is_not_calibrated_says_so_and_stands_behind_nothing(read: Reader) -> None:
    before = ("comparison_original_smote", "comparison_averages", "sky_gap", "confusion_lightgbm")
    assert all("before calibration" in read.captions[name] for name in before)
    after = ("key_figures", "folds_averages", "folds_classes")
    assert all("after calibration" in read.captions[name] for name in after)
    assert [name for name, text in read.captions.items() if "behind the catalogue" in text] == ["folds_averages"]


def test_weakest_class_is_the_one_with_the_smallest_f1(run: content.Run, read: Reader) -> None:
    scores = Scores(run.calibration_metrics)
    of = {c: scores.get("folds", "lightgbm", "f1", c).value for c in CLASSES}
    weakest = min(of, key=of.__getitem__)
    assert f"Weakest class of LightGBM: F1 of {weakest} " in read.text


# --- what went in, what was cut ----------------------------------------------------------------------------------


def test_samples_table_counts(read: Reader) -> None:
    assert read.tables["samples"][1] == [
        *("labelled", "labelled", "SIMULATED survey", "V (229)", "240", "238", "43,200", "182", "240", "160", "95.0 %")
    ]
    assert column(read, "samples", "With colours")["field"] == "30.0 %"


def in_bands(run: content.Run, **bands: Sequence[str]) -> Reader:
    """The report where the light curves of a sample are in these bands, in turn."""
    cleaning = {}
    for sample, rows in run.cleaning.items():
        of = bands.get(sample, "V")
        band = pa.array([of[i % len(of)] for i in range(len(rows))])
        cleaning[sample] = rows.set_column(rows.column_names.index("band"), tables.BAND.field(), band)
    return Reader(page.render(content.page(dataclasses.replace(run, cleaning=cleaning))))


def test_one_band_needs_no_warning(run: content.Run, read: Reader) -> None:
    assert "light curves in bands" not in read.text
    assert "that no model was trained on" not in read.text
    assert "that no model was trained on" not in in_bands(run, labelled="gr", field="r").text


def test_mixed_bands_are_counted_and_warned_of(run: content.Run) -> None:
    read = in_bands(run, labelled="gr", field="gi")
    assert column(read, "samples", "Bands")["labelled"] == "g (115), r (114)"
    assert sum(run.cleaning["labelled"]["kept"].to_pylist()) == 115 + 114
    assert "labelled samples have light curves in bands g (115), r (114)" in read.text
    of_field = run.cleaning["field"]["kept"].to_pylist()[1::2]
    assert f"Sample field has light curves in bands that no model was trained on: i ({sum(of_field)})" in read.text


def with_colours(run: content.Run, **shares: float) -> Reader:
    return Reader(page.render(content.page(dataclasses.replace(run, colours=synthetic_run.colours(**shares)))))


@pytest.mark.parametrize(("labelled", "field"), [(0.95, 0.1), (0.5, 0.0), (0.0, 0.95), (0.0, 0.0)])
def test_samples_with_colours_alike_need_no_warning(run: content.Run, labelled: float, field: float) -> None:
    assert "Most labelled objects have" not in with_colours(run, labelled=labelled, field=field).text


def test_a_sample_without_the_colours_of_the_labelled_one_is_warned_of(run: content.Run, read: Reader) -> None:
    assert "Most labelled objects have" not in read.text
    lost = with_colours(run, labelled=0.51, field=0.09)
    assert "Most labelled objects have bp_rp, fewer than 10.0 % of sample field do" in lost.text
    assert column(lost, "samples", "With colours") == {"labelled": "51.0 %", "field": "9.0 %"}


def test_an_object_with_one_of_several_colours_has_colours() -> None:
    either = {"bp_rp": pa.array([0.7, None, None, None], pa.float64()), "j_k": pa.array([None, 0.3, None, None])}
    assert inputs._any(pa.table(either)) == "50.0 %"
    assert inputs._any(pa.table({})) == inputs._any(None) == MISSING
    assert {"parallax", "bp_rp", "w2_w3"} <= set(inputs.COLOURS)
    assert not {"period_d", "amplitude", "n_obs"} & set(inputs.COLOURS)


def test_class_counts_by_status(run: content.Run, read: Reader) -> None:
    rows = run.labels.to_pylist()
    for class_ in CLASSES:
        for status in ("used", "too few observations"):
            expected = sum(r["class"] == class_ and r["status"] == status for r in rows)
            assert column(read, "classes", status)[class_] == str(expected)
    assert column(read, "classes", "no label")["(no label)"] == str(sum(r["status"] == "no label" for r in rows))
    assert read.tables["classes"][0][1] == "used"
    assert sum(int(cell) for cell in read.tables["classes"][-1][1:]) == len(rows)


def test_stars_under_several_identifiers_are_counted(run: content.Run, read: Reader) -> None:
    assert "labelled objects used lie at" not in read.text
    split = synthetic_run.split(run.labels["object_id"].to_pylist(), n_shared=6)
    shown = Reader(page.render(content.page(dataclasses.replace(run, split=split)))).text
    assert f"6 of the {len(split)} labelled objects used lie at 3 places, several within 1.5 arcsec" in shown


def test_ignored_labels_are_named() -> None:
    rows = pa.table({"label": ["L", "EA"], "class": [None, "EA"], "status": ["ignored label", "used"]})
    assert inputs._label_counts(rows).rows == (("(label L)", "0", "1"), ("EA", "1", "0"), ("all", "1", "1"))


def test_cleaning_table_accounts_for_every_point(run: content.Run, read: Reader) -> None:
    lines = read.tables["cleaning"][2:]
    numbers = [int(line[1].replace(",", "")) for line in lines]
    assert numbers[0] == sum(numbers[1:]), "before = all cuts + after"
    assert numbers[0] == sum(run.cleaning["labelled"]["n_raw"].to_pylist())
    assert [line[0] for line in lines[1:-1]] == list(tables.CUTS.values())
    assert lines[0][2] == "100.0 %"


def test_clip_by_class_by_hand() -> None:
    zero = dict.fromkeys([f"n_{cut}" for cut in tables.CUTS], 0)
    rows = [
        {"object_id": "a", "band": "V", "n_raw": 100, **zero, "n_clipped": 10, "n_kept": 90, "kept": True},
        {"object_id": "b", "band": "V", "n_raw": 60, **zero, "n_kept": 30, "kept": False},
        {"object_id": "c", "band": "V", "n_raw": 100, **zero, "n_clipped": 1, "n_kept": 99, "kept": True},
        {"object_id": "unlabelled", "band": "V", "n_raw": 1, **zero, "n_kept": 1, "kept": True},
    ]
    cleaning = {"one": pa.Table.from_pylist(rows, tables.CLEANING.schema)}
    labels = pa.table({"object_id": ["a", "b", "c"], "class": ["EA", "EA", "RR"]})
    (table,) = [
        item for item in inputs.cuts(cleaning, labels) if isinstance(item, page.Table) and item.name == "clip_by_class"
    ]
    assert table.rows == (
        ("EA", "2", "160", "10", "6.2 %", "50.0 %", "1"),
        ("RR", "1", "100", "1", "1.0 %", "100.0 %", "1"),
    )


def test_objects_kept_counts_objects_not_bands() -> None:
    rows = pa.table({"object_id": ["a", "a", "b", "c"], "kept": [True, True, False, True]})
    assert inputs.objects_kept(rows) == 2


# --- the layout of Qiao 2024, Table 4 ----------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["smote", "weighted"])
def test_published_layout_equals_the_metrics_table(run: content.Run, read: Reader, other: str) -> None:
    figures = {
        tuple(r[c] for c in ("scheme", "model", "data", "class", "metric")): r["value"] for r in run.metrics.to_pylist()
    }
    top, header, *lines = read.tables[f"comparison_original_{other}"]
    order = [("lightgbm", "LightGBM metrics"), ("xgboost", "XGBoost metrics"), ("forest", "RF metrics")]
    assert [top[1], top[4], top[7]] == [name for _, name in order]
    assert header == ["Class", *["Precision", "Recall", "F1 score"] * 3, "Test objects"]
    names = dict(zip([*CLASSES, "macro", "weighted"],
                     [*CLASSES, "Macro average", "Weighted average"], strict=True))  # fmt: skip
    cells = {line[0]: line[1:] for line in lines}
    assert list(cells) == [*CLASSES, "Accuracy", "Macro average", "Weighted average"]
    for class_, name in names.items():
        for m, (model, _) in enumerate(order):
            for i, metric in enumerate(("precision", "recall", "f1")):
                both = [figures["random", model, data, class_, metric] for data in ("original", other)]
                assert cells[name][3 * m + i] == f"{both[0]:.2f}/{both[1]:.2f}"
    for m, (model, _) in enumerate(order):
        both = [figures["random", model, data, "all", "accuracy"] for data in ("original", other)]
        assert cells["Accuracy"][3 * m : 3 * m + 3] == [MISSING, MISSING, f"{both[0]:.2f}/{both[1]:.2f}"]


def test_a_model_that_was_not_compared_has_no_columns(bare: content.Run) -> None:
    table = models.published_layout(Scores(bare.metrics), ["lightgbm"], "smote")
    assert table.header == ("Class", "Precision", "Recall", "F1 score", "Test objects")


def test_a_figure_that_was_not_measured_is_not_invented() -> None:
    full = synthetic_run.metrics(("EA", "EW"), ("lightgbm",), has_sky=False)
    rows = [r for r in full.to_pylist() if (r["data"], r["class"], r["metric"]) != ("smote", "EA", "recall")]
    table = models.published_layout(Scores(pa.Table.from_pylist(rows, full.schema)), ["lightgbm"], "smote")
    assert table.rows[0][2].split("/")[1] == MISSING
    nothing = models.published_layout(Scores(tables.METRICS.schema.empty_table()), ["lightgbm"], "smote")
    assert {cell for row in nothing.rows for cell in row[1:]} == {MISSING}


def test_sky_gap_is_the_difference(run: content.Run, read: Reader) -> None:
    scores = Scores(run.metrics)
    lines = read.tables["sky_gap"][1:]
    assert [line[:2] for line in lines] == [
        [model, measure] for model in ("LightGBM", "XGBoost") for measure in ("macro F1", "accuracy")
    ]
    drawn, sky = (scores.get(s, "xgboost", "f1", "macro").value for s in ("random", "sky"))
    assert float(lines[2][4]) == pytest.approx(drawn - sky, abs=0.0005)  # three printed decimals


def test_leak_without_an_honest_figure_beside_it_is_not_shown(run: content.Run) -> None:
    """Where training.compare is empty, nothing was trained on the random split with SMOTE."""
    keep = [not (r["scheme"] == "random" and r["data"] == "smote") for r in run.metrics.to_pylist()]
    assert list(models.leak(Scores(run.metrics.filter(pa.array(keep))))) == []
    assert len(list(models.leak(Scores(run.metrics)))) == 2


def test_leak_stands_as_a_warning_beside_the_honest_figure(run: content.Run, html: str, read: Reader) -> None:
    scores = Scores(run.metrics)
    pretended, honest = (printed(scores.get(s, "lightgbm", "f1", "macro", "smote")) for s in ("leak", "random"))
    assert f'<p class="warning">Do not quote: SMOTE before the split would pretend a macro F1 of {pretended};' in html
    line = read.tables["leak_test"][1]
    assert line[1].startswith(pretended)
    assert line[2].startswith(honest)


@pytest.mark.parametrize(("value", "expected"), [(0.9, "would pretend"), (0.1, "here it does not.")])
def test_leak_that_flatters_nothing_is_not_said_to_pretend(run: content.Run, value: float, expected: str) -> None:
    rows = [r | {"value": value} if r["scheme"] == "leak" else r for r in run.metrics.to_pylist()]
    note = next(iter(models.leak(Scores(pa.Table.from_pylist(rows, run.metrics.schema)))))
    assert isinstance(note, Note)
    assert expected in note.text
    assert ("pretend" in note.text) == (value == 0.9)


def test_folds_table_has_both_boosters(run: content.Run, read: Reader) -> None:
    scores = Scores(run.calibration_metrics)
    line = next(line for line in read.tables["folds_classes"] if line[0] == "EB")
    expected = [with_interval(scores.get("folds", m, metric, "EB", "original"), 2)
                for m in ("lightgbm", "xgboost") for metric in ("precision", "recall", "f1")]  # fmt: skip
    assert line[1:7] == expected


# --- what may be absent ------------------------------------------------------------------------------------------


def test_a_bare_run_says_what_it_lacks(bare_html: str) -> None:
    read = Reader(bare_html)
    assert "Sky blocks were off in this run" in read.text
    assert "No object of this run has a catalogue period" in read.text
    assert {"sky_gap", "periods", "classes_field"} & set(read.captions) == set()
    assert not any("Periods that agree" in line[0] for line in read.tables["key_figures"])
    assert {name for name in read.images if name.startswith("gallery")} == {
        "gallery_labelled_EA",
        "gallery_labelled_EW___friends",
        "gallery_labelled_RR_Lyr",
    }


def test_optional_tables_may_be_empty(bare: content.Run) -> None:
    empty = dataclasses.replace(
        bare,
        reliability=tables.RELIABILITY.schema.empty_table(),
        risk_coverage=tables.RISK_COVERAGE.schema.empty_table(),
        calibration_metrics=tables.METRICS.schema.empty_table(),
        catalogues={"labelled": catalogue.READ.schema.empty_table()},
    )
    read = Reader(page.render(content.page(empty)))
    assert "Conformal sets were not measured" in read.text
    assert "The catalogue of labelled is empty" in read.text
    assert not {"reliability", "risk_coverage"} & set(read.images)


# --- trust -------------------------------------------------------------------------------------------------------


def test_coverage_table(run: content.Run, read: Reader) -> None:
    lines = {line[0]: line[1:] for line in read.tables["conformal_coverage"][1:]}
    assert lines["CEP"] == ["88.0 %", "1.10", "80.0 %", "0.001", "77"]
    assert list(lines) == [*CLASSES, "mean of the classes", "all objects"]
    assert "about 90.0 % of its objects" in read.captions["conformal_coverage"]
    name, score = trust.smallest_coverage(Scores(run.calibration_metrics))
    assert (name, score.value) == ("CEP", 0.88)


def test_periods_table_pairs_exact_and_multiples(read: Reader) -> None:
    groups, header, first, *_, last = read.tables["periods"]
    assert [groups[1], groups[3], groups[5], groups[7]] == [
        *("Best harmonic fit", "Lomb-Scargle", "By class given", "By true class")
    ]
    assert header[1:3] == ["exact", "with half and double"]
    assert first[:3] == ["CEP", "50.0 %", "90.0 %"]
    assert (last[0], last[-1]) == ("all", "34")


def test_period_rule_without_a_class_leaves_the_cell_empty() -> None:
    rows = [
        {"class": "EA", "rule": "harmonic", "exact": 0.5, "with_half_and_double": 0.75, "support": 4},
        {"class": "all", "rule": "harmonic", "exact": 0.5, "with_half_and_double": 0.75, "support": 4},
        {"class": "all", "rule": "by_class", "exact": 1.0, "with_half_and_double": 1.0, "support": 4},
    ]
    table = trust.periods(pa.Table.from_pylist(rows, tables.PERIODS.schema))
    assert table.rows == (
        ("EA", "50.0 %", "75.0 %", MISSING, MISSING, "4"),
        ("all", "50.0 %", "75.0 %", "100.0 %", "100.0 %", "4"),
    )


def test_wrong_periods_have_a_table_without_rare_kinds(read: Reader) -> None:
    header, first, second, *_ = read.tables["period_errors"]
    assert header[:4] == ["Class", "Period is", "Objects", "Share"]
    assert first == ["CEP", "exact", "70", "70.0 %", "0.732", "180", "0.25", MISSING, "0.1"]
    assert second[1] == "half"
    assert "daily alias" not in {line[1] for line in read.tables["period_errors"]}


def test_priors_have_a_table_per_sample(read: Reader) -> None:
    assert read.tables["priors_field"][1] == ["CEP", "10.0 %", "10.0 %", "10.0 %", "10.0 %"]
    assert column(read, "priors_labelled", "Estimated (EM)")["SR"] == "13.0 %"


# --- catalogue and gallery ---------------------------------------------------------------------------------------


def toy(rows: list[tuple[str, str, float]]) -> pa.Table:
    lines = [
        {
            "object_id": i,
            "class": c,
            "probability": p,
            "period_d": 0.5,
            "trained_on": None,
            "out_of_distribution": False,
        }
        for i, c, p in rows
    ]
    return pa.Table.from_pylist(lines, catalogue.READ.schema)


def test_choice_by_hand() -> None:
    rows = toy([(f"o{i}", "EA", i / 10) for i in range(8)] + [("x", "EB", 0.4)])
    assert catalogue.choose(rows) == {"EA": (["o7", "o6", "o5"], ["o0", "o1", "o2"]), "EB": (["x"], [])}


def test_no_object_is_shown_twice() -> None:
    for n in range(1, 9):
        most, least = catalogue.choose(toy([(f"o{i}", "EA", i / 10) for i in range(n)]))["EA"]
        assert len(most) == min(n, 3)
        assert len(least) == min(max(n - 3, 0), 3)
        assert not set(most) & set(least)


def test_choice_does_not_depend_on_the_order_of_rows() -> None:
    rows = toy([(f"o{i}", "EA", 0.5 if i % 2 else 0.7) for i in range(12)])
    shuffled = rows.take(np.random.default_rng(0).permutation(12))
    assert catalogue.choose(shuffled) == catalogue.choose(rows)


def test_gallery_shows_the_chosen_objects(run: content.Run, read: Reader) -> None:
    for sample, rows in run.catalogues.items():
        for class_, (most, least) in catalogue.choose(rows).items():
            name = f"gallery_{sample}_{class_}"
            named = f"most certain {', '.join(most)}; least certain {', '.join(least)}"
            assert read.images[name][1] == f"Folded light curves of {class_}: {named}."
            assert named in read.captions[name]


def test_a_small_class_is_said_to_be_shown_whole(run: content.Run) -> None:
    two = run.catalogues["field"].slice(0, 2)
    curves = synthetic_run.light_curves(two["object_id"].to_pylist(), np.random.default_rng(1))
    captions = [picture.caption for picture in catalogue.pictures("field", two, curves)]
    assert captions
    assert all("these are all objects of the class in the catalogue" in caption for caption in captions)
    assert not any("least certain" in caption for caption in captions)


def test_panels_hold_the_light_curve_of_their_own_object(run: content.Run) -> None:
    rows, curves = run.catalogues["field"], run.light_curves["field"]
    ids = synthetic_run.chosen_ids(rows)[5:9]
    panels = catalogue._panels(rows, curves, ids)
    assert set(panels) == set(ids)
    by_id = {r["object_id"]: r for r in rows.to_pylist()}
    for one in curves.to_pylist():
        if one["object_id"] in ids:
            panel = panels[one["object_id"]]
            np.testing.assert_array_equal(panel.time, one["time"])
            np.testing.assert_array_equal(panel.mag, one["mag"])
            assert panel.probability == by_id[one["object_id"]]["probability"]
            assert panel.period_d == by_id[one["object_id"]]["period_d"]


def test_outliers_are_counted(run: content.Run, read: Reader) -> None:
    flags = run.suspected["field"]["out_of_distribution"].to_pylist()
    assert read.tables["outliers"][-1][:4] == ["field", "suspected", str(len(flags)), str(sum(flags))]


def test_objects_whose_period_may_be_chance_are_counted(run: content.Run, read: Reader) -> None:
    chances = run.suspected["field"]["false_alarm_probability"].to_pylist()
    number = sum(chance is None or chance >= 0.001 for chance in chances)
    assert 0 < number < len(chances)
    assert read.tables["outliers"][-1][5:] == [str(number), f"{100 * number / len(chances):.1f} %"]


def test_objects_that_the_models_have_seen_are_counted_with_a_warning(run: content.Run, read: Reader) -> None:
    both = [rows["trained_on"] for rows in (run.catalogues["field"], run.suspected["field"])]
    n, seen = sum(map(len, both)), sum(len(names) - names.null_count for names in both)
    assert 0 < seen < n
    assert f"{seen} of the {n} classified objects of field lie within 1.5 arcsec of one that the models" in read.text
    assert "classified objects of labelled lie within" not in read.text
    notes = list(catalogue.seen_in_training(run.catalogues, run.suspected))
    assert [note.warning for note in notes] == [True]
    assert not list(catalogue.seen_in_training({"field": toy([("a", "EA", 0.5)])}, {"field": toy([])}))


def test_columns_of_the_catalogue_come_with_their_meaning(read: Reader) -> None:
    lines = {line[0]: line[1:] for line in read.tables["catalogue_columns"][1:]}
    assert lines["p_EA"] == ["", "probability of class EA"]
    assert lines["period_d"] == ["d", "period by the rule of the class"]
    assert lines["trained_on"][1].startswith("object within 1.5 arcsec that the models were trained on")
    assert not set(synthetic_run.FEATURES) & set(lines), "features stand with the importances"


def test_features_are_explained_the_parts_of_one_in_one_line(read: Reader) -> None:
    lines = read.tables["features"][1:]
    assert lines[0] == ["feature_00", "mag", "meaning of feature_00"]
    assert lines[10] == ["feature_10 to feature_19", "mag", "bins"]
    assert lines[11] == ["feature_20", "mag", "meaning of feature_20"]


def test_a_feature_is_not_mistaken_for_a_column_of_the_catalogue() -> None:
    """The catalogue's period_d is that of the class, the feature of this name is that of the search."""
    schema = pa.schema([tables.Column("period_d", pa.float64(), "d", "of the search").field()])
    assert list(content._explained(schema, ["period_d"])) == [("period_d", "d", "of the search")]
    assert list(content._explained(schema, ["new"])) == [("new", "", "")]


# --- configuration and assumptions -------------------------------------------------------------------------------


def test_configuration_can_be_read_back(run: content.Run, made: page.Page) -> None:
    (code,) = [item for item in made.sections[-1].items if isinstance(item, page.Code)]
    assert yaml.safe_load(code.text) == run.configuration


def test_assumptions_are_listed(read: Reader) -> None:
    assert read.tables["assumptions"][2] == [
        *("deviation from", "workflow_scripts/balance.py", "Qiao 2024 2.2: something else is done")
    ]


# --- small parts -------------------------------------------------------------------------------------------------


def test_csv_carries_the_groups_in_the_names() -> None:
    table = page.Table("t", "c", ("a", "b", "c"), (("x, y", "1", "2"),), groups=(("", 1), ("G", 2)))
    assert list(csv.reader(io.StringIO(table.csv()))) == [["a", "G b", "G c"], ["x, y", "1", "2"]]


@pytest.mark.parametrize(
    ("rows", "groups"), [((("1",),), ()), ((("1", "2", "3"),), ()), ((("1", "2"),), (("g", 1),)), ((), (("g", 3),))]
)
def test_ragged_tables_are_refused(rows: tuple[tuple[str, ...], ...], groups: tuple[tuple[str, int], ...]) -> None:
    with pytest.raises(ValueError, match="table t: rows, header and groups have"):
        page.Table("t", "c", ("a", "b"), rows, groups=groups)


@pytest.mark.parametrize(
    ("given", "text"),
    [((1, 8), "12.5 %"), ((0.5,), "50.0 %"), ((None,), MISSING), ((0, 0), MISSING), ((0, 3), "0.0 %")],
)
def test_share(given: tuple[float, ...], text: str) -> None:
    assert page.share(*given) == text


def test_count() -> None:
    assert [page.count(n) for n in (0, 1234567, None)] == ["0", "1,234,567", MISSING]


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (Score(0.95312, 0.94, 0.9661, 9), "0.953 [0.940, 0.966]"),
        (Score(0.95312, None, None, 9), "0.953"),
        (None, MISSING),
    ],
)
def test_with_interval(score: Score | None, text: str) -> None:
    assert with_interval(score) == text


def test_scores_keep_the_order_of_the_table(run: content.Run) -> None:
    scores = Scores(run.metrics)
    assert scores.classes("random") == list(CLASSES)
    assert scores.trained("leak") == [("lightgbm", "smote")]
    assert scores.get("folds", "ensemble", "coverage") is not None
    assert scores.get("folds", "ensemble", "coverage", data="smote") is None


# What the archives gave.


@pytest.fixture(scope="module")
def archived() -> Reader:
    run = dataclasses.replace(
        synthetic_run.run(CLASSES),
        agreement={"known": synthetic_run.agreement()},
        downloads={"known": synthetic_run.downloads()},
        verification={"field": synthetic_run.verification()},
    )
    return Reader(page.render(content.page(run)))


def test_agreement_of_the_label_catalogues_is_shown_whole(archived):
    _, *rows = archived.tables["agreement_known"]
    assert rows[0] == ["EA", "(no counterpart)", "1", "0"]
    assert sum(int(row[2]) for row in rows) == 6
    assert sum(int(row[3]) for row in rows) == 3


def test_light_curves_that_were_found_are_counted(archived):
    assert archived.tables["downloads"][1:] == [["known", "3", "2", "66.7 %", "2"]]


def test_published_classes_are_compared_where_there_are_common_objects(archived):
    _, *rows = archived.tables["verification_field"]
    assert rows == [
        ["drake_2014", "EA", "50", "23", "3", "4", "12", "75.0 %"],
        ["drake_2014", "all", "60", "23", "3", "4", "12", "75.0 %"],
    ]


def test_run_without_archives_has_none_of_it(bare_html):
    assert not {"agreement_known", "downloads", "verification_field"} & Reader(bare_html).tables.keys()
