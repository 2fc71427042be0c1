"""Simulate one sample of the demo survey."""

from pathlib import Path

from workflow_scripts import edge, surveys
from workflow_scripts.simulate import blocks
from workflow_scripts.surveys.demo import Demo


def main(objects: Path, photometry: Path, raw: Path, demo: Demo, n_shards: int, seed: int, sample: str) -> None:
    """Write objects, photometry and raw light curves of a simulated sample, the same for the same seed and name."""
    surveys.write(blocks(demo, sample, seed), objects, photometry, raw, n_shards)


if __name__ == "__main__":
    edge.run(main)
