"""Measure speeds on one core and write docs/benchmark.md and docs/benchmark.png; see `make bench`."""

import argparse
import logging
import warnings
from pathlib import Path

from bench import machine


def main() -> None:
    machine.hold_one_core()  # before numpy, numba and the peers are imported: they count cores when they start
    from bench import run

    root = Path(__file__).parents[2]
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--folder", type=Path, default=root / "docs", help="where the table and the figure go")
    parser.add_argument("--real", type=Path, default=root.parent / "shared/data/crts_sss_variables")
    parser.add_argument("--quick", action="store_true", help="few light curves: shows that the script runs, no more")
    arguments = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("bench").setLevel(logging.INFO)
    warnings.simplefilter("ignore")  # the peers warn of nearly every light curve
    run.run(arguments.real, arguments.folder, run.QUICK if arguments.quick else run.FULL)


if __name__ == "__main__":
    main()
