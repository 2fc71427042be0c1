"""Stage of rule read_lists: the published member lists of a region from the user's files."""

from pathlib import Path

import pyarrow as pa

from workflow_scripts import edge, tables
from workflow_scripts.clustering.lists import LISTS, read


def main(list_files: list[Path], lists: Path, list_names: list[str], least_probability: float) -> None:
    """Write the rows of all lists, one list after the other."""
    parts = []
    for path, name in zip(list_files, list_names, strict=True):
        rows = read(path, least_probability)
        parts.append(rows.add_column(0, "list", pa.array([name] * rows.num_rows, pa.string())))
    tables.write(pa.concat_tables(parts), lists, LISTS)


if __name__ == "__main__":
    edge.run(main)
