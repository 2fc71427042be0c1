import re

from bench import drawing, table
from bench.goals import Goal
from bench.scaling import OfCurves, OfPoints
from bench.table import Results
from bench.timing import Cost
from bench.whole import Whole
from workflow_scripts.figures import style

OURS = Cost("ours", "60 features", 2000, 50e-6, 0.02, 1.0)
PEER = Cost("peer | it", "25 features", 50, 8.84e-3, 0.1, 176.8)
FOUND = Results(
    machine="EPYC (AVX-512)",
    versions=[("peer", "1.2", "MIT")],
    real_name="Real ones",
    simulated_name="SIMULATED ones",
    statistics_real=[OURS, PEER],
    statistics_simulated=[PEER],
    same=[PEER],
    own=[OURS],
    errors={"ours": (1.2e-3, 4e-4)},
    n_errors=30,
    whole=Whole(4e-3, 1e-4, 4.1e-3, 300, 75),
    of_points=[OfPoints(n, 1e-6 * n, 1e-3, 3e-3) for n in (10, 10_000)],
    of_curves=[OfCurves(kind, n, 1e-5 * n, 200, 210) for kind in ("statistics", "search") for n in (100, 1000)],
    goals=[Goal("everything", 230, 180, "/s")],
    rounds=5,
    quick=False,
)


def test_every_table_is_whole():
    text = table.markdown(FOUND)
    lines = [re.sub(r"\\\|", "", line) for line in text.splitlines() if line.startswith("|")]
    blocks = re.findall(r"(?:^\|.*\n?)+", re.sub(r"\\\|", "", text), flags=re.MULTILINE)
    assert len(blocks) == 10
    assert sum(block.count("\n") for block in blocks) in {len(lines), len(lines) - 1}
    for block in blocks:
        columns = {line.count("|") for line in block.splitlines()}
        assert len(columns) == 1


def test_rows_say_what_was_measured():
    text = table.markdown(FOUND)
    assert "| ours | 60 features | 20,000 | 50 us | 1 | 2,000 | 2% |" in text
    assert r"| peer \| it | 25 features | 113 | 8.84 ms | 177 | 50 | 10% |" in text
    assert "| everything | >= 230/s | 180/s | **not reached** |" in text
    assert "| both | 244 | 4.1 ms |" in text
    assert "| ours | 1.2e-03 | 4.0e-04 |" in text
    assert "| 10,000 | 10 ms | 1 ms | 3 ms |" in text
    assert "| search | 1,000 | 10 ms | 10 us | 200 MiB | 210 MiB |" in text
    assert "EPYC (AVX-512)" in text
    assert "benchmark.png" in text
    assert "quick" not in text


def test_times_carry_their_unit():
    assert [table.duration(s) for s in (2.5, 0.186, 37e-6, 0.99994)] == ["2.5 s", "186 ms", "37 us", "1,000 ms"]


def test_figure_has_three_panels_on_logarithmic_axes():
    figure = drawing.draw(FOUND.of_points, FOUND.of_curves)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "Cost of a light curve",
        "Cost of all",
        "Peak memory",
    ]
    for axes, lines in zip(figure.axes, (3, 2, 2), strict=True):
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        assert len(axes.lines) == lines
    assert style.png(figure).startswith(b"\x89PNG")
