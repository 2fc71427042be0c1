"""Download the catalogue of one survey into the project's table of sources."""

from pathlib import Path

import numpy as np

from workflow_scripts import edge, tables
from workflow_scripts.surveys import registry
from workflow_scripts.surveys.download_catalogue import download


def main(sources: Path, survey: str, where: str, folder: Path, mirrors: dict[str, str], pace: float, seed: int) -> None:
    """Write the objects of the survey that meet `where`; its raw answers are kept in folder."""
    found = download(registry.load(survey).paced(pace), where, folder, mirrors, np.random.default_rng(seed))
    tables.write(found, sources, tables.SOURCES)


if __name__ == "__main__":
    edge.run(main)
