import struct
import zlib
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axis import Axis
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from workflow_scripts.figures import confusion, gallery, histogram, importance, reliability, risk_coverage, style

LONG = ("semi-detached eclipsing binary", "RR/Lyr & friends of type ab", "Mira")
MANY = tuple(f"CLASS{i:02d}" for i in range(14))


def texts(figure: Figure) -> list[str]:
    return [t.get_text() for axes in figure.axes for t in axes.texts]


def legend(figure: Figure) -> list[str]:
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    return [t.get_text() for one in legends if one for t in one.get_texts()]


def panel(name: str = "a", period: float | None = 0.5, n: int = 40, probability: float = 0.9) -> gallery.Panel:
    rng = np.random.default_rng(1)
    time = np.sort(rng.uniform(55000, 56000, n))
    return gallery.Panel(name, time, 15 + rng.normal(0, 0.2, n), np.full(n, 0.05), probability, period)


def bins(count: list[int]) -> reliability.Bins:
    n = np.array(count)
    edges = np.linspace(0, 1, len(n) + 1)
    filled = np.where(n > 0, 1.0, np.nan)
    middle = (edges[1:] + edges[:-1]) / 2
    return reliability.Bins(edges[:-1], edges[1:], middle * filled, middle**2 * filled, n)


# --- confusion ---------------------------------------------------------------------------------------------------


def test_row_shares_by_hand() -> None:
    shares = confusion.row_shares(np.array([[3, 1], [0, 5]]))
    np.testing.assert_array_equal(shares, [[0.75, 0.25], [0, 1]])


def test_row_without_objects_has_no_share() -> None:
    np.testing.assert_array_equal(confusion.row_shares(np.array([[0, 0], [1, 1]]))[0], [0, 0])


def test_confusion_prints_each_count_in_its_cell_and_colours_by_row() -> None:
    counts = np.array([[1234, 5], [60, 7]])
    figure = confusion.draw(("EA", "EW"), counts, "title")
    cells = {t.get_position(): t.get_text() for t in figure.axes[0].texts}
    assert cells == {(0, 0): "1,234", (1, 0): "5", (0, 1): "60", (1, 1): "7"}
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), confusion.row_shares(counts))


def test_confusion_text_contrasts_with_its_cell() -> None:
    figure = confusion.draw(("EA", "EW"), np.array([[95, 5], [50, 50]]), "title")
    colours = {t.get_text(): to_hex(t.get_color()) for t in figure.axes[0].texts}
    assert colours == {"95": "#ffffff", "5": style.INK, "50": style.INK}


def test_confusion_names_classes_on_both_axes() -> None:
    axes = confusion.draw(MANY, np.eye(14, dtype=int), "title").axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == list(MANY)
    assert [t.get_text() for t in axes.get_yticklabels()] == list(MANY)


@pytest.mark.parametrize("name", [r"$\textsc{EA}$", "Algol $x_1$", "a$b"])
def test_names_with_dollar_signs_are_no_formulae(name: str) -> None:
    counts = np.array([[1, 2], [3, 4]])
    drawn = [
        confusion.draw((name, "EW"), counts, "title"),
        histogram.draw((name, "EW"), {"catalogue": np.array([1, 2])}, "title"),
        gallery.draw([(name, [panel(name)])], "title"),
    ]
    for figure in drawn:
        assert style.png(figure)


# --- reliability -------------------------------------------------------------------------------------------------


def test_reliability_draws_filled_bins_only() -> None:
    figure = reliability.draw({"lightgbm": {"before": bins([0, 4, 9, 0, 16])}})
    line = next(line for line in figure.axes[0].lines if line.get_label() == "_nolegend_" or len(line.get_xdata()) == 3)
    np.testing.assert_allclose(line.get_xdata(), [0.3, 0.5, 0.9])
    np.testing.assert_allclose(line.get_ydata(), [0.09, 0.25, 0.81])


def test_reliability_bar_is_one_binomial_standard_error() -> None:
    figure = reliability.draw({"lightgbm": {"after": bins([0, 0, 16])}})
    (segment,) = figure.axes[0].containers[0].lines[2][0].get_segments()
    accuracy = (5 / 6) ** 2
    # 16 objects: sqrt(p (1 - p) / 16) to either side
    np.testing.assert_allclose(np.diff(segment[:, 1]), 2 * np.sqrt(accuracy * (1 - accuracy) / 16))


def test_reliability_shows_counts_of_every_bin() -> None:
    figure = reliability.draw({"lightgbm": {"before": bins([1, 0, 30]), "after": bins([0, 1, 30])}})
    below = [patch.get_data().values.tolist() for patch in figure.axes[1].patches]
    assert below == [[1, 0, 30], [0, 1, 30]]


