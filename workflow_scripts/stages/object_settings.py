"""Stage of rule object_settings: what a single light curve must be measured with to be classified like the others."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts import edge, parquet, tables
from workflow_scripts.lightcurve.clean import Cuts
from workflow_scripts.lightcurve.period_search import Search


@dataclass(frozen=True)
class Settings:
    """Cuts, period search and kind of training data of a run."""

    cuts: Cuts
    search: Search
    data: str


def main(settings: Path, cuts: Cuts, search: Search, data: str) -> None:
    """Write the settings of the run for classify_object, with the run's record: the models' files have none."""
    said = dataclasses.asdict(Settings(cuts, search, data)) | {"provenance": parquet.notes_of_block()}
    text = json.dumps(said, indent=2, sort_keys=True)
    with tables.whole(settings) as part:
        part.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    edge.run(main)
