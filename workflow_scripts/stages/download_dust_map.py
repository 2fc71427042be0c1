"""Download the dust map Bayestar19 (0.73 GB) with its published checksum."""

import os
import shutil
from pathlib import Path

import numpy as np

from workflow_scripts import edge, tables
from workflow_scripts.archives import http
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.dust import BAYESTAR19, BAYESTAR19_DIGESTS
from workflow_scripts.surveys.mirrors import mirrored

MANNERS = Manners(budget_s=6 * 3600.0)


def main(dust_map: Path, folder: Path, mirrors: dict[str, str], seed: int) -> None:
    """Fetch the map into folder unless it is there with its manifest, and give it (the same bytes) as dust_map."""
    kept = folder / "bayestar2019.h5"
    request = mirrored(BAYESTAR19, mirrors)
    http.fetch(request, kept, MANNERS, np.random.default_rng(seed), digests=BAYESTAR19_DIGESTS)
    with tables.whole(dust_map) as part:
        part.unlink()
        try:
            os.link(kept, part)
        except OSError:  # another file system, or one without links
            shutil.copyfile(kept, part)


if __name__ == "__main__":
    edge.run(main)