def test_reliability_has_one_column_per_model_and_one_legend() -> None:
    figure = reliability.draw({m: {"before": bins([1, 2])} for m in ("lightgbm", "xgboost", "ensemble")})
    assert [axes.get_title(loc="left") for axes in figure.axes[:3]] == ["LightGBM", "XGBoost", "Both boosters"]
    assert legend(figure) == ["perfect", "before"]


# --- risk and coverage -------------------------------------------------------------------------------------------


def test_risk_coverage_sorts_a_curve_and_marks_a_point() -> None:
    curve = np.array([1.0, 0.2, 0.6]), np.array([0.9, 0.99, 0.95])
    figure = risk_coverage.draw({"lightgbm": curve, "agreement": (np.array([0.875]), np.array([0.9625]))})
    line, point = figure.axes[0].lines
    np.testing.assert_array_equal(line.get_xdata(), [0.2, 0.6, 1.0])
    np.testing.assert_array_equal(line.get_ydata(), [0.99, 0.95, 0.9])
    assert (point.get_marker(), point.get_linestyle()) == ("*", "None")
    assert legend(figure)[1] == "both boosters agree: 96.2 % right of the 87.5 % kept"


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("agreement", "both boosters agree"),
        ("xgboost", "confidence of XGBoost"),
        ("ensemble", "mean confidence of both"),
        ("lightgbm at the same coverage", "confidence of LightGBM, as many kept"),
        ("something new", "confidence of something new"),
    ],
)
def test_rule_names(rule: str, name: str) -> None:
    assert risk_coverage.rule_name(rule) == name


# --- importance --------------------------------------------------------------------------------------------------


def test_strongest_keeps_the_order_of_equals() -> None:
    np.testing.assert_array_equal(importance.strongest(np.array([0.1, 0.5, 0.1, 0.9]), 3), [3, 1, 0])


def test_importance_orders_each_side_by_itself() -> None:
    given = importance.Importance(
        ("a", "b", "c"), np.array([0.5, 0.3, 0.2]), np.array([-0.01, 0.2, 0.3]), np.full(3, 0.01)
    )
    left, right = importance.draw(given, "LightGBM", top=2).axes
    assert [t.get_text() for t in left.get_yticklabels()] == ["a", "b"]
    assert [t.get_text() for t in right.get_yticklabels()] == ["c", "b"]
    assert [bar.get_width() for bar in right.patches] == [0.3, 0.2]
    assert left.get_ylim()[0] > left.get_ylim()[1], "the strongest stands on top"


# --- histogram ---------------------------------------------------------------------------------------------------


def test_histogram_bars_and_labels_are_the_counts() -> None:
    counts = {"catalogue": np.array([1500, 0]), "suspected": np.array([30, 2])}
    figure = histogram.draw(("EW", "CEP"), counts, "field")
    assert [bar.get_width() for bar in figure.axes[0].patches] == [1500, 0, 30, 2]
    assert texts(figure) == ["1,500", "0", "30", "2"]
    assert legend(figure) == ["catalogue", "suspected"]


# --- gallery -----------------------------------------------------------------------------------------------------


def test_fold_by_hand() -> None:
    phase = gallery.fold(np.array([100.0, 100.5, 102.0, 103.0]), 2.0)
    np.testing.assert_array_equal(phase, [0, 0.25, 0, 0.5])


def test_gallery_shows_two_cycles_with_magnitudes_downwards() -> None:
    one = panel(n=40)
    axes = gallery.draw([("most certain", [one])], "EA").axes[0]
    points = axes.containers[0].lines[0]
    x, y = points.get_xdata(), points.get_ydata()
    assert len(x) == 80
    np.testing.assert_array_equal(x[40:], x[:40] + 1)
    np.testing.assert_array_equal(y[40:], y[:40])
    assert axes.get_ylim()[0] > one.mag.max()
    assert axes.get_ylim()[1] < one.mag.min()


def test_gallery_titles_carry_object_probability_and_period() -> None:
    axes = gallery.draw([("most certain", [panel("star 17", 0.123456789, probability=0.98765)])], "EA").axes[0]
    assert axes.get_title(loc="left") == "star 17\np = 0.988, P = 0.123457 d"


def test_gallery_without_a_period_shows_time() -> None:
    one = panel(period=None)
    axes = gallery.draw([("least certain", [one])], "EA").axes[0]
    np.testing.assert_array_equal(axes.containers[0].lines[0].get_xdata(), one.time)
    assert axes.get_xlabel() == "time [MJD]"
    assert "no period" in axes.get_title(loc="left")


