"""The settings of a run against config/config.schema.yaml: defaults filled in, every problem named in one line."""

import copy
import difflib
import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from workflow_scripts import input_files
from workflow_scripts.clustering.names import METHODS
from workflow_scripts.labels import misnamed
from workflow_scripts.surveys import registry
from workflow_scripts.tables import DataError

_ROOM_BYTES = 1 << 16  # Snakemake alone writes some small files for each job


def complete(config: dict[str, Any], schema_file: Path, surveys: Mapping[str, Sequence[str]]) -> None:
    """Fill the schema's defaults into config, in place; surveys = registry.offers().

    Raises DataError that lists every problem with the place, what is wrong, what is allowed and a likely meaning.
    """
    rules = schema(schema_file, surveys)
    problems = list(_unquoted(config, []))
    if not problems:  # the schema is for names alone
        errors = Draft202012Validator(rules).iter_errors(config)
        problems = sorted({line for error in errors for line in _lines(error)})
    if not problems:
        _fill(config, rules)
        problems = [
            *_contradictions(config),
            *_unknown_catalogues(config, surveys["catalogue"]),
            *_unknown_bands(config, surveys["archive"]),
            *_not_finite(config, []),
            *_misnamed_classes(config),
        ]
    if problems:
        raise DataError(
            "the configuration cannot be used; every key is explained in config/README.md\n  " + "\n  ".join(problems)
        )
    ordered = _in_order(_whole_numbers(config), rules)
    config.clear()  # the same object: others hold it
    config.update(ordered)


