"""Assumptions and deviations are found where they are declared."""

import re

from workspace import ROOT

from workflow_scripts import assumptions

SOURCE = '''
"""Not one: # ASSUME in a string."""
# ASSUME stars are round.
x = 1  # DEVIATES Qiao 2024 2.2: one instead of two.
# a comment that belongs to nothing

# ASSUME the Earth
# turns, and goes on
#   turning.
y = 2
# ASSUME first
# DEVIATES Kim 2011 eq. A1: second
z = "# ASSUME not this"
# they ASSUME nothing here
def f():
    # ASSUME inside
    # a function
    return 1  # not part of it
'''


def test_declarations_are_read_with_the_lines_that_continue_them():
    assert list(assumptions.declared(SOURCE)) == [
        ("ASSUME", 3, "stars are round."),
        ("DEVIATES", 4, "Qiao 2024 2.2: one instead of two. a comment that belongs to nothing"),
        ("ASSUME", 7, "the Earth turns, and goes on turning."),
        ("ASSUME", 11, "first"),
        ("DEVIATES", 12, "Kim 2011 eq. A1: second"),
        ("ASSUME", 16, "inside a function"),
    ]


def test_rules_and_snakefile_are_read_too(project):
    project.edit("Snakefile", "rule report:", "# ASSUME a rule may assume.\nrule report:")
    project.write("rules/extra.smk", "# DEVIATES Kim 2011 5.1: in a rule file.\nrule none:\n    input: []\n")
    found = {(a.kind, a.file, a.text) for a in assumptions.collect(project.folder)}
    assert found == {
        ("ASSUME", "Snakefile", "a rule may assume."),
        ("DEVIATES", "rules/extra.smk", "Kim 2011 5.1: in a rule file."),
    }


def test_digest_follows_what_is_assumed_and_not_the_lines(project):
    project.edit("Snakefile", "rule report:", "# ASSUME a rule may assume.\nrule report:")
    first = assumptions.digest(project.folder)
    project.edit("Snakefile", "rule double:", "# a comment\n\n\nrule double:")
    assert assumptions.digest(project.folder) == first
    project.edit("Snakefile", "may assume", "must assume")
    second = assumptions.digest(project.folder)
    project.edit("Snakefile", "must assume", "may assume")
    project.edit("workflow_scripts/doubling.py", "# a comment", "# ASSUME another")
    assert len({first, second, assumptions.digest(project.folder)}) == 3


def test_none_of_the_repository_is_missed():
    files = [*(ROOT / "workflow_scripts").rglob("*.py"), *(ROOT / "rules").glob("*.smk"), ROOT / "Snakefile"]
    written = sum(
        len(re.findall(r"^[^\"'\n]*#[^\"'\n]*\b(?:ASSUME|DEVIATES) ", f.read_text(), flags=re.MULTILINE)) for f in files
    )
    assert len(assumptions.collect(ROOT)) == written > 5


def test_deviation_names_its_paper_and_place():
    for one in assumptions.collect(ROOT):
        if one.kind == "DEVIATES":
            assert re.match(r"[A-Z][\w. &-]+ \d{4}[^:]*: \S", one.text), one
