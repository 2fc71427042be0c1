"""The file of a run as it is written: keys that are there twice, of which a reader of YAML silently takes the last."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import yaml

from workflow_scripts.tables import DataError


def check_keys(files: Iterable[Path]) -> None:
    """Raise DataError that names each key that one mapping of a file has more than once, with file and lines."""
    doubled = [f"{path}, {line}" for path in files for line in _doubled(_parsed(path), ())]
    if doubled:
        raise DataError(
            "a key is there more than once, and only the last one would count; remove the others\n  "
            + "\n  ".join(doubled)
        )


def _parsed(path: Path) -> yaml.Node | None:
    """Give the nodes of a file; None where it is no YAML, of which Snakemake says more, or which it reads as JSON."""
    with contextlib.suppress(yaml.YAMLError):
        node: yaml.Node | None = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        return node
    return None


def _doubled(node: yaml.Node | None, place: Sequence[str]) -> Iterator[str]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _doubled(item, place)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[tuple[str, str], int] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if (key.tag, name) in lines:
            yield f"line {line}: {'.'.join((*place, name))}, as in line {lines[key.tag, name]}"
        lines.setdefault((key.tag, name), line)
        yield from _doubled(value, (*place, name))
