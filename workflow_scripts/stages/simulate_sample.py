"""Simulate one sample of the demo survey."""

from pathlib import Path

from workflow_scripts import edge, surveys
from workflow_scripts.simulate import simulate
from workflow_scripts.surveys.demo import Demo, generator


def main(objects: Path, photometry: Path, shards: list[Path], demo: Demo, seed: int, sample: str) -> None:
    """Write objects, photometry and raw light curves of a simulated sample, the same for the same seed and name."""
    simulated = simulate(demo.objects, demo.mix, sample, generator(seed, sample))
    surveys.write(simulated, objects, photometry, shards)


if __name__ == "__main__":
    edge.run(main)
