"""Read a sample from the user's own files into the project's tables."""

from pathlib import Path

from workflow_scripts import edge, surveys
from workflow_scripts.surveys import local


def main(
    light_curves: list[Path],
    object_lists: list[Path],
    photometry_lists: list[Path],
    objects: Path,
    photometry: Path,
    raw: Path,
    source: local.LocalSource,
    n_shards: int,
) -> None:
    """Read light curves, lists of objects and photometry; write objects, photometry and raw light curves."""
    sample = local.read(light_curves, object_lists, photometry_lists, source)
    surveys.write([sample], objects, photometry, raw, n_shards)


if __name__ == "__main__":
    edge.run(main)