def schema(schema_file: Path, surveys: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Read the schema of a run; where it says x-surveys, the names of the surveys that offer this are added.

    Where it says x-ordered, the order of the names has a meaning: of tables in the report, of lines in a table.
    """
    rules: dict[str, Any] = yaml.safe_load(schema_file.read_text(encoding="utf-8"))
    _name_surveys(rules, surveys)
    return rules


def check_writable(folder: Path) -> None:
    """Raise DataError if results cannot be written to folder, which need not exist yet."""
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if not nearest.is_dir():
        raise DataError(f"results cannot be written to {folder}: {nearest} is a file; move it or run elsewhere")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise DataError(f"results cannot be written to {folder}: {nearest.resolve()} is not writable; run elsewhere")


def check_room(folder: Path) -> None:
    """Raise DataError if the disk of the results or of the working directory is full before the run begins."""
    for place in (folder, Path.cwd()):
        nearest = next(path for path in (place, *place.parents) if path.exists())
        free = shutil.disk_usage(nearest).free
        if free < _ROOM_BYTES:
            raise DataError(f"the disk of {nearest.resolve()} is full ({free} bytes free); make room and run again")


def _name_surveys(part: Any, names: Mapping[str, Sequence[str]]) -> None:
    """Add the names of surveys to the legal values, at every depth."""
    if isinstance(part, dict):
        if "x-surveys" in part:
            part["enum"] = [*part["enum"], *names[part["x-surveys"]]]
        for item in part.values():
            _name_surveys(item, names)


def _unquoted(part: Any, place: list[str | int]) -> Iterator[str]:
    """Yield the keys that YAML takes for a number, a truth value or a date, at every depth."""
    for key, item in part.items() if isinstance(part, dict) else ():
        if not isinstance(key, str) and place[-1:] != ["bands"]:  # codes of bands may be numbers
            kind, cure = type(key).__name__, "put it in quotes as you wrote it"
            yield f"{_dotted([*place, key])}: YAML reads this key as {kind}, expected text; {cure}"
        yield from _unquoted(item, [*place, key])


def _lines(error: ValidationError) -> Iterator[str]:
    place = list(error.absolute_path)
    if error.validator == "additionalProperties":
        known = sorted(error.schema["properties"])
        for key in sorted(set(error.instance) - set(known)):
            yield f"{_dotted([*place, key])}: unknown key; allowed are {', '.join(known)}{_hint(key, known)}"
    elif error.validator == "enum":
        near = _hint(str(error.instance), [str(value) for value in error.validator_value])
        yield f"{_dotted(place)}: {error.message}{near}"
    elif error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        yield from (f"{_dotted([*place, key])}: this key is missing" for key in missing)
    else:
        meaning = error.schema.get("description")
        yield f"{_dotted(place)}: {error.message}{f' ({meaning})' if meaning else ''}"


def _dotted(place: list[str | int]) -> str:
    return ".".join(map(str, place)) or "configuration"


def _hint(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _fill(value: Any, schema: Mapping[str, Any]) -> None:
    """Give the keys that value lacks their defaults, at every depth."""
    if not isinstance(value, dict):
        return
    properties = schema.get("properties", {})
    for key, part in properties.items():
        if "default" in part:
            value.setdefault(key, copy.deepcopy(part["default"]))
    others = schema.get("additionalProperties")
    for key, item in value.items():
        part = properties.get(key, others)
        if isinstance(part, dict):
            _fill(item, part)


def _in_order(value: Any, schema: Mapping[str, Any]) -> Any:
    """Value with the keys of each mapping in the schema's order, free ones sorted; x-ordered: as they were given.

    Snakemake compares settings as text: a default that is written out, or another order, would run everything again.
    """
    if not isinstance(value, dict):
        return value
    parts, others = schema.get("properties", {}), schema.get("additionalProperties")
    place = {key: i for i, key in enumerate(value if schema.get("x-ordered") else parts)}
    keys = sorted(value, key=lambda key: (place.get(key, len(place)), str(key)))
    rest = others if isinstance(others, dict) else {}
    return {key: _in_order(value[key], parts.get(key, rest)) for key in keys}


def _whole_numbers(value: Any) -> Any:
    """Value with 5 in the place of 5.0 at every depth: the schema takes it for an integer, range() does not."""
    if isinstance(value, dict):
        return {key: _whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _not_finite(value: Any, place: list[str | int]) -> Iterator[str]:
    """Yield the numbers that are nan or inf, which are numbers to the schema; a locus has a message of its own."""
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{_dotted(place)}: {value} is no finite number"
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if not (key == "locus" and isinstance(item, list)):
            yield from _not_finite(item, [*place, key])


def _contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the schema cannot say about keys that belong together."""
    roles = [sample["role"] for sample in config["samples"].values()]
    if not roles and not config["clusters"]["regions"]:
        yield "samples: there are none, and no clusters.regions; a run needs one or the other"
    elif roles and "labelled" not in roles:
        yield f"samples: training needs a sample with role labelled; the roles are {', '.join(roles)}"
    for name, sample in config["samples"].items():
        source = sample["source"]
        used = source if source in ("demo", "local", "hats") else "archive"
        for block in sorted({"local", "hats", "archive"} & sample.keys() - {used}):
            yield f"samples.{name}.{block}: source {source} does not use this; remove it or change the source"
        pairs = sample.get("archive", {}).get("accept", [])
        if config["classes"] and (strange := sorted({one for pair in pairs for one in pair} - set(config["classes"]))):
            known = ", ".join(config["classes"])
            yield f"samples.{name}.archive.accept: {', '.join(strange)} is no class; they are {known}"
    for name, region in config["clusters"]["regions"].items():
        locus = region["locus"]
        if len(locus) not in (0, 3) or not all(map(math.isfinite, locus)):
            yield (
                f"clusters.regions.{name}.locus: {locus} is neither empty nor three finite numbers: proper motion in "
                "RA times cos Dec and in Dec [mas/yr], parallax [mas]"
            )
        if region["source"] != "local" and region.get("stars"):
            yield f"clusters.regions.{name}.stars: source {region['source']} has no use for these; remove them"
        for title in sorted(set(METHODS) & set(region["lists"])):
            yield (
                f"clusters.regions.{name}.lists.{title}: this is the name of a method, and scores tell them from lists "
                "by name; call the list otherwise, by its authors and year"
            )
    groups = config["clusters"]["kmeans"]
    if groups["fewest"] > groups["most"]:
        yield f"clusters.kmeans: fewest {groups['fewest']} is above most {groups['most']}"
    period = config["period"]
    if period["min_period_d"] >= period["max_period_d"]:
        yield f"period: min_period_d {period['min_period_d']} is not below max_period_d {period['max_period_d']}"
    owner: dict[str, str] = {}
    for name, labels in config["classes"].items():
        for label in labels:
            if owner.setdefault(label, name) != name:
                yield f"classes: label {label} is in both {owner[label]} and {name}"
            if label in config["ignore_labels"]:
                yield f"classes: label {label} is in {name} and in ignore_labels"


def _misnamed_classes(config: Mapping[str, Any]) -> Iterator[str]:
    if said := misnamed(config["classes"]):
        yield f"classes: {said}"


def _unknown_catalogues(config: Mapping[str, Any], surveys: Sequence[str]) -> Iterator[str]:
    """Yield the catalogues that are named and that nobody knows, and pairs that have nothing to agree on."""
    known = sorted({*config["catalogues"], *surveys})
    named = {"references": config["references"]}
    for name, sample in config["samples"].items():
        place = f"samples.{name}.{'hats' if sample['source'] == 'hats' else 'archive'}.objects"
        named[place] = input_files.catalogues(sample)
        if sample.get("hats", {}).get("counterparts") and not named[place]:
            yield f"{place}: counterparts need a catalogue of objects, whose positions are of a known epoch"
        if len(named[place]) == 2 and sample["role"] != "labelled":
            yield f"samples.{name}.archive: two catalogues are for a labelled sample, this one is {sample['role']}"
    for place, names in named.items():
        for name in names:
            if name not in known:
                yield f"{place}: {name} is no catalogue; known are {', '.join(known)}{_hint(name, known)}"


def _unknown_bands(config: Mapping[str, Any], archives: Sequence[str]) -> Iterator[str]:
    """Yield the bands that are asked of an archive and that its survey does not have."""
    for name, sample in config["samples"].items():
        curves = registry.load(sample["source"]).light_curves if sample["source"] in archives else None
        known = curves.band_names if curves else []
        for band in sorted({*sample["archive"]["bands"]} - {*known}) if curves else ():
            place = f"samples.{name}.archive.bands"
            yield f"{place}: {band} is no band of {sample['source']}; they are {', '.join(known)}"
