"""What a run rests on: its configuration, and the assumptions of the code."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from workflow_scripts.assumptions import Assumption
from workflow_scripts.report.page import Code, Item, Table

_KINDS = {"ASSUME": "assumption", "DEVIATES": "deviation from"}


def items(configuration: Mapping[str, Any], assumptions: Sequence[Assumption]) -> Iterator[Item]:
    """Give the configuration as YAML and a table of the assumptions."""
    # A round trip through JSON turns whatever mapping types a caller uses into plain ones.
    yield Code(yaml.safe_dump(json.loads(json.dumps(configuration)), sort_keys=False, allow_unicode=True))
    yield Table(
        name="assumptions",
        caption="Assumptions of the code and deviations from the papers, as they stand in the code: each that does not "
        "hold for these data is an objection to the result.",
        header=("Kind", "Where", "Text"),
        rows=tuple((_KINDS[a.kind], a.file, a.text) for a in assumptions),
        left=3,
    )