def test_gallery_one_huge_error_does_not_flatten_the_light_curve() -> None:
    one = panel()
    one.mag_err[3] = 5.0
    low, high = gallery.draw([("most certain", [one])], "EA").axes[0].get_ylim()
    assert low - high < 1.2 * np.ptp(one.mag)


def test_gallery_of_a_constant_star_has_a_finite_axis() -> None:
    one = panel()
    flat = gallery.Panel("flat", one.time, np.full(40, 15.0), one.mag_err, 0.5, 1.0)
    low, high = gallery.draw([("most certain", [flat])], "EA").axes[0].get_ylim()
    assert high < 15 < low


def test_gallery_leaves_missing_panels_empty() -> None:
    axes = gallery.draw([("most certain", [panel("a"), panel("b")])], "EA").axes
    assert [a.axison for a in axes] == [True, True, False]


# --- all of them -------------------------------------------------------------------------------------------------

ALL: dict[str, Callable[[], Figure]] = {
    "confusion": lambda: confusion.draw(LONG, np.arange(9).reshape(3, 3), "LightGBM"),
    "confusion of many": lambda: confusion.draw(MANY, np.full((14, 14), 12345), "LightGBM"),
    "reliability": lambda: reliability.draw({"lightgbm": {"before": bins([0, 5, 9]), "after": bins([2, 0, 9])}}),
    "risk": lambda: risk_coverage.draw({"lightgbm": (np.array([0.1, 1.0]), np.array([0.99, 0.9]))}),
    "importance": lambda: importance.draw(
        importance.Importance([f"a_feature_with_a_long_name_{i}" for i in range(30)], *np.full((3, 30), 0.02)),
        "XGBoost",
    ),
    "histogram": lambda: histogram.draw(LONG, {"catalogue": np.array([123456, 1, 0])}, "a sample"),
    "gallery": lambda: gallery.draw([("most certain", [panel("x" * 60), panel("b", None)])], "a class"),
}


def shown_ticks(axis: Axis) -> list[Text]:
    low, high = sorted(axis.get_view_interval())
    return [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]


@pytest.mark.parametrize("name", ALL)
def test_no_text_leaves_the_figure(name: str) -> None:
    figure = ALL[name]()
    figure.draw_without_rendering()
    page = figure.bbox
    for axes in figure.axes:
        ticks = [*shown_ticks(axes.xaxis), *shown_ticks(axes.yaxis)]
        titles = [axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
        for text in [t for t in (*ticks, *titles, *axes.texts) if t.get_text() and t.get_visible() and axes.axison]:
            box = text.get_window_extent()
            # One pixel: extents are rounded to the pixel grid.
            inside = box.x0 > -1 and box.y0 > -1 and box.x1 < page.x1 + 1 and box.y1 < page.y1 + 1
            assert inside, f"{text.get_text()!r} at {box} leaves {page}"


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("confusion")])
def test_slanted_class_names_do_not_overlap(name: str) -> None:
    figure = ALL[name]()
    figure.draw_without_rendering()
    ends = [t.get_window_extent().x1 for t in figure.axes[0].get_xticklabels()]
    rotations = {t.get_rotation() for t in figure.axes[0].get_xticklabels()}
    assert rotations == {45.0}
    # Slanted lines of text are a tick apart: more than the height of a line, 11 pt at 100 dpi, seen at 45 degrees.
    assert min(np.diff(ends)) > 11 / 72 * 100 * np.sqrt(2)


@pytest.mark.parametrize("name", ALL)
def test_same_figure_same_bytes_whatever_the_user_set(name: str) -> None:
    first = style.png(ALL[name]())
    with mpl.rc_context({"font.size": 30, "savefig.dpi": 40, "axes.facecolor": "red", "savefig.bbox": "tight"}):
        assert style.png(ALL[name]()) == first


def test_png_holds_neither_date_nor_version() -> None:
    data = style.png(ALL["histogram"]())
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    names, place = [], 8
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        names.append(kind)
        assert (
            zlib.crc32(data[place + 4 : place + 8 + length]) == struct.unpack(">I", data[place + 8 + length :][:4])[0]
        )
        place += 12 + length
    assert set(names) <= {b"IHDR", b"pHYs", b"IDAT", b"IEND"}


def test_full_width_figures_are_as_wide_as_the_page() -> None:
    width = struct.unpack(">I", style.png(ALL["histogram"]())[16:20])[0]
    assert width == 1100


def test_series_colours_are_distinct() -> None:
    assert len({*style.SERIES}) == len(style.SERIES)
