"""The generated parts of the manual, config/README.md: settings, tables, features, assumptions.

Each stands between a pair of comments, `<!-- begin: settings -->` and `<!-- end: settings -->`, and is made from
the one place that defines it. Run `python -m workflow_scripts.manual` after a change; a test checks that it was run.
"""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import workflow_scripts
from workflow_scripts import assumptions, tables
from workflow_scripts import settings as configuration
from workflow_scripts.surveys import registry

ROOT = Path(__file__).parents[1]
MANUAL = ROOT / "config/README.md"


def main() -> None:
    """Rewrite the generated parts of the manual in place."""
    text = update(MANUAL.read_text(encoding="utf-8"), parts())
    with tables.whole(MANUAL) as part:
        part.write_text(text, encoding="utf-8")


def update(text: str, generated: Mapping[str, str]) -> str:
    """Put each generated part between its comments; raises DataError if the text lacks a pair of them."""
    for name, part in generated.items():
        pair = re.compile(rf"(<!-- begin: {name} -->\n).*?(<!-- end: {name} -->)", flags=re.DOTALL)
        if len(pair.findall(text)) != 1:
            raise tables.DataError(f"{MANUAL.name}: expected one pair of comments 'begin: {name}', 'end: {name}'")
        literal = part.replace("\\", r"\\")
        text = pair.sub(rf"\1\n{literal}\n\n\2", text)
    return text


def parts() -> dict[str, str]:
    """All generated parts by name."""
    schema = configuration.schema(ROOT / "config/config.schema.yaml", registry.offers())
    return {
        "settings": _grid(("key", "meaning", "values", "default"), settings(schema)),
        "surveys": _grid(("survey", "what", "gives", "bands", "reference"), surveys()),
        "tables": "\n\n".join(map(describe, contract())),
        "features": _grid(("column", "unit", "meaning", "source", "points", "set"), features()),
        "assumptions": _listed("ASSUME"),
        "deviations": _listed("DEVIATES"),
    }


def settings(schema: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, ...]]:
    """Yield key, meaning, legal values and default of every setting, depth first, as the schema lists them."""
    for key, part in schema.get("properties", {}).items():
        required = "required" if key in schema.get("required", ()) else ""
        default = "" if "properties" in part or "default" not in part else f"`{json.dumps(part['default'])}`"
        yield f"`{place}{key}`", part.get("description", ""), _values(part), default or required
        yield from settings(part, f"{place}{key}.")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from settings(schema["additionalProperties"], f"{place}<name>.")


def surveys() -> Iterator[tuple[str, ...]]:
    """Yield name, title, what it gives, bands and reference of every survey."""
    for name in registry.names():
        survey = registry.load(name)
        gives = [f"catalogue, {survey.catalogue.rows:,} rows"] if survey.catalogue else []
        bands = sorted(set(survey.light_curves.bands.values())) if survey.light_curves else []
        gives += ["light curves"] if survey.light_curves else []
        yield f"`{name}`", survey.title, "; ".join(gives), ", ".join(bands), survey.reference


def contract() -> list[tables.Table]:
    """Every table that is declared anywhere, by its name; the feature table stands by itself.

    Of several tables of one name, of which one is a part of the other, the last one found is what is written.
    """
    from workflow_scripts import catalogue, trained_on

    every = [value for module in _modules() for value in vars(module).values() if isinstance(value, tables.Table)]
    every.append(catalogue.catalogue_table(("A", "B"), (trained_on.COLUMN,), "labelled", 0.9))
    found = {table.name: table for table in every}
    found.pop("features")
    return list(found.values())


def _modules() -> Iterator[ModuleType]:
    """Yield tables.py, which declares most, and all other modules of the package in the order of their names."""
    yield tables
    for module in pkgutil.walk_packages(workflow_scripts.__path__, f"{workflow_scripts.__name__}."):
        if module.name != __name__:
            yield importlib.import_module(module.name)


def describe(table: tables.Table) -> str:
    """Heading and columns of a table."""
    rows = [(f"`{c.name}`", str(c.type), c.unit, c.meaning, "yes" if c.nullable else "") for c in table.columns]
    return f"### {table.name}\n\n" + _grid(("column", "type", "unit", "meaning", "may be null"), rows)


def features() -> Iterator[tuple[str, ...]]:
    """Yield column, unit, meaning, source, fewest points and sets of every feature."""
    from workflow_scripts.features.registry import FEATURES

    for one in FEATURES.values():
        name = one.columns[0] if one.parts == 1 else f"{one.columns[0]} ... {one.columns[-1]}"
        sets = [] if one.leaks_survey else ["default"]
        sets += [f"{paper} ({row})" for paper, row in one.papers.items()]
        yield f"`{name}`", one.unit, one.meaning, one.reference, str(one.min_obs), ", ".join(sets) or "all"


def _values(part: Mapping[str, Any]) -> str:
    if "$ref" in part:
        return f"as `{part['$ref'].removeprefix('#/properties/').replace('/properties/', '.')}`"
    if "enum" in part:
        return ", ".join(map(str, part["enum"]))
    if part.get("type") == "array":
        return f"list of {_values(part['items'])}"
    if part.get("type") == "object":
        return ""
    bounds = [
        f"{sign} {part[key]}"
        for key, sign in (("minimum", ">="), ("exclusiveMinimum", ">"), ("maximum", "<="), ("exclusiveMaximum", "<"))
        if key in part
    ]
    return " ".join([part["type"], *bounds])


def _listed(kind: str) -> str:
    found = [a for a in assumptions.collect(ROOT) if a.kind == kind]
    return "\n".join(f"* {a.text[0].upper()}{a.text[1:]} (`{a.file}`)" for a in found)


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    main()
