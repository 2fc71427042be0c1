"""Results follow the code: what changes a fingerprint, and what Snakemake then plans."""

import os
import time

import pytest

from workflow_scripts import fingerprint

FORMULA = ("return 2 * x", "return x + x")


@pytest.fixture
def package(project, monkeypatch):
    """The miniature package; its fingerprints are computed afresh each time."""
    monkeypatch.setattr(fingerprint, "PACKAGE", project.folder / "workflow_scripts")

    def code(*modules: str) -> str:
        fingerprint._read.cache_clear()
        return fingerprint.code(*modules)

    yield project, code
    fingerprint._read.cache_clear()


def test_fingerprint_is_short_repeatable_and_differs_between_stages(package):
    _, code = package
    assert code("stages.double") == code("stages.double")
    assert code("stages.double") != code("stages.report")
    assert len(code("stages.double")) == 16
    assert code("doubling", "tables") not in (code("doubling"), code("tables"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# a comment", "# another comment, longer than the first"),
        ("# a comment\n", "\n\n"),
        ('"""Twice x."""', '"""Two times x."""'),
        ('"""Twice x."""', ""),
        ('"""Doubling."""', '"""Doubling,\n\nin many words."""'),
        ("return 2 * x", "return (\n        2 * x\n    )"),
    ],
)
def test_comment_docstring_and_layout_change_nothing(package, old, new):
    project, code = package
    before = code("stages.double")
    project.edit("workflow_scripts/doubling.py", old, new)
    assert code("stages.double") == before


@pytest.mark.parametrize(
    ("name", "old", "new", "changed"),
    [
        ("doubling", *FORMULA, {"double"}),
        ("doubling", "return 2 * x", "return 2.0 * x", {"double"}),
        ("doubling", "x: int", "x: float", {"double"}),
        ("stages/report", "threads == 1", "threads >= 1", {"report"}),
        ("stages/double", "above the limit", "beyond the limit", {"double"}),
        ("parquet", 'compression_level": 3', 'compression_level": 4', {"double", "report"}),
    ],
)
def test_edit_changes_exactly_the_stages_that_import_it(package, name, old, new, changed):
    project, code = package
    before = {stage: code(f"stages.{stage}") for stage in ("double", "report")}
    project.edit(f"workflow_scripts/{name}.py", old, new)
    assert {stage for stage in before if code(f"stages.{stage}") != before[stage]} == changed


@pytest.mark.parametrize(
    ("statement", "reached"),
    [
        ("from workflow_scripts import tables", {"tables"}),
        ("from workflow_scripts.tables import DataError, read", {"tables"}),
        ("import workflow_scripts.tables as t", {"tables"}),
        ("from workflow_scripts.kinds import round", {"kinds/round"}),
        ("from workflow_scripts.kinds.round import area", {"kinds/round"}),
        ("from workflow_scripts.kinds import REGISTRY", {"kinds/__init__"}),
        ("from workflow_scripts import kinds", {"kinds/__init__"}),
        ("import workflow_scripts.kinds", {"kinds/__init__"}),
        ("def f():\n    from workflow_scripts import tables", {"tables"}),
        ("import json\nfrom pathlib import Path", set()),
    ],
)
def test_import_reaches_what_python_runs_for_it(package, statement, reached):
    project, _ = package
    for name in ("__init__", "round", "square"):
        project.write(f"workflow_scripts/kinds/{name}.py", "")
    path = project.write("workflow_scripts/importer.py", statement)
    found = {f.relative_to(path.parent).with_suffix("").as_posix() for f in fingerprint.imports(path)}
    assert found == reached


def test_package_of_an_imported_module_counts_and_its_neighbours_do_not(package):
    project, code = package
    for name in ("__init__", "round", "square"):
        project.write(f"workflow_scripts/kinds/{name}.py", "value = 1")
    project.write("workflow_scripts/importer.py", "from workflow_scripts.kinds import round")
    before = code("importer")
    project.write("workflow_scripts/kinds/square.py", "value = 2")
    assert code("importer") == before
    project.write("workflow_scripts/kinds/__init__.py", "value = 2")
    assert code("importer") != before


def test_package_that_discovers_its_modules_counts_whole(package):
    project, code = package
    project.write("workflow_scripts/kinds/__init__.py", "import importlib")
    project.write("workflow_scripts/kinds/round.py", "value = 1")
    project.write("workflow_scripts/kinds/square.py", "value = 1")
    project.write("workflow_scripts/importer.py", "from workflow_scripts.kinds.round import value")
    before = code("importer")
    project.write("workflow_scripts/kinds/square.py", "value = 2")
    assert code("importer") != before


def test_package_by_its_name_counts_whole(package):
    project, code = package
    for name in ("__init__", "round"):
        project.write(f"workflow_scripts/kinds/{name}.py", "value = 1")
    before = code("kinds")
    project.write("workflow_scripts/kinds/round.py", "value = 2")
    assert code("kinds") != before


def test_template_beside_a_module_counts_with_every_letter(package):
    project, code = package
    project.write("workflow_scripts/pages/__init__.py", "")
    project.write("workflow_scripts/pages/page.html.j2", "<p>")
    project.write("workflow_scripts/importer.py", "from workflow_scripts import pages")
    before, other = code("importer"), code("stages.double")
    project.write("workflow_scripts/pages/page.html.j2", "<p >")
    assert code("importer") != before
    assert code("stages.double") == other


def test_modules_that_import_each_other_end(package):
    project, code = package
    project.write("workflow_scripts/left.py", "from workflow_scripts import right")
    project.write("workflow_scripts/right.py", "from workflow_scripts import left\nvalue = 1")
    before = code("left")
    project.write("workflow_scripts/right.py", "from workflow_scripts import left\nvalue = 2")
    assert code("left") != before


def test_snakemake_plans_what_depends_on_an_edited_formula_and_nothing_else(project):
    assert project.snakemake().returncode == 0
    assert project.planned() == set()

    later = time.time() + 60
    for path in (project.folder / "workflow_scripts").rglob("*.py"):
        os.utime(path, (later, later))
    assert project.planned() == set(), "a newer file is not another program"

    project.edit("workflow_scripts/doubling.py", "# a comment", "# another")
    project.edit("workflow_scripts/stages/double.py", "Stage double.", "The stage that doubles.")
    assert project.planned() == set(), "a comment and a docstring are not the program"

    project.edit("workflow_scripts/doubling.py", *FORMULA)
    assert project.planned() == {"all", "double", "report"}

    project.edit("workflow_scripts/doubling.py", *reversed(FORMULA))
    assert project.planned() == set()

    project.edit("workflow_scripts/stages/report.py", "for path in numbers", "for path in sorted(numbers)")
    assert project.planned() == {"all", "report"}
