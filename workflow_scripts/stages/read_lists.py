"""Stage of rule read_lists: the published member lists of a region from the user's files."""

from pathlib import Path

from workflow_scripts import edge
from workflow_scripts.clustering.lists import read, write


def main(list_files: list[Path], lists: Path, list_names: list[str], least_probability: float) -> None:
    """Write the rows of all lists, one list after the other."""
    found = {name: read(path, least_probability) for path, name in zip(list_files, list_names, strict=True)}
    write(found, lists)


if __name__ == "__main__":
    edge.run(main)
