"""Read one shard of a HATS collection into the project's tables."""

from pathlib import Path

from workflow_scripts import edge, tables
from workflow_scripts.surveys import hats


def main(
    targets: list[Path], shard_rows: Path, shard_objects: Path, source: hats.HatsSource, shard: str, n_shards: int
) -> None:
    """Read the shard's partitions, all or for the targets (no file or one); write raw light curves and objects."""
    objects, light_curves = hats.read(source, next(iter(targets), None), int(shard), n_shards)
    tables.write(light_curves, shard_rows, tables.RAW_LIGHT_CURVES)
    tables.write(objects, shard_objects, tables.OBJECTS)


if __name__ == "__main__":
    edge.run(main)
