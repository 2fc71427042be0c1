"""Join the objects that were found shard by shard into those of the sample."""

from pathlib import Path

from workflow_scripts import edge, tables
from workflow_scripts.surveys import hats


def main(shards: list[Path], objects: Path, sample: str) -> None:
    """Read the objects of every shard; write them sorted."""
    tables.write(hats.distinct(tables.read_all(shards, tables.OBJECTS), sample), objects, tables.OBJECTS)


if __name__ == "__main__":
    edge.run(main)
